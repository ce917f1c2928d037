// Reading one policy file: every mistake is collected with its place, and reading goes on.
#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/yaml.h"
#include "core/policy/policy.h"

namespace glovebox {

// A policy for images, or what the operator allows at most (site.yaml, local.yaml).
enum class PolicyRole { kImage, kCeiling };

class PolicyReader {
 public:
  PolicyReader(const YamlDocument& document, PolicyRole role, std::vector<Error>& errors)
      : document_(document), role_(role), errors_(errors) {}

  [[nodiscard]] const YamlDocument& document() const { return document_; }
  [[nodiscard]] PolicyRole role() const { return role_; }
  [[nodiscard]] std::size_t error_count() const { return errors_.size(); }
  [[nodiscard]] Source source(const YamlNode& node) const { return document_.source_of(node); }

  void error(const YamlNode& node, std::string message, std::string hint = {});
  void error(Mark mark, std::string message, std::string hint = {});
  // An error of a parser of core/base, put at `node`.
  void error(const YamlNode& node, const Error& cause);

  // The value under `key`, or null where it is absent; absent is an error for required().
  const YamlNode* optional(const YamlNode& map, std::string_view key) const;
  const YamlNode* required(const YamlNode& map, std::string_view key, std::string_view what);

  // Each says what is wrong and returns nothing (or false) where the value does not fit.
  bool map(const YamlNode& node, std::string_view what, const std::vector<std::string>& keys);
  bool any_map(const YamlNode& node, std::string_view what);
  std::optional<std::string> text(const YamlNode& node, std::string_view what);  // not empty, printable
  std::optional<std::uint64_t> number(const YamlNode& node, std::string_view what, std::uint64_t least,
                                      std::uint64_t most);
  // One of `choices`; with a "did you mean".
  std::optional<std::string> choice(const YamlNode& node, std::string_view what,
                                    const std::vector<std::string>& choices);

  struct Item {
    std::string text;
    const YamlNode* node;
  };
  // A list of words, each given once; lists in it are taken as their words (they only group a long list).
  std::vector<Item> words(const YamlNode& node, std::string_view what);

 private:
  void add_words(const YamlNode& list, std::string_view what, bool nested, std::vector<Item>& items);

  const YamlDocument& document_;
  PolicyRole role_;
  std::vector<Error>& errors_;
};

// The parts of a file, read onto what it extends.
void read_limits(PolicyReader& reader, const YamlNode& node, LimitPolicy& limits);
void read_environment(PolicyReader& reader, const YamlNode& node, EnvironmentPolicy& environment);
void read_outputs(PolicyReader& reader, const YamlNode& node, OutputPolicy& outputs);
void read_syscalls(PolicyReader& reader, const YamlNode& node, SyscallPolicy& syscalls);
void read_lists(PolicyReader& reader, const YamlNode& root,
                Policy& policy);  // images, runtimes, secrets, waive

// Fills in the socket families that `network` allows, wherever a rule says `in: network`.
void resolve_network(SyscallPolicy& syscalls, Network network);

// "[A-Za-z_][A-Za-z0-9_]*", at most 128 characters: what every program understands as a variable's name.
bool is_variable_name(std::string_view name);

}  // namespace glovebox
