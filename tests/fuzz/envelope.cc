// Envelopes from anybody: reading never crashes, what is read is written back the same, and without the key
// nothing verifies.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/provenance/envelope.h"
#include "core/provenance/statement.h"

using namespace glovebox;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto envelope = parse_envelope(text, "envelope");
  if (!envelope) return 0;
  const auto again = parse_envelope(envelope_text(*envelope), "again");
  if (!again || again->payload != envelope->payload) std::abort();
  const TrustedKey trusted{PublicKey{}, std::string(kLocalBuilder)};
  const auto record = verify_envelope(*envelope, {trusted});
  if (!record) {
    // What follows a verified signature is reached too, as if this key had signed.
    const auto statement = parse_json(envelope->payload, "payload");
    if (!statement) return 0;
    const VerifiedRecord believed{*statement, "", ""};
    (void)chain_link(believed, text).ok();
    (void)recorded_files(believed).ok();
  }
  return 0;
}
