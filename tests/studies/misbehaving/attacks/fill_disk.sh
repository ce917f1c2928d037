# Writes to its workspace until nothing more fits.
. attacks/report.sh

fact 'started' yes
dd if=/dev/zero of=output/fill_disk.bin bs=1M
status=$?
fact 'MiB written' "$(du -m output/fill_disk.bin | cut -f 1)"
exit $status
