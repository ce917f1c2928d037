#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/policy/conditions.h"
#include "core/policy/constants.h"
#include "core/policy/reader.h"
#include "core/seccomp/seccomp.h"

namespace glovebox {
namespace {

constexpr const char* kNetworkWord = "network";
constexpr std::uint64_t kIntMask = 0xffff'ffffULL;  // the kernel reads an int argument's low half only

bool waits_for_network(const ArgumentTest& test) {
  return test.any_of.empty() && test.names.size() == 1 && test.names[0] == kNetworkWord;
}

// One group of `syscalls`.
class GroupReader {
 public:
  GroupReader(PolicyReader& reader, SyscallPolicy& syscalls, const YamlEntry& entry)
      : reader_(reader), syscalls_(syscalls), entry_(entry), what_("group " + quoted(entry.key, 60)) {}

  void read() {
    const YamlNode& node = *entry_.value;
    if (!reader_.map(node, what_, {"because", "allow", "else", "refuse", "with", "why"})) return;
    group_.name = entry_.key;
    group_.source = reader_.document().name() + ":" + std::to_string(entry_.key_mark.line);
    if (const YamlNode* because = reader_.required(node, "because", what_)) {
      group_.because = reader_.text(*because, "the reason of " + what_).value_or("");
    }
    const YamlNode* allow = reader_.optional(node, "allow");
    const YamlNode* refuse = reader_.optional(node, "refuse");
    if ((allow == nullptr) == (refuse == nullptr)) {
      reader_.error(entry_.key_mark, what_ + " must have either \"allow\" or \"refuse\"");
      return;
    }
    if (allow != nullptr) {
      read_allow(node, *allow);
    } else {
      read_refuse(node, *refuse);
    }
    if (const YamlNode* why = reader_.optional(node, "why")) read_why(*why);
    syscalls_.groups.push_back(std::move(group_));
  }

 private:
  void unexpected(const YamlNode& node, const char* key, const char* because) {
    if (const YamlNode* found = reader_.optional(node, key)) {
      reader_.error(*found, what_ + " has \"" + key + "\", but " + because);
    }
  }

  std::optional<int> read_errno(const YamlNode& node, const char* key,
                                const std::vector<std::string>& choices) {
    const YamlNode* found = reader_.required(node, key, what_);
    if (found == nullptr) return std::nullopt;
    const auto name = reader_.choice(*found, "the errno", choices);
    return name ? errno_value(*name) : std::nullopt;
  }

  void read_allow(const YamlNode& node, const YamlNode& allow) {
    unexpected(node, "with", "\"with\" belongs to \"refuse\"");
    if (allow.is_list()) {
      unexpected(node, "else", "its calls have no conditions");
      for (const auto& [name, item] : reader_.words(allow, "allow")) add_rule(name, item->mark, {});
      return;
    }
    if (!allow.is_map()) return reader_.error(allow, "allow must be a list or a map");
    const int error = read_errno(node, "else", errno_names()).value_or(0);
    for (const YamlEntry& entry : allow.entries) {
      AllowRule rule;
      rule.refusal_errno = error;
      rule.when = read_condition(entry.key, *entry.value);
      if (!rule.when.empty()) add_rule(entry.key, entry.key_mark, std::move(rule));
    }
  }

  void read_refuse(const YamlNode& node, const YamlNode& refuse) {
    unexpected(node, "else", "\"else\" belongs to \"allow\"");
    const auto error = read_errno(node, "with", errno_names());
    for (const auto& [name, item] : reader_.words(refuse, "refuse")) {
      if (known(name, item->mark) && free_to_refuse(name, item->mark) && error) {
        syscalls_.refuse[name] = *error;
        group_.refuses.push_back(name);
      }
    }
  }

