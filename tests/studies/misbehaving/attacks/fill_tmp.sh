# Fills every place in memory that can be written to: each has a size of its own.
. attacks/report.sh

for folder in /tmp /dev/shm; do
  must_fail "write without end to $folder" dd if=/dev/zero of=$folder/fill bs=1M
  fact "MiB in $folder" "$(du -m $folder/fill | cut -f 1)"
  rm -f $folder/fill
  must_fail "make files without end in $folder" \
    sh -c "for i in \$(seq 1 2000); do (cd $folder && seq 1 1000 | sed s/^/f\$i-/ | xargs touch) || exit 1; done"
  rm -rf $folder/f*
done
for folder in / /etc /usr /bin /dev /proc /sys /run /var /.glovebox; do
  must_fail "write to $folder" touch $folder/mine
done
