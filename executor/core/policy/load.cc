#include "core/policy/load.h"

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/policy/limit_fields.h"
#include "core/policy/reader.h"

namespace glovebox {
namespace {

constexpr const char* kSite = "site";
constexpr const char* kLocal = "local";
constexpr std::size_t kMaxFiles = 200;  // policies are read by people

bool is_ceiling(const std::string& name) {
  return name == kSite || name == kLocal;
}

// One file, and what became of it. `policy` keeps "in: network" open, so that whoever extends it can decide.
struct PolicyFile {
  YamlDocument document;
  std::string extends;
  enum class State { kUnread, kReading, kRead } state = State::kUnread;
  Policy policy;
  bool sound = false;
};

class Loader {
 public:
  Loader(const std::map<std::string, std::string>& files, const std::string& folder) : folder_(folder) {
    if (files.size() > kMaxFiles) {
      errors_.push_back(invalid("more than 200 policy files", folder));
      return;
    }
    for (const auto& [file, text] : files) parse(file, text);
  }

  PolicyLoad load() {
    for (auto& [name, file] : files_) read(name, file);
    for (const char* name : {kSite, kLocal}) {
      if (files_.count(name) == 0 && failed_.count(name) == 0) {
        errors_.push_back(invalid(std::string(name) + ".yaml is missing", folder_));
      }
    }
    check_images();
    PolicyLoad result;
    result.errors = std::move(errors_);
    for (auto& [name, file] : files_) {
      resolve_network(file.policy.syscalls, file.policy.network.value);
      if (name == kSite) {
        result.set.site = std::move(file.policy);
      } else if (name == kLocal) {
        result.set.local = std::move(file.policy);
      } else {
        result.set.images.emplace(name, std::move(file.policy));
      }
    }
    return result;
  }

 private:
  void parse(const std::string& file, const std::string& text) {
    const std::string path = folder_ + "/" + file;
    const std::string stem = file.ends_with(".yaml") ? file.substr(0, file.size() - 5) : std::string();
    failed_.insert(stem);
    if (stem.empty()) {
      errors_.push_back(invalid("a policy's file must end in .yaml", path));
      return;
    }
    auto parsed = YamlDocument::parse(text, path);
    if (!parsed.ok()) {
      errors_.push_back(std::move(parsed).error());
      return;
    }
    failed_.erase(stem);
    files_.emplace(stem, PolicyFile{*std::move(parsed), {}, PolicyFile::State::kUnread, {}, false});
  }

  void read(const std::string& name, PolicyFile& file) {
    if (file.state != PolicyFile::State::kUnread) return;
    file.state = PolicyFile::State::kReading;
    const std::size_t before = errors_.size();
    PolicyReader reader(file.document, is_ceiling(name) ? PolicyRole::kCeiling : PolicyRole::kImage, errors_);
    const bool base_sound = read_base(reader, file);
    read_own(reader, name, file.policy);
    file.state = PolicyFile::State::kRead;
    if (base_sound && errors_.size() == before) check_complete(reader, file.policy);
    file.sound = base_sound && errors_.size() == before;
  }

  // Starts from the policy that this one extends. False where that one has errors of its own.
  bool read_base(PolicyReader& reader, PolicyFile& file) {
    const YamlNode& root = file.document.root();
    const YamlNode* extends = root.is_map() ? reader.optional(root, "extends") : nullptr;
    if (extends == nullptr) return true;
    const auto name = reader.text(*extends, "extends");
    if (!name) return false;
    const auto found = files_.find(*name);
    if (is_ceiling(*name)) {
      reader.error(*extends, "a ceiling cannot be extended");
    } else if (found == files_.end()) {
      if (failed_.count(*name) != 0) return false;
      std::vector<std::string> names;
      for (const auto& [other, unused] : files_) names.push_back(other);
      const std::string near = nearest(*name, names);
      reader.error(*extends, "there is no policy " + quoted(*name, 60),
                   near.empty() ? "" : "did you mean \"" + near + "\"?");
    } else if (found->second.state == PolicyFile::State::kReading) {
      reader.error(*extends, "the policies extend each other in a circle");
    } else {
      read(*name, found->second);
      inherit(found->second.policy, reader.role(), file.policy);
      return found->second.sound;
    }
    return false;
  }

  static void inherit(const Policy& base, PolicyRole role, Policy& policy) {
    policy = base;
    policy.images.clear();
    policy.summary.clear();
    policy.waived.clear();
    if (role == PolicyRole::kCeiling) {  // a ceiling sets only what it says itself
      policy.environment.set.clear();
      policy.environment.cpu_count.clear();
      for_each_chosen_limit([](const char*, auto& bound) { bound.fallback = bound.most; }, policy.limits);
    }
  }

