#!/usr/bin/env bash
# G14, G15 and G16: policy only narrows, equal inputs give an equal plan, and nothing is silently left out.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
plan() { glovebox plan "$study" "$1" --json; }

plan one
is 'plan: exit status 0' 0 "$status"
is 'a plan is printed, as JSON' object "$(jq -r type "$work/out")"
cp "$work/out" "$work/plan1"
plan one
ok 'the same plan again is byte-equal' cmp "$work/plan1" "$work/out"
new_study misbehaving "$work/elsewhere"
plan one
ok 'a copy of the study elsewhere has the same plan, workspace name aside' \
  equal "$(jq -S 'del(.. | .workspace?)' "$work/plan1")" "$(jq -S 'del(.. | .workspace?)' "$work/out")"
ok 'a plan gives its reasons' jq -e '[.. | strings | select(test("site.yaml:[0-9]+|base.yaml:[0-9]+|shell.yaml:[0-9]+"))] | length > 5' "$work/out"

# For people: a page.
plan_page() { glovebox plan "$study" one; }
cp "$work/out" "$work/whole"
plan_page
cp "$work/out" "$work/page"
ok 'without --json a plan is a page' at_most 100 "$(wc -l <"$work/page")"
ok 'each limit on it with its reason' grep -qE '^  memory +[0-9]+ [KMG]iB +.*(site|base|shell)\.yaml:[0-9]+' "$work/page"
is 'and the digest of the whole' "$(tr -d '\n' <"$work/whole" | sha256sum | cut -d ' ' -f 1)" \
  "$(grep -o 'sha256:[0-9a-f]*; --json' "$work/page" | cut -c 8-71)"
plan_page
ok 'the same page again is byte-equal' cmp "$work/page" "$work/out"

is 'a plan changes nothing' '' "$(git -C "$study" status --porcelain --ignored)"

# Narrower wins, whichever file says it.
limit() { jq '[.. | objects | select(has("memory")) | .memory | numbers] | first' "$work/out"; }
small_limits memory=64MiB
plan one
is 'the site narrows the memory of an image policy' $((64 * 1024 * 1024)) "$(limit)"
cp -r "$top/policies" "$work/wide"
sed -i -E 's/^  memory: \{default: .*/  memory: {default: 1TiB, max: 2TiB}/' "$work/wide/base.yaml"
policies=$work/wide
plan one
ok 'an image policy cannot widen what the site allows' at_most $((64 * 1024 * 1024 * 1024)) "$(limit)"
policies=$top/policies
glovebox run "$study" one --env NOT_ALLOWED=1 --json
is 'a variable that no policy lets through is refused' 3 "$status"
ok 'by its name' grep -q NOT_ALLOWED "$work/out" "$work/err"

# What cannot be enforced is refused.
cp -r "$top/policies" "$work/impossible"
sed -i 's/^runtimes: .*/runtimes: [runc]/' "$work/impossible"/*.yaml
policies=$work/impossible
run one -- --force
ok 'a policy whose runtime is not there: nothing runs' test "$status" -eq 3 -o "$status" -eq 6
ok 'and the message names it' grep -q runc "$work/out" "$work/err"
ok 'no output of it' not test -e "$study/output/one.txt"

# No system limit on processes: a host without that controller must be refused, not run without it.
if grep -qw pids /proc/cgroups && [ -d /sys/fs/cgroup/pids ]; then
  policies=$top/policies
  unshare -m bash -c "umount -l /sys/fs/cgroup/pids && timeout 60 '$glovebox' run '$study' one --force --root '$root' --policies '$policies' --json" \
    >"$work/out" 2>"$work/err" </dev/null
  status=$?
  ok 'a host that cannot count processes: nothing runs' test "$status" -eq 3 -o "$status" -eq 6
  ok 'and the message says what is missing' grep -qiE 'pids|processes' "$work/out" "$work/err"
  ok 'no output of it either' not test -e "$study/output/one.txt"
else
  skip 'a host that cannot count processes (needs cgroup v1 pids)'
fi
nothing_left_behind 'afterwards'
