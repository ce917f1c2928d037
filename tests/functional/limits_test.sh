#!/usr/bin/env bash
# G6: every limit holds, is read back before the start, and its breach is told apart from a failure.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
small_limits time=6s

# stopped_by ACTION REASON WORDS: the action is stopped for REASON, and the message has WORDS.
stopped_by() {
  local action=$1 reason=$2 said=$3
  run "$action"
  is "$action: exit status 4" 4 "$status"
  is "$action: status stopped" stopped "$(field .status)"
  is "$action: reason $reason" "$reason" "$(field .reason)"
  ok "$action: the message tells the limit" grep -qiE "$said" <<<"$(field .message)"
  ok "$action: nothing is shown to output checkers" not test -e "$study/.glovebox/level4/output/$action.txt"
}

stopped_by eat_memory memory '192 ?MiB'
stopped_by eat_memory_quietly memory '192 ?MiB'
is 'the memory that was asked for is in force' "$((192 * 1024 * 1024))" "$(field .limits.memory.in_force)"
ok 'the peak is no more than the limit' at_most "$((192 * 1024 * 1024))" "$(field .limits.memory.peak)"
stopped_by fork_bomb processes 100
is 'the number of processes is in force' 100 "$(field .limits.processes.in_force)"
ok 'the peak of processes is no more than the limit' at_most 100 "$(field .usage.pids_peak)"
stopped_by fill_disk scratch '96 ?MiB'
stopped_by fill_inodes scratch '96 ?MiB|5,?000'
nothing_left_behind 'after breaches'

start=$SECONDS
stopped_by never_end time '6 ?s'
ok 'never_end: it was asked to end first' grep -q 'asked to end: yes' "$study/metadata/never_end.log"
ok 'never_end: stopped within its grace' at_most 10 $((SECONDS - start))
start=$SECONDS
stopped_by ignore_sigterm time '6 ?s'
ok 'ignore_sigterm: killed after its grace' at_most 10 $((SECONDS - start))
nothing_left_behind 'after time was up'

run fill_tmp
attack fill_tmp 10
ok 'no more than 16 MiB fit into /tmp' at_most 16 "$(sed -n 's/.*MiB in .tmp: //p' "$study/output/fill_tmp.txt")"
ok 'no more than 16 MiB fit into /dev/shm' at_most 16 "$(sed -n 's/.*MiB in .dev.shm: //p' "$study/output/fill_tmp.txt")"

# One CPU for four processes that want four seconds each: about four CPU seconds, where two cores are there.
run take_cpu
ok 'the CPU limit holds' at_most 5200 "$(field '.usage.cpu_user_ms + .usage.cpu_system_ms')"
is 'the CPU limit is in force' 1000 "$(field .limits.cpus.in_force)"

# The log keeps its head and its tail, and never stops an action.
# Nobody reads what exec shows: the clock goes on.
mkdir "$work/here" && cd "$work/here" || exit 1
mkfifo "$work/unread" && exec 9<>"$work/unread"
timeout --kill-after=5 60 "$glovebox" exec --root "$root" --policies "$policies" minimal:v1 yes >"$work/unread" 2>"$work/err"
is 'exec, and nobody reads what it shows: stopped at its time limit' 4 $?
ok 'it is said' says 'the action was stopped at its time limit of 6 s'
exec 9<&-
cd "$top" || exit 1

small_limits time=60s
run flood_log
is 'flood_log: succeeded' succeeded "$(field .status)"
log=$study/metadata/flood_log.log
ok 'flood_log: the log is about as large as its limit' at_most $((1024 * 1024 * 2)) "$(stat -c %s "$log")"
ok 'flood_log: the head is kept' grep -q 'the first line' "$log"
ok 'flood_log: the tail is kept' grep -q 'the last line' "$log"

# Outputs in number, and in bytes.
small_limits time=60s inodes=200000
stopped_by many_files output '1,?000'
is 'many_files: none of them is published' 0 "$(find "$study/output/many" -type f 2>/dev/null | wc -l)"

