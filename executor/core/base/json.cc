#include "core/base/json.h"

#include <algorithm>
#include <set>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxDepth = 64;

// What the library's own reader lets through: duplicate keys and deep nesting. Its callbacks see every event
// first.
class StrictReader : public nlohmann::detail::json_sax_dom_parser<Json> {
  using Base = nlohmann::detail::json_sax_dom_parser<Json>;

 public:
  explicit StrictReader(Json& out) : Base(out, false) {}
  bool start_object(std::size_t size) {
    keys_.emplace_back();
    return deeper() && Base::start_object(size);
  }
  bool end_object() {
    keys_.pop_back();
    --depth_;
    return Base::end_object();
  }
  bool start_array(std::size_t size) { return deeper() && Base::start_array(size); }
  bool end_array() {
    --depth_;
    return Base::end_array();
  }
  bool key(std::string& text) {
    if (!keys_.back().insert(text).second)
      return problem = "key " + quoted(text, 100) + " is given twice", false;
    return Base::key(text);
  }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::detail::exception&) {
    position = at;
    problem = "not well-formed JSON";
    return false;
  }
  std::string problem;
  std::size_t position = 0;

 private:
  bool deeper() {
    if (++depth_ <= kMaxDepth) return true;
    problem = "nested more than 64 deep";
    return false;
  }
  std::vector<std::set<std::string>> keys_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  if (!is_utf8(text)) return invalid("not valid UTF-8", std::string(name));
  Json out;
  StrictReader reader(out);
  if (Json::sax_parse(text.begin(), text.end(), &reader)) return out;
  std::string where(name);
  if (reader.position > 0) {
    const std::string_view before = text.substr(0, std::min(reader.position - 1, text.size()));
    const std::size_t newline = before.rfind('\n');
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t column =
        newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    where += ":" + std::to_string(line) + ":" + std::to_string(column);
  }
  return invalid(reader.problem, where);
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
