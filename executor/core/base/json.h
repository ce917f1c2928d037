// JSON, strictly: duplicate keys, trailing text, invalid UTF-8, depth past 64 and floats where integers
// belong are errors.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/types.h"

namespace glovebox {

// Keeps the order in which keys were written: records and plans are signed as bytes.
using Json = nlohmann::ordered_json;

// `name` stands in error messages as "name:line:col".
Result<Json> parse_json(std::string_view text, std::string_view name);

// Compact, UTF-8, keys in insertion order. Invalid UTF-8 in strings is replaced, never thrown at.
std::string dump_json(const Json& value);
std::string dump_json_pretty(const Json& value);  // indent 2, ends with a newline

// Walks an object strictly: take what is expected, then done() refuses what was not taken. Every error names
// the path inside the document ("resources.memory").
class JsonObject {
 public:
  static Result<JsonObject> of(const Json& value, std::string path);
  Result<std::string> string(const char* key, std::size_t max_bytes = 4096);
  Result<std::string> string_or(const char* key, std::string fallback, std::size_t max_bytes = 4096);
  Result<std::int64_t> integer(const char* key, std::int64_t low, std::int64_t high);
  Result<std::int64_t> integer_or(const char* key, std::int64_t fallback, std::int64_t low,
                                  std::int64_t high);
  Result<bool> boolean_or(const char* key, bool fallback);
  // The raw member, or null pointer where it is absent or null.
  const Json* optional(const char* key);
  Result<const Json*> required(const char* key);
  Status done() const;
  [[nodiscard]] std::string path_of(const char* key) const;

 private:
  JsonObject(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}
  const Json* value_;
  std::string path_;
  std::vector<std::string> taken_;
};

}  // namespace glovebox
