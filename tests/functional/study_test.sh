#!/usr/bin/env bash
# A real study, end to end: every output, its level, and that it says what the data say.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal python r
new_study flchain
level4=$study/.glovebox/level4

PATIENCE=300 run run_all
is 'the study succeeds' 0 "$status"
is 'its actions ran, in order' 'extract table survival' "$(jq -rs 'map(.action) | join(" ")' "$work/out")"
is 'the extract has 7,874 residents' 7875 "$(wc -l <"$study/output/flchain.csv")"
ok 'the extract is not in the medium tree' not test -e "$level4/output/flchain.csv"
for file in deaths_by_age_sex.csv deaths_by_age.png deaths_by_age.svg cox_model.csv survival_by_flc.csv survival_by_flc.png; do
  ok "$file is in the medium tree" cmp "$study/output/$file" "$level4/output/$file"
done
table=$study/output/deaths_by_age_sex.csv
is 'the table has ten groups' 11 "$(wc -l <"$table")"
ok 'one of them says what it must' grep -qx '70–79,male,675,385,57.0' "$table"
ok 'small counts are redacted' grep -qxF '90+,male,25,[REDACTED],[REDACTED]' "$table"
is 'every other count is a multiple of 5' '' "$(awk -F , 'NR > 1 && $4 ~ /^[0-9]/ && ($3 % 5 || $4 % 5)' "$table")"
ok 'the model says that a high level goes with death' grep -q '^"FLC, top tenth",2.77,' "$study/output/cox_model.csv"
for chart in "$study"/output/*.png; do
  is "$(basename "$chart") is a PNG file" PNG "$(head -c 4 "$chart" | tail -c 3)"
done

run run_all
is 'nothing changed: nothing is run again' 'true true true' "$(jq -rs 'map(.cached | tostring) | join(" ")' "$work/out")"
sha256sum "$study"/output/* >"$work/sums"
rm -rf "$study/output"
run run_all -- --force
ok 'run again, every byte is the same' sha256sum --quiet --check "$work/sums"
glovebox record verify
is 'the records verify' 0 "$status"
nothing_left_behind 'afterwards'
