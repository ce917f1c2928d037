#!/usr/bin/env bash
# G2 and G3: an action sees its image, code, inputs and scratch, and nothing that it does changes an original.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal python
new_study misbehaving

# What it looks for: files, a variable, an argument and a key ring of the host that carry the canary.
canary='glovebox-canary'
for folder in "$work" "$root" "$work/other-study/output" /tmp /var/tmp /root /dev/shm; do
  mkdir -p "$folder"
  echo "$canary" >"$folder/$canary-$$"
done
CANARY=$canary sh -c "exec sleep 600 # $canary" &
tidy_up="kill $!; rm -f /tmp/$canary-$$ /var/tmp/$canary-$$ /root/$canary-$$ /dev/shm/$canary-$$"
export GLOVEBOX_CANARY=$canary

run read_others look_around
attack read_others 22
attack look_around 22

mounts=$study/output/look_around_mounts.txt
ok 'mounts do not tell where the study is' not grep -qF "$study" "$mounts"
ok 'mounts do not tell where the state is' not grep -qF "$root" "$mounts"
ok 'mounts do not tell the id of the action' not grep -qF "$(field .id look_around)" "$mounts"
ok 'the environment holds nothing of the caller' not grep -q CANARY "$study/output/look_around_environment.txt"
ok 'the environment does not tell who called' not grep -qE '^(SUDO_|SSH_|LOGNAME=root|USER=root)' \
  "$study/output/look_around_environment.txt"
for namespace in cgroup ipc mnt net pid user uts; do
  ok "the $namespace namespace is its own" not grep -qF "$(readlink /proc/self/ns/$namespace)" "$study/output/look_around.txt"
done

# Two actions never share a host user, and see each other as little as the host.
first=$(field '.id' look_around)
run look_around -- --force
is 'a second run has an id of its own' yes "$([ "$first" != "$(field .id)" ] && echo yes)"

# Inputs.
run make_input write_inputs
attack write_inputs 14
is 'the stored input is what it was' $'id,value\n1,original\n2,original' "$(cat "$study/output/input.csv")"
is 'its owner and mode are what they were' "$(stat -c '%u %a' "$study/project.yaml")" "$(stat -c '%u %a' "$study/output/input.csv")"

# Code.
before=$(git -C "$study" ls-files -s; cd "$study" && git ls-files -z | xargs -0 sha256sum)
head=$(git -C "$study" rev-parse HEAD)
run overwrite_code
is 'overwriting its code works in its own copy' succeeded "$(field .status)"
is 'every tracked file is what it was' "$before" "$(git -C "$study" ls-files -s; cd "$study" && git ls-files -z | xargs -0 sha256sum)"
is 'the study has no change to commit' '' "$(git -C "$study" status --porcelain)"
is 'the study is at the same commit' "$head" "$(git -C "$study" rev-parse HEAD)"
ok 'no hook was planted' not test -e "$study/.git/hooks/post-checkout"
ok 'no file of git was planted' not test -e "$study/.gitattributes"
ok 'the manifest is not the forged one' not grep -q forged "$study/.glovebox/level4/metadata/manifest.json"
ok 'its log is not the forged one' not grep -qx forged "$study/metadata/overwrite_code.log"
run make_input -- --force
is 'the next action runs the original code' succeeded "$(field .status)"

# Devices are its own: neither a lock on one nor a changed time passes from action to action, or to the host.
mkdir "$work/here" && cd "$work/here" || exit 1
devices='null zero full random urandom tty'
device_times() { (cd /dev && for name in $devices; do stat -c '%n %Y %a' "$name"; done); }
before=$(device_times)
# Both kinds of lock on every device but tty, which cannot be opened without a terminal; then what is to be done with them held.
locks='
import fcntl, os, sys
held = []
for name in ("null", "zero", "full", "random", "urandom"):
    for lock in (fcntl.lockf, fcntl.flock):
        held.append(open("/dev/" + name, "r+b", buffering=0))
        os.set_inheritable(held[-1].fileno(), True)
        lock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
for name in ("null", "zero", "full", "random", "urandom", "tty"):
    os.utime("/dev/" + name)
print("locked", len(held), flush=True)
'
timeout 60 "$glovebox" exec --root "$root" --policies "$policies" python:v2 -c "$locks"'os.execvp("sleep", ["sleep", "29.85"])' \
  >/dev/null 2>&1 </dev/null &
holder=$!
for _ in $(seq 100); do
  holding=$(action_processes 'sleep 29.85')
  [ -z "$holding" ] || break
  sleep 0.1
done
ok 'an action holds locks on devices and has changed their times' test -n "$holding"
glovebox exec python:v2 -c "$locks"
is 'another action gets the same locks at the same time' 'locked 10' "$(cat "$work/out")"
for device in $devices; do
  [ "$device" = tty ] || ok "the host can lock /dev/$device all the while" flock -n "/dev/$device" true
done
kill -TERM "$holder"
wait "$holder" 2>/dev/null
is 'the times and modes of the host'"'"'s devices are what they were' "$before" "$(device_times)"
glovebox exec minimal:v1 sh -c 'echo >/dev/null && head -c 5 /dev/zero | od -An -tx1; head -c 5 /dev/full | od -An -tx1
  echo >/dev/full; head -c 7 /dev/random | wc -c; head -c 7 /dev/urandom | wc -c; cd /dev; stat -c "%n %a %t %T" full null random tty urandom zero'
devices_are=' 00 00 00 00 00
 00 00 00 00 00
7
7
full 666 1 7
null 666 1 3
random 666 1 8
tty 666 5 0
urandom 666 1 9
zero 666 1 5'
is 'devices work as they should' "$devices_are" "$(tr -s ' ' <"$work/out")"
ok 'nothing can be written to /dev/full' says 'No space left on device'
cd "$top" || exit 1
nothing_left_behind 'afterwards'
