#!/usr/bin/env bash
# G10: a signed record for every attempt, and tools that are not ours can verify it.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal
new_study misbehaving
small_limits time=20s

run one
first=$(field .record)
ok 'the record is where the result says' test -s "$first"
run fail -- --force
run forget_output
run die_by_signal
run eat_memory
cat >"$work/refused.yaml" <<'STUDY'
version: 5
actions:
  nothing_fits:
    run: minimal:v9 true
    outputs: {highly_sensitive: {a: output/a.txt}}
STUDY
written_study refused <"$work/refused.yaml"
run nothing_fits
is 'a missing image is refused with status 3' 3 "$status"
is 'and it has a record too' refused "$(field .status)"
ok 'which exists' test -s "$(field .record)"

glovebox record list --json
is 'there is a record of every attempt' 6 "$(jq -s 'if (.[0] | type) == "array" then .[0] else . end | length' "$work/out")"
glovebox record verify
is 'all of them verify' 0 "$status"
glovebox record show "$(jq -r .id "$work/out" 2>/dev/null || true)"

# With the OpenSSL command line: the envelope's pre-authentication encoding, signed by the key that is shown.
glovebox key show
cp "$work/out" "$work/key.pem"
ok 'key show prints a public key' openssl pkey -pubin -in "$work/key.pem" -noout
jq -r .payload "$first" | base64 -d >"$work/payload"
type=$(jq -r .payloadType "$first")
{ printf 'DSSEv1 %d %s %d ' ${#type} "$type" "$(stat -c %s "$work/payload")"; cat "$work/payload"; } >"$work/pae"
jq -r '.signatures[0].sig' "$first" | base64 -d >"$work/signature"
verifies() { openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$1" -sigfile "$work/signature"; }
ok 'the envelope verifies with the OpenSSL command line' verifies "$work/pae"
sed 's/succeeded/suceeeded/' "$work/pae" >"$work/forged"
ok 'a changed one does not' not verifies "$work/forged"
is 'it is an in-toto statement' https://in-toto.io/Statement/v1 "$(jq -r ._type "$work/payload")"
is 'with a SLSA provenance predicate' https://slsa.dev/provenance/v1 "$(jq -r .predicateType "$work/payload")"
is 'it says which memory limit was in force' $((192 * 1024 * 1024)) \
  "$(jq '[.. | objects | select(has("memory")) | .memory | objects | .inForce | numbers] | first' "$work/payload")"
is 'the subject is the output' "$(sha256sum <"$work/misbehaving/output/one.txt" | cut -d ' ' -f 1)" \
  "$(jq -r '.subject[] | select(.name == "output/one.txt") | .digest.sha256' "$work/payload")"

# A forger is found out, whatever is changed.
folder=$(dirname "$first")
for file in request.json plan.json events.jsonl log.txt; do
  cp "$folder/$file" "$work/kept"
  echo forged >>"$folder/$file" && glovebox record verify
  is "a changed $file: status 7" 7 "$status"
  rm "$folder/$file" && glovebox record verify
  is "a missing $file: status 7" 7 "$status"
  cp "$work/kept" "$folder/$file"
done
cp "$first" "$work/kept"
jq -c '.payload |= (@base64d | gsub("succeeded"; "failed") | @base64)' "$work/kept" >"$first"
glovebox record verify
is 'a changed record: status 7' 7 "$status"
jq -c '.signatures[0].sig |= (@base64d | @base64 | .[0:10] + "AAAA" + .[14:])' "$work/kept" >"$first"
glovebox record verify
is 'a changed signature: status 7' 7 "$status"
rm "$first"
glovebox record verify
is 'a missing record: status 7' 7 "$status"
cp "$work/kept" "$first"
glovebox record verify
is 'put back: status 0' 0 "$status"

# G13, as far as it goes here: the signing key is nobody else's to read, and in no record.
ok 'the private key is readable by its owner alone' none find "$root/keys" -type f -perm /077 ! -name public.pem ! -name builder-id
nothing_left_behind 'afterwards'
