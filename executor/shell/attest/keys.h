// The keys that records are signed with: ROOT/keys/<name>/ holds private.pem (0600, PKCS #8), public.pem and
// builder-id. Each speaks for one builder.id, so that a laptop's record never passes for production's.
//
// Nothing here reads a private key: that is the signer's alone (attest/signer.h).
#pragma once
#include <string>
#include <vector>

#include "core/provenance/envelope.h"
#include "shell/sys/fd.h"

namespace glovebox {

inline constexpr const char* kLocalKey = "local";    // made on first use
inline constexpr const char* kRecordKey = "record";  // production: made by `glovebox key init` only
inline constexpr const char* kPrivateKeyFile = "private.pem";
inline constexpr const char* kPublicKeyFile = "public.pem";

// A key in its folder, without its secret.
struct SigningKey {
  std::string name;
  std::string path;  // of the folder
  PublicKey public_key{};
  std::string builder_id;
};

// The key called `name`, ready for signing: kHost with a hint where its folder or its private key belongs to
// somebody else or may be read by others, kInvalid where there is none.
Result<SigningKey> load_key(const std::string& root, const std::string& name);

// The local key, made where it is missing. Two first commands at once make one.
Result<SigningKey> local_key(const std::string& root);

// Makes the key for production records. `host` is this machine's name, which stays in its builder.id.
// kInvalid where there is one.
Result<SigningKey> make_record_key(const std::string& root, const std::string& host);

// Every key there is, by name. Private keys need not be there: an auditor has only the public ones.
Result<std::vector<SigningKey>> all_keys(const std::string& root);

// What verify_envelope() wants.
std::vector<TrustedKey> trusted(const std::vector<SigningKey>& keys);

// For `glovebox key show --json`; without --json it is the PEM text itself.
Json key_json(const SigningKey& key);

// An open private key file that nobody else can read, else the reason why not.
Status check_private_file(const struct stat& info, const std::string& path);

}  // namespace glovebox
