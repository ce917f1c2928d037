#include <algorithm>

#include "core/base/text.h"
#include "core/policy/reader.h"

namespace glovebox {
namespace {

constexpr const char* kNameHint = "use letters, digits and '_', not starting with a digit";

// The guarantees that a ceiling may give up, each by its own token (G16).
const std::vector<std::string>& waivable() {
  static const std::vector<std::string> kTokens{"unsafe_no_memory_limit", "unsafe_no_cpu_limit",
                                                "unsafe_no_process_limit"};
  return kTokens;
}

void read_names(PolicyReader& reader, const YamlNode* node, const std::string& what,
                std::map<std::string, Source>& names) {
  if (node == nullptr) return;
  for (const auto& [name, item] : reader.words(*node, what)) {
    if (!is_variable_name(name)) {
      reader.error(*item, quoted(name, 100) + " is not a variable's name", kNameHint);
      continue;
    }
    names.insert_or_assign(name, reader.source(*item));
  }
}

void read_set(PolicyReader& reader, const YamlNode& node, std::map<std::string, Fixed<std::string>>& set) {
  if (!reader.any_map(node, "environment.set")) return;
  for (const YamlEntry& entry : node.entries) {
    if (!is_variable_name(entry.key)) {
      reader.error(entry.key_mark, quoted(entry.key, 100) + " is not a variable's name", kNameHint);
    } else if (!entry.value->is_string()) {
      reader.error(*entry.value, "the value of " + entry.key + " must be text",
                   "put it in quotes: a variable is never a number");
    } else if (has_unprintable(entry.value->text)) {
      reader.error(*entry.value, "the value of " + entry.key + " has control or invisible characters");
    } else {
      set.insert_or_assign(entry.key, Fixed<std::string>{entry.value->text, reader.source(*entry.value)});
    }
  }
}

void clash(PolicyReader& reader, const YamlNode& node, std::string what, const Source& source) {
  reader.error(node, what.append(" (").append(source).append(")"), "keep one of the two");
}

// A name in two of the three lists would leave open which of them counts.
void check_overlap(PolicyReader& reader, const YamlNode& node, const EnvironmentPolicy& environment) {
  for (const auto& [name, source] : environment.pass) {
    if (environment.set.count(name) != 0 || environment.cpu_count.count(name) != 0) {
      clash(reader, node, name + " is both passed and set", source);
    }
  }
  for (const auto& [name, source] : environment.cpu_count) {
    if (environment.set.count(name) != 0) {
      clash(reader, node, name + " is both set and a CPU count", source);
    }
  }
}

}  // namespace

void read_environment(PolicyReader& reader, const YamlNode& node, EnvironmentPolicy& environment) {
  if (!reader.map(node, "environment", {"pass", "set", "cpu_count"})) return;
  // A ceiling lists what may pass: what it extends adds nothing.
  if (reader.role() == PolicyRole::kCeiling && reader.optional(node, "pass") != nullptr)
    environment.pass.clear();
  read_names(reader, reader.optional(node, "pass"), "environment.pass", environment.pass);
  read_names(reader, reader.optional(node, "cpu_count"), "environment.cpu_count", environment.cpu_count);
  if (const YamlNode* set = reader.optional(node, "set")) read_set(reader, *set, environment.set);
  check_overlap(reader, node, environment);
}

void read_lists(PolicyReader& reader, const YamlNode& root, Policy& policy) {
  const bool ceiling = reader.role() == PolicyRole::kCeiling;
  if (const YamlNode* images = reader.optional(root, "images")) {
    for (const auto& [name, item] : reader.words(*images, "images")) {
      if (ceiling) {
        reader.error(*item, "a ceiling names no images", "remove \"images\"");
      } else if (!ImageName::parse(name + ":v1").ok()) {
        reader.error(*item, quoted(name, 100) + " is not an image's name",
                     "write the name without a version");
      } else {
        policy.images.push_back(name);
      }
    }
  }
  if (const YamlNode* runtimes = reader.optional(root, "runtimes")) {
    policy.runtimes.clear();
    for (const auto& [name, item] : reader.words(*runtimes, "runtimes")) {
      if (reader.choice(*item, "the runtime", {"crun", "runc"})) policy.runtimes[name] = reader.source(*item);
    }
    if (policy.runtimes.empty()) reader.error(*runtimes, "runtimes is empty", "name crun, runc or both");
  }
  if (const YamlNode* secrets = reader.optional(root, "secrets")) {
    if (ceiling) policy.secrets.clear();
    read_names(reader, secrets, "secrets", policy.secrets);
  }
  if (const YamlNode* waive = reader.optional(root, "waive")) {
    if (policy.name != "local") reader.error(*waive, "only local.yaml may waive a guarantee");
    for (const auto& [token, item] : reader.words(*waive, "waive")) {
      if (reader.choice(*item, "the token", waivable())) policy.waived[token] = reader.source(*item);
    }
  }
}

}  // namespace glovebox