  static void read_own(PolicyReader& reader, const std::string& name, Policy& policy) {
    const YamlNode& root = reader.document().root();
    if (!reader.map(root, "a policy",
                    {"policy", "extends", "summary", "images", "network", "runtimes", "secrets",
                     "environment", "limits", "outputs", "syscalls", "waive"})) {
      return;
    }
    policy.source = reader.source(root);
    policy.name = name;
    if (const YamlNode* node = reader.required(root, "policy", "the file")) {
      const auto given = reader.text(*node, "policy");
      if (given && *given != name) {
        reader.error(*node, "policy " + quoted(*given, 60) + " stands in a file of another name",
                     "write \"policy: " + printable(name, 60) + "\"");
      }
    }
    if (const YamlNode* node = reader.required(root, "summary", "the file")) {
      policy.summary = reader.text(*node, "summary").value_or("");
    }
    if (const YamlNode* node = reader.optional(root, "network")) {
      if (const auto word = reader.choice(*node, "network", {"none", "loopback"})) {
        policy.network = {*word == "none" ? Network::kNone : Network::kLoopback, reader.source(*node)};
      }
    }
    read_lists(reader, root, policy);
    const auto section = [&](const char* key, auto read_section, auto& into) {
      if (const YamlNode* node = reader.optional(root, key)) read_section(reader, *node, into);
    };
    section("environment", read_environment, policy.environment);
    section("limits", read_limits, policy.limits);
    section("outputs", read_outputs, policy.outputs);
    section("syscalls", read_syscalls, policy.syscalls);
  }

  // Whatever can be used must say everything, here or in what it extends.
  static void check_complete(PolicyReader& reader, const Policy& policy) {
    if (policy.images.empty() && !is_ceiling(policy.name)) return;
    std::vector<std::string> missing;
    const auto need = [&](const std::string& what, bool there) {
      if (!there) missing.push_back(what);
    };
    need("network", !policy.network.source.empty());
    need("runtimes", !policy.runtimes.empty());
    for_each_chosen_limit(
        [&](const std::string& name, const auto& bound) {
          need("limits." + name + ".max", bound.most != 0);
          need("limits." + name + ".default", bound.fallback != 0);
        },
        policy.limits);
    for_each_fixed_limit(
        [&](const std::string& name, const auto& fixed) { need("limits." + name, !fixed.source.empty()); },
        policy.limits);
    need("limits.scratch.on", !policy.limits.scratch_on.source.empty());
    need("outputs.rules", !policy.outputs.name.empty());
    need("outputs.file_bytes", policy.outputs.file_bytes.most != 0);
    need("outputs.csv_rows", policy.outputs.csv_rows.most != 0);
    need("syscalls.unknown", policy.syscalls.unknown_errno != 0);
    if (missing.empty()) return;
    reader.error(reader.document().root(),
                 "said neither here nor in what it extends: " + join(missing, ", "));
  }

  // Exactly one policy fits an image.
  void check_images() {
    std::map<std::string, std::string> owners;
    for (const auto& [name, file] : files_) {
      for (const std::string& image : file.policy.images) {
        const auto [first, fresh] = owners.emplace(image, name);
        if (fresh) continue;
        const YamlNode& node = *file.document.root().find("images")->value;
        errors_.push_back(file.document.error_at(
            node,
            "image " + quoted(image, 60) + " is named by the policy " + quoted(first->second, 60) + " too",
            "exactly one policy must fit an image"));
      }
    }
  }

  std::string folder_;
  std::map<std::string, PolicyFile> files_;  // by name, without ".yaml"
  std::set<std::string> failed_;             // files that are no YAML at all
  std::vector<Error> errors_;
};

}  // namespace

PolicyLoad load_policies(const std::map<std::string, std::string>& files, const std::string& folder) {
  return Loader(files, folder).load();
}

Result<const Policy*> policy_for_image(const PolicySet& set, const std::string& image) {
  const Policy* found = nullptr;
  for (const auto& [name, policy] : set.images) {
    if (std::find(policy.images.begin(), policy.images.end(), image) == policy.images.end()) continue;
    if (found != nullptr) {
      return refused("several policies fit the image " + quoted(image, 60) + ": " + found->name + " and " +
                     name);
    }
    found = &policy;
  }
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const auto& [name, policy] : set.images)
      names.insert(names.end(), policy.images.begin(), policy.images.end());
    const std::string near = nearest(image, names);
    return refused("no policy fits the image " + quoted(image, 60),
                   near.empty() ? "the policies have " + join(names, ", ") +
                                      "; another is named under \"images\" of a file in the policies folder"
                                : "did you mean " + quoted(near) + "?");
  }
  return found;
}

}  // namespace glovebox
