// DSSE v1.0.2 envelopes: what is signed, how it is written, and reading one without trusting it.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/provenance/ed25519.h"

namespace glovebox {

inline constexpr std::string_view kInTotoType = "application/vnd.in-toto+json";
inline constexpr std::size_t kMaxEnvelope = 64U << 20U;  // bytes; no statement needs more (statement.cc)
inline constexpr std::size_t kMaxSignatures = 16;

// "DSSEv1 LEN(type) type LEN(body) body": the bytes that are signed.
std::string dsse_pae(std::string_view type, std::string_view body);

struct EnvelopeSignature {
  std::string signature;  // bytes
  std::string keyid;      // a hint, unauthenticated; may be empty
};

struct Envelope {
  std::string payload_type;
  std::string payload;  // the bytes that were signed
  std::vector<EnvelopeSignature> signatures;
};

// One line of JSON with a newline at its end.
std::string envelope_text(const Envelope& envelope);

// Strict where DSSE is: the three members with their types, base64 of either alphabet. Members that DSSE does
// not know are ignored, as it demands.
Result<Envelope> parse_envelope(std::string_view text, std::string_view name);

// The payload signed by one key, as an envelope.
Result<Envelope> seal(std::string payload, const PrivateKey& key);

// A key that is trusted, and the one builder that it may speak for: a laptop's key never passes for
// production's.
struct TrustedKey {
  PublicKey key{};
  std::string builder_id;
};

// What a record that verified says.
struct VerifiedRecord {
  Json statement;
  std::string keyid;  // of the key that verified
  std::string builder_id;
};

// The record in `envelope`, where one of `keys` signed it and it is a statement of ours: in-toto Statement
// v1, SLSA provenance v1, our build type, and the builder that this key speaks for. Otherwise kIntegrity,
// saying which of these failed. Only bytes that verified are parsed.
Result<VerifiedRecord> verify_envelope(const Envelope& envelope, const std::vector<TrustedKey>& keys);

// What a verified record says of its place in the sequence of its executor.
struct ChainLink {
  std::uint64_t seq = 0;
  std::optional<Digest> previous;  // of the envelope before, as its bytes; none for the first
  Digest envelope;                 // of this one
};
Result<ChainLink> chain_link(const VerifiedRecord& record, std::string_view envelope_bytes);
// `links` in the order of their numbers. kIntegrity, naming the number, where one is missing, twice there, or
// does not point at the one before it.
Status check_chain(const std::vector<ChainLink>& links);

// A file that a verified record speaks of.
struct RecordedFile {
  std::string name;
  Digest digest;
  std::string disposition;  // "accepted", "withheld", "log", …
};
// Subjects first, then byproducts with a digest.
Result<std::vector<RecordedFile>> recorded_files(const VerifiedRecord& record);

}  // namespace glovebox
