// What YAML 1.2's core schema reads out of a plain scalar (chapter 10.3.2 of the specification).
#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/yaml.h"

namespace glovebox {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits_of(std::string_view text, int base) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    if (base == 16) return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    return c >= '0' && c < '0' + base;
  });
}

// The digits of an integer, ready for from_chars. Empty where `text` is no integer.
struct IntegerText {
  std::string digits;
  int base = 10;
};

IntegerText integer_text(std::string_view text) {
  if (text.starts_with("0o") && all_digits_of(text.substr(2), 8)) return {std::string(text.substr(2)), 8};
  if (text.starts_with("0x") && all_digits_of(text.substr(2), 16)) return {std::string(text.substr(2)), 16};
  IntegerText found;
  if (text.starts_with('-')) found.digits = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  // 1_000 is YAML 1.1's, and what population sizes of existing studies are written as: one '_' between
  // digits.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool separator =
        text[i] == '_' && i > 0 && is_digit(text[i - 1]) && i + 1 < text.size() && is_digit(text[i + 1]);
    if (separator) continue;
    if (!is_digit(text[i])) return {};
    found.digits += text[i];
  }
  return text.empty() ? IntegerText{} : found;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float_text(std::string_view text) {
  const auto skip_digits = [&] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto length = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(length);
    return length;
  };
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t whole = skip_digits();
  std::size_t fraction = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = skip_digits();
  }
  if (whole + fraction == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

bool is_infinite_or_nan(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  return text == ".inf" || text == ".Inf" || text == ".INF";
}

std::optional<double> parse_double(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc() || rest != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

}  // namespace

bool YamlNode::is_string() const {
  if (!is_scalar()) return false;
  return !plain || (integer_text(text).digits.empty() && !is_float_text(text) && !is_infinite_or_nan(text) &&
                    !as_bool().has_value());
}

std::optional<std::int64_t> YamlNode::as_integer() const {
  if (!is_scalar() || !plain) return std::nullopt;
  const IntegerText found = integer_text(text);
  std::int64_t number = 0;
  const char* end = found.digits.data() + found.digits.size();
  const auto [rest, status] = std::from_chars(found.digits.data(), end, number, found.base);
  if (found.digits.empty() || status != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::optional<double> YamlNode::as_number() const {
  if (!is_scalar() || !plain) return std::nullopt;
  if (const auto integer = as_integer()) return static_cast<double>(*integer);
  if (is_float_text(text)) return parse_double(text);
  const IntegerText found = integer_text(text);  // too large for 64 bits
  return found.base == 10 && !found.digits.empty() ? parse_double(found.digits) : std::nullopt;
}

std::optional<bool> YamlNode::as_bool() const {
  if (!is_scalar() || !plain) return std::nullopt;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

}  // namespace glovebox
