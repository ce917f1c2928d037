// check_project: the whole file, the rules between actions, and those of each version of the format.
#include <map>
#include <unordered_map>

#include "core/base/text.h"
#include "core/spec/draft.h"

namespace glovebox {
namespace {

using detail::Draft;
using detail::Features;
using detail::Findings;

// How many unknown names get a search for the nearest known one; it looks at every action.
constexpr std::size_t kMaxGuesses = 50;
constexpr std::size_t kMaxName = 4096;  // PATH_MAX

// 4, 4.0 and "4.0" are all written in existing studies.
std::optional<int> read_version(const YamlNode& root, Findings& findings) {
  const std::string hint = "the newest version is " + std::to_string(detail::kNewestVersion);
  const YamlEntry* entry = root.find("version");
  if (entry == nullptr || entry->value->is_null()) {
    findings.add(entry == nullptr ? root.mark : entry->key_mark, "the project file has no version",
                 "start it with version: " + std::to_string(detail::kNewestVersion));
    return std::nullopt;
  }
  YamlNode unquoted = *entry->value;
  unquoted.plain = true;
  const auto number = unquoted.as_number();
  for (int version = detail::kOldestVersion; version <= detail::kNewestVersion; ++version) {
    if (number.has_value() && *number == version) return version;
  }
  findings.add(entry->value->mark, "version must be a number from 1 to 5", hint);
  return std::nullopt;
}

void check_expectations(const YamlNode& root, int version, Findings& findings) {
  const Features features = detail::features_of(version);
  const std::string in_version = " in version " + std::to_string(version);
  const std::string hint = "for example: expectations: {population_size: 1000}";
  const YamlEntry* entry = root.find("expectations");
  if (entry == nullptr || entry->value->is_null()) {
    if (features.expectations_required)
      findings.add(entry == nullptr ? root.mark : entry->key_mark, "expectations are required" + in_version,
                   hint);
    return;
  }
  const YamlNode& value = *entry->value;
  if (!features.cohortextractor) {
    findings.add(entry->key_mark, "expectations are not supported" + in_version, "remove them");
    return;
  }
  if (!value.is_map()) {
    findings.add(value.mark, "expectations must be a map", hint);
    return;
  }
  findings.unknown_keys(value, {"population_size"}, "expectations");
  const YamlEntry* size = value.find("population_size");
  if (size == nullptr) {
    if (features.expectations_required)
      findings.add(entry->key_mark, "expectations must have a population_size" + in_version, hint);
  } else if (const auto number = size->value->as_integer(); !number.has_value() || *number < 0) {
    findings.add(size->value->mark, "population_size must be a whole number", "for example 1000");
  }
}

std::vector<Draft> read_actions(const YamlDocument& document, Findings& findings) {
  std::vector<Draft> drafts;
  const YamlEntry* entry = document.root().find("actions");
  if (entry == nullptr) {
    findings.add(document.root().mark, "the project file has no actions");
  } else if (!entry->value->is_map() || entry->value->entries.empty()) {
    findings.add(entry->value->is_null() ? entry->key_mark : entry->value->mark,
                 "actions must be a map with at least one action");
  } else {
    for (const YamlEntry& action : entry->value->entries)
      drafts.push_back(detail::read_action(action, findings));
  }
  return drafts;
}

std::string action_in_line(const Draft& draft) {
  return "action " + quoted(draft.key, 128) + " in line " + std::to_string(draft.mark.line);
}

void check_unique_commands(const std::vector<Draft>& drafts, Findings& findings) {
  std::unordered_map<std::string_view, const Draft*> first;
  for (const Draft& draft : drafts) {
    if (!draft.image.has_value()) continue;
    const auto [found, fresh] = first.emplace(draft.run, &draft);
    if (fresh) continue;
    findings.add(
        draft.run_mark,
        "action " + quoted(draft.key, 128) + " has the same run as " + action_in_line(*found->second),
        "an action's run tells it apart: change one of them, or remove one");
  }
}

void check_unique_outputs(const std::vector<Draft>& drafts, Findings& findings) {
  std::unordered_map<std::string_view, const Draft*> first;
  for (const Draft& draft : drafts) {
    for (const detail::DraftOutput& output : draft.outputs) {
      const auto [found, fresh] = first.emplace(output.spec.pattern.str(), &draft);
      if (fresh) continue;
      findings.add(output.mark,
                   "output pattern " + quoted(output.spec.pattern.str(), 200) + " is already given for " +
                       action_in_line(*found->second),
                   "every pattern may stand once in the file");
    }
  }
}

void check_needs(const std::vector<Draft>& drafts, Findings& findings) {
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<std::string> names;
  for (const Draft& draft : drafts) {
    index.emplace(draft.key, names.size());
    names.push_back(draft.key);
  }
  detail::Graph graph(drafts.size());
  std::vector<std::vector<Mark>> marks(drafts.size());
  std::size_t guesses = 0;
  for (std::size_t i = 0; i < drafts.size() && !findings.full(); ++i) {
    for (const detail::DraftNeed& need : drafts[i].needs) {
      const auto found = index.find(need.name);
      if (need.name == detail::kRunAll) {
        findings.add(need.mark, "action " + quoted(drafts[i].key, 128) + " needs run_all, which is no action",
                     "name the actions that it needs");
      } else if (found != index.end()) {
        graph[i].push_back(found->second);
        marks[i].push_back(need.mark);
      } else {
        const std::string near = ++guesses <= kMaxGuesses ? nearest(need.name, names) : "";
        findings.add(need.mark,
                     "action " + quoted(drafts[i].key, 128) + " needs " + quoted(need.name, 128) +
                         ", which is no action of this file",
                     near.empty() ? "" : "did you mean " + quoted(near, 128) + "?");
      }
    }
  }
  for (const detail::Cycle& cycle : detail::find_cycles(graph)) {
    findings.add(marks[cycle.from][cycle.need],
                 "actions need each other in a circle: " + detail::describe(cycle, names),
                 "remove one of these needs");
  }
}

// Rules that hold from one version of the format on.
void check_versioned(const Draft& draft, int version, Findings& findings) {
  const Features features = detail::features_of(version);
  const std::string in_version = " in version " + std::to_string(version);
  if (draft.key == detail::kRunAll && !features.latest_and_run_all)
    findings.add(draft.mark, "no action may be called run_all" + in_version,
                 "the name stands for every action");
  if (!draft.image.has_value()) return;
  if (draft.tag == "latest" && !features.latest_and_run_all) {
    findings.add(draft.run_mark,
                 "action " + quoted(draft.key, 128) + " uses " + quoted(draft.image->name + ":latest", 200) +
                     ", which is not supported" + in_version,
                 "name a version: latest has always meant v1");
  }
  if (draft.image->name.starts_with("cohortextractor") && !features.cohortextractor) {
    findings.add(
        draft.run_mark,
        "action " + quoted(draft.key, 128) + " uses cohortextractor, which is not supported" + in_version,
        "use ehrql");
  }
}

void check_command_outputs(const Draft& draft, Findings& findings) {
  if (!draft.image.has_value() || !draft.outputs_sound) return;
  std::vector<OutputSpec> outputs;
  for (const detail::DraftOutput& output : draft.outputs) outputs.push_back(output.spec);
  const auto problem = detail::check_outputs_of_command(draft.key, *draft.image, draft.args, outputs);
  if (problem.has_value()) findings.add(draft.run_mark, *problem);
}

// Precondition: no errors were found.
Project build_project(int version, std::vector<Draft> drafts, const std::string& name) {
  Project project;
  project.version = version;
  for (Draft& draft : drafts) {
    if (draft.key == detail::kRunAll) continue;
    ActionSpec action{
        *std::move(draft.name), *std::move(draft.image), std::move(draft.args), {}, {}, {}, false, {}};
    action.database = detail::is_database_command(action.image, action.args);
    for (const detail::DraftNeed& need : draft.needs) action.needs.push_back(*ActionName::parse(need.name));
    for (detail::DraftOutput& output : draft.outputs) action.outputs.push_back(std::move(output.spec));
    if (draft.config.has_value()) {
      action.args.emplace_back("--config");
      action.args.push_back(*draft.config);
      action.config = std::move(draft.config);
    }
    action.source = name + ":" + std::to_string(draft.mark.line);
    project.actions.push_back(std::move(action));
  }
  return project;
}

std::vector<std::string> warnings_of(int version, const std::vector<Draft>& drafts) {
  std::vector<std::string> warnings;
  if (version < detail::kNewestVersion) {
    warnings.push_back("version " + std::to_string(version) +
                       " of the project format is old: the newest is " +
                       std::to_string(detail::kNewestVersion));
  }
  for (const Draft& draft : drafts) {
    if (draft.key == detail::kRunAll && detail::features_of(version).latest_and_run_all)
      warnings.emplace_back("the action called run_all is ignored: the name stands for every action");
  }
  return warnings;
}

}  // namespace

ProjectReport check_project(std::string_view text, const std::string& file) {
  ProjectReport report;
  const std::string name = printable(file, kMaxName);
  auto document = YamlDocument::parse(text, name);
  if (!document.ok()) {
    report.errors.push_back(document.error());
    return report;
  }
  Findings findings(*document);
  const YamlNode& root = document->root();
  if (!root.is_map()) {
    findings.add(root.mark, "a project file must be a map with the keys version and actions");
    report.errors = findings.take();
    return report;
  }
  findings.unknown_keys(root, {"version", "actions", "expectations"}, "a project file");
  const auto version = read_version(root, findings);
  std::vector<Draft> drafts = read_actions(*document, findings);
  check_unique_commands(drafts, findings);
  check_needs(drafts, findings);
  for (const Draft& draft : drafts) check_command_outputs(draft, findings);
  if (version.has_value()) {
    check_expectations(root, *version, findings);
    if (detail::features_of(*version).unique_outputs) check_unique_outputs(drafts, findings);
    for (const Draft& draft : drafts) check_versioned(draft, *version, findings);
    report.warnings = warnings_of(*version, drafts);
  }
  report.errors = findings.take();
  if (report.errors.empty()) report.project = build_project(*version, std::move(drafts), name);
  return report;
}

}  // namespace glovebox
