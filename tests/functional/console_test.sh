#!/usr/bin/env bash
# What people at a terminal are told: what went wrong, by its name, and what to do next.
. "$(dirname "$0")/lib.sh"
needs_root

# The command line.
misused() { # misused SENTENCE ERROR HINT WORD…
  local sentence=$1 error=$2 hint=$3
  shift 3
  timeout 20 "$glovebox" "$@" >"$work/out" 2>"$work/err" </dev/null
  is "$sentence: exit status 2" 2 $?
  is "$sentence: what is said" "glovebox: error: $error"$'\n'"glovebox: hint: $hint" "$(cat "$work/err")"
  is "$sentence: nothing on stdout" '' "$(cat "$work/out")"
}
misused 'an unknown command' 'there is no command "runn"' 'did you mean "run"?' runn .
misused 'one with nothing near it' 'there is no command "frobnicate"' 'see glovebox --help' frobnicate
misused 'an unknown verb' 'there is no command "image lisst"' 'did you mean "list"?' image lisst
misused 'no verb' 'name a command: list, show, verify' 'see glovebox record --help' record
misused 'an unknown option, one letter off' 'glovebox run has no option "--forse"' 'did you mean "--force"?' run . --forse
misused 'an option of the main command' 'glovebox record list has no option "--roott"' 'did you mean "--root"?' record list --roott=/x
misused 'an option with nothing near it' 'glovebox run has no option "--turbo"' 'see glovebox run --help' run . --turbo
misused 'an unknown option of exec' 'glovebox exec has no option "--jsom"' 'did you mean "--json"?' exec --jsom minimal:v1 true
misused 'an argument too many' 'the argument "b" is one too many' 'see glovebox image inspect --help' image inspect a b
misused 'an argument too few' 'NAME is required' 'see glovebox image inspect --help' image inspect
misused 'exec without an image' 'IMAGE is required' 'see glovebox exec --help' exec --json
misused 'a word that would act on the terminal' 'there is no command "\x1B[2J"' 'see glovebox --help' $'\e[2J'
"$glovebox" exec --help >"$work/out"
ok 'exec --help: the usage has the arguments of the command' grep -qF 'glovebox exec [OPTION…] IMAGE [ARG…]' "$work/out"
ok 'exec --help: says where options stand' grep -q 'before IMAGE' "$work/out"

# Empty lists.
mkdir "$root"
glovebox image list
is 'no images: exit status 0, nothing on stdout' '0 ' "$status $(cat "$work/out")"
ok 'no images: it is said' says 'there are no images'
glovebox image list --json
is 'no images: an empty list for machines, and nothing else' '[] ' "$(cat "$work/out") $(cat "$work/err")"
needs_images minimal
glovebox run "$work/nowhere" # opens the state, and records nothing
glovebox record list
is 'no records: exit status 0, nothing on stdout' '0 ' "$status $(cat "$work/out")"
ok 'no records: it is said' says 'there are no records'
glovebox record list --json
is 'no records: an empty list for machines, and nothing else' '[] ' "$(cat "$work/out") $(cat "$work/err")"

# Lists fit a terminal of 100 columns.
for list in 'policy check' 'image list'; do
  # shellcheck disable=SC2086 # two words
  glovebox $list
  ok "$list: no line is longer than 100 columns" at_most 100 "$(wc -L <"$work/out")"
  ok "$list: and there are lines" test -s "$work/out"
done

# A state directory that is named from here.
written_study <<'STUDY'
version: 5
actions:
  a:
    run: minimal:v1 sh -c 'mkdir -p output; echo 1 >output/a.txt'
    outputs: {highly_sensitive: {a: output/a.txt}}
STUDY
(cd "$work" && "$glovebox" run written a --root ./root/../root/ --policies "$policies" --json >"$work/out" 2>"$work/err")
is 'a relative --root works' succeeded "$(field .status)"
is 'and the record is named in full' "$root" "$(field .record | sed 's#/records/.*##')"

# Actions that fail: why, where the log is, and how it ends.
written_study failing <<'STUDY'
version: 5
actions:
  talks:
    run: minimal:v1 sh -c 'for n in $(seq 30); do echo "line $n"; done; printf "\033[2Jred\n"; exit 3'
    outputs: {highly_sensitive: {a: output/a.txt}}
  silent:
    run: minimal:v1 sh -c 'exit 4'
    outputs: {highly_sensitive: {a: output/b.txt}}
  good:
    run: minimal:v1 sh -c 'mkdir output; echo fine; echo 1 >output/good.txt'
    outputs: {moderately_sensitive: {a: output/good.txt}}
  licensed:
    run: stata-mp:v1 analysis.do
    outputs: {highly_sensitive: {a: output/c.txt}}
  later:
    run: minimal:v8 true
    outputs: {highly_sensitive: {a: output/d.txt}}
