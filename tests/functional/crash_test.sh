#!/usr/bin/env bash
# G7, G10 and G12: whenever Glovebox is killed, the action ends with it at once, the next command leaves nothing of
# it, a publish is whole or did not happen, and a record says which.
. "$(dirname "$0")/lib.sh"
needs_root
needs_tool strace
needs_tool jq
needs_images minimal
mark=crash-$$-$RANDOM # told by this word from the processes of other tests

written_study crash <<YAML
version: 5
actions:
  sleeper:
    run: minimal:v1 sh sleeper.sh $mark
    outputs: {highly_sensitive: {begun: output/begun.txt}}
  pair:
    run: minimal:v1 sh pair.sh $mark
    outputs:
      highly_sensitive: {high: output/high.txt}
      moderately_sensitive: {table: output/table.csv}
  nothing:
    run: minimal:v1 sh nothing.sh $mark
    outputs: {highly_sensitive: {nothing: output/nothing.txt}}
YAML
cat >"$study/sleeper.sh" <<'SH'
echo begun >output/begun.txt
(trap '' TERM; sleep 300) &
sleep 300
SH
cat >"$study/pair.sh" <<'SH'
cat version >output/high.txt
{ echo version; cat version; } >output/table.csv
SH
echo 'echo nothing >output/nothing.txt' >"$study/nothing.sh"
echo 0 >"$study/version"
commit_all

records() { glovebox record list --json && jq -c '.[]' "$work/out"; }
# newest ACTION FIELD: of the newest record of an action
newest() { records | jq -rs --arg action "$1" "[.[] | select(.action == \$action)] | max_by(.seq) | .$2"; }
count() { records | jq -rs 'length'; }
# Record folders that the chain has no record of.
orphans() {
  records | jq -r .id | sort >"$work/known"
  find "$root/records" -mindepth 2 -maxdepth 2 -printf '%f\n' | sort | comm -13 "$work/known" -
}
# Files that the manifest names and that are not as it says.
disagreements() {
  local manifest=$study/.glovebox/level4/metadata/manifest.json path digest
  [ -e "$manifest" ] || return 0
  jq -e . "$manifest" >/dev/null || echo 'the manifest is no JSON'
  jq -r '.outputs | to_entries[] | "\(.value.content_hash)\t\(.key)"' "$manifest" | while IFS=$'\t' read -r digest path; do
    [ "$(sha256sum <"$study/$path" | cut -d ' ' -f 1)" = "$digest" ] || echo "$path"
  done
  find "$study" -name '.glovebox-*' -o -name '*.tmp' | grep -v '/.git/'
}
recovered() { # recovered WHEN: what holds after the next command
  run nothing -- --force
  is "$1: the next command works" succeeded "$(field .status)"
  ok "$1: nothing is left in run/" none_soon scratch_here
  ok "$1: what the manifest names is there" none disagreements
  ok "$1: every attempt that began has its record" none orphans
}
verified() {
  glovebox record verify
  is "$1: every record verifies" 0 "$status"
}

# ---- SIGKILL while it starts and runs

sleepers() { action_processes "$mark"; }
start_sleeper() {
  "$glovebox" run "$study" sleeper --force --root "$root" --policies "$policies" >"$work/out" 2>"$work/err" </dev/null &
  runner=$!
}
kill_runner() {
  kill -KILL "$runner"
  wait "$runner" 2>/dev/null
}
run nothing
for delay in 0.02 0.1 0.2 0.4 0.8; do
  before=$(count)
  start_sleeper
  sleep "$delay"
  kill_runner
  ok "killed after $delay s: the action is gone at once" none_soon sleepers
  recovered "killed after $delay s"
  made=$(($(count) - before - 1))
  ok "killed after $delay s: at most one record of it" at_most 1 "$made"
  [ "$made" -eq 0 ] || is "killed after $delay s: its record says lost" error "$(newest sleeper status)"
done

before=$(count)
start_sleeper
for _ in $(seq 200); do [ -z "$(sleepers)" ] || break; sleep 0.05; done
ok 'the sleeper runs' not none sleepers
kill_runner
ok 'killed while it runs: the action is gone at once' none_soon sleepers
recovered 'killed while it runs'
is 'killed while it runs: there is one more record of it' $((before + 2)) "$(count)"
is 'killed while it runs: the record says lost' error "$(newest sleeper status)"
ok 'killed while it runs: nothing is published' not test -e "$study/output/begun.txt"
nothing_left_behind 'after SIGKILL'
verified 'after SIGKILL'

# ---- The supervisor is killed, and glovebox lives on

