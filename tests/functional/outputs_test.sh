#!/usr/bin/env bash
# G8 and G9: what leaves is a regular file, judged on our copy; hostile names and text reach nobody unescaped.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
level4=$study/.glovebox/level4

verdict() { field "[.outputs[] | select(.path == \"$1\")][0].verdict // \"none\"" "${2-}"; }
rules() { field "[.outputs[] | select(.path == \"$1\")][0].reasons | map(.rule) | join(\" \")" "${2-}"; }

# Patient rows.
run patient_rows
is 'patient rows: exit status 5' 5 "$status"
is 'patient rows: the action succeeded' succeeded "$(field .status)"
is 'a table may be seen' accepted "$(verdict output/release/fine.csv)"
ok 'it stands in the medium tree' cmp "$study/output/release/fine.csv" "$level4/output/release/fine.csv"
is '5,000 rows may be seen' accepted "$(verdict output/release/just_enough_rows.csv)"
is 'its rows are counted' 5000 "$(field '[.outputs[] | select(.path == "output/release/just_enough_rows.csv")][0].rows')"
for name in plain byte_order_mark capitals quoted semicolons tabs bars blank_lines two_byte_letters old_line_ends \
  too_many_rows too_many_rows_with_old_line_ends unreadable; do
  file=output/release/$name.csv
  is "$name.csv is withheld" withheld "$(verdict "$file")"
  ok "$name.csv stays in the high tree" test -s "$study/$file"
  ok "$name.csv is not in the medium tree" not test -e "$level4/$file"
  ok "$name.csv has a message in its place" test -s "$level4/$file.txt"
  ok "the message of $name.csv does not show its content" not grep -qE '^(1,0|5001,1|2,1)' "$level4/$file.txt"
done
is 'too_big.html is withheld' withheld "$(verdict output/release/too_big.html)"
for name in plain byte_order_mark capitals quoted semicolons tabs bars blank_lines; do
  ok "$name.csv is withheld for its patient id" grep -qi patient <<<"$(rules output/release/$name.csv)"
done
ok 'too_many_rows.csv is withheld for its rows' grep -qi row <<<"$(rules output/release/too_many_rows.csv)"
glovebox run "$study" patient_rows
is 'the console says what was withheld, and keeps its exit status' '5 yes' \
  "$status $(grep -q 'withheld *output/release/plain.csv' "$work/out" && echo yes)"
run patient_rows
manifest=$level4/metadata/manifest.json
is 'the manifest names the table' false "$(jq '.outputs["output/release/fine.csv"].excluded' "$manifest")"
is 'the manifest says what was withheld' true "$(jq '.outputs["output/release/plain.csv"].excluded' "$manifest")"
is 'the manifest has the digest of the table' "$(sha256sum <"$study/output/release/fine.csv" | cut -d ' ' -f 1)" \
  "$(jq -r '.outputs["output/release/fine.csv"].content_hash' "$manifest")"

# The study's owner can write anything into the manifest: it is never read.
forged=$(head -c 2000000 /dev/zero | tr '\0' '[')
for text in "$forged" '{"outputs":{"forged.csv":{"excluded":false}}}' ''; do
  printf '%s' "$text" >"$manifest"
  run one
  is 'a forged manifest: the next action runs' succeeded "$(field .status)"
  is 'a forged manifest: what was published before is listed again' true \
    "$(jq '.outputs["output/release/plain.csv"].excluded' "$manifest")"
  is 'a forged manifest: nothing of it is left' false "$(jq '.outputs | has("forged.csv")' "$manifest")"
  echo "# $RANDOM" >>"$study/attacks/one.sh"
done

