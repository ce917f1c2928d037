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
glovebox_running() { timeout 60 "$glovebox" exec minimal:v1 sleep 30 --root "$root" >/dev/null 2>&1; }
(cd "$work" && glovebox_running) &
runner=$!
host_pid=
for _ in $(seq 100); do
  host_pid=$(pgrep -xf 'sleep 30' | head -n 1)
  [ -z "$host_pid" ] || break
  sleep 0.1
done
user=$(awk '$1 == "Uid:" {print $2, $3, $4, $5}' "/proc/$host_pid/status" 2>/dev/null)
ok 'on the host it is a user of the reserved range' bash -c "for id in ${user:-0}; do [ \$id -ge 600000 ] && [ \$id -le 600999 ] || exit 1; done"
is 'seccomp is on, seen from the host' 2 "$(awk '$1 == "Seccomp:" {print $2}' "/proc/$host_pid/status" 2>/dev/null)"
is 'no capability, seen from the host' 0000000000000000 "$(awk '$1 == "CapBnd:" {print $2}' "/proc/$host_pid/status" 2>/dev/null)"
kill -TERM "$runner" 2>/dev/null
pkill -TERM -P "$runner" 2>/dev/null
wait "$runner" 2>/dev/null

# Every inherited descriptor stays outside: one open folder would be enough to get out.
exec 7</ 8</etc/shadow
run look_around -- --force
exec 7<&- 8<&-
attack look_around 22
nothing_left_behind 'afterwards'
