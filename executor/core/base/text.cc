#include "core/base/text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "core/base/utf8.h"

namespace glovebox {
namespace {

std::optional<std::uint32_t> base64_value(char c, bool url_safe) {
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint32_t>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<std::uint32_t>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0') + 52;
  if (c == (url_safe ? '-' : '+')) return 62;
  if (c == (url_safe ? '_' : '/')) return 63;
  return std::nullopt;
}

constexpr std::string_view kHexDigits = "0123456789ABCDEF";

std::string escaped_byte(std::uint8_t byte) {
  return {'\\', 'x', kHexDigits[byte >> 4U], kHexDigits[byte & 15U]};
}

std::string escaped(std::uint32_t c) {
  if (c == '\n') return "\\n";
  if (c == '\t') return "\\t";
  if (c == '\r') return "\\r";
  if (c < 0x80) return escaped_byte(static_cast<std::uint8_t>(c));
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "\\u{%X}", c);
  return buffer.data();
}

// The length of what needs no escaping at the start of `text`: printable ASCII.
std::size_t plain_start(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && text[length] >= 0x20 && text[length] <= 0x7E) ++length;
  return length;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint d = decode_utf8(text, i);
    if (d.length == 0) return false;
    i += d.length;
  }
  return true;
}

bool has_unprintable(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint d = decode_utf8(text, i);
    if (d.length == 0 || is_unprintable(d.value)) return true;
    i += d.length;
  }
  return false;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t plain = plain_start(text.substr(i));
    if (out.size() + plain > max_bytes) return out.append(text.substr(i, max_bytes - out.size())) + "…";
    out += text.substr(i, plain);
    i += plain;
    if (i == text.size()) break;
    const CodePoint d = decode_utf8(text, i);
    const std::string escape = d.length == 0             ? escaped_byte(static_cast<std::uint8_t>(text[i]))
                               : is_unprintable(d.value) ? escaped(d.value)
                                                         : std::string(text.substr(i, d.length));
    if (out.size() + escape.size() > max_bytes) return out + "…";
    out += escape;
    i += std::max<std::size_t>(d.length, 1);
  }
  return out;
}

std::string InQuotes::operator()(std::string_view text, std::size_t max_bytes) const {
  return "\"" + printable(text, max_bytes) + "\"";
}

bool shell_split(std::string_view text, std::vector<std::string>& words, std::string& error) {
  words.clear();
  std::string word;
  bool in_word = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == '\'') {
      const std::size_t end = text.find('\'', i + 1);
      if (end == std::string_view::npos) return error = "a single quote is not closed", false;
      word += text.substr(i + 1, end - i - 1);
      i = end;
    } else if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        const bool escapes =
            text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
        if (escapes) ++i;
        word += text[i];
      }
      if (i >= text.size()) return error = "a double quote is not closed", false;
    } else if (c == '\\') {
      if (++i >= text.size()) return error = "a backslash at the end escapes nothing", false;
      word += text[i];
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return true;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i != 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::string base64_encode(std::string_view data) {
  static constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < data.size(); i += 3) {
    std::uint32_t block = 0;
    const std::size_t length = std::min<std::size_t>(3, data.size() - i);
    for (std::size_t k = 0; k < 3; ++k)
      block = (block << 8U) | (k < length ? static_cast<std::uint8_t>(data[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += k <= length ? kAlphabet[(block >> (18U - 6U * k)) & 63U] : '=';
  }
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  const bool url_safe = text.find_first_of("-_") != std::string_view::npos;
  if (text.size() % 4 == 0) {
    if (text.ends_with('=')) text.remove_suffix(1);
    if (text.ends_with('=')) text.remove_suffix(1);
  }
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::optional<std::uint32_t> value = base64_value(c, url_safe);
    if (!value) return std::nullopt;
    bits = (bits << 6U) | *value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held);
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return std::nullopt;  // two texts would stand for the same bytes
  return out;
}

std::string hex_encode(std::string_view data) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const char c : data) {
    out += kDigits[static_cast<std::uint8_t>(c) >> 4U];
    out += kDigits[static_cast<std::uint8_t>(c) & 15U];
  }
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  if (word.empty()) return best;
  std::size_t best_distance = std::min<std::size_t>(2, (word.size() - 1) / 2) + 1;  // one more than allowed
  for (const std::string& candidate : candidates) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    if (longer - std::min(word.size(), candidate.size()) >= best_distance) continue;
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j < row.size(); ++j) {
        const std::size_t substitute = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substitute}));
      }
    }
    if (row.back() < best_distance) best_distance = row.back(), best = candidate;
  }
  return best;
}

}  // namespace glovebox
