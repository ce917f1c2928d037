#!/usr/bin/env bash
# G4 and G5: no privilege, no way out by system calls. G2 besides: nothing inherited.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal python
new_study misbehaving

run escape syscalls kill_everything
attack escape 20
attack syscalls 60
attack kill_everything 3

# The host sees the action as a user that no other process is.
mkdir "$work/here" && cd "$work/here" || exit 1
timeout 60 "$glovebox" exec --root "$root" --policies "$policies" minimal:v1 sleep 29.75 >/dev/null 2>&1 </dev/null &
runner=$!
cd "$top" || exit 1
host_pid=
for _ in $(seq 100); do
  host_pid=$(action_processes 'bin/sleep 29.75' | awk '{print $1; exit}')
  [ -z "$host_pid" ] || break
  sleep 0.1
done
of_host() { awk -v key="$1:" '$1 == key {print $2}' "/proc/$host_pid/status"; }
ok 'on the host it is a user of the reserved range' test -n "$host_pid"
users=$(for status_file in /proc/[0-9]*/status; do awk '$1 == "Uid:" {print $2}' "$status_file"; done 2>/dev/null | grep -cx "$(of_host Uid)")
ok 'no process but those of the action is that user' at_most 2 "$users"
is 'seccomp is on, seen from the host' 2 "$(of_host Seccomp)"
is 'no capability, seen from the host' 0000000000000000 "$(of_host CapBnd)"
is 'no new privileges, seen from the host' 1 "$(of_host NoNewPrivs)"
kill -TERM "$runner"
wait "$runner" 2>/dev/null

# Every inherited descriptor stays outside: one open folder would be enough to get out.
exec 7</ 8</etc/shadow
run look_around -- --force
exec 7<&- 8<&-
attack look_around 22
nothing_left_behind 'afterwards'
