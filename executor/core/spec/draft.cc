// One action of project.yaml: types and shape.
#include "core/spec/draft.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "core/base/text.h"

namespace glovebox::detail {
namespace {

const std::vector<std::string>& action_keys() {
  static const std::vector<std::string> kKeys{"run", "outputs", "needs", "config", "dummy_data_file"};
  return kKeys;
}

std::string of_action(const Draft& draft) {
  return "of action " + quoted(draft.key, 128);
}

// "no", 1.5 and null look like text to the author; say how to make them text.
std::string quote_hint(const YamlNode& node) {
  return node.is_scalar() ? "put it in quotes" : "";
}

void read_run(const YamlNode& node, Draft& draft, Findings& findings) {
  draft.run_mark = node.mark;
  if (!node.is_string()) {
    findings.add(node.mark, "run " + of_action(draft) + " must be a command line",
                 "for example: run: python:v2 python analysis/table.py");
    return;
  }
  draft.run = node.text;
  std::vector<std::string> words;
  std::string why;
  if (!shell_split(node.text, words, why)) {
    findings.add(node.mark, "run " + of_action(draft) + " cannot be split into words: " + why);
    return;
  }
  if (words.empty()) {
    findings.add(node.mark, "run " + of_action(draft) + " is empty",
                 "for example: run: python:v2 python analysis/table.py");
    return;
  }
  if (auto image = ImageName::parse(words.front()); image.ok()) {
    draft.tag = words.front().substr(words.front().find(':') + 1);
    draft.image = *std::move(image);
    draft.args.assign(words.begin() + 1, words.end());
  } else {
    findings.add(node.mark, image.error());
  }
}

void read_level(const YamlEntry& entry, Level level, Draft& draft, Findings& findings) {
  if (entry.value->is_null()) return;  // the same as leaving it out
  if (!entry.value->is_map() || entry.value->entries.empty()) {
    findings.add(entry.value->mark,
                 entry.key + " " + of_action(draft) + " must be a map from names to patterns",
                 "for example: " + entry.key + ": {table: output/table.csv}");
    draft.outputs_sound = false;
    return;
  }
  for (const YamlEntry& output : entry.value->entries) {
    const Mark mark = output.value->mark;
    const std::size_t before = draft.outputs.size();
    if (const auto problem = check_output_name(output.key)) findings.add(output.key_mark, *problem);
    if (!output.value->is_string()) {
      findings.add(mark, "the pattern of output " + quoted(output.key, 100) + " must be text",
                   quote_hint(*output.value));
    } else if (auto pattern = Pattern::parse(output.value->text); !pattern.ok()) {
      findings.add(mark, pattern.error());
    } else if (const auto problem = check_level(level, *pattern)) {
      findings.add(mark, *problem);
    } else {
      draft.outputs.push_back({{level, output.key, *std::move(pattern)}, mark});
    }
    if (draft.outputs.size() == before) draft.outputs_sound = false;
  }
}

void read_outputs(const YamlNode& node, Draft& draft, Findings& findings) {
  static const std::vector<std::string> kLevels{"highly_sensitive", "moderately_sensitive",
                                                "minimally_sensitive"};
  draft.outputs_mark = node.mark;
  const std::string hint = "for example: outputs: {moderately_sensitive: {table: output/table.csv}}";
  if (!node.is_map()) {
    findings.add(node.mark, "outputs " + of_action(draft) + " must be a map from privacy levels to outputs",
                 hint);
    return;
  }
  findings.unknown_keys(node, kLevels, "outputs");
  draft.outputs_sound = true;
  bool given = false;
  for (const YamlEntry& entry : node.entries) {
    const auto level = parse_level(entry.key);
    if (!level.ok()) continue;
    given = given || !entry.value->is_null();
    read_level(entry, *level, draft, findings);
  }
  if (draft.outputs.size() > kMaxOutputs) {
    findings.add(
        draft.outputs[kMaxOutputs].mark,
        "outputs " + of_action(draft) + " have more than " + std::to_string(kMaxOutputs) + " patterns",
        "let one pattern with * stand for many files");
  }
  if (!given) {
    draft.outputs_sound = false;
    findings.add(node.mark,
                 "outputs " + of_action(draft) + " must have at least one of " + join(kLevels, ", "), hint);
  }
}

void read_needs(const YamlNode& node, Draft& draft, Findings& findings) {
  if (node.is_null()) return;
  if (!node.is_list()) {
    findings.add(node.mark, "needs " + of_action(draft) + " must be a list of actions",
                 "for example: needs: [first, second]");
    return;
  }
  std::set<std::string> seen;
  for (const auto& item : node.items) {
    if (!item->is_string()) {
      findings.add(item->mark, "an entry in needs " + of_action(draft) + " must be the name of an action",
                   quote_hint(*item));
    } else if (item->text.find(' ') != std::string::npos) {
      findings.add(item->mark,
                   "needs " + of_action(draft) + " names " + quoted(item->text, 200) + ", which has a space",
                   "separate the actions with commas");
    } else if (seen.insert(item->text).second) {
      draft.needs.push_back({item->text, item->mark});
    }
  }
}

void read_key(const YamlEntry& entry, Draft& draft, Findings& findings) {
  const YamlNode& value = *entry.value;
  if (entry.key == "run") {
    read_run(value, draft, findings);
  } else if (entry.key == "outputs") {
    read_outputs(value, draft, findings);
  } else if (entry.key == "needs") {
    read_needs(value, draft, findings);
  } else if (entry.key == "config" && !value.is_null()) {
    if (value.is_map()) {
      draft.config = config_json(value, findings);
    } else {
      findings.add(value.mark, "config " + of_action(draft) + " must be a map");
    }
  } else if (entry.key == "dummy_data_file" && !value.is_null() && !value.is_string()) {
    findings.add(value.mark, "dummy_data_file " + of_action(draft) + " must be text", quote_hint(value));
  }
}

}  // namespace

void Findings::add(Mark mark, std::string message, std::string hint) {
  if (!full()) found_.push_back({mark, document_->error_at(mark, std::move(message), std::move(hint))});
}

void Findings::unknown_keys(const YamlNode& map, const std::vector<std::string>& allowed,
                            std::string_view what) {
  for (const YamlEntry& entry : map.entries) {
    if (full()) return;
    if (auto error = unknown_key(*document_, entry, allowed, what))
      found_.push_back({entry.key_mark, *std::move(error)});
  }
}

std::vector<Error> Findings::take() {
  std::stable_sort(found_.begin(), found_.end(), [](const Placed& a, const Placed& b) {
    return std::tie(a.mark.line, a.mark.column) < std::tie(b.mark.line, b.mark.column);
  });
  std::vector<Error> errors;
  for (Placed& placed : found_) {
    const bool again = !errors.empty() && errors.back().where == placed.error.where &&
                       errors.back().message == placed.error.message;
    if (!again) errors.push_back(std::move(placed.error));
  }
  if (errors.size() > kMaxErrors) {
    errors.resize(kMaxErrors);
    errors.push_back(invalid("there are more errors than these", document_->name(), "mend these first"));
  }
  found_.clear();
  return errors;
}

Draft read_action(const YamlEntry& entry, Findings& findings) {
  Draft draft;
  draft.key = entry.key;
  draft.mark = entry.key_mark;
  draft.run_mark = draft.outputs_mark = entry.key_mark;
  if (auto name = ActionName::parse(entry.key); name.ok()) {
    draft.name = *std::move(name);
  } else {
    findings.add(entry.key_mark, name.error());
  }
  const YamlNode& body = *entry.value;
  if (!body.is_map()) {
    findings.add(body.mark,
                 "action " + quoted(entry.key, 128) + " must be a map with the keys run and outputs");
    return draft;
  }
  findings.unknown_keys(body, action_keys(), "an action");
  for (const char* key : {"run", "outputs"}) {
    if (body.find(key) == nullptr)
      findings.add(entry.key_mark, "action " + quoted(entry.key, 128) + " has no " + key);
  }
  for (const YamlEntry& member : body.entries) read_key(member, draft, findings);
  std::vector<std::string> all = draft.args;
  if (draft.config.has_value()) all.push_back(*draft.config);
  if (const auto problem = check_arguments(all)) findings.add(draft.run_mark, *problem);
  return draft;
}

}  // namespace glovebox::detail
