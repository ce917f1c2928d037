#include "core/base/types.h"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <stdexcept>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxComponent = 255;  // NAME_MAX of Linux file systems
constexpr std::size_t kMaxPath = 1024;
constexpr std::uint64_t kMaxBytes = 1ULL << 53U;  // what a JSON number holds exactly
constexpr Millis kMaxDuration = 10ULL * 366 * 24 * 3600 * 1000;

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};

// A whole number with one of `units` behind it; `bare` is the factor of a number without a unit, 0 where it
// needs one.
Result<std::uint64_t> parse_quantity(std::string_view text, const std::vector<Unit>& units,
                                     std::uint64_t bare, std::uint64_t most, std::string_view what,
                                     std::string_view hint) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  const auto fail = [&] {
    return invalid(std::string(what) + " " + quoted(text) + " is not understood", {}, std::string(hint));
  };
  const auto too_large = [&] { return invalid(std::string(what) + " " + quoted(text) + " is too large"); };
  if (status == std::errc::result_out_of_range) return too_large();
  if (status != std::errc()) return fail();
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  std::uint64_t factor = suffix.empty() ? bare : 0;
  for (const Unit& unit : units) {
    if (unit.suffix == suffix) factor = unit.factor;
  }
  if (factor == 0) return fail();
  if (number > most / factor) return too_large();
  return number * factor;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  if (text.starts_with("sha256:")) text.remove_prefix(7);
  std::array<std::uint8_t, 32> bytes{};
  if (text.size() != 64) return invalid("not a SHA-256 digest: " + quoted(text, 100));
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return invalid("not a SHA-256 digest: " + quoted(text, 100));
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Digest(bytes);
}

Digest Digest::of(std::string_view data) {
  Hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

std::string Digest::hex() const {
  return hex_encode({reinterpret_cast<const char*>(bytes_.data()), bytes_.size()});
}

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr ||
      EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");  // a broken libcrypto: nothing can be trusted
  }
}
Hasher::Hasher(Hasher&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Hasher& Hasher::operator=(Hasher&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}
Hasher::~Hasher() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}
void Hasher::update(std::string_view data) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data.data(), data.size());
}
Digest Hasher::finish() {
  std::array<std::uint8_t, 32> bytes{};
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), bytes.data(), nullptr);
  return Digest(bytes);
}

Result<RelPath> RelPath::parse(std::string_view text) {
  const auto fail = [&](const char* why) { return invalid("path " + quoted(text, 200) + " " + why); };
  if (text.empty()) return fail("is empty");
  if (text.size() > kMaxPath) return fail("is longer than 1024 bytes");
  if (text.front() == '/') return fail("is absolute");
  if (!is_utf8(text)) return fail("is not UTF-8");
  if (has_unprintable(text)) return fail("has control or invisible characters");
  for (const std::string_view part : split(text, '/')) {
    if (part.empty()) return fail("has an empty component");
    if (part == "." || part == "..") return fail("has a '.' or '..' component");
    if (part.size() > kMaxComponent) return fail("has a component longer than 255 bytes");
  }
  return RelPath(std::string(text));
}

std::string_view RelPath::name() const {
  const std::size_t slash = text_.rfind('/');
  return std::string_view(text_).substr(slash == std::string::npos ? 0 : slash + 1);
}
std::string_view RelPath::parent() const {
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view() : std::string_view(text_).substr(0, slash);
}
std::string_view RelPath::extension() const {
  const std::string_view last = name();
  const std::size_t dot = last.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : last.substr(dot);
}
bool RelPath::contains(const RelPath& other) const {
  return other.text_ == text_ || (other.text_.starts_with(text_) && other.text_[text_.size()] == '/');
}

Result<ActionName> ActionName::parse(std::string_view text) {
  const bool sound = !text.empty() && text.size() <= 128 && (is_alnum(text[0]) || text[0] == '_') &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) { return is_alnum(c) || c == '_' || c == '-' || c == '.'; });
  if (!sound) {
    return invalid("action name " + quoted(text, 200) + " is not allowed", {},
                   "use letters, digits, '_', '-' and '.', starting with a letter, a digit or '_', at most "
                   "128 characters");
  }
  return ActionName(std::string(text));
}

Result<AttemptId> AttemptId::parse(std::string_view text) {
  const bool sound =
      !text.empty() && text.size() <= 64 && is_alnum(text[0]) &&
      std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '_' || c == '-'; });
  if (!sound)
    return invalid("id " + quoted(text, 200) + " is not allowed", {}, "1 to 64 letters, digits, '-' and '_'");
  return AttemptId(std::string(text));
}

