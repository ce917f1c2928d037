#!/usr/bin/env bash
# Bad input, each tried: a clear error, the right exit status, nothing left behind.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal

# bad SENTENCE EXIT WORDS: the last command ended with EXIT and said WORDS (an extended regular expression), and no crash.
bad() {
  is "$1: exit status $2" "$2" "$status"
  ok "$1: the error is clear" tells "$3"
  ok "$1: an error of ours, in one line" not grep -qE 'terminate called|Sanitizer|what\(\)|Segmentation|Assertion' "$work/err"
}
tells() { grep -qiE -- "$1" "$work/err" "$work/out" || { printf 'not said: %s\n' "$1"; said; return 1; }; }
project() { # project TEXT…: a study with that project.yaml
  written_study < <(printf '%s\n' "$@")
}
one_action() { project 'version: 5' 'actions:' '  a:' "    run: $1" '    outputs: {highly_sensitive: {a: output/a.txt}}'; }

# The command line.
glovebox run "$work/nowhere" a
bad 'no such study' 2 "nowhere.*(no such|not|exist)|no such.*nowhere"
glovebox runn "$work"
bad 'an unknown command' 2 runn
one_action 'minimal:v1 true'
glovebox run "$study" a --fast
bad 'an unknown option' 2 '--fast'
glovebox run "$study" b
bad 'an unknown action' 2 "'?b'?"
rm "$study/project.yaml" && run a
bad 'a study without project.yaml' 2 'project\.yaml'

# The project file.
project ''
run a
bad 'an empty project' 2 'project\.yaml'
project 'version: 5' 'actions: {}' && run run_all
bad 'no actions' 2 'action'
project 'version: 5' 'actions:' '  a:' '    run: minimal:v1 true' '    outputs: {highly_sensitive: {a: output/a.txt}}' \
  '  a:' '    run: minimal:v1 false' '    outputs: {highly_sensitive: {a: output/b.txt}}' && run a
bad 'a duplicate key' 2 'project\.yaml:6:3'
project 'version: 5' 'actions:' '  a: {run: "minimal:v1 true", needs: [b], outputs: {highly_sensitive: {a: output/a.txt}}}' \
  '  b: {run: "minimal:v1 false", needs: [a], outputs: {highly_sensitive: {a: output/b.txt}}}' && run a
bad 'a cycle' 2 'a.*b.*a|cycle'
for pattern in ../a.csv /etc/a.csv 'output/**.csv' metadata/a.csv .glovebox/a.csv .git/a.csv 'output/a\.csv'; do
  project 'version: 5' 'actions:' '  a:' '    run: minimal:v1 true' "    outputs: {highly_sensitive: {a: '$pattern'}}" && run a
  bad "the output pattern $pattern" 2 'project\.yaml:5'
done
project 'version: 5' 'actions:' '  ../x:' '    run: minimal:v1 true' '    outputs: {highly_sensitive: {a: output/a.txt}}' && run run_all
bad 'an action called ../x' 2 'project\.yaml:3'
written_study < <(printf 'version: 5\nactions:\n  a: \377\376\n') && run a
bad 'a project file that is not UTF-8' 2 'utf-?8|project\.yaml'
written_study < <(head -c 20000000 /dev/zero | tr '\0' ' ') && run a
bad 'a project file of 20 MB' 2 'large|size|big|bytes'
written_study < <(printf 'version: 5\nactions: &a [*a, *a]\n') && run a
bad 'a project file that refers to itself' 2 'project\.yaml'
written_study < <(printf 'version: 5\nactions:\n  a:\n\trun: minimal:v1 true\n') && run a
bad 'a tab in the indentation' 2 'project\.yaml:4:1: a tab in the indentation'
ln -sf /etc/passwd "$study/project.yaml" && run a
bad 'a project file that is a link' 2 'project\.yaml'
ok 'and nothing of its target is shown' not grep -q root: "$work/err" "$work/out"
rm "$study/project.yaml" && mkfifo "$study/project.yaml" && run a
bad 'a project file that is a FIFO' 2 'project\.yaml'

# Many actions (how quickly: scripts/bench project).
written_study < <(
  echo 'version: 5'
  echo 'actions:'
  for number in $(seq 2000); do
    printf '  a%d:\n    run: minimal:v1 echo %d\n    outputs: {highly_sensitive: {a: output/%d.txt}}\n' "$number" "$number" "$number"
  done
)
glovebox project check "$study"
is '2,000 actions are judged' 0 "$status"