  void read_why(const YamlNode& why) {
    if (!reader_.any_map(why, "why")) return;
    for (const YamlEntry& entry : why.entries) {
      const auto in = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), entry.key) != names.end();
      };
      if (!in(group_.allows) && !in(group_.refuses)) {
        reader_.error(entry.key_mark, quoted(entry.key, 60) + " is not a call of " + what_);
      }
      group_.why[entry.key] = reader_.text(*entry.value, "the reason for " + entry.key).value_or("");
    }
  }

  bool known(const std::string& name, Mark mark) {
    if (syscall_known(name)) return true;
    const std::string near = nearest(name, native_syscalls());
    reader_.error(
        mark, "no system call is named " + quoted(name, 60),
        near.empty() ? "names are those of x86_64 that libseccomp knows" : "did you mean \"" + near + "\"?");
    return false;
  }

  void add_rule(const std::string& name, Mark mark, AllowRule rule) {
    if (!known(name, mark)) return;
    if (const auto found = syscalls_.allow.find(name); found != syscalls_.allow.end()) {
      reader_.error(mark, name + " is allowed already, in " + found->second.source,
                    "a name stands in one group");
      return;
    }
    if (syscalls_.refuse.count(name) != 0) {
      reader_.error(mark, name + " is both allowed and refused" + refusing_group(name),
                    "a refusal is not undone further on: change it there");
      return;
    }
    rule.source = reader_.document().name() + ":" + std::to_string(mark.line);
    syscalls_.allow[name] = std::move(rule);
    group_.allows.push_back(name);
  }

  // A file may refuse what it extends allows (that narrows), but not what it allows itself.
  bool free_to_refuse(const std::string& name, Mark mark) {
    if (syscalls_.refuse.count(name) != 0) {
      reader_.error(mark, name + " is refused already" + refusing_group(name), "a name stands in one group");
      return false;
    }
    const auto found = syscalls_.allow.find(name);
    if (found == syscalls_.allow.end()) return true;
    if (found->second.source.starts_with(reader_.document().name() + ":")) {
      reader_.error(mark, name + " is both allowed (" + found->second.source + ") and refused",
                    "keep one of the two");
      return false;
    }
    syscalls_.allow.erase(found);
    for (SyscallGroup& group : syscalls_.groups) {
      std::erase(group.allows, name);
      group.why.erase(name);
    }
    std::erase_if(syscalls_.groups, [](const auto& g) { return g.allows.empty() && g.refuses.empty(); });
    return true;
  }

  [[nodiscard]] std::string refusing_group(const std::string& name) const {
    for (const SyscallGroup& group : syscalls_.groups) {
      if (std::find(group.refuses.begin(), group.refuses.end(), name) != group.refuses.end()) {
        return ", in " + group.source;
      }
    }
    return ", by this group";
  }

  // Empty where something is wrong; that has been said then.
  std::vector<Conjunction> read_condition(const std::string& name, const YamlNode& node) {
    const std::size_t before = reader_.error_count();
    std::vector<Conjunction> when;
    if (node.is_map() && node.find("any") != nullptr) {
      if (reader_.map(node, "the condition of " + name, {"any"}))
        read_alternatives(name, *node.find("any")->value, when);
    } else {
      when.push_back(read_conjunction(name, node));
    }
    if (name == "socket" && reader_.error_count() == before) check_families(node, when);
    return reader_.error_count() == before ? when : std::vector<Conjunction>{};
  }

  void read_alternatives(const std::string& name, const YamlNode& node, std::vector<Conjunction>& when) {
    if (!node.is_list() || node.items.empty()) return reader_.error(node, "any must be a list of conditions");
    for (const auto& item : node.items) when.push_back(read_conjunction(name, *item));
  }

  Conjunction read_conjunction(const std::string& name, const YamlNode& node) {
    Conjunction all;
    const auto add = [&](const YamlNode& item) {
      if (auto test = read_test(name, item)) {
        const auto same = [&](const ArgumentTest& other) {
          return other.index == test->index && other.mask == test->mask;
        };
        if (std::any_of(all.begin(), all.end(), same)) {
          reader_.error(item,
                        "the same bits of argument " + std::to_string(test->index) + " are tested twice");
        }
        all.push_back(*std::move(test));
      }
    };
    if (!node.is_list()) {
      add(node);
    } else if (node.items.empty()) {
      reader_.error(node, "the condition of " + name + " is empty",
                    "a call without a condition belongs in a group whose \"allow\" is a list");
    }
    for (const auto& item : node.items) add(*item);
    return all;
  }

  std::optional<ArgumentTest> read_test(const std::string& name, const YamlNode& node) {
    if (!reader_.map(node, "the condition of " + name, {"arg", "mask", "in"})) return std::nullopt;
    ArgumentTest test;
    const YamlNode* index = reader_.required(node, "arg", "the condition of " + name);
    const YamlNode* in = reader_.required(node, "in", "the condition of " + name);
    if (index == nullptr || in == nullptr) return std::nullopt;
    test.index = static_cast<unsigned>(reader_.number(*index, "arg", 0, 5).value_or(0));
    if (const YamlNode* mask = reader_.optional(node, "mask")) {
      test.mask = reader_.number(*mask, "mask", 1, INT64_MAX).value_or(kIntMask);
    }
    if (in->is_scalar() && in->text == kNetworkWord) {
      if (name != "socket" || test.index != 0 || test.mask != kIntMask) {
        reader_.error(*in, "\"in: network\" is for argument 0 of socket, with mask 0xffffffff");
      }
      test.names = {kNetworkWord};
      return test;
    }
    return read_values(*in, std::move(test));
  }

  std::optional<ArgumentTest> read_values(const YamlNode& in, ArgumentTest test) {
    if (!in.is_list() || in.items.empty())
      return reader_.error(in, "in must be a list of values"), std::nullopt;
    std::vector<std::pair<std::uint64_t, std::string>> values;
    for (const auto& item : in.items) {
      const auto value = read_value(*item);
      if (!value) continue;
      if ((*value & ~test.mask) != 0)
        reader_.error(*item, quoted(item->text, 60) + " has bits outside the mask");
      const bool twice =
          std::any_of(values.begin(), values.end(), [&](const auto& v) { return v.first == *value; });
      if (twice) reader_.error(*item, quoted(item->text, 60) + " is given twice");
      values.emplace_back(*value, item->text);
    }
    std::sort(values.begin(), values.end());
    for (auto& [value, text] : values) {
      test.any_of.push_back(value);
      test.names.push_back(std::move(text));
    }
    return test;
  }

  std::optional<std::uint64_t> read_value(const YamlNode& item) {
    if (const auto number = item.as_integer(); number.has_value() && *number >= 0) {
      return static_cast<std::uint64_t>(*number);
    }
    const auto name = reader_.choice(item, "the value", argument_names());
    return name ? argument_value(*name) : std::nullopt;
  }

  // `network` alone decides which families there are: a rule of its own could contradict it.
  void check_families(const YamlNode& node, const std::vector<Conjunction>& when) {
    const bool sound = std::all_of(when.begin(), when.end(), [](const Conjunction& alternative) {
      return std::any_of(alternative.begin(), alternative.end(), waits_for_network);
    });
    if (!sound) {
      reader_.error(
          node, "socket must test its family with \"in: network\"",
          "write {arg: 0, mask: 0xffffffff, in: network}: the policy's network decides the families");
    }
  }

  PolicyReader& reader_;
  SyscallPolicy& syscalls_;
  const YamlEntry& entry_;
  std::string what_;
  SyscallGroup group_;
};

}  // namespace