STUDY
shows() { grep -qF -- "$1" "$work/out" || { printf 'not shown: %s\n' "$1"; said; return 1; }; }
glovebox run "$study/" talks
ok 'failed: with which exit status' shows 'failed with exit status 3'
ok 'failed: where the log is' shows "the end of $study/metadata/talks.log:"
ok 'which is there' test -s "$study/metadata/talks.log"
is 'failed: its last ten lines, without time stamps' "$(seq -f 'line %g' 22 30)" "$(grep -oE 'line [0-9]+' "$work/out")"
ok 'failed: what it printed cannot act on the terminal' shows '\x1B[2Jred'
ok 'failed: no escape character of it gets through' not grep -q $'\e' "$work/out"
glovebox run "$study" silent
ok 'failed without a word: where the log is' shows "it printed nothing; its log is $study/metadata/silent.log"
glovebox run "$study" good
ok 'succeeded: where to look next' shows "an output checker sees what is in $study/.glovebox/level4/"
ok 'which is there' test -d "$study/.glovebox/level4"
ok 'succeeded: no word of its log' not grep -q 'good.log' "$work/out"
glovebox run "$study" licensed
is 'an image that no policy is for: refused' 3 "$status"
ok 'an image that no policy is for: that is the reason' shows 'no policy fits the image "stata-mp"'
ok 'an image that no policy is for: it is not said to build it' not grep -q build-image "$work/out"
glovebox run "$study" later
ok 'a missing image: what to do' shows 'glovebox image import'

# An output that somebody edited.
echo 2 >"$study/output/good.txt"
glovebox run "$study" good
ok 'an edited output: its name, once' equal 1 "$(grep -c 'output/good.txt' "$work/out")"
ok 'an edited output: what is wrong with it' shows '"output/good.txt" is not what good made: somebody changed it'
ok 'an edited output: nothing about inputs' not grep -q input "$work/out"
ok 'an edited output: what to do' shows 'run with --force to have it overwritten'

# One command.
mkdir "$work/here" && cd "$work/here" || exit 1
glovebox exec minimal:v1 sh -c 'echo out; exit 3'
is 'exec: stdout is the command'"'"'s' out "$(cat "$work/out")"
ok 'exec: the exit status of the command is said' says 'glovebox: error: the action failed with exit status 3'
log=$(sed -n 's/^glovebox: its log is //p' "$work/err")
ok 'exec: the log is where it is said to be' grep -q out "$log"
glovebox exec --json minimal:v1 sh -c 'exit 3'
is 'exec --json: its exit status' 3 "$(jq .exit_code "$work/out")"
ok 'exec --json: the log is where it is said to be' test -s "$(jq -r .log "$work/out")"
glovebox exec minimal:v1 sh -c 'echo 1 >new.txt'
is 'exec: where new files are' "glovebox: 1 new or changed file is in $(dirname .glovebox/exec/*/new.txt)/" "$(cat "$work/err")"
timeout 30 "$glovebox" exec --root "$root" --policies "$policies" minimal:v1 yes 2>"$work/err" | head -n 1 >"$work/out"
is 'exec: it is cancelled where nobody reads on' '8 y' "${PIPESTATUS[0]} $(cat "$work/out")"
glovebox exec minimal:v8 true
is 'exec, no such image: exit status 3' 3 "$status"
ok 'exec, no such image: an error' says 'glovebox: error: there is no image minimal:v8 on this host'
ok 'exec, no such image: what to do' says 'glovebox: hint: take it in: glovebox image import PATH'
needs_tool script
on_terminal() { script -qec "'$glovebox' exec --root '$root' minimal:v1 printf 'one\\n\\033[2Jtwo\\n'" /dev/null; }
on_terminal >"$work/out" 2>&1
ok 'exec on a terminal: the lines come through' grep -q '^one' "$work/out"
ok 'exec on a terminal: what would act on it is escaped' grep -qF '\x1B[2Jtwo' "$work/out"
cd "$top" || exit 1
nothing_left_behind 'afterwards'

# A reader that goes away.
piped() { "$glovebox" "$@" --root "$root" 2>"$work/err" | true; echo "${PIPESTATUS[0]}"; }
for _ in 1 2 3; do
  is 'a reader that goes away: no error' '0 ' "$(piped policy check) $(cat "$work/err")"
done
ok 'a full disk is one still' not sh -c "'$glovebox' policy check >/dev/full 2>'$work/err'"
ok 'and it is said' says 'No space left'
is 'stderr that nobody reads: the same exit status' 2 "$( { "$glovebox" runn 2>&1 >/dev/null; echo $? >"$work/code"; } | true; cat "$work/code")"