# The same with scratch space in memory.
small_limits time=30s
sed -i 's/on: disk/on: tmpfs/' "$policies"/*.yaml
stopped_by fill_disk scratch '96 ?MiB'
stopped_by fill_inodes scratch '96 ?MiB|5,?000'
nothing_left_behind 'afterwards'

# Collecting what takes long can be stopped.
small_limits time=60s bytes=100GiB
written_study long <<'YAML'
version: 5
actions:
  long:
    run: minimal:v1 sh -c 'for i in $(seq 40); do truncate -s 1000M output/$i.bin; done'
    outputs: {highly_sensitive: {files: output/*.bin}}
YAML
"$glovebox" run "$study" long --json --root "$root" --policies "$policies" >"$work/out" 2>"$work/err" </dev/null &
runner=$!
collecting() { [ -n "$(find "$root/run" -path '*/staging/1')" ]; }
for _ in $(seq 200); do ! collecting || break; sleep 0.05; done
ok 'it is collecting 40 GB' collecting
start=$SECONDS
kill -TERM "$runner"
wait "$runner"
is 'cancelled while it collects: exit status 8' '8 cancelled' "$? $(field .status)"
ok 'cancelled while it collects: at once' at_most 2 $((SECONDS - start))
is 'cancelled while it collects: nothing is published' '' "$(find "$study" -name '*.bin')"
is 'cancelled while it collects: the record says so' cancelled \
  "$(glovebox record list --json && jq -r 'max_by(.seq) | .status' "$work/out")"
nothing_left_behind 'cancelled while it collects'

# A disk with little room for Glovebox's state: outputs that look small in the scratch must not fill it.
needs_tool mkfs.ext4
disk=$work/disk
mkdir "$disk" && truncate -s 1GiB "$work/disk.img" && mkfs.ext4 -q -F "$work/disk.img" && mount -o loop "$work/disk.img" "$disk" ||
  give_up 'cannot make a small disk'
tidy_up='umount "$disk"'
root=$disk/root
needs_images minimal
small_limits time=60s bytes=20GiB
written_study room <<'YAML'
version: 5
actions:
  holes:
    run: minimal:v1 sh -c 'for i in 1 2 3; do truncate -s 900M output/hole-$i.bin; done; echo end >>output/hole-1.bin'
    outputs: {highly_sensitive: {holes: output/hole-*.bin}}
  links:
    run: minimal:v1 sh -c 'dd if=/dev/urandom of=output/link-0.bin bs=1M count=60 2>/dev/null; for i in $(seq 20); do ln output/link-0.bin output/link-$i.bin; done'
    outputs: {highly_sensitive: {links: output/link-*.bin}}
YAML
free_on_disk() { df --output=avail -k "$disk" | tail -n 1; }
before=$(free_on_disk)
run holes
is 'three files of 900 MiB of holes: succeeded' succeeded "$(field .status)"
is 'they have their length' 943718404 "$(stat -c %s "$study/output/hole-1.bin")"
ok 'and occupy nothing' at_most 100 "$(du -k "$study/output" | cut -f 1)"
is 'their digest is that of all their bytes' "$(sha256sum <"$study/output/hole-1.bin" | cut -d ' ' -f 1)" \
  "$(field '[.outputs[] | select(.path == "output/hole-1.bin")][0].sha256')"
ok 'the disk is as empty as before' at_most 20000 $((before - $(free_on_disk)))
run links
is 'twenty links to 60 MiB on a disk that has no room for their copies: exit status 6' '6 error host' \
  "$status $(field .status) $(field .reason)"
ok 'the message says why' grep -q 'no room for copies of the outputs' <<<"$(field .message)"
ok 'nothing of them is published' none find "$study" -name 'link-*'
ok 'the disk is as empty as before' at_most 20000 $((before - $(free_on_disk)))
ok 'there is room for the record' test -s "$(field .record)"
umount "$disk"
tidy_up=
nothing_left_behind 'after the small disk'
