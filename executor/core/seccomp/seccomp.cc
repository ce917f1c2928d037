#include "core/seccomp/seccomp.h"

#include <seccomp.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "core/base/text.h"
#include "core/policy/conditions.h"
#include "core/seccomp/cubes.h"

namespace glovebox {
namespace {

// Native numbers of x86_64 end at 600 with room to spare (466 in Linux 6.18; x32 has its own from 512 on).
constexpr int kHighestNumber = 600;
// More rules for one call would be a policy that nobody meant, and slow to load.
constexpr std::size_t kMaxRules = 1000;

Json comparisons(const Cube& cube) {
  Json args = Json::array();
  for (std::size_t i = 0; i < cube.mask.size(); ++i) {
    if (cube.mask.at(i) == 0) continue;
    args.push_back({{"index", i},
                    {"value", cube.mask.at(i)},
                    {"valueTwo", cube.value.at(i)},
                    {"op", "SCMP_CMP_MASKED_EQ"}});
  }
  return args;
}

Json allow_entry(const std::vector<std::string>& names) {
  return {{"names", names}, {"action", "SCMP_ACT_ALLOW"}};
}

Json refuse_entry(const std::vector<std::string>& names, int error) {
  return {{"names", names}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", error}};
}

// Allowing and refusing entries that together say something about every argument; the refusing ones are left
// out where they say what the default says (runtimes skip those, and libseccomp refuses them).
Status add_conditional(Json& entries, const std::string& name, const AllowRule& rule, int default_errno) {
  const auto too_many = [&] {
    return invalid("the conditions of the system call " + name + " need more than 1,000 rules");
  };
  const auto allowed = satisfying(rule.when, kMaxRules);
  if (!allowed) return too_many();
  for (const Cube& cube : *allowed) {
    Json entry = allow_entry({name});
    entry["args"] = comparisons(cube);
    entries.push_back(entry);
  }
  if (rule.refusal_errno == default_errno) return {};
  const auto others = refusing(rule.when, kMaxRules);
  if (!others) return too_many();
  for (const Cube& cube : *others) {
    Json entry = refuse_entry({name}, rule.refusal_errno);
    entry["args"] = comparisons(cube);
    entries.push_back(entry);
  }
  return {};
}

}  // namespace

SyscallDecision decide(const SyscallPolicy& policy, std::string_view name,
                       const std::array<std::uint64_t, 6>& arguments) {
  const std::string key(name);
  if (const auto refusal = policy.refuse.find(key); refusal != policy.refuse.end()) {
    return {false, refusal->second};
  }
  const auto rule = policy.allow.find(key);
  if (rule == policy.allow.end()) return {false, policy.unknown_errno};
  if (holds(rule->second.when, arguments)) return {true, 0};
  return {false, rule->second.refusal_errno};
}

Result<Json> seccomp_config(const SyscallPolicy& policy) {
  std::vector<std::string> always;
  std::map<int, std::vector<std::string>> never;
  Json conditional = Json::array();
  const auto unknown = [](const std::string& name) {
    return invalid("the system call " + quoted(name, 60) + " is not known to the installed libseccomp");
  };
  for (const auto& [name, error] : policy.refuse) {
    if (!syscall_known(name)) return unknown(name);
    if (error != policy.unknown_errno) never[error].push_back(name);
  }
  for (const auto& [name, rule] : policy.allow) {
    if (!syscall_known(name)) return unknown(name);
    if (policy.refuse.count(name) != 0)
      return invalid("the system call " + name + " is both allowed and refused");
    if (rule.when.empty()) {
      always.push_back(name);
    } else {
      TRY(add_conditional(conditional, name, rule, policy.unknown_errno));
    }
  }
  Json entries = Json::array();
  if (!always.empty()) entries.push_back(allow_entry(always));
  for (const auto& [error, names] : never) entries.push_back(refuse_entry(names, error));
  for (const Json& entry : conditional) entries.push_back(entry);
  return Json{{"defaultAction", "SCMP_ACT_ERRNO"},
              {"defaultErrnoRet", policy.unknown_errno},
              {"architectures", Json::array({"SCMP_ARCH_X86_64"})},
              {"syscalls", entries}};
}

bool syscall_known(const std::string& name) {
  // Negative numbers stand for calls of other architectures, or for none.
  return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name.c_str()) >= 0;
}

std::vector<std::string> native_syscalls() {
  std::vector<std::string> names;
  for (int number = 0; number <= kHighestNumber; ++number) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    if (name != nullptr) names.emplace_back(name);
    std::free(name);  // libseccomp allocates it for us
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace glovebox
