// A study's project.yaml, formats 1 to 5, as OpenSAFELY's job runner reads them; the rules stand beside their
// checks (rules.h, check.cc, pattern.cc). Stricter on purpose: cycles, "..", dot components and odd action
// names are refused.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/types.h"

namespace glovebox {

// An output pattern: only '*' is special, and it does not cross '/'.
class Pattern {
 public:
  // Every rule of project.yaml patterns: normal form, an extension, no **, ?, [, backslash; not metadata/; no
  // dot component.
  static Result<Pattern> parse(std::string_view text);
  [[nodiscard]] const std::string& str() const { return text_; }
  // From the last dot of the last component on (".csv"), never empty.
  [[nodiscard]] std::string_view extension() const;
  // Never true below metadata/, nor for a path with a dot component: what a pattern may not say, its '*' does
  // not reach. Time in proportion to the lengths.
  [[nodiscard]] bool matches(const RelPath& path) const;
  auto operator<=>(const Pattern&) const = default;

 private:
  explicit Pattern(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

struct OutputSpec {
  Level level = Level::kHighlySensitive;
  std::string name;  // the key in project.yaml ("table")
  Pattern pattern;
  bool operator==(const OutputSpec&) const = default;
};

struct ActionSpec {
  ActionName name;
  ImageName image;
  std::vector<std::string> args;  // after the image; with `config`, "--config" and its JSON at the end
  std::vector<ActionName> needs;
  std::vector<OutputSpec> outputs;    // in file order
  std::optional<std::string> config;  // compact JSON
  bool database = false;
  std::string source;  // "project.yaml:12"
};

struct Project {
  int version = 0;
  std::vector<ActionSpec> actions;  // in file order
  [[nodiscard]] const ActionSpec* find(std::string_view name) const;
  // `wanted` ("run_all": all) and what they need, each once, needed ones first, file order otherwise.
  // kInvalid with a did-you-mean for an unknown action.
  [[nodiscard]] Result<std::vector<const ActionSpec*>> order(const std::vector<std::string>& wanted) const;
};

struct ProjectReport {
  std::optional<Project> project;  // where errors is empty
  std::vector<Error> errors;       // in file order
  std::vector<std::string> warnings;
};

// Never fails otherwise; any bytes.
ProjectReport check_project(std::string_view text, const std::string& name);

// The object of `project check --json` (DESIGN.md §6), and back: a worker parses the file and hands the
// object on; what comes back is validated again, field by field.
Json report_json(const ProjectReport& report);
Result<ProjectReport> report_from_json(const Json& json);

}  // namespace glovebox
