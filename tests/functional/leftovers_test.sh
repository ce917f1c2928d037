#!/usr/bin/env bash
# G7 and G12: nothing survives an action, nor Glovebox itself when it is killed; the next command sets things right.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
small_limits time=60s

run leave_daemon
is 'leave_daemon: succeeded' succeeded "$(field .status)"
size=$(stat -c %s "$study/output/daemon.txt")
sleep 0.5
is 'leave_daemon: nobody writes to its output any more' "$size" "$(stat -c %s "$study/output/daemon.txt")"
nothing_left_behind 'after a daemon'

# start_in_background ACTION: Glovebox runs the action; returns once study code has started. Sets $runner.
start_in_background() {
  "$glovebox" run "$study" "$1" --force --root "$root" --policies "$policies" >"$work/out" 2>"$work/err" </dev/null &
  runner=$!
  local tries
  for tries in $(seq 200); do
    [ -z "$(attackers)" ] || return
    sleep 0.05
  done
  echo "FAILED: $1 did not start" && failures=$((failures + 1))
}
attackers() { action_processes attacks/; }

large_processes() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe")" = "$glovebox" ] && awk '$1 == "VmRSS:" && $2 > 20480' "$process/status"
  done 2>/dev/null
}

for signal in KILL TERM INT; do
  start_in_background ignore_sigterm
  ok "no process of Glovebox is larger than 20 MB while an action runs" none large_processes
  kill -"$signal" "$runner"
  [ "$signal" = KILL ] || timeout 15 tail --pid="$runner" -f /dev/null
  wait "$runner" 2>/dev/null
  ended=$?
  [ "$signal" = KILL ] || is "after SIG$signal: exit status 8" 8 "$ended"
  ok "after SIG$signal: the action ended with Glovebox" none_soon attackers
  glovebox record list
  is "after SIG$signal: the next command works" 0 "$status"
  run make_input -- --force
  is "after SIG$signal: the next action runs" succeeded "$(field .status)"
  nothing_left_behind "after SIG$signal"
done

# Killed at any instant: before the n-th call that makes, changes or ends something.
needs_tool strace
cut_off() { # cut_off SYSCALL N: runs `one` and kills Glovebox before its N-th SYSCALL; true while there was one
  timeout 60 strace -qq -o /dev/null -e trace="$1" -e inject="$1":signal=SIGKILL:when="$2" \
    "$glovebox" run "$study" one --force --root "$root" --policies "$policies" >/dev/null 2>&1 </dev/null
  [ $? -eq 137 ]
}
rm -rf "$study/output"
for call in fsync renameat2,rename,renameat mount unlinkat clone3,clone,vfork sendmsg; do
  cuts=0
  for n in 1 2 3 5 8 13 21 34; do
    cut_off "$call" "$n" || break
    cuts=$((cuts + 1))
    glovebox record verify
    [ "$status" -eq 0 ] || { ok "cut off before $call number $n: the next command works" false; break; }
    if [ -e "$study/output/one.txt" ]; then
      is "cut off before $call number $n: a published file is whole" 1 "$(cat "$study/output/one.txt")"
    fi
  done
  ok "cut off $cuts times before $call: nothing is left" none_soon scratch_here
done
run one -- --force
is 'after all that, the action runs' succeeded "$(field .status)"
glovebox record verify
is 'after all that, every record verifies' 0 "$status"
nothing_left_behind 'after being cut off'
