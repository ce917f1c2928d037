// The only code that opens a private key. It runs in a process of its own, which reads nothing but the key,
// gives up every power before it does, can leave no core file, and wipes the key from its memory; the key
// never enters the process that asks.
#pragma once
#include <string_view>

#include "core/provenance/ed25519.h"
#include "shell/attest/keys.h"

namespace glovebox {

// The signer's own uid where the caller is root: just past those of actions (shell/host/uids.h).
inline constexpr uid_t kSignerUid = 601'000;

// `message` signed by `key`. kHost with a hint where the private key is missing, readable by others,
// malformed or does not belong to the public one.
Result<Signature> sign(const SigningKey& key, std::string_view message);

// Makes a new private key in `folder` as private.pem, 0600 and durable, and tells its public half.
Result<PublicKey> generate_key(int folder);

}  // namespace glovebox
