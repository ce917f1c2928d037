#!/usr/bin/env bash
# `run DIR --commit HEX`: project file and code are that commit's, read as git objects and nothing else.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal

head_of() { git -C "$study" rev-parse HEAD; }
made() { cat "$study/output/a.txt"; }
invalid() { # invalid SENTENCE COMMIT WORDS
  rm -rf "$study/output"
  run a -- --commit "$2"
  is "$1: exit status 2" 2 "$status"
  ok "$1: it is said" grep -qiE -- "$3" "$work/err"
  ok "$1: nothing ran" not test -e "$study/output"
}
honest_study() {
  written_study honest <<'STUDY'
version: 5
actions:
  a:
    run: minimal:v1 sh code.sh
    outputs: {highly_sensitive: {a: output/a.txt}}
STUDY
  printf 'mkdir -p output\ncat data.txt >output/a.txt\n' >"$study/code.sh"
  echo committed >"$study/data.txt"
  printf 'output/\nmetadata/\n.glovebox/\n' >"$study/.gitignore"
  commit_all
  commit=$(head_of)
}
honest_study

# The working tree has no effect.
echo edited >"$study/data.txt"
echo 'exit 7' >"$study/code.sh"
echo 'not: [a project' >"$study/project.yaml"
echo new >"$study/new.txt"
git -C "$study" status --porcelain >"$work/before"
run a -- --commit "$commit"
is 'a commit runs, whatever the working tree looks like' '0 succeeded' "$status $(field .status)"
is 'with its own code' committed "$(made)"
ok 'and the working tree is as it was' cmp "$work/before" <(git -C "$study" status --porcelain)
is 'the record names the commit' "$commit" \
  "$(jq -r .payload "$(field .record)" | base64 -d | jq -r '[.. | strings | select(test("^[0-9a-f]{40}$"))] | unique | join(" ")')"
is 'the manifest names the commit' "$commit" "$(jq -r '.outputs["output/a.txt"].commit' "$study/.glovebox/level4/metadata/manifest.json")"
glovebox plan "$study" a --commit "$commit" --json
is 'so does the plan' "$commit" "$(jq -r .code.commit "$work/out")"
run a
is 'without --commit the broken project is found' 2 "$status"
git -C "$study" checkout -q -- . && rm "$study/new.txt" && echo later >"$study/data.txt" && commit_all
run a -- --commit "$(head_of)"
is 'a later commit has its own code' later "$(made)"
run a -- --commit "$commit"
is 'and the earlier one still has what it had' committed "$(made)"
run a -- --force
is 'a working tree has no commit to be named by' null "$(jq -r '.outputs["output/a.txt"].commit' "$study/.glovebox/level4/metadata/manifest.json")"

# Commits that are none.
invalid 'an unknown commit' 0123456789012345678901234567890123456789 'cannot read commit 0123456789012345678901234567890123456789'
invalid 'a short hash' "${commit:0:12}" '40'
invalid 'a name' HEAD '40'
invalid 'a hash in capitals' "${commit^^}" '40'
invalid 'something else that git has' "$(git -C "$study" rev-parse 'HEAD^{tree}')" 'commit'
invalid 'an option' --upload-pack=x '.'

# Links are staged as links, submodules are left out.
echo 'a secret of the host' >"$work/secret" && chmod 644 "$work/secret"
ln -s "$work/secret" "$study/data-link" && ln -s data.txt "$study/inner-link"
printf 'mkdir -p output\n{ cat inner-link; cat data-link; ls -d sub; } >output/a.txt 2>/dev/null\ntrue\n' >"$study/code.sh"
git -C "$study" update-index --add --cacheinfo "160000,$commit,sub"
git -C "$study" add -A -- data-link inner-link code.sh
git -C "$study" -c user.name=t -c user.email=t@example.org commit -qm links
commit=$(head_of)
glovebox run "$study" a --commit "$commit"
is 'a commit with links and a submodule runs' 0 "$status"
is 'a link within the code works, one out of it leads nowhere, the submodule is left out' later "$(made)"
ok 'and it is said that the submodule is' grep -q 'warning: .*sub' "$work/err"

# A repository that would like to have its way: none of its programs, files and settings counts.
honest_study
echo 'a secret of the host' >"$work/secret"
echo '*.txt filter=evil diff=evil text eol=crlf' >"$study/.gitattributes"
commit_all 2>/dev/null
commit=$(head_of)
echo replaced >"$study/data.txt" && commit_all 2>/dev/null
other=$(head_of)
for hook in post-checkout reference-transaction fsmonitor-watchman post-index-change; do
  printf '#!/bin/sh\ntouch %s/pwned\n' "$work" >"$study/.git/hooks/$hook" && chmod +x "$study/.git/hooks/$hook"
done
for key in core.fsmonitor filter.evil.smudge filter.evil.clean filter.evil.process core.sshCommand core.pager \
  uploadpack.packObjectsHook core.gitProxy diff.evil.textconv core.alternateRefsCommand; do
  git -C "$study" config "$key" "touch $work/pwned"
done
printf '[include]\n\tpath = %s/secret\n[core]\n\tworktree = /etc\n\trepositoryformatversion = 1\n[extensions]\n\tpartialClone = evil\n' \
  "$work" >>"$study/.git/config"
mkdir -p "$study/.git/refs/replace" "$study/.git/info"
echo "$other" >"$study/.git/refs/replace/$commit" # git replace
echo "$commit" >"$study/.git/info/grafts"
echo "$commit" >"$study/.git/shallow"
run a -- --commit "$commit"
is 'hostile configuration: the commit runs' '0 succeeded' "$status $(field .status)"
is 'with its own code, unfiltered and unreplaced' committed "$(made)"
ok 'and no program of the repository ran' not test -e "$work/pwned"

# Objects that another repository has are not this one's.
git init -q --bare "$work/rich.git"
cp -r "$study/.git/objects/." "$work/rich.git/objects/"
find "$study/.git/objects" -type f -path '*/??/*' -delete
echo "$work/rich.git/objects" >"$study/.git/objects/info/alternates"
invalid 'a commit that only an alternate has' "$commit" "cannot read commit $commit"
rm -rf "$study/.git/objects" && ln -s "$work/rich.git/objects" "$study/.git/objects"
invalid 'an object store that is a link' "$commit" '.'

# A commit whose outputs are its code.
honest_study
mkdir -p "$study/output" && echo tracked >"$study/output/a.txt" && git -C "$study" add -f output/a.txt && commit_all
run a -- --commit "$(head_of)"
is 'an output that the commit holds: exit status 2' 2 "$status"
ok 'an output that the commit holds: it is named' says output/a.txt
nothing_left_behind 'afterwards'
