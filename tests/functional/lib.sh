# What functional tests share; sourced by each. A test script prints one line per sentence:
#
#   ok: <sentence>          FAILED: <sentence>          skipped: <sentence>
#
# and ends with status 0 where none failed. Each script runs by itself, as root or not:  tests/functional/network_test.sh
#
#   GLOVEBOX          the program (default: build/release/glovebox)
#   GLOVEBOX_IMAGES   OCI layouts of the images, one folder each (default: built, or taken from the cache)
#
# shellcheck shell=bash
set -uo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
glovebox=${GLOVEBOX:-$top/build/release/glovebox}
work=$(mktemp -d "${TMPDIR:-/tmp}/glovebox-test.XXXXXX")
chmod 755 "$work"
root=$work/root         # Glovebox's state
policies=$top/policies  # what it is run with
study=                  # the study of the last new_study
status=0                # exit status of the last command run by `glovebox` or `run`
failures=0

# ---- Sentences

# ok SENTENCE COMMAND…: the command must succeed. What it prints is shown where it does not.
ok() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    printf 'ok: %s\n' "$sentence"
  else
    printf 'FAILED: %s\n' "$sentence"
    printf '  %s\n' "\$ $*" | head -c 600
    printf '%s\n' "$output" | head -n 12 | cut -c 1-300 | sed 's/^/  /'
    failures=$((failures + 1))
  fi
}

# is SENTENCE EXPECTED ACTUAL
is() {
  ok "$1" equal "$2" "$3"
}
equal() { [ "$1" = "$2" ] || { printf 'expected: %s\nactual:   %s\n' "$1" "$2"; return 1; }; }
not() { ! "$@"; }

skip() { printf 'skipped: %s\n' "$1"; }
skip_all() {
  skip "$(basename "$0"): $1"
  exit 0
}
give_up() {
  printf 'FAILED: %s: %s\n' "$(basename "$0")" "$1"
  said 2>/dev/null | head -n 12
  failures=$((failures + 1))
  exit 1
}
needs_root() { [ "$(id -u)" -eq 0 ] || skip_all 'needs root'; }
needs_tool() { command -v "$1" >/dev/null || skip_all "needs $1 (scripts/setup installs it)"; }

# ---- Glovebox

# Runs the program with this test's state. stdout, stderr and the exit status are kept in $work/out, $work/err and $status.
glovebox() {
  local words=("$@" --root "$root")
  case $1 in
    run | plan) words+=(--policies "$policies") ;;
    exec) words=(exec --root "$root" --policies "$policies" "${@:2}") ;; # what follows the image is the action's
  esac
  timeout --kill-after=5 "${PATIENCE:-120}" "$glovebox" "${words[@]}" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

# run ACTION… [-- OPTION…]: runs actions of $study with --json; see `field`.
run() {
  local actions=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    actions+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  glovebox run "$study" "${actions[@]}" --json "$@"
}

# field JQ [ACTION]: a field of an action's result in the last `run`; of the last result where no action is named.
field() {
  jq -rs --arg action "${2-}" "(if \$action == \"\" then last else (map(select(.action == \$action)) | last) end) | $1" \
    "$work/out"
}

# What the last command said, for messages.
said() { cat "$work/out" "$work/err"; }
says() { grep -qF -- "$1" "$work/err" || { printf 'not said: %s\n' "$1"; cat "$work/err"; return 1; }; }

import_image() {
  local name=$1 layout
  if [ -n "${GLOVEBOX_IMAGES-}" ]; then
    layout=$GLOVEBOX_IMAGES/$name
  else
    layout=$work/layouts/$name
    "$top/scripts/build-image" "$name" "$layout" >/dev/null 2>"$work/build-image.log" ||
      give_up "cannot build the image $name"
  fi
  glovebox image import "$layout"
  [ "$status" -eq 0 ] || give_up "cannot import the image $name"
}
needs_images() {
  local name
  for name; do import_image "$name"; done
}

