#include "shell/attest/signer.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/worker.h"

namespace glovebox {
namespace {

constexpr std::string_view kPemBegin = "-----BEGIN PRIVATE KEY-----\n";
constexpr std::string_view kPemEnd = "\n-----END PRIVATE KEY-----\n";
// RFC 8410, section 7: what stands before the 32 bytes in the DER of a PKCS #8 Ed25519 key.
constexpr std::array<std::uint8_t, 16> kDerPrefix = {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                     0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::size_t kDerSize = kDerPrefix.size() + 32;
constexpr std::size_t kBase64Size = 64;  // 48 bytes, so no padding
constexpr std::size_t kPemSize = kPemBegin.size() + kBase64Size + kPemEnd.size();

// Bytes that are wiped when they go.
template <std::size_t N>
struct Secret {
  Secret() = default;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
  std::array<std::uint8_t, N> bytes{};
};

WorkerSpec signer_spec() {
  WorkerSpec spec;
  spec.name = "the signer";
  spec.uid = kSignerUid;
  spec.time = 10'000;
  spec.answer = 4096;
  return spec;
}

// Its Errors are ours, not hostile text of a study: a key that cannot be used is the host's fault.
Error as_host_error(Error error) {
  error.kind = ErrorKind::kHost;
  return error;
}

// OpenSSL reads its configuration when it is first used; under the filter it could not.
void start_library() {
  OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

Result<UniqueFd> open_private_key(const std::string& path) {
  UniqueFd fd = TRY(open_path(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  TRY(check_private_file(TRY(stat_of(fd.get())), path));
  return fd;
}

// Of a file exactly as generate_key() and OpenSSL write it.
Result<PrivateKey> read_private_key(int fd) {
  const auto malformed = [] {
    return host_error("the private key is not an Ed25519 key in PKCS #8 PEM",
                      "take it back from its backup, or make a new key");
  };
  Secret<kPemSize + 1> pem;
  const ssize_t size = ::pread(fd, pem.bytes.data(), pem.bytes.size(), 0);
  if (size != static_cast<ssize_t>(kPemSize)) return malformed();
  const auto* const text = reinterpret_cast<const char*>(pem.bytes.data());
  const std::string_view whole(text, kPemSize);
  if (!whole.starts_with(kPemBegin) || !whole.ends_with(kPemEnd)) return malformed();
  Secret<kDerSize + 1> der;  // EVP_DecodeBlock may write whole groups of three
  const int decoded = EVP_DecodeBlock(der.bytes.data(), pem.bytes.data() + kPemBegin.size(), kBase64Size);
  if (decoded != static_cast<int>(kDerSize)) return malformed();
  if (!std::equal(kDerPrefix.begin(), kDerPrefix.end(), der.bytes.begin())) return malformed();
  Secret<32> seed;
  std::copy_n(der.bytes.begin() + kDerPrefix.size(), seed.bytes.size(), seed.bytes.begin());
  return PrivateKey(seed.bytes);
}

Status write_private_key(int fd, const Secret<32>& seed) {
  Secret<kDerSize> der;
  std::copy(kDerPrefix.begin(), kDerPrefix.end(), der.bytes.begin());
  std::copy(seed.bytes.begin(), seed.bytes.end(), der.bytes.begin() + kDerPrefix.size());
  Secret<kPemSize + 1> pem;  // EVP_EncodeBlock adds a NUL
  std::copy(kPemBegin.begin(), kPemBegin.end(), pem.bytes.begin());
  EVP_EncodeBlock(pem.bytes.data() + kPemBegin.size(), der.bytes.data(), static_cast<int>(kDerSize));
  std::copy(kPemEnd.begin(), kPemEnd.end(), pem.bytes.begin() + kPemBegin.size() + kBase64Size);
  return write_all(fd, {reinterpret_cast<const char*>(pem.bytes.data()), kPemSize});
}

template <std::size_t N>
Result<std::array<std::uint8_t, N>> bytes_of(const std::string& answer) {
  std::array<std::uint8_t, N> out{};
  if (answer.size() != N) return host_error("the signer gave an answer of the wrong size");
  std::copy(answer.begin(), answer.end(), out.begin());
  return out;
}

}  // namespace

Result<Signature> sign(const SigningKey& key, std::string_view message) {
  const std::string path = key.path + "/" + kPrivateKeyFile;
  WorkerSpec spec = signer_spec();
  Result<UniqueFd> opened = host_error("the private key was not opened");
  spec.prepare = [&] {
    start_library();
    opened = open_private_key(path);
  };
  const auto answer = run_in_worker(spec, [&]() -> Result<std::string> {
    if (!opened) return opened.error();
    const PrivateKey private_key = TRY(read_private_key(opened->get()));
    const Signature signature = TRY(ed25519_sign(private_key, message));
    return std::string(signature.begin(), signature.end());
  });
  if (!answer) return as_host_error(answer.error()).because("cannot sign with " + quoted(path));
  const Signature signature = TRY(bytes_of<64>(*answer));
  if (!ed25519_verify(key.public_key, message, *answer)) {
    return host_error("the private key " + quoted(path) + " does not belong to the public key beside it",
                      "take both back from their backup, or make a new key");
  }
  return signature;
}

Result<PublicKey> generate_key(int folder) {
  // Made here, written only by the worker, and never read here.
  const UniqueFd file =
      TRY(open_beneath(folder, kPrivateKeyFile, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  WorkerSpec spec = signer_spec();
  spec.keep = {file.get()};
  spec.prepare = start_library;
  const auto answer = run_in_worker(spec, [&]() -> Result<std::string> {
    Secret<32> seed;
    if (::getrandom(seed.bytes.data(), seed.bytes.size(), 0) != static_cast<ssize_t>(seed.bytes.size())) {
      return errno_error("get random bytes");
    }
    const PrivateKey private_key(seed.bytes);
    const PublicKey public_key = TRY(public_key_of(private_key));
    TRY(write_private_key(file.get(), seed));
    return std::string(public_key.begin(), public_key.end());
  });
  if (!answer) return as_host_error(answer.error()).because("cannot make a key");
  TRY(sync_fd(file.get()));
  return bytes_of<32>(*answer);
}

}  // namespace glovebox
