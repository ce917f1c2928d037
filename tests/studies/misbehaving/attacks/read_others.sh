# Looks for what is not its own. The test plants files, variables and processes on the host that carry the canary; the
# pattern is written so that it does not find itself.
. attacks/report.sh

canary='glovebox-can[a]ry'

found=$(find / -xdev -name 'glovebox-can[a]ry*' 2>/dev/null)
must_be 'no file of the host by name' '' "$found"

for folder in /tmp /var /root /home /etc /opt /srv /mnt /media /run /dev/shm /workspace; do
  found=$(grep -rlsI "$canary" "$folder" 2>/dev/null | head -n 3 | tr '\n' ' ')
  must_be "no file of the host below $folder" '' "$found"
done
found=$(cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/comm 2>/dev/null | tr '\0' '\n' | grep -c "$canary")
must_be 'no variable and no argument of another process' 0 "$found"
found=$(cat /proc/self/mountinfo /proc/self/mounts /proc/self/cgroup /proc/keys /proc/net/unix 2>/dev/null | grep -c "$canary")
must_be 'nothing in mounts, cgroups, keys and sockets' 0 "$found"

must_be 'no password hashes of the host' 0 "$(cat /etc/shadow 2>/dev/null | grep -c '^[^:]*:\$')"
must_fail 'read the memory of the first process' head -c 1 /proc/1/mem
must_fail 'read the environment of the first process' cat /proc/1/environ
must_fail 'list the descriptors of the first process' ls /proc/1/fd/
must_fail 'go out by the root of the first process' ls /proc/1/root/
must_fail 'read the kernel log' dmesg
must_fail 'read kernel memory' head -c 1 /proc/kcore
must_fail 'list disks' ls /sys/block
must_be 'no block device in /dev' '' "$(find /dev -type b)"
