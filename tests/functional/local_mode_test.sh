#!/usr/bin/env bash
# DESIGN's `run DIR`: what researchers rely on. Results and exit statuses, outputs in place, caching, and the study's own safety.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
level4=$study/.glovebox/level4

# One table fixes status, reason and exit status.
outcome() { # outcome ACTION STATUS REASON EXIT
  run "$1" -- --force
  is "$1: exit status $4" "$4" "$status"
  is "$1: status $2" "$2" "$(field .status "$1")"
  is "$1: reason $3" "$3" "$(field .reason "$1")"
}
outcome one succeeded null 0
is 'one: its own exit status' 0 "$(field .exit_code)"
is 'one: no signal' null "$(field .signal)"
outcome fail failed exit 1
is 'fail: its own exit status' 3 "$(field .exit_code)"
outcome die_by_signal failed signal 1
is 'die_by_signal: its signal' 11 "$(field .signal)"
is 'die_by_signal: no exit status' null "$(field .exit_code)"
outcome forget_output failed missing 1
is 'forget_output: the pattern that nothing matched' output/declared.csv "$(field '.unmatched_patterns[0]')"
is 'forget_output: the file that no pattern matched' output/forgotten.csv "$(field '.unmatched_files[0]')"
ok 'forget_output: the log names what to match instead' grep -q output/forgotten.csv "$study/metadata/forget_output.log"
outcome after_fail not_run dependency 1
is 'after_fail: its cause is told too' failed "$(field .status fail)"
outcome patient_rows succeeded null 5

ok 'every field of the result is there' jq -es 'last | has("id") and has("action") and has("status") and has("reason")
  and has("message") and has("exit_code") and has("signal") and has("cached") and has("started") and has("finished")
  and has("outputs") and has("unmatched_patterns") and has("unmatched_files") and has("denials") and has("limits")
  and has("usage") and has("image_digest") and has("policy_digest") and has("plan_digest") and has("record")' "$work/out"
is 'denials are not observed: null' null "$(field .denials)"

# Patient data does not get into the repository by `git add -A`.
is 'git is told that metadata and .glovebox are no code' '' \
  "$(git -C "$study" status --porcelain --untracked-files=all -- metadata .glovebox)"
is 'by files of the owner of the study' "$(stat -c %u "$study")" "$(stat -c %u "$study/.glovebox/.gitignore")"
echo '# mine' >"$study/metadata/.gitignore" && run one -- --force
is 'one that its owner wrote stays' '# mine' "$(cat "$study/metadata/.gitignore")"

# A failed action's outputs stay in the high tree alone.
outcome fail failed exit 1
ok 'fail: its output is in the high tree, to find the error' test -s "$study/output/fail.csv"
ok 'fail: its output is not in the medium tree' not test -e "$level4/output/fail.csv"

# Dependencies first, each once.
rm -rf "$study/output"
run write_inputs -- --force
is 'what an action needs runs first' 'make_input write_inputs' "$(jq -rs 'map(.action) | join(" ")' "$work/out")"

# An input that its owner changes while an action has it.
cat >>"$study/project.yaml" <<'ACTION'

  slow_reader:
    needs: [make_input]
    run: minimal:v1 sh -c 'sleep 2; cat output/input.csv >output/slow.txt'
    outputs: {highly_sensitive: {seen: output/slow.txt}}
ACTION
(sleep 1 && echo 3,changed >>"$study/output/input.csv") &
run slow_reader
wait
is 'an input that changes meanwhile: refused' 'refused input 3' \
  "$(field .status slow_reader) $(field .reason slow_reader) $status"
ok 'what was observed is kept' at_least 1900 "$(field .usage.wall_ms slow_reader)"
ok 'and its log, which says so' grep -q '^status_message: .*has changed' "$study/metadata/slow_reader.log"
ok 'it is named' grep -q '"output/input.csv\\" has changed' "$work/out"
ok 'and nothing is kept' not test -e "$study/output/slow.txt"
run slow_reader
is 'next time the changed input is refused before it runs' 'refused input 3' \
  "$(field .status make_input) $(field .reason make_input) $status"
run slow_reader -- --force
is '--force makes it anew' 'succeeded 0' "$(field .status slow_reader) $status"

# The log file that other programs read.
log=$study/metadata/make_input.log
ok 'the log has a summary' grep -qx '=============JOB SUMMARY=============' "$log"
for key in docker_image_id exit_code created_at completed_at status_message; do
  ok "the summary has $key" grep -q "^$key: " "$log"
done
ok 'the summary names the output and its level' grep -qE '^  output/input.csv +- highly_sensitive$' "$log"
ok 'the medium tree has the log too' test -e "$level4/metadata/make_input.log"