# The study folder.
one_action "minimal:v1 sh -c 'mkdir -p output; echo 1 >output/a.txt'"
mv "$study" "$work/a study with spaces, 'quotes' and \"more\"; \$(touch pwned)"
study="$work/a study with spaces, 'quotes' and \"more\"; \$(touch pwned)"
run a
is 'a study path with spaces and quotes works' '0 1' "$status $(cat "$study/output/a.txt")"
ok 'and nothing in it is run' not test -e "$work/pwned" -o -e pwned -o -e "$study/pwned"
mkdir -m 700 "$work/closed"
"$glovebox" image import "$GLOVEBOX_IMAGES/minimal" --root "$work/closed/root" >/dev/null 2>&1
"$glovebox" run "$study" a --force --root "$work/closed/root" >"$work/out" 2>"$work/err"
is 'a state directory behind one that others may not enter works' 0 $?
ln -s "$study" "$work/link"
study=$work/link run a -- --force
bad 'a study that is itself a link' 2 'link'
one_action "minimal:v1 sh -c 'mkdir -p output; echo 1 >output/a.txt'"
mkdir "$work/elsewhere" && ln -s "$work/elsewhere" "$study/output" && run a
bad 'an output folder that is a link' 2 'link|output'
is 'and nothing was written through it' '' "$(ls "$work/elsewhere")"
rm -rf "$study/output" "$study/metadata" && ln -s "$work/elsewhere" "$study/metadata" && run a
bad 'a metadata folder that is a link' 2 'metadata'
rm -rf "$study/metadata" "$study/.glovebox" && ln -s "$work/elsewhere" "$study/.glovebox" && run a
bad 'a .glovebox folder that is a link' 2 '\.glovebox'
is 'and nothing was written through them' '' "$(ls "$work/elsewhere")"
rm "$study/.glovebox"
mkdir -p "$study/output" && echo tracked >"$study/output/a.txt" && commit_all && run a
bad 'an output that git tracks' 2 'output/a\.txt'
is 'and it is as it was' tracked "$(cat "$study/output/a.txt")"
git -C "$study" rm -q --cached output/a.txt && rm -r "$study/output"
ln -s /etc/shadow "$study/code-link" && commit_all && run a
ok 'a link in the code: staged as a link, or refused' test "$status" -eq 0 -o "$status" -eq 2

# Hostile git configuration, hooks and filters: no program of the repository runs.
one_action "minimal:v1 sh -c 'mkdir -p output; cat data.txt >output/a.txt'"
echo data >"$study/data.txt" && echo '*.txt filter=evil diff=evil' >"$study/.gitattributes" && commit_all
mkdir -p "$study/.git/hooks"
for hook in post-checkout pre-commit post-index-change reference-transaction fsmonitor-watchman; do
  printf '#!/bin/sh\ntouch %s/pwned\n' "$work" >"$study/.git/hooks/$hook" && chmod +x "$study/.git/hooks/$hook"
done
git -C "$study" config core.fsmonitor "touch $work/pwned"
git -C "$study" config filter.evil.smudge "touch $work/pwned"
git -C "$study" config filter.evil.clean "touch $work/pwned"
git -C "$study" config filter.evil.process "touch $work/pwned"
git -C "$study" config core.sshCommand "touch $work/pwned"
git -C "$study" config core.pager "touch $work/pwned"
git -C "$study" config alias.ls-files "!touch $work/pwned"
echo '/etc' >"$study/.git/objects/info/alternates"
run a
ok 'hostile git configuration: no program of it runs' not test -e "$work/pwned"
ok 'and the study runs, or is refused' test "$status" -eq 0 -o "$status" -eq 2
rm -rf "$study/.git" && echo 'gitdir: /etc' >"$study/.git" && run a -- --force
ok 'a .git that points elsewhere: works as a plain folder, or is refused' test "$status" -eq 0 -o "$status" -eq 2
printf x >"$study/$(printf 'bad\377name\nx.txt')" && rm -f "$study/.git" && run a -- --force
ok 'a code file with a hostile name: works, or is refused by name' test "$status" -eq 0 -o "$status" -eq 2
ok 'and its name is shown escaped' not grep -qP '\xff' "$work/err"

# Images.
one_action 'minimal:v7 true' && run a
bad 'a missing image' 3 'minimal:v7'
is 'the missing image is the reason' image "$(field .reason)"
one_action 'nobody-knows:v1 true' && run a
bad 'an image that no policy names' 3 'nobody-knows'
layout=${GLOVEBOX_IMAGES:-$work/layouts}/minimal
damaged() { # damaged: a fresh copy of the layout
  rm -rf "$work/damaged" && cp -r "$layout" "$work/damaged"
}
largest() { find "$work/damaged/blobs" -type f -printf '%s %p\n' | sort -n | tail -n 1 | cut -d ' ' -f 2; }
damaged && truncate -s -1000 "$(largest)"
glovebox image import "$work/damaged"
bad 'a truncated layer' 7 'bytes, not [0-9]'
damaged && printf x | dd of="$(largest)" bs=1 seek=2000 conv=notrunc status=none
glovebox image import "$work/damaged"
bad 'a wrong digest' 7 'sha256:[0-9a-f]{64} is not'
damaged && rm "$(largest)"
glovebox image import "$work/damaged"
ok 'a missing layer is an error' test "$status" -ne 0
glovebox image import "$work/nowhere"
bad 'an image that is not there' 2 'nowhere'
mkdir -p "$work/empty-layout" && glovebox image import "$work/empty-layout"
bad 'a folder that is no image' 2 'index\.json|oci-layout|image'
glovebox image list
ok 'none of them can be run' not grep -qv minimal:v1 <(grep -o '[a-z]*:v[0-9]*' "$work/out")

