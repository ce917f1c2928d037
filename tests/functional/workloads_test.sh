#!/usr/bin/env bash
# G5's other half: what studies do works, under the policies as they are shipped.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal python r
new_study workloads

PATIENCE=600 run run_all
for action in $(sed -n 's/^  \([a-z_]*\):$/\1/p' "$study/project.yaml"); do
  ok "$action" equal 'succeeded null' "$(field '"\(.status) \(.reason)"' "$action")" \
    || tail -n 20 "$study/metadata/$action.log"
done
is 'all of them succeed' 0 "$status"
is 'caches of pytest stay in its own copy' '' "$(find "$study" -name .pytest_cache -o -name __pycache__)"
is 'the study has no change to commit' '' "$(git -C "$study" status --porcelain)"
nothing_left_behind 'afterwards'
