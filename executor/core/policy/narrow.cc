#include <algorithm>

#include "core/policy/conditions.h"
#include "core/policy/limit_fields.h"
#include "core/policy/policy.h"

namespace glovebox {
namespace {

// The smaller of the two; the image's where they are equal, so that its source stays.
template <class T>
void narrow_bound(Bound<T>& mine, const Bound<T>& site) {
  if (site.most < mine.most) {
    mine.most = site.most;
    mine.source = site.source;
  }
  mine.fallback = std::min({mine.fallback, site.fallback, mine.most});
}

template <class T>
void narrow_fixed(Fixed<T>& mine, const Fixed<T>& site) {
  if (site.value < mine.value) mine = site;
}

void narrow_limits(LimitPolicy& mine, const LimitPolicy& site) {
  for_each_chosen_limit([](const char*, auto& bound, const auto& other) { narrow_bound(bound, other); }, mine,
                        site);
  for_each_fixed_limit([](const char*, auto& fixed, const auto& other) { narrow_fixed(fixed, other); }, mine,
                       site);
  // A tmpfs is the narrower of the two: its bytes count towards the memory limit as well.
  if (site.scratch_on.value == ScratchKind::kTmpfs && mine.scratch_on.value != ScratchKind::kTmpfs) {
    mine.scratch_on = site.scratch_on;
  }
}

template <class Map>
void keep_common(Map& mine, const Map& other) {
  std::erase_if(mine, [&](const auto& entry) { return other.count(entry.first) == 0; });
}

void narrow_environment(EnvironmentPolicy& mine, const EnvironmentPolicy& site) {
  keep_common(mine.pass, site.pass);
  for (const auto& [name, value] : site.set) mine.set.insert_or_assign(name, value);
  for (const auto& [name, source] : site.cpu_count) mine.cpu_count.emplace(name, source);
  std::erase_if(mine.cpu_count, [&](const auto& entry) { return mine.set.count(entry.first) != 0; });
  std::erase_if(mine.pass, [&](const auto& entry) {
    return mine.set.count(entry.first) != 0 || mine.cpu_count.count(entry.first) != 0;
  });
}

// The errno with which one of the two refuses a call that they do not both allow.
int errno_of_refusal(const SyscallPolicy& image, const SyscallPolicy& site, const std::string& name) {
  for (const SyscallPolicy* part : {&image, &site}) {
    const auto found = part->refuse.find(name);
    if (found != part->refuse.end()) return found->second;
  }
  return image.unknown_errno;
}

// Allowed only where both allow it; otherwise among the refusals.
void narrow_rule(SyscallPolicy& result, const std::string& name, const SyscallPolicy& image,
                 const SyscallPolicy& site) {
  const auto mine = image.allow.find(name);
  const auto other = site.allow.find(name);
  if (mine == image.allow.end() || other == site.allow.end()) {
    const int error = errno_of_refusal(image, site, name);
    const bool named = image.refuse.count(name) != 0 || site.refuse.count(name) != 0;
    if (named || error != result.unknown_errno) result.refuse[name] = error;
    return;
  }
  const AllowRule& decider = mine->second.when.empty() ? other->second : mine->second;
  const auto when = both(mine->second.when, other->second.when);
  if (!when.has_value()) {
    result.refuse[name] = decider.refusal_errno;
    return;
  }
  result.allow[name] = {*when, when->empty() ? 0 : decider.refusal_errno, decider.source};
}

void narrow_groups(std::vector<SyscallGroup>& groups, const SyscallPolicy& site,
                   const std::map<std::string, AllowRule>& allowed) {
  for (SyscallGroup& group : groups) {
    const auto gone = [&](const std::string& name) { return allowed.count(name) == 0; };
    std::erase_if(group.allows, gone);
    std::erase_if(group.why, [&](const auto& entry) { return gone(entry.first); });
  }
  std::erase_if(groups, [](const SyscallGroup& g) { return g.allows.empty() && g.refuses.empty(); });
  for (const SyscallGroup& group : site.groups) {
    const bool there = std::any_of(groups.begin(), groups.end(),
                                   [&](const SyscallGroup& mine) { return mine.name == group.name; });
    if (!there && !group.refuses.empty()) groups.push_back(group);
  }
}

SyscallPolicy narrowed_syscalls(const SyscallPolicy& image, const SyscallPolicy& site) {
  SyscallPolicy result;
  result.unknown_errno = image.unknown_errno;
  std::set<std::string> names;
  for (const SyscallPolicy* part : {&image, &site}) {
    for (const auto& [name, unused] : part->allow) names.insert(name);
    for (const auto& [name, unused] : part->refuse) names.insert(name);
  }
  for (const std::string& name : names) narrow_rule(result, name, image, site);
  result.groups = image.groups;
  narrow_groups(result.groups, site, result.allow);
  return result;
}

void narrow_outputs(OutputPolicy& mine, const OutputPolicy& site) {
  const std::size_t before = mine.extensions.size();
  std::erase_if(mine.extensions, [&](const std::string& e) { return site.extensions.count(e) == 0; });
  if (mine.extensions.size() != before) mine.source = site.source;
  narrow_bound(mine.file_bytes, site.file_bytes);
  narrow_bound(mine.csv_rows, site.csv_rows);
}

}  // namespace

Policy narrowed(const Policy& image, const Policy& site) {
  Policy result = image;
  if (site.network.value == Network::kNone && result.network.value != Network::kNone) {
    result.network = site.network;
  }
  narrow_environment(result.environment, site.environment);
  narrow_limits(result.limits, site.limits);
  result.syscalls = narrowed_syscalls(image.syscalls, site.syscalls);
  keep_common(result.secrets, site.secrets);
  keep_common(result.runtimes, site.runtimes);
  narrow_outputs(result.outputs, site.outputs);
  result.waived = site.waived;  // only the operator can waive a guarantee
  return result;
}

}  // namespace glovebox
