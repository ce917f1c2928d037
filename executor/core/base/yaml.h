// YAML 1.2 for files that people write and reviewers read: strict, bounded, and every node knows its line and
// column.
//
// Refused: duplicate keys, a second document, keys that are no string (a whole number such as 2020 is taken
// as written), tags other than !!str, !!seq and !!map, invalid UTF-8, control characters, more than
// kMaxYamlBytes, kMaxYamlNodes or kMaxYamlDepth. Understood: anchors and aliases (their expansion counts
// towards the limits of nodes and depth, so that a "billion laughs" file ends in an error), merge keys (<<),
// a byte-order mark, CRLF.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace glovebox {

inline constexpr std::size_t kMaxYamlBytes = 4U << 20U;  // the largest real project file seen is below 1 MiB
inline constexpr std::size_t kMaxYamlNodes = 400'000;
inline constexpr int kMaxYamlDepth = 40;

struct Mark {
  int line = 0;    // from 1
  int column = 0;  // from 1, in bytes; messages count characters
};

class YamlNode;
struct YamlEntry;

// A parsed file. Nodes point into it: keep it alive. Copies share the contents.
class YamlDocument {
 public:
  // `name` is how messages call the file ("project.yaml").
  static Result<YamlDocument> parse(std::string_view text, std::string name);
  [[nodiscard]] const YamlNode& root() const;
  [[nodiscard]] const std::string& name() const;
  // An error of kind kInvalid at `node`, with where, the line and a caret.
  [[nodiscard]] Error error_at(const YamlNode& node, std::string message, std::string hint = {}) const;
  [[nodiscard]] Error error_at(Mark mark, std::string message, std::string hint = {}) const;
  // "policies/python.yaml:31"
  [[nodiscard]] std::string source_of(const YamlNode& node) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

class YamlNode {
 public:
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Mark mark;
  std::string text;    // scalars, as written
  bool plain = false;  // scalars: not quoted, so the core schema may read a number, bool or null out of it
  std::vector<std::shared_ptr<const YamlNode>> items;
  std::vector<YamlEntry> entries;  // in file order, merge keys already applied

  [[nodiscard]] bool is_map() const { return kind == Kind::kMap; }
  [[nodiscard]] bool is_list() const { return kind == Kind::kList; }
  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool is_null() const { return kind == Kind::kNull; }
  // A scalar that YAML 1.2's core schema reads as a string (quoted, or plain but not a number, bool or null).
  [[nodiscard]] bool is_string() const;
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;  // plain; -5, 0o17, 0x1f, 1_000; 010 is ten
  [[nodiscard]] std::optional<double> as_number() const;         // those, and finite floats
  [[nodiscard]] std::optional<bool> as_bool() const;             // true/false (True, TRUE); never yes/no
  [[nodiscard]] const YamlEntry* find(std::string_view key) const;
};

struct YamlEntry {
  std::string key;
  Mark key_mark;
  std::shared_ptr<const YamlNode> value;
};

// An error where the key of `entry` is not in `allowed`, with a "did you mean" hint. `what` has such keys
// ("an action").
std::optional<Error> unknown_key(const YamlDocument& document, const YamlEntry& entry,
                                 const std::vector<std::string>& allowed, std::string_view what);

// The keys of a map that are not in `allowed`, as errors with a "did you mean" hint.
std::vector<Error> unknown_keys(const YamlDocument& document, const YamlNode& map,
                                const std::vector<std::string>& allowed, std::string_view what);

}  // namespace glovebox
