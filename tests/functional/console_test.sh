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

# A reader that goes away.
piped() { "$glovebox" "$@" --root "$root" 2>"$work/err" | true; echo "${PIPESTATUS[0]}"; }
for _ in 1 2 3; do
  is 'a reader that goes away: no error' '0 ' "$(piped policy check) $(cat "$work/err")"
done
ok 'a full disk is one still' not sh -c "'$glovebox' policy check >/dev/full 2>'$work/err'"
ok 'and it is said' says 'No space left'
is 'stderr that nobody reads: the same exit status' 2 "$( { "$glovebox" runn 2>&1 >/dev/null; echo $? >"$work/code"; } | true; cat "$work/code")"
