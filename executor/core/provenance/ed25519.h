// Ed25519 (RFC 8032) on values, by OpenSSL. Keys are read from files elsewhere, by the small part that signs.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/types.h"

namespace glovebox {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// The private key: 32 bytes, wiped when it goes. Move-only, so that no copy is left behind.
class PrivateKey {
 public:
  explicit PrivateKey(const std::array<std::uint8_t, 32>& seed) : seed_(seed) {}
  PrivateKey(PrivateKey&& other) noexcept : seed_(other.seed_) { other.wipe(); }
  PrivateKey& operator=(PrivateKey&& other) noexcept;
  PrivateKey(const PrivateKey&) = delete;
  PrivateKey& operator=(const PrivateKey&) = delete;
  ~PrivateKey() { wipe(); }
  [[nodiscard]] const std::array<std::uint8_t, 32>& seed() const { return seed_; }

 private:
  void wipe();
  std::array<std::uint8_t, 32> seed_;
};

Result<PublicKey> public_key_of(const PrivateKey& key);
Result<Signature> ed25519_sign(const PrivateKey& key, std::string_view message);
// False also where OpenSSL fails: nothing is believed that was not checked.
bool ed25519_verify(const PublicKey& key, std::string_view message, std::string_view signature);

// The key as X.509 SubjectPublicKeyInfo, DER (RFC 8410), and the same in PEM as `openssl pkey -pubin` reads
// it.
std::string public_key_der(const PublicKey& key);
std::string public_key_pem(const PublicKey& key);
// Of a PEM text with exactly one public key in it, and nothing else but white space.
Result<PublicKey> parse_public_key_pem(std::string_view pem);
// SHA-256 of public_key_der(), in hex: a name, never a reason to trust.
std::string key_id(const PublicKey& key);

}  // namespace glovebox