Result<ImageName> ImageName::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto fail = [&](const char* why) {
    return invalid("image " + quoted(text, 200) + " " + why, {}, "write name:version, for example python:v2");
  };
  if (colon == std::string_view::npos || colon + 1 == text.size()) return fail("has no version");
  const std::string_view name = text.substr(0, colon);
  std::string_view version = text.substr(colon + 1);
  const auto is_name_char = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  if (name.empty() || name.size() > 128 || name[0] == '.' || name[0] == '-' || name[0] == '_' ||
      !std::all_of(name.begin(), name.end(), is_name_char)) {
    return fail("has a name that is not allowed");
  }
  if (version == "latest") version = "v1";
  if (version == "dev") return ImageName{std::string(name), std::string(version)};
  std::string_view digits = version;
  if (digits.ends_with("-pre")) digits.remove_suffix(4);
  const bool sound = digits.size() >= 2 && digits.size() <= 64 && digits[0] == 'v' && digits[1] != '.' &&
                     std::all_of(digits.begin() + 1, digits.end(),
                                 [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!sound) return fail("has a version that is not allowed");
  return ImageName{std::string(name), std::string(version)};
}

Result<ByteCount> parse_bytes(std::string_view text) {
  return parse_quantity(
      text, {{"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}}, 1,
      kMaxBytes, "size", "write a number of bytes, or one with KiB, MiB, GiB or TiB, for example 4GiB");
}

Result<Millis> parse_duration(std::string_view text) {
  return parse_quantity(text, {{"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}, 0,
                        kMaxDuration, "duration", "write a number with s, m, h or d, for example 24h");
}

Result<MilliCpus> parse_cpus(std::string_view text) {
  const auto fail = [&] {
    return invalid("number of CPUs " + quoted(text) + " is not understood", {},
                   "write a decimal from 0.001 to 4096, for example 2 or 0.5");
  };
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view("0") : text.substr(dot + 1);
  const auto digits = [](std::string_view s, std::size_t most) {
    return !s.empty() && s.size() <= most &&
           std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!digits(whole, 4) || !digits(fraction, 3)) return fail();
  unsigned milli = 0;
  for (const char c : whole) milli = milli * 10 + static_cast<unsigned>(c - '0');
  unsigned part = 0;
  for (std::size_t i = 0; i < 3; ++i)
    part = part * 10 + (i < fraction.size() ? static_cast<unsigned>(fraction[i] - '0') : 0U);
  milli = milli * 1000 + part;
  if (milli == 0 || milli > 4'096'000) return fail();
  return MilliCpus{milli};
}

namespace {
std::string shortest(double value, const char* unit) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.2f", value);
  std::string text(buffer.data());
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return *unit == '\0' ? text : text + " " + unit;
}
}  // namespace

std::string format_bytes(ByteCount bytes) {
  if (bytes < 1024) return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes");
  const std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return shortest(value, units.at(unit));
}

std::string format_duration(Millis duration) {
  if (duration < 1000) return std::to_string(duration) + " ms";
  const double seconds = static_cast<double>(duration) / 1000;
  if (seconds < 120) return shortest(seconds, "s");
  if (seconds < 7200) return shortest(seconds / 60, "min");
  if (seconds < 172'800) return shortest(seconds / 3600, "h");
  return shortest(seconds / 86'400, "d");
}

std::string format_cpus(MilliCpus cpus) {
  std::string text = std::to_string(cpus / 1000);
  if (cpus % 1000 != 0) {
    std::string part = std::to_string(1000 + cpus % 1000).substr(1);
    while (part.ends_with('0')) part.pop_back();
    text += "." + part;
  }
  return text;
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kHighlySensitive:
      return "highly_sensitive";
    case Level::kModeratelySensitive:
      return "moderately_sensitive";
    case Level::kMinimallySensitive:
      return "minimally_sensitive";
  }
  return "highly_sensitive";
}

Result<Level> parse_level(std::string_view text) {
  for (const Level level :
       {Level::kHighlySensitive, Level::kModeratelySensitive, Level::kMinimallySensitive}) {
    if (to_string(level) == text) return level;
  }
  return invalid("privacy level " + quoted(text, 100) + " is not known", {},
                 "use highly_sensitive, moderately_sensitive or minimally_sensitive");
}

}  // namespace glovebox
