// Keys are private, whole and bound to their builder; what signs has no other power.
#include "shell/attest/keys.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/base/text.h"
#include "core/provenance/statement.h"
#include "shell/attest/signer.h"
#include "shell/sys/file.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

struct Root {
  Root() : dir(TempDir::make("/tmp", "gb-keys-").value()), path(dir.path()) {}
  [[nodiscard]] SigningKey local() const {
    auto key = local_key(path);
    REQUIRE_MESSAGE(key.ok(), key.error().message);
    return *key;
  }
  TempDir dir;
  std::string path;
};

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

TEST_CASE("the local key is made once, is private and signs") {
  const Root root;
  const SigningKey key = root.local();
  CHECK(key.builder_id == kLocalBuilder);
  CHECK(mode_of(root.path + "/keys") == 0700);
  CHECK(mode_of(key.path) == 0700);
  CHECK(mode_of(key.path + "/private.pem") == 0600);
  const auto signature = sign(key, "message");
  REQUIRE_MESSAGE(signature.ok(), signature.error().message);
  const std::string bytes(signature->begin(), signature->end());
  CHECK(ed25519_verify(key.public_key, "message", bytes));
  CHECK_FALSE(ed25519_verify(key.public_key, "messagf", bytes));
  CHECK(root.local().public_key == key.public_key);
  CHECK(list_directory(root.dir.fd(), 100).value() == std::vector<std::string>{"keys"});
}

TEST_CASE("no key is made twice by commands that start together") {
  const Root root;
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto key = local_key(root.path);
      const auto signature = key.ok() ? sign(*key, "m") : Result<Signature>(key.error());
      ::_exit(signature.ok() ? 0 : 1);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK(status == 0);
  }
}

TEST_CASE("OpenSSL's own tool reads both halves and makes the same signature") {
  const auto openssl = find_program("openssl", "");
  if (!openssl.ok()) {
    MESSAGE("SKIPPED: the openssl program is not installed");
    return;
  }
  const Root root;
  const SigningKey key = root.local();
  REQUIRE(replace_file(root.dir.fd(), "message", "to be signed", 0600).ok());
  const std::string signature_path = root.path + "/signature";
  REQUIRE(run_program({*openssl, "pkeyutl", "-sign", "-inkey", key.path + "/private.pem", "-rawin", "-in",
                       root.path + "/message", "-out", signature_path})
              .ok());
  const auto ours = sign(key, "to be signed");
  REQUIRE(ours.ok());
  CHECK(read_file(signature_path, 100).value() == std::string(ours->begin(), ours->end()));
  const auto derived = root.path + "/derived.pem";
  REQUIRE(run_program({*openssl, "pkey", "-in", key.path + "/private.pem", "-pubout", "-out", derived}).ok());
  CHECK(read_file(derived, 1000).value() == read_file(key.path + "/public.pem", 1000).value());
}

