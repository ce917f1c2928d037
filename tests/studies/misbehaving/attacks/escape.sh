# Tries what leads out of a container.
. attacks/report.sh

must_fail 'mount a file system' mount -t tmpfs none /tmp
must_fail 'mount proc again' mount -t proc none /tmp
must_fail 'mount a cgroup' mount -t cgroup -o memory none /tmp
must_fail 'remount the image writable' mount -o remount,rw /
must_fail 'unmount proc' umount /proc
must_fail 'make a user namespace' unshare -U true
must_fail 'make a mount namespace' unshare -m true
must_fail 'make a user, mount and net namespace' unshare -r -m -n true
must_fail 'enter the namespaces of the first process' nsenter -t 1 -m true
must_fail 'change the root' chroot / true
must_fail 'pivot the root' pivot_root /tmp /tmp
must_fail 'make a block device' mknod /tmp/sda b 8 0
must_fail 'make a character device' mknod /tmp/mem c 1 1
must_fail 'make a device in the workspace' mknod output/disk b 7 0
must_fail 'become root' su -c true
must_fail 'set the host name' hostname other
must_fail 'open the core pattern for writing' sh -c ': >>/proc/sys/kernel/core_pattern'
must_fail 'open the keys of the kernel' sh -c ': >>/proc/sysrq-trigger'
dd if=/dev/zero of=/tmp/disk bs=1k count=64 2>/dev/null
must_fail 'add swap' swapon /tmp/disk
must_fail 'read memory by a device' devmem 0
must_fail 'attach a loop device' losetup -f /tmp/disk
must_fail 'change a kernel setting' sysctl -w kernel.domainname=other
must_fail 'escape from the out-of-memory killer' sh -c 'echo -1000 >/proc/self/oom_score_adj'
cp /bin/busybox /tmp/suid && chmod 4755 /tmp/suid 2>/dev/null
must_be 'a program of its own stays powerless' 1000 "$(/tmp/suid id -u 2>/dev/null || echo 1000)"
