#include "core/base/json.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxDepth = 64;

// Walks the text and tells how far the reader has come, so that the errors of our own have a place, too.
class Cursor {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;
  Cursor(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  Cursor& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  bool operator==(const Cursor& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

// The quote that opens the string whose closing quote is the last character of `text`.
std::size_t opening_quote(std::string_view text) {
  for (std::size_t i = text.size() - 1; i > 0;) {
    if (text[--i] != '"') continue;
    std::size_t backslashes = 0;
    while (backslashes < i && text[i - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return i;
  }
  return 0;
}

std::string place_of(std::string_view text, std::size_t offset, std::string_view name) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const std::size_t newline = before.rfind('\n');
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (newline == std::string_view::npos ? 0 : newline + 1) + 1;
  return std::string(name) + ":" + std::to_string(line) + ":" + std::to_string(column);
}

// Builds the value out of the library's events. Its own builder lets duplicate keys and deep nesting through,
// and looks every new key up by walking over all earlier ones.
class StrictReader : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }  // not in JSON
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool key(string_t& text) override {
    if (!open_.back().keys.insert(text).second) {
      at_key = true;
      problem = "key " + quoted(text, 100) + " is given twice";
      return false;
    }
    key_ = std::move(text);
    return true;
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) override {
    read = at;
    problem = "not well-formed JSON";
    return false;
  }
  Json root;
  std::string problem;
  bool at_key = false;              // the problem is the key whose closing quote was read last
  std::optional<std::size_t> read;  // characters up to and with the wrong one, where the library found it

 private:
  struct Level {
    Json* value;
    std::set<std::string> keys;
  };

  // Where the value went. Pointers to open values stay good: only the innermost one grows.
  Json& place(Json value) {
    if (open_.empty()) return root = std::move(value);
    Json& parent = *open_.back().value;
    if (parent.is_array()) return parent.emplace_back(std::move(value));
    return parent.get_ref<Json::object_t&>().emplace_back(std::move(key_), std::move(value)).second;
  }
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (open_.size() == kMaxDepth) {
      problem = "nested more than 64 deep";
      return false;
    }
    Json& placed = place(std::move(value));
    open_.push_back({&placed, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Level> open_;
  std::string key_;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  if (!is_utf8(text)) return invalid("not valid UTF-8", std::string(name));
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos)  // the library stops at it
    return invalid("not well-formed JSON", place_of(text, nul, name));
  StrictReader reader;
  const char* furthest = text.data();
  const Cursor begin(text.data(), &furthest);
  if (Json::sax_parse(begin, Cursor(text.data() + text.size(), &furthest), &reader))
    return std::move(reader.root);
  const std::size_t read = reader.read.value_or(static_cast<std::size_t>(furthest - text.data()));
  std::size_t offset = read == 0 ? 0 : read - 1;
  if (reader.at_key) offset = opening_quote(text.substr(0, read));
  return invalid(reader.problem, place_of(text, offset, name));
}

std::string dump_json(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::string dump_json_pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<JsonObject> JsonObject::of(const Json& value, std::string path) {
  if (!value.is_object()) return invalid("must be an object", std::move(path));
  return JsonObject(value, std::move(path));
}

std::string JsonObject::path_of(const char* key) const {
  return path_.empty() ? key : path_ + "." + key;
}

const Json* JsonObject::optional(const char* key) {
  taken_.emplace_back(key);
  const auto found = value_->find(key);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

Result<const Json*> JsonObject::required(const char* key) {
  const Json* member = optional(key);
  if (member == nullptr) return invalid("is missing", path_of(key));
  return member;
}

Result<std::string> JsonObject::string(const char* key, std::size_t max_bytes) {
  const Json* member = TRY(required(key));
  if (!member->is_string()) return invalid("must be a string", path_of(key));
  const auto& text = member->get_ref<const std::string&>();
  if (text.size() > max_bytes)
    return invalid("is longer than " + std::to_string(max_bytes) + " bytes", path_of(key));
  return text;
}

Result<std::string> JsonObject::string_or(const char* key, std::string fallback, std::size_t max_bytes) {
  if (optional(key) == nullptr) return fallback;
  return string(key, max_bytes);
}

Result<std::int64_t> JsonObject::integer(const char* key, std::int64_t low, std::int64_t high) {
  const Json* member = TRY(required(key));
  const bool fits =
      member->is_number_integer() &&
      !(member->is_number_unsigned() && member->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX));
  const std::int64_t number = fits ? member->get<std::int64_t>() : 0;
  if (!fits || number < low || number > high) {
    return invalid("must be a whole number from " + std::to_string(low) + " to " + std::to_string(high),
                   path_of(key));
  }
  return number;
}

Result<std::int64_t> JsonObject::integer_or(const char* key, std::int64_t fallback, std::int64_t low,
                                            std::int64_t high) {
  if (optional(key) == nullptr) return fallback;
  return integer(key, low, high);
}

Result<bool> JsonObject::boolean_or(const char* key, bool fallback) {
  const Json* member = optional(key);
  if (member == nullptr) return fallback;
  if (!member->is_boolean()) return invalid("must be true or false", path_of(key));
  return member->get<bool>();
}

Status JsonObject::done() const {
  for (const auto& [key, unused] : value_->items()) {
    if (std::find(taken_.begin(), taken_.end(), key) == taken_.end()) {
      const std::string near = nearest(key, taken_);
      return invalid("key " + quoted(key, 100) + " is not known", path_,
                     near.empty() ? "" : "did you mean \"" + near + "\"?");
    }
  }
  return {};
}

}  // namespace glovebox