# The cache.
run one -- --force
run one
is 'nothing changed: it is not run again' true "$(field .cached)"
is 'with the exit status it had' 0 "$status"
echo '# a comment' >>"$study/attacks/one.sh"
run one
is 'code changed: it is run again' false "$(field .cached)"
run patient_rows
run patient_rows
is 'a cached action keeps its exit status' '5 true' "$status $(field .cached)"
is 'and its verdicts' 13 "$(field '[.outputs[] | select(.verdict == "withheld") | select(.path | endswith(".csv"))] | length')"
# What output checkers see of a cached action is checked too, and made again where it is not as it was.
restored() { # restored SENTENCE TEST…: the action is run again, then TEST holds, then it is cached again
  local sentence=$1
  shift
  run patient_rows
  is "$sentence: run again" '5 false' "$status $(field .cached)"
  ok "$sentence: as it was" "$@"
  run patient_rows
  is "$sentence: then cached" '5 true' "$status $(field .cached)"
}
release=$level4/output/release
cp "$level4/metadata/manifest.json" "$work/manifest"
echo 99-100,1 >>"$release/fine.csv"
restored 'a released file was changed' cmp "$study/output/release/fine.csv" "$release/fine.csv"
rm "$release/fine.csv"
restored 'a released file was removed' cmp "$study/output/release/fine.csv" "$release/fine.csv"
rm "$release/fine.csv" && ln -s "$study/output/release/fine.csv" "$release/fine.csv"
restored 'a released file became a link' test -f "$release/fine.csv" -a ! -L "$release/fine.csv"
cp "$study/output/release/plain.csv" "$release/plain.csv"
restored 'a withheld file was put among the released ones' not test -e "$release/plain.csv"
echo all is well >"$release/plain.csv.txt"
restored 'a message was changed' grep -q 'was withheld' "$release/plain.csv.txt"
rm "$level4/metadata/manifest.json"
restored 'the manifest was removed' jq -e '.outputs["output/release/plain.csv"].excluded' "$level4/metadata/manifest.json"
sed -i 's/"excluded": true/"excluded": false/' "$level4/metadata/manifest.json"
restored 'the manifest was changed' jq -e '.outputs["output/release/plain.csv"].excluded' "$level4/metadata/manifest.json"
is 'and names as many outputs as before' "$(jq '.outputs | length' "$work/manifest")" \
  "$(jq '.outputs | length' "$level4/metadata/manifest.json")"
echo 'glovebox: all is well' >"$level4/metadata/patient_rows.log"
restored 'the log was changed' cmp "$study/metadata/patient_rows.log" "$level4/metadata/patient_rows.log"
rm -r "$level4"
restored 'all of it was removed' cmp "$study/output/release/fine.csv" "$release/fine.csv"

echo 2 >"$study/output/one.txt"
run one
is 'an output edited by hand: refused' 'refused 3' "$(field .status) $status"
is 'and not overwritten' 2 "$(cat "$study/output/one.txt")"
run one -- --force
is '--force overwrites it' 1 "$(cat "$study/output/one.txt")"
rm "$study/output/one.txt"
run one
is 'an output removed: run again' 'false 1' "$(field .cached) $(cat "$study/output/one.txt")"

# Whose files they are.
chown -R 65534:65534 "$study"
run one -- --force
is "outputs belong to the study's owner, and all can read them" '65534 65534 644' "$(stat -c '%u %g %a' "$study/output/one.txt")"
is "so do logs" '65534 644' "$(stat -c '%u %a' "$study/metadata/one.log")"

# New files count as code unless git ignores them; outputs never do.
echo 'echo new >output/one.txt' >"$study/attacks/new.sh"
sed -i 's#sh attacks/one.sh$#sh attacks/new.sh#' "$study/project.yaml"
run one -- --force
is 'a new file is code' new "$(cat "$study/output/one.txt")"
echo attacks/new.sh >>"$study/.gitignore"
run one -- --force
is 'a new file that git ignores is not' failed "$(field .status)"

# What an action once made is never code, whatever the project says of it by now.
written_study renamed <<'STUDY'
version: 5
actions:
  secret:
    run: minimal:v1 sh -c 'echo 7,hiv >output/secret.csv'
    outputs: {highly_sensitive: {rows: output/secret.csv}}
  failing:
    run: minimal:v1 sh -c 'echo 8,hiv >output/failed.csv; exit 1'
    outputs: {highly_sensitive: {rows: output/failed.csv}}
STUDY
run run_all
cat >"$study/project.yaml" <<'STUDY'
version: 5
actions:
  other:
    run: minimal:v1 sh -c 'cat output/*.csv >output/list.txt; ls output >>output/list.txt'
    outputs: {moderately_sensitive: {list: output/list.txt}}
STUDY
run other
is 'outputs of former actions are not seen by others' list.txt "$(cat "$study/output/list.txt")"
ok 'and that is said' says '"output/failed.csv" and 1 more came from an action that the project no longer declares so'

# Other commands.
glovebox project check "$study" --json
is 'project check: exit status 0' '0 valid' "$status $(jq -r .verdict "$work/out")"
glovebox policy check --policies "$top/policies"
is 'policy check: exit status 0' 0 "$status"
glovebox image list --json
ok 'image list names the image' grep -q minimal:v1 "$work/out"
glovebox image verify minimal:v1
is 'image verify: exit status 0' 0 "$status"
victim=$(find "$root/images/rootfs" -type f -size +100k | head -n 1)
chattr -i "$victim" 2>/dev/null
printf x | dd of="$victim" bs=1 seek=5000 conv=notrunc status=none
glovebox image verify minimal:v1
is 'image verify finds a changed byte: exit status 7' 7 "$status"
glovebox image remove minimal:v1
import_image minimal
mkdir "$work/here" && echo 'in this folder' >"$work/here/file.txt"
cd "$work/here" || exit 1
glovebox exec minimal:v1 sh -c 'cat file.txt; echo made >made.txt; echo changed >file.txt; exit 4'
is 'exec shows output as it comes' 'in this folder' "$(cat "$work/out")"
is 'exec: the status of an action that failed' 1 "$status"
is 'exec leaves new files in .glovebox/exec' made "$(cat "$work"/here/.glovebox/exec/*/made.txt)"
is 'exec changes nothing in the folder' 'in this folder' "$(cat file.txt)"
cd "$top" || exit 1
nothing_left_behind 'afterwards'
