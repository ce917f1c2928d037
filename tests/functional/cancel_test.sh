#!/usr/bin/env bash
# Ctrl-C: the terminal sends SIGINT to the whole process group. What runs is cancelled, recorded so, and gone.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
small_limits time=120s grace=30s

# in_group COMMAND…: starts it as the leader of a process group of its own, as a shell does at a terminal; sets $group.
in_group() {
  set -m
  "$@" >"$work/out" 2>"$work/err" </dev/null &
  group=$!
  set +m
}
started() { # started COMMAND…: waits until it succeeds
  local tries
  for tries in $(seq 200); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.05
  done
  echo "not started: $*"
  said
  return 1
}
ended() { # ended: waits for the group's leader; sets $status
  timeout 20 tail --pid="$group" -f /dev/null
  wait "$group" 2>/dev/null
  status=$?
}
interrupt() { kill -INT -- "-$group"; }
runs() { [ -n "$(action_processes "$1")" ]; }
newest() { "$glovebox" record list --json --root "$root" | jq -r ".[0].$1"; }

in_group "$glovebox" run "$study" never_end one --root "$root" --policies "$policies" --json
ok 'run: the action runs' started runs attacks/never_end
interrupt
ended
is 'run: exit status 8' 8 "$status"
is 'run: the action was cancelled' 'cancelled cancelled' "$(field '.status + " " + .reason' never_end)"
is 'run: what comes after it is not begun' 'cancelled null' "$(field '.status + " " + (.started | tostring)' one)"
ok 'run: nothing of either was published' not ls "$study/output/one.txt" "$study/output/never_end.txt"
ok 'run: its processes are gone' none_soon action_processes attacks/
is 'run: the record says so' 'never_end cancelled' "$(newest action) $(newest status)"
nothing_left_behind 'after Ctrl-C of run'

# An action that does not mind SIGTERM: the second Ctrl-C does not wait for its grace.
in_group "$glovebox" run "$study" ignore_sigterm --root "$root" --policies "$policies" --json
ok 'run: an action that ignores SIGTERM runs' started runs attacks/ignore_sigterm
interrupt
sleep 0.5
ok 'the first Ctrl-C asks' runs attacks/ignore_sigterm
interrupt
start=$(date +%s)
ended
is 'the second kills: exit status 8' 8 "$status"
ok 'the second kills, at once' at_most 5 $(($(date +%s) - start))
ok 'its processes are gone' none_soon action_processes attacks/
nothing_left_behind 'after Ctrl-C twice'

mkdir "$work/here" && cd "$work/here" || exit 1
in_group "$glovebox" exec --root "$root" --policies "$policies" minimal:v1 sh -c 'echo made >made.txt; echo begun; sleep 3133'
ok 'exec: the command runs' started grep -q begun "$work/out"
interrupt
ended
is 'exec: exit status 8' 8 "$status"
ok 'exec: it is said' says 'glovebox: error: the action was cancelled'
ok 'exec: its processes are gone' none_soon action_processes 3133
is 'exec: the record says so' 'exec cancelled' "$(newest action) $(newest status)"
ok 'exec: its files are not kept' none find . -name made.txt
cd "$top" || exit 1
glovebox record verify
is 'every record verifies' 0 "$status"
nothing_left_behind 'after Ctrl-C of exec'
