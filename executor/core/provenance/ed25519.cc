#include "core/provenance/ed25519.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/base/text.h"

namespace glovebox {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

// RFC 8410, section 4: the DER in front of the 32 bytes is always this.
constexpr std::string_view kDerPrefix("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
constexpr std::string_view kPemBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kPemEnd = "-----END PUBLIC KEY-----";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
Error library_failed() {
  return host_error("OpenSSL cannot use Ed25519", "check the installation of libcrypto");
}

}  // namespace

void PrivateKey::wipe() {
  OPENSSL_cleanse(seed_.data(), seed_.size());
}
PrivateKey& PrivateKey::operator=(PrivateKey&& other) noexcept {
  if (this != &other) {
    seed_ = other.seed_;
    other.wipe();
  }
  return *this;
}

Result<PublicKey> public_key_of(const PrivateKey& key) {
  const Key pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(), key.seed().size()));
  PublicKey out{};
  std::size_t length = out.size();
  if (pkey == nullptr || EVP_PKEY_get_raw_public_key(pkey.get(), out.data(), &length) != 1)
    return library_failed();
  return out;
}

Result<Signature> ed25519_sign(const PrivateKey& key, std::string_view message) {
  const Key pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.seed().data(), key.seed().size()));
  const Context context(EVP_MD_CTX_new());
  Signature out{};
  std::size_t length = out.size();
  const bool made =
      pkey != nullptr && context != nullptr &&
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
      EVP_DigestSign(context.get(), out.data(), &length, bytes_of(message), message.size()) == 1 &&
      length == out.size();
  if (!made) return library_failed();
  return out;
}

bool ed25519_verify(const PublicKey& key, std::string_view message, std::string_view signature) {
  const Key pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  const Context context(EVP_MD_CTX_new());
  return pkey != nullptr && context != nullptr &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message),
                          message.size()) == 1;
}

std::string public_key_der(const PublicKey& key) {
  return std::string(kDerPrefix) + std::string(key.begin(), key.end());
}

std::string public_key_pem(const PublicKey& key) {
  return std::string(kPemBegin) + "\n" + base64_encode(public_key_der(key)) + "\n" + std::string(kPemEnd) +
         "\n";
}

Result<PublicKey> parse_public_key_pem(std::string_view pem) {
  std::string text;  // white space has no meaning in PEM's base64
  for (const char c : pem) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') text += c;
  }
  std::string_view body = text;
  std::string begin(kPemBegin);
  std::string end(kPemEnd);
  std::erase(begin, ' ');
  std::erase(end, ' ');
  const auto fail = [] { return invalid("not a PEM file with one Ed25519 public key"); };
  if (!body.starts_with(begin) || !body.ends_with(end) || body.size() < begin.size() + end.size())
    return fail();
  body.remove_prefix(begin.size());
  body.remove_suffix(end.size());
  const std::optional<std::string> der = base64_decode(body);
  if (!der || der->size() != kDerPrefix.size() + 32 || !der->starts_with(kDerPrefix)) return fail();
  PublicKey key{};
  std::copy(der->begin() + static_cast<std::ptrdiff_t>(kDerPrefix.size()), der->end(), key.begin());
  return key;
}

std::string key_id(const PublicKey& key) {
  return Digest::of(public_key_der(key)).hex();
}

}  // namespace glovebox