before=$(count)
start_sleeper
for _ in $(seq 200); do [ -z "$(sleepers)" ] || break; sleep 0.05; done
supervisor=$(pgrep -P "$runner" | head -n 1)
ok 'there is a supervisor' test -n "$supervisor"
kill -KILL "$supervisor"
wait "$runner"
is 'the supervisor is killed: exit status 6' 6 $?
ok 'the supervisor is killed: the action is gone at once' none_soon sleepers
recovered 'the supervisor is killed'
is 'the supervisor is killed: the record says that the host failed' error "$(newest sleeper status)"
nothing_left_behind 'after the supervisor was killed'

# ---- SIGKILL before the n-th call that makes something last

version=0
pair_now() { # what is published, in both trees: one version, or "torn"
  local all
  all=$(cat "$study/output/high.txt" "$study/output/table.csv" "$study/.glovebox/level4/output/table.csv" 2>/dev/null |
    grep -v '^version$' | sort -u | tr '\n' ' ')
  all=${all% }
  case $all in
    *' '*) echo torn ;;
    *) echo "${all:-none}" ;;
  esac
}
cut_off() { # cut_off CALL N: runs `pair` and kills Glovebox before its N-th CALL; true while there was one
  timeout 60 strace -qq -o /dev/null -e trace="$1" -e inject="$1":signal=SIGKILL:when="$2" \
    "$glovebox" run "$study" pair --force --root "$root" --policies "$policies" >/dev/null 2>&1 </dev/null
  [ $? -eq 137 ]
}
one_cut() { # one_cut CALL N
  local when="killed before $1 number $2" before published state
  before=$(pair_now)
  version=$((version + 1))
  echo $version >"$study/version"
  local recorded
  recorded=$(count)
  cut_off "$1" "$2" || return 1
  recovered "$when"
  published=$(pair_now)
  state=none
  [ $(($(count) - recorded)) -lt 2 ] || state=$(newest pair status)
  case $published in
    "$version") is "$when: what is published is recorded as a success" succeeded "$state" ;;
    "$before") ok "$when: what was not published is not recorded as a success ($state)" not equal succeeded "$state" ;;
    *) ok "$when: the publish is whole or did not happen (now $published, before $before)" false ;;
  esac
}
for call in fsync renameat2,rename,renameat; do
  cuts=0
  for n in 1 2 3 4 5 6 8 10 13 16 20 25; do
    one_cut "$call" "$n" || break
    cuts=$((cuts + 1))
  done
  ok "it was cut off before $call at least five times" at_least 5 "$cuts"
done
run pair -- --force
is 'after all that, the action runs' succeeded "$(field .status)"
is 'after all that, its outputs are the newest' "$version" "$(pair_now)"
verified 'after all that'
nothing_left_behind 'after all that'

# ---- What stands on the way is changed between the kill and the recovery

mkdir -p "$work/outer" "$work/elsewhere"
mv "$study" "$work/outer/crash"
study=$work/outer/crash
run pair -- --force
published=$version
echo untouched >"$work/elsewhere/witness"
# cut_while_publishing: kills it with its journal written and nothing in place yet.
cut_while_publishing() {
  local n
  version=$((version + 1))
  echo $version >"$study/version"
  for n in $(seq 40); do
    cut_off renameat2,rename,renameat "$n" || return 1
    if [ -n "$(find "$root/run" -name publish.json)" ]; then return; fi
    run nothing
  done
  return 1
}
settle() { (cd "$work/other" && glovebox run "$work/other" nothing --json --force); }
cp -r "$study" "$work/other"

ok 'it can be cut off while it publishes' cut_while_publishing
mv "$work/outer" "$work/real" && ln -s real "$work/outer"
settle
is 'a link on the way to the study: the next command works' 0 "$status"
is 'a link on the way to the study: nothing is published through it' "$published" "$(pair_now)"
is 'a link on the way to the study: the record says lost' error "$(newest pair status)"
rm "$work/outer" && mv "$work/real" "$work/outer"

for folder in output .glovebox/level4/output .glovebox/level4/metadata metadata; do
  run pair -- --force
  ok "$folder: it can be cut off while it publishes" cut_while_publishing
  mv "$study/$folder" "$work/kept" && ln -s "$work/elsewhere" "$study/$folder"
  settle
  is "$folder is a link now: the next command works" 0 "$status"
  is "$folder is a link now: nothing goes through it" witness "$(ls "$work/elsewhere")"
  is "$folder is a link now: the record says lost" error "$(newest pair status)"
  rm "$study/$folder" && mv "$work/kept" "$study/$folder"
done

# Another directory has taken the study's name, and may have got its inode number.
run pair -- --force
ok 'it can be cut off while it publishes once more' cut_while_publishing
rm -rf "$study" && mkdir "$study"
settle
is 'a new directory of the same name: nothing is published into it' '' "$(ls -A "$study")"
verified 'in the end'
nothing_left_behind 'in the end'