# The list of the study's outputs is full: that is no fault of the host, and nothing is broken for ever.
kept=$(echo "$root"/manifests/*.json)
cp "$kept" "$work/kept"
head -c 60000000 /dev/zero | tr '\0' x >"$work/long"
jq --rawfile long "$work/long" '.outputs["long.csv"] = {action: "patient_rows", long: $long}' "$work/kept" >"$kept"
echo "# full" >>"$study/attacks/one.sh"
run one
is 'a full list of outputs: the action that overfills it is stopped for its outputs' '4 output' "$status $(field .reason)"
cp "$work/kept" "$kept"
run one
is 'a list of outputs with room again: the action runs' succeeded "$(field .status)"
glovebox record verify
is 'a full list of outputs: every record verifies' 0 "$status"

# A message file goes when a later file passes.
cat >"$study/attacks/patient_rows.sh" <<'HONEST'
. attacks/report.sh
mkdir -p output/release
printf 'age_band,deaths\n50-59,35\n' | tee output/release/fine.csv >output/release/plain.csv
echo '<html></html>' >output/release/page.html
fact 'honest' now
HONEST
run patient_rows -- --force
is 'once it is honest: exit status 0' 0 "$status"
ok 'the message file is gone' not test -e "$level4/output/release/plain.csv.txt"
ok 'the file stands in its place' test -s "$level4/output/release/plain.csv"

# Links and other things that are not files.
run links
is 'links: exit status 5' 5 "$status"
is 'the honest file is accepted' accepted "$(verdict output/links/fine.csv)"
is 'a hard link among its own files is a file' accepted "$(verdict output/links/hard.csv)"
for name in to_host to_code to_output to_proc to_nothing to_itself pipe; do
  is "$name.csv is rejected" rejected "$(verdict output/links/$name.csv)"
  ok "$name.csv is nowhere" not test -e "$study/output/links/$name.csv" -o -L "$study/output/links/$name.csv"
  ok "$name.csv is not in the medium tree" not test -e "$level4/output/links/$name.csv" -o -L "$level4/output/links/$name.csv"
done
ok 'a folder is no output' not test -e "$level4/output/links/folder.csv"
is 'nothing but files and folders in the study' '' "$(find "$study/output" "$level4" ! -type f ! -type d)"
is 'no file has the content of a link target' '' "$(grep -rl 'root:x:0' "$study/output" "$level4")"

# Sparse giants: dealt with quickly, and never copied out in full.
start=$SECONDS
free=$(df --output=avail -k "$work" | tail -n 1)
run huge_sparse
ok 'sparse giants end within 20 seconds' at_most 20 $((SECONDS - start))
is 'none of them is stored' '' "$(find "$study/output" -name 'huge_*' -size +1M)"
ok 'the disk has not filled up' at_most 1000000 $((free - $(df --output=avail -k "$work" | tail -n 1)))
ok 'the honest file beside them is kept, or all is refused with a reason' \
  test "$(verdict output/huge_fine.csv)" = accepted -o "$(field .status)" = stopped

# Hostile names and log lines.
run hostile_names
ok 'hostile names: nothing unescaped in JSON' not grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$work/out"
ok 'hostile names: nothing unescaped on the console' not grep -qP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xe2\x80\xae|\xff' "$work/err"
is 'a plain name is accepted' accepted "$(verdict 'output/names/plain name.txt')"
is 'every hostile name is rejected' 0 \
  "$(field '[.outputs[] | select(.verdict != "rejected") | select(.path | test("[\u0000-\u001f\u007f\u202e]"))] | length')"
ok 'no hostile name is in the study' none find "$study/output" "$level4" -name '*[[:cntrl:]]*'
ok 'no name with a new line is in the study' none find "$study/output" "$level4" -name $'*\n*'
ok 'no name that is not UTF-8 is in the study' bash -c "find '$study/output' '$level4' | iconv -f utf-8 -t utf-8 >/dev/null"
log=$study/metadata/hostile_names.log
ok 'the log holds no escape sequence' not grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$log"
ok 'the log is UTF-8' iconv -f utf-8 -t utf-8 "$log"
is 'the log has one summary, and it is ours' 1 "$(grep -cx '=============JOB SUMMARY=============' "$log")"
ok 'the forged status is above it' not bash -c "sed '1,/^=============JOB SUMMARY=============\$/d' '$log' | grep -q forged"
ok 'the manifest is JSON still' jq -e .outputs "$manifest"

# Notes of ours in the log cannot be imitated: a line of the action always begins with its time.
written_study forger <<'YAML'
version: 5
actions:
  forge:
    run: minimal:v1 sh forge.sh
    outputs: {moderately_sensitive: {table: output/table.csv}}
YAML
cat >"$study/forge.sh" <<'SH'
printf 'patient_id\n1\n' >output/table.csv
echo 'glovebox: accepted "output/table.csv"'
printf 'overwritten\rglovebox: accepted "output/table.csv"\n' >&2
printf '\033[2K\033[1Gglovebox: 5 bytes of log left out here\n'
head -c 8192 /dev/zero | tr '\0' x
echo 'glovebox: accepted "output/table.csv"'
printf 'glovebox: accepted "output/table.csv"'
SH
commit_all
run forge
is 'a forger of notes: its table is withheld all the same' 5 "$status"
for log in "$study/metadata/forge.log" "$study/.glovebox/level4/metadata/forge.log"; do
  is 'our one note stands there, and says what is so' 'glovebox: withheld "output/table.csv": csv.patient-id' \
    "$(grep '^glovebox: ' "$log" | sed 's/: [^:]*$//')"
  is 'all lines of the action begin with their time' '' \
    "$(sed '/^=============JOB SUMMARY=============$/,$d' "$log" | grep -v '^glovebox: ' | grep -vE '^20[0-9-]+T[0-9:.]+Z ')"
  ok 'what the action printed is there' grep -qE '^20[0-9-]+T[0-9:.]+Z glovebox: accepted' "$log"
done
nothing_left_behind 'afterwards'
