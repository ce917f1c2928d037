#!/bin/bash
# scripts/build-image and the entry point. Needs root and the package archives; takes about 15 seconds.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo 'skipped: building images needs root'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GLOVEBOX_CACHE=$work/cache
failures=0
check() { # check WHAT CONDITION…
  local what=$1
  shift
  if "$@"; then echo "ok: $what"; else
    echo "FAILED: $what"
    failures=$((failures + 1))
  fi
}
build() { "$top/scripts/build-image" "$@" 2>>"$work/log"; }

mounts_before=$(wc -l </proc/self/mountinfo)
first=$(build minimal "$work/a")
second=$(build --refresh minimal "$work/b")
check 'building minimal twice gives the same digest' [ "$first" = "$second" ]
check 'and the same bytes' diff -r "$work/a" "$work/b"
third=$(GLOVEBOX_CACHE=$work/other build minimal "$work/deep/er/c")
check 'and so does another machine-local cache' [ "$first" = "$third" ]
check 'no mount is left behind' [ "$mounts_before" = "$(wc -l </proc/self/mountinfo)" ]
check 'no work folder is left behind' [ -z "$(find "$work/cache/images" -name 'work.*')" ]

build minimal "$work/a" >"$work/digest"
last_said() { tail -n 1 "$work/log"; }
check 'the cache answers' grep -q 'from the cache' <(last_said)
check 'with the same digest' [ "$(cat "$work/digest")" = "$first" ]
blob=$(find "$work/cache/images" -path '*/blobs/sha256/*' -size +100k | head -1)
printf 'x' | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
build minimal "$work/a" >"$work/digest"
check 'a damaged cache is built anew' diff -r "$work/a" "$work/b"

umoci raw unpack --image "$work/a:minimal:v1" "$work/rootfs"
check 'no file is setuid or setgid' [ -z "$(find "$work/rootfs" -perm /6000)" ]
check 'nothing but files, directories and links' [ -z "$(find "$work/rootfs" ! -type f ! -type d ! -type l)" ]
for folder in dev proc sys tmp workspace; do
  check "/$folder is a real directory" [ -d "$work/rootfs/$folder" -a ! -L "$work/rootfs/$folder" ]
done
check 'nothing of the build host' [ ! -e "$work/rootfs/etc/hostname" -a ! -e "$work/rootfs/etc/resolv.conf" ]
config=$(jq -r '.manifests[0].digest' "$work/a/index.json" | tr : /)
config=$(jq -r '.config.digest' "$work/a/blobs/$config" | tr : /)
check 'the label names the packages' \
  [ "$(jq -r '.config.Labels["glovebox.packages"]' "$work/a/blobs/$config" | tr ' ' '\n')" = "$(cat "$top/images/minimal/lock")" ]

# The lock, in a copy of the recipes.
mkdir "$work/copy"
cp -r "$top/images" "$top/scripts" "$work/copy"
echo 'busybox-static=0.1' >"$work/copy/images/minimal/lock"
"$work/copy/scripts/build-image" minimal "$work/d" >"$work/digest" 2>"$work/drift"
check 'drift is reported and builds' grep -q 'here: busybox-static=' "$work/drift"
check 'drift does not change what is built' [ "$(cat "$work/digest")" = "$first" ]
status=0
"$work/copy/scripts/build-image" --locked minimal "$work/e" >/dev/null 2>"$work/drift" || status=$?
check '--locked fails on drift with status 7' [ "$status" = 7 -a ! -e "$work/e" ]
"$work/copy/scripts/build-image" --update-lock minimal "$work/d" >/dev/null 2>&1
check '--update-lock accepts it' cmp "$work/copy/images/minimal/lock" "$top/images/minimal/lock"
echo 'colour: red' >>"$work/copy/images/minimal/image.yaml"
status=0
"$work/copy/scripts/build-image" minimal "$work/e" 2>"$work/drift" || status=$?
check 'an unknown key is an error with its place' \
  grep -q 'images/minimal/image.yaml:.*: key colour is not known' "$work/drift"
check 'and status 2' [ "$status" = 2 ]
mkdir "$work/precious" && touch "$work/precious/file"
build minimal "$work/precious" >/dev/null && status=0 || status=$?
check 'a folder that is no layout is left alone' [ "$status" = 2 -a -e "$work/precious/file" ]

# The entry point, under each shell that images have: what is printed for some words.
cd "$work"
mkdir bin analysis
printf '#!/bin/sh\necho "program $*"\n' >bin/tool && chmod 755 bin/tool
printf 'data\n' >bin/plain && chmod 755 bin/plain
cp bin/tool analysis/run.sh
printf 'print(1)\n' >analysis/a.py
printf '#!/bin/sh\necho not executable\n' >analysis/b.sh
enter() { env PATH="$work/bin:/usr/bin:/bin" ACTION_EXEC=echo INTERACTIVE_EXEC="$work/bin/tool" $1 "$top/images/entrypoint" "${@:2}" 2>&1; }
for shell in dash 'busybox ash' bash; do
  check "$shell: no words: the interactive program" [ "$(enter "$shell")" = 'program ' ]
  check "$shell: a program on PATH" [ "$(enter "$shell" tool 'a b' '*')" = 'program a b *' ]
  check "$shell: an ELF program on PATH" [ "$(enter "$shell" printf %s x)" = x ]
  check "$shell: a script that is executable" [ "$(enter "$shell" analysis/run.sh 1)" = 'program 1' ]
  check "$shell: a file of the study" [ "$(enter "$shell" analysis/a.py 1)" = 'analysis/a.py 1' ]
  check "$shell: a script that is not executable" [ "$(enter "$shell" analysis/b.sh)" = 'analysis/b.sh' ]
  check "$shell: an executable that is no program" [ "$(enter "$shell" plain)" = 'plain' ]
  check "$shell: an option" [ "$(enter "$shell" -c 'x y')" = '-c x y' ]
  check "$shell: a built-in is no program" [ "$(enter "$shell" cd x)" = 'cd x' ]
  check "$shell: a directory" [ "$(enter "$shell" analysis)" = 'analysis' ]
  check "$shell: an empty word" [ "$(enter "$shell" '' x)" = ' x' ]
done

[ "$failures" -eq 0 ] || { cat "$work/log"; echo "$failures failed"; exit 1; }
