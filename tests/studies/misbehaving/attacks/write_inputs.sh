# Tries to change an input, in every way that a shell has. The test looks whether the stored file changed.
. attacks/report.sh

input=output/input.csv
must_be 'the input is there' 'original' "$(sed -n '2s/.*,//p' $input)"
must_fail 'append to the input' sh -c "echo forged >>$input"
must_fail 'truncate the input' sh -c ": >$input"
must_fail 'overwrite the input through another descriptor' sh -c "exec 3<$input; echo forged >/proc/self/fd/3"
must_fail 'write to the input in place' dd if=/dev/zero of=$input bs=1 count=1 conv=notrunc
must_fail 'make the input writable' chmod 666 $input
must_fail 'give the input to root' chown 0 $input
must_fail 'change its time' touch -d '2001-01-01 00:00' $input
must_fail 'remove the input' rm -f $input
must_fail 'move a file over the input' sh -c "echo forged >/tmp/forged && mv -f /tmp/forged $input"
must_fail 'move the input away' mv $input output/moved.csv
must_fail 'mount over the input' mount -o bind /dev/null $input
must_fail 'remount it writable' mount -o remount,rw,bind $input
must_fail 'unmount it' umount $input
must_fail 'unmount it lazily' umount -l $input
must_be 'the input still says what it said' 'original' "$(sed -n '2s/.*,//p' $input)"
