// A project file as far as it could be read, with the places of everything, for the rules that compare
// actions. Private to core/spec.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/yaml.h"
#include "core/spec/rules.h"

namespace glovebox::detail {

// Gathers errors from wherever in the file they are found, and puts them in file order.
class Findings {
 public:
  explicit Findings(const YamlDocument& document) : document_(&document) {}
  void add(Mark mark, std::string message, std::string hint = {});
  void add(Mark mark, const Problem& problem) { add(mark, problem.message, problem.hint); }
  // An error of a value's own parser, which knows no place.
  void add(Mark mark, const Error& error) { add(mark, error.message, error.hint); }
  void unknown_keys(const YamlNode& map, const std::vector<std::string>& allowed, std::string_view what);
  // At most kMaxErrors, and one more that says so; the same one (of a node that aliases repeat) only once.
  std::vector<Error> take();
  [[nodiscard]] bool empty() const { return found_.empty(); }
  // More than that nobody reads, and a hostile file could ask for gigabytes.
  static constexpr std::size_t kMaxErrors = 5000;
  [[nodiscard]] bool full() const { return found_.size() > kMaxErrors; }

 private:
  struct Placed {
    Mark mark;
    Error error;
  };
  const YamlDocument* document_;
  std::vector<Placed> found_;
};

struct DraftNeed {
  std::string name;
  Mark mark;
};

struct DraftOutput {
  OutputSpec spec;
  Mark mark;
};

// What could not be read is absent, and an error about it was added.
struct Draft {
  std::string key;
  Mark mark;  // of the key
  std::optional<ActionName> name;
  std::string run;  // as written; empty where it is not text
  Mark run_mark;
  std::string tag;  // as written ("latest"), where there is an image
  std::optional<ImageName> image;
  std::vector<std::string> args;  // of `run`
  std::vector<DraftNeed> needs;
  std::vector<DraftOutput> outputs;
  Mark outputs_mark;
  bool outputs_sound = false;  // every pattern was read
  std::optional<std::string> config;
};

// `entry` of `actions`.
Draft read_action(const YamlEntry& entry, Findings& findings);

// A map as compact JSON with YAML 1.2's types. Numbers that JSON cannot carry are errors.
std::optional<std::string> config_json(const YamlNode& map, Findings& findings);

}  // namespace glovebox::detail