void read_syscalls(PolicyReader& reader, const YamlNode& node, SyscallPolicy& syscalls) {
  if (!reader.any_map(node, "syscalls")) return;
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "unknown") {
      const auto name = reader.choice(*entry.value, "the errno", {"ENOSYS", "EPERM"});
      if (name) syscalls.unknown_errno = *errno_value(*name);
      continue;
    }
    const auto twin = std::find_if(syscalls.groups.begin(), syscalls.groups.end(),
                                   [&](const SyscallGroup& group) { return group.name == entry.key; });
    if (twin != syscalls.groups.end()) {
      reader.error(entry.key_mark, "group " + quoted(entry.key, 60) + " stands already in " + twin->source);
      continue;
    }
    GroupReader(reader, syscalls, entry).read();
  }
  const auto bare = syscalls.allow.find("socket");
  if (bare != syscalls.allow.end() && bare->second.when.empty()) {
    reader.error(node, "socket is allowed without a condition", "test its family with \"in: network\"");
  }
}

void resolve_network(SyscallPolicy& syscalls, Network network) {
  const auto found = syscalls.allow.find("socket");
  if (found == syscalls.allow.end()) return;
  std::vector<std::string> families{"AF_UNIX"};
  if (network == Network::kLoopback) families.insert(families.end(), {"AF_INET", "AF_INET6"});
  for (Conjunction& alternative : found->second.when) {
    for (ArgumentTest& test : alternative) {
      if (!waits_for_network(test)) continue;
      test.names = families;
      for (const std::string& family : families) test.any_of.push_back(argument_value(family).value_or(0));
    }
  }
}

}  // namespace glovebox