# An image whose mount points are not folders of its own: real device nodes would be made where /dev points.
for folder in dev proc sys tmp workspace; do
  rm -rf "$work/rootfs" "$work/linked" && mkdir -p "$work/rootfs" "$work/target"
  tar -C "$work/rootfs" -xf <(gzip -dc "$(damaged && largest)") 2>/dev/null
  rm -rf "${work:?}/rootfs/$folder" && ln -s "$work/target" "$work/rootfs/$folder"
  tar -C "$work/rootfs" -cf "$work/linked.tar" .
  umoci init --layout "$work/linked" && umoci new --image "$work/linked:v1"
  umoci raw add-layer --image "$work/linked:v1" "$work/linked.tar"
  umoci config --image "$work/linked:v1" --config.entrypoint /bin/sh --architecture amd64 --os linux
  sed -i 's/"org.opencontainers.image.ref.name":"v1"/"org.opencontainers.image.ref.name":"minimal:v2"/' "$work/linked/index.json"
  glovebox image import "$work/linked"
  if [ "$status" -eq 0 ]; then one_action 'minimal:v2 -c true' && run a; fi
  ok "an image whose /$folder is a link is refused" test "$status" -eq 2 -o "$status" -eq 3
  is "nothing was made where its /$folder points" '' "$(find "$work/target" -mindepth 1)"
  glovebox image remove minimal:v2
done

# Policies.
one_action "minimal:v1 sh -c 'mkdir -p output; echo 1 >output/a.txt'"
cp -r "$top/policies" "$work/policies" && policies=$work/policies
chmod 000 "$policies/base.yaml" && mv "$policies/base.yaml" "$work/base.yaml" && run a
bad 'a policy that is missing' 2 'base'
mv "$work/base.yaml" "$policies/base.yaml" && chmod 644 "$policies/base.yaml" && echo 'colour: red' >>"$policies/base.yaml" && run a
bad 'an unknown key in a policy' 2 'base\.yaml:[0-9]+:[0-9]+.*colour|colour'
rm "$policies/base.yaml" && mkdir "$policies/base.yaml" && run a
bad 'a policy that is a folder' 2 'base\.yaml'
policies=$work/no-policies && run a
bad 'no policies' 2 'no-policies'
policies=$top/policies

# The host.
if [ -x /usr/bin/crun ]; then
  bwrap --dev-bind / / --ro-bind /dev/null /usr/bin/crun -- true 2>/dev/null &&
    timeout 60 bwrap --dev-bind / / --ro-bind /dev/null /usr/bin/crun -- \
      "$glovebox" run "$study" a --force --root "$root" --policies "$policies" --json >"$work/out" 2>"$work/err" </dev/null
  status=$?
  ok 'no crun: exit status 3 or 6' test "$status" -eq 3 -o "$status" -eq 6
  ok 'no crun: the error is clear' tells 'crun'
fi
# A full disk: the state lives on a small file system of its own.
mkdir -p "$work/small"
unshare -m bash -c "
  mount -t tmpfs -o size=24m none '$work/small' && '$glovebox' image import '$layout' --root '$work/small' &&
    head -c 30000000 /dev/zero >'$work/small/ballast' 2>/dev/null
  timeout 60 '$glovebox' run '$study' a --force --root '$work/small' --policies '$policies' --json" >"$work/out" 2>"$work/err" </dev/null
status=$?
ok 'no space left: exit status 6' test "$status" -eq 6
ok 'no space left: the error is clear' tells 'space'
# Not root.
chmod -R a+rwX "$study"
setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$work/home" XDG_DATA_HOME="$work/home" \
  timeout 60 "$glovebox" run "$study" a --policies "$policies" >"$work/out" 2>"$work/err" </dev/null
status=$?
ok 'not root: refused, never run with less' test "$status" -eq 3 -o "$status" -eq 6 -o "$status" -eq 2
ok 'not root: the error is clear' tells 'root'
setpriv --reuid 65534 --regid 65534 --clear-groups timeout 60 "$glovebox" project check "$study" >"$work/out" 2>"$work/err"
is 'not root: project check works' 0 $?

# 100,000 output files: with room for them, and stopped without.
new_study misbehaving
PATIENCE=300 run many_files
is '100,000 output files are more than policy allows' 'stopped output 4' "$(field .status) $(field .reason) $status"
nothing_left_behind 'afterwards'