TEST_CASE("a key that others may read, or another's, is refused before and while signing") {
  const Root root;
  const SigningKey key = root.local();
  const std::string path = key.path + "/private.pem";
  for (const mode_t mode : {0644U, 0640U, 0604U, 0620U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto loaded = local_key(root.path);
    REQUIRE_FALSE(loaded.ok());
    CHECK(loaded.error().kind == ErrorKind::kHost);
    CHECK(loaded.error().message == "others may read the private key \"" + path + "\"");
    const auto signature = sign(key, "m");
    REQUIRE_FALSE(signature.ok());
    CHECK(signature.error().kind == ErrorKind::kHost);
    CHECK(signature.error().message ==
          "cannot sign with \"" + path + "\": others may read the private key \"" + path + "\"");
    CHECK(signature.error().hint ==
          "chmod 600 \"" + path + "\"; if somebody may have read it, make a new key");
  }
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(sign(key, "m").ok());
  REQUIRE(::chmod(key.path.c_str(), 0755) == 0);
  CHECK(local_key(root.path).error().message == "others may reach into the key folder \"" + key.path + "\"");
}

TEST_CASE("a key that belongs to another user is refused" * doctest::skip(::geteuid() != 0)) {
  const Root root;
  const SigningKey key = root.local();
  const std::string path = key.path + "/private.pem";
  REQUIRE(::chown(path.c_str(), 12'345, 12'345) == 0);
  CHECK(local_key(root.path).error().message == "the private key \"" + path + "\" belongs to uid 12345");
  CHECK_FALSE(sign(key, "m").ok());
}

TEST_CASE("a private key that is missing, a link, a pipe, cut or of another kind does not sign") {
  const Root root;
  const SigningKey key = root.local();
  const std::string path = key.path + "/private.pem";
  const UniqueFd folder = open_path(key.path, O_RDONLY | O_DIRECTORY).value();
  const std::string good = read_file(path, 1000).value();
  const auto refused_with = [&](const std::string& text) {
    REQUIRE(replace_file(folder.get(), "private.pem", text, 0600).ok());
    const auto signature = sign(key, "m");
    REQUIRE_FALSE(signature.ok());
    CHECK(signature.error().kind == ErrorKind::kHost);
    return signature.error().message;
  };
  const std::string malformed =
      "cannot sign with \"" + path + "\": the private key is not an Ed25519 key in PKCS #8 PEM";
  CHECK(refused_with("") == malformed);
  CHECK(refused_with(good.substr(0, good.size() - 1)) == malformed);
  CHECK(refused_with(good + "\n") == malformed);
  std::string other = good;
  other[30] = static_cast<char>(other[30] == 'A' ? 'B' : 'A');  // in the DER's prefix
  CHECK(refused_with(other) == malformed);
  other = good;
  other[80] = '*';
  CHECK(refused_with(other) == malformed);
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK_FALSE(sign(key, "m").ok());
  CHECK(local_key(root.path).error().message.find("cannot find the private key") == 0);
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_FALSE(sign(key, "m").ok());
  REQUIRE(::unlink(path.c_str()) == 0);
  REQUIRE(replace_file(root.dir.fd(), "elsewhere.pem", good, 0600).ok());
  REQUIRE(::symlink("../../elsewhere.pem", path.c_str()) == 0);
  CHECK_FALSE(sign(key, "m").ok());
  CHECK_FALSE(local_key(root.path).ok());
}

TEST_CASE("a private key that is not the public one's gives no signature") {
  const Root root;
  const Root other;
  const SigningKey key = root.local();
  const SigningKey foreign = other.local();
  const UniqueFd folder = open_path(key.path, O_RDONLY | O_DIRECTORY).value();
  const std::string text = read_file(foreign.path + "/private.pem", 1000).value();
  REQUIRE(replace_file(folder.get(), "private.pem", text, 0600).ok());
  CHECK(sign(key, "m").error().message ==
        "the private key \"" + key.path + "/private.pem\" does not belong to the public key beside it");
}

TEST_CASE("key init makes one production key, under another builder, and refuses a second") {
  const Root root;
  CHECK(load_key(root.path, kRecordKey).error().hint == "make it with `glovebox key init`");
  const auto key = make_record_key(root.path, "backend-a");
  REQUIRE(key.ok());
  CHECK(key->builder_id == "tag:glovebox,2026:executor/backend-a");
  CHECK(sign(*key, "m").ok());
  const auto again = make_record_key(root.path, "backend-a");
  CHECK(again.error().kind == ErrorKind::kInvalid);
  CHECK(again.error().message == "there is already a key for records in \"" + root.path + "/keys/record\"");
  CHECK(load_key(root.path, kRecordKey)->public_key == key->public_key);
  const SigningKey local = root.local();
  CHECK(local.public_key != key->public_key);
  const auto keys = all_keys(root.path);
  REQUIRE(keys->size() == 2);
  CHECK(keys->at(0).name == "local");
  CHECK(keys->at(1).builder_id == key->builder_id);
  for (const char* host : {"", "a b", "a/b", "a\nb", "é"}) {
    CHECK(make_record_key(Root().path, host).error().kind == ErrorKind::kInvalid);
  }
}

TEST_CASE("a half-made key of a killed command is made anew") {
  const Root root;
  REQUIRE(make_directories(root.dir.fd(), "keys/.local.new", 0700).ok());
  REQUIRE(replace_file(root.dir.fd(), "keys/.local.new/private.pem", "half", 0600).ok());
  CHECK(sign(root.local(), "m").ok());
}

constexpr std::uint64_t kMostMemory = 1ULL << 30U;  // bytes; what is larger is the shadow of a sanitizer

// Whether any readable and writable memory of this process holds `needle`, which is itself kept out of it by
// being given xor 0x5a.
bool memory_holds(const std::string& masked) {
  const std::string maps = read_file("/proc/self/maps", 1U << 20U).value();
  const UniqueFd memory = open_path("/proc/self/mem", O_RDONLY).value();
  const auto matches = [&](const char* at) {
    for (std::size_t i = 0; i < masked.size(); ++i) {
      if ((at[i] ^ 0x5a) != masked[i]) return false;
    }
    return true;
  };
  std::vector<char> buffer;
  for (const std::string_view line : split(maps, '\n')) {
    if (line.find(" rw") == std::string_view::npos) continue;
    char* end = nullptr;
    const std::string text(line);
    const std::uint64_t from = std::strtoull(text.c_str(), &end, 16);
    const std::uint64_t to = std::strtoull(end + 1, nullptr, 16);
    if (to - from > kMostMemory) continue;
    buffer.resize(to - from);
    const ssize_t n = ::pread(memory.get(), buffer.data(), buffer.size(), static_cast<off_t>(from));
    for (ssize_t i = 0; i + static_cast<ssize_t>(masked.size()) <= n; ++i) {
      if (matches(buffer.data() + i)) return true;
    }
  }
  return false;
}

TEST_CASE("the key never enters the process that asks for a signature") {
  const Root root;
  const SigningKey key = root.local();
  REQUIRE(sign(key, "m").ok());
  // Read by another process, so that this one never has the text but masked.
  Pipe pipe = make_pipe().value();
  const pid_t child = ::fork();
  if (child == 0) {
    std::string pem = read_file(key.path + "/private.pem", 1000).value().substr(56, 28);
    for (char& c : pem) c = static_cast<char>(c ^ 0x5a);
    ::_exit(write_all(pipe.write.get(), pem).ok() ? 0 : 1);
  }
  pipe.write.reset();
  const std::string masked = read_all(pipe.read.get(), 100).value();
  ::waitpid(child, nullptr, 0);
  REQUIRE(masked.size() == 28);
  CHECK_FALSE(memory_holds(masked));
  std::string plain = masked;  // the search does find what is there
  for (char& c : plain) c = static_cast<char>(c ^ 0x5a);
  CHECK(memory_holds(masked));
}

}  // namespace
}  // namespace glovebox