# new_study NAME [FOLDER]: a copy of tests/studies/NAME as a git repository of its own; sets $study.
new_study() {
  study=${2:-$work/$1}
  rm -rf "$study"
  cp -r "$top/tests/studies/$1" "$study"
  commit_all
}
# empty_study: a study whose project.yaml is read from standard input; sets $study.
written_study() {
  study=$work/${1:-written}
  rm -rf "$study"
  mkdir -p "$study"
  cat >"$study/project.yaml"
  commit_all
}
commit_all() {
  git -C "$study" init -q 2>/dev/null
  git -C "$study" add -A
  git -C "$study" -c user.name=test -c user.email=test@example.org commit -q -m test
}

# small_limits [LIMIT=VALUE…]: from now on, $policies has lower limits (tests/studies/misbehaving/small-limits).
small_limits() {
  policies=$work/policies
  "$top/tests/studies/misbehaving/small-limits" "$top/policies" "$policies" "$@"
}

# ---- Attacks (tests/studies/misbehaving)

# attack ACTION HELD: the action has run; its report has at least HELD lines that held and none that did not.
attack() {
  local report=$study/output/$1.txt
  ok "$1: it ran to its end" equal succeeded "$(field .status "$1")"
  ok "$1: everything that it tried failed" nothing_broken "$report"
  ok "$1: at least $2 attempts were made" at_least "$2" "$(grep -c '^held' "$report" 2>/dev/null)"
}
nothing_broken() { [ -s "$1" ] && ! grep '^BROKEN' "$1"; }
at_least() { [ "${2:-0}" -ge "$1" ] || { printf 'at least %s, but %s\n' "$1" "$2"; return 1; }; }
at_most() { [ "${2:-0}" -le "$1" ] || { printf 'at most %s, but %s\n' "$1" "$2"; return 1; }; }

# ---- What is left behind

mounts_here() { grep -F "$work" /proc/self/mountinfo; }
loops_here() { losetup --list --noheadings --output BACK-FILE 2>/dev/null | grep -F "$work"; }
processes_here() {
  local process
  for process in /proc/[0-9]*; do
    [ "${process#/proc/}" != $$ ] || continue
    if tr '\0' ' ' <"$process/cmdline" | grep -qF -- "$root"; then ps -o pid=,args= -p "${process#/proc/}"; fi
  done 2>/dev/null
}
# action_processes PATTERN: processes that are users which only actions are, and have PATTERN in their command line.
action_processes() {
  local process
  for process in /proc/[0-9]*; do
    awk '$1 == "Uid:" && $2 >= 600000 && $2 <= 600999 {found = 1} END {exit !found}' "$process/status" || continue
    tr '\0' ' ' <"$process/cmdline" | grep -q -- "$1" && ps -o pid=,args= -p "${process#/proc/}"
  done 2>/dev/null
}
# Control groups of actions that this test started, told by the ids in its own state.
cgroups_here() {
  local folder
  find /sys/fs/cgroup -mindepth 2 -type d -path '*glovebox/*' 2>/dev/null | while read -r folder; do
    grep -qsF "$(basename "$folder")" "$work/ids" && echo "$folder"
  done
}
action_ids() { find "$root/records" "$root/run" -mindepth 1 -maxdepth 2 -printf '%f\n' 2>/dev/null | sort -u >"$work/ids"; }
scratch_here() { find "$root/run" -mindepth 1 2>/dev/null | head -n 5; }

none() { local found; found=$("$@"); [ -z "$found" ] || { printf '%s\n' "$found"; return 1; }; }
# none_soon COMMAND: tearing down large scratch space may go on for a moment after the answer.
none_soon() {
  local tries
  for tries in $(seq 30); do
    none "$@" >/dev/null && return
    sleep 0.1
  done
  none "$@"
}
# nothing_left_behind WHEN
nothing_left_behind() {
  action_ids
  ok "$1: no mount is left" none_soon mounts_here
  ok "$1: no loop device is left" none_soon loops_here
  ok "$1: no process is left" none_soon processes_here
  ok "$1: no control group is left" none_soon cgroups_here
  ok "$1: no scratch file is left" none_soon scratch_here
}

finish() {
  local code=$?
  trap - EXIT
  if [ -n "${tidy_up-}" ]; then eval "$tidy_up"; fi
  chattr -R -i "$work" 2>/dev/null
  rm -rf "$work" 2>/dev/null || { echo "FAILED: $work can be removed"; exit 1; }
  [ "$failures" -eq 0 ] || exit 1
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM
[ -x "$glovebox" ] || skip_all "$glovebox is not built"
