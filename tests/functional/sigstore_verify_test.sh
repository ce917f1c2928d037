#!/bin/sh
# An implementation that is not ours verifies an envelope of ours: npm's @sigstore/verify, offline once installed.
#
#   sigstore_verify_test.sh [ENVELOPE.json PUBLIC.pem]     (default: the ones in tests/vectors)
#
# Says ok, FAILED or skipped as the other functional tests do (lib.sh).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
envelope=${1:-$here/../vectors/envelope.json}
public=${2:-$here/../vectors/envelope.pub.pem}

skip() {
  echo "skipped: @sigstore/verify verifies an envelope of ours ($1)"
  exit 0
}

command -v node >/dev/null || skip "node is not installed"
command -v npm >/dev/null || skip "npm is not installed"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || skip "node $major is too old, 20 is needed"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$envelope" "$work/envelope.json"
cp "$public" "$work/public.pem"
cd "$work"
# The last versions that run on node 20; scripts of packages are not run.
npm install --ignore-scripts --no-audit --no-fund --loglevel=error \
  @sigstore/verify@3 @sigstore/bundle@4 @sigstore/protobuf-specs@0.5 >install.log 2>&1 ||
  skip "npm install failed: $(tail -n 1 install.log)"

cat >verify.js <<'EOF'
const fs = require('fs');
const { createPublicKey } = require('crypto');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const { TrustedRoot } = require('@sigstore/protobuf-specs');

const publicKey = createPublicKey(fs.readFileSync('public.pem'));
const noRoots = TrustedRoot.fromJSON({
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [],
});
const trust = toTrustMaterial(noRoots, () => ({ publicKey, validFor: () => true }));
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });

// Throws where the signature is not the key's.
function verify(dsseEnvelope) {
  const bundle = bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      publicKey: { hint: 'glovebox' }, tlogEntries: [], timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope,
  });
  verifier.verify(toSignedEntity(bundle));
}

const envelope = JSON.parse(fs.readFileSync('envelope.json', 'utf8'));
verify(envelope);
const payload = Buffer.from(envelope.payload, 'base64');
payload[payload.length - 2] ^= 1;
let refused = false;
try {
  verify({ ...envelope, payload: payload.toString('base64') });
} catch (error) {
  refused = error.constructor.name === 'VerificationError';
}
if (!refused) throw new Error('a changed payload was verified');
EOF
if node verify.js; then
  echo "ok: @sigstore/verify verifies an envelope of ours, and refuses a changed payload"
else
  echo "FAILED: @sigstore/verify verifies an envelope of ours, and refuses a changed payload"
  exit 1
fi
