// Words of the domain that must not be mixed up with plain strings and numbers. Only their parser makes them,
// so whoever holds one knows that it is well-formed.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace glovebox {

// A SHA-256 digest.
class Digest {
 public:
  Digest() = default;  // all zero
  explicit Digest(const std::array<std::uint8_t, 32>& bytes) : bytes_(bytes) {}
  // 64 lower-case hex digits, with or without "sha256:" in front.
  static Result<Digest> parse(std::string_view text);
  static Digest of(std::string_view data);
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string str() const { return "sha256:" + hex(); }
  [[nodiscard]] const std::array<std::uint8_t, 32>& bytes() const { return bytes_; }
  auto operator<=>(const Digest&) const = default;

 private:
  std::array<std::uint8_t, 32> bytes_{};
};

// Incremental SHA-256 (OpenSSL). Move-only.
class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();
  void update(std::string_view data);
  Digest finish();  // once

 private:
  void* context_;
};

// A relative path in normal form: non-empty components joined by '/', none of them "." or "..", valid UTF-8
// without control or bidirectional characters, at most 255 bytes each and 1024 in all. Names that an action
// or a study chose and that fail this never become paths of ours.
class RelPath {
 public:
  static Result<RelPath> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string_view name() const;       // last component
  [[nodiscard]] std::string_view parent() const;     // everything before it, or empty
  [[nodiscard]] std::string_view extension() const;  // from the last '.' of the name on (".csv"), or empty
  // True for "a" and "a/b", false for "ab", where this is "a".
  [[nodiscard]] bool contains(const RelPath& other) const;
  auto operator<=>(const RelPath&) const = default;

 private:
  explicit RelPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The name of an action: letters, digits, '_', '-' and '.', starting with a letter, digit or '_', at most 128
// characters. The reference accepts more (spaces, "../x"); on purpose we do not, since names become file
// names.
class ActionName {
 public:
  static Result<ActionName> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return text_; }
  auto operator<=>(const ActionName&) const = default;

 private:
  explicit ActionName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// The id of one attempt: 1 to 64 characters of [A-Za-z0-9_-], starting with a letter or digit. A cgroup, a
// directory and a container are named by it.
class AttemptId {
 public:
  static Result<AttemptId> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return text_; }
  auto operator<=>(const AttemptId&) const = default;

 private:
  explicit AttemptId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

// An image name as a study writes it, "python:v2": name [a-z0-9][a-z0-9._-]*, version per facts/opensafely
// (v2, v0.0.37, v1-pre, dev, latest). `latest` means `v1`, as in the reference.
struct ImageName {
  static Result<ImageName> parse(std::string_view text);
  [[nodiscard]] std::string str() const { return name + ":" + version; }
  std::string name;
  std::string version;
  auto operator<=>(const ImageName&) const = default;
};

// Bytes, milliseconds, thousandths of a CPU.
using ByteCount = std::uint64_t;
using Millis = std::uint64_t;
using MilliCpus = std::uint32_t;

// "4GiB", "512MiB", "1024": at most 2^53.
Result<ByteCount> parse_bytes(std::string_view text);
// "30s", "24h", "14d": at most 10 years.
Result<Millis> parse_duration(std::string_view text);
// "2", "0.5": 0.001 to 4096.
Result<MilliCpus> parse_cpus(std::string_view text);
std::string format_bytes(ByteCount bytes);     // "4 GiB", "1.5 MiB", "27 bytes"
std::string format_duration(Millis duration);  // "24 h", "1.25 s", "350 ms"
std::string format_cpus(MilliCpus cpus);       // "2", "0.5"

// Privacy level of an output, most sensitive first.
enum class Level { kHighlySensitive, kModeratelySensitive, kMinimallySensitive };
std::string_view to_string(Level level);  // "highly_sensitive" …
Result<Level> parse_level(std::string_view text);

}  // namespace glovebox
