#!/usr/bin/env bash
# G18: bytes that a study or an action wrote are read by processes without power: another user, a filter, no keys.
. "$(dirname "$0")/lib.sh"
needs_root
needs_tool strace
needs_images minimal
marker='hostile-bytes-here'
written_study <<STUDY
# $marker
version: 5
actions:
  a:
    run: minimal:v1 sh code.sh
    outputs: {moderately_sensitive: {a: output/a.csv}}
STUDY
# In code and outputs, too. No name and no argument has the marker: those are handed on, as data that was checked.
printf '# %s\nmkdir -p output\nprintf "%%s,b\\n" %s >output/a.csv\n' "$marker" "$marker" >"$study/code.sh" && commit_all

# traced COMMAND…: what each process of Glovebox read, and what it had given up by then, in $work/trace.
traced() {
  timeout 120 strace -f -qq -s 200 -o "$work/trace" \
    -e trace=read,pread64,readv,setresuid,seccomp,prctl,openat,execve "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}
# readers TEXT: each process of Glovebox that read bytes with TEXT in them, "powerful" or "powerless", once each. Study code
# itself may read what it likes.
readers() {
  text=$1 awk '
    $2 ~ /^setresuid\([1-9]/ && / = 0$/ {user[$1] = 1}
    ($2 ~ /^seccomp\(SECCOMP_SET_MODE_FILTER/ || /prctl\(PR_SET_SECCOMP/) && / = 0$/ {filter[$1] = 1}
    $2 ~ /^execve\(/ {program[$1] = $0}
    $2 ~ /^(read|pread64|readv)\(/ && index($0, ENVIRON["text"]) && program[$1] !~ /busybox|\/bin\/sh|entrypoint/ {
      print user[$1] && filter[$1] ? "powerless" : "powerful"
    }' "$work/trace" | sort -u | paste -sd ' '
}
openers_of_keys() {
  awk -v marker="$marker" '
    $2 ~ /^(read|pread64|readv)\(/ && index($0, marker) {reader[$1] = 1}
    $2 ~ /^openat\(/ && /keys\// && !/ENOENT/ {opener[$1] = 1}
    END {for (process in reader) if (process in opener) print process}' "$work/trace"
}

traced "$glovebox" project check "$study" --root "$root"
is 'project check works while it is watched' 0 "$status"
is 'the project file is read by a process without power, and no other' powerless "$(readers "$marker")"

# A run also hashes and copies these files, as bytes without a meaning. Who gives them one has no power.
traced "$glovebox" run "$study" a --root "$root" --policies "$policies"
is 'run works while it is watched' 0 "$status"
for text in "# $marker\nversion: 5" "$marker,b"; do
  ok "a process without power reads: $text" grep -q powerless <<<"$(readers "$text")"
done
ok 'who reads them has opened no key' none openers_of_keys
nothing_left_behind 'afterwards'
