#include <algorithm>
#include <array>
#include <cstdio>

#include "core/policy/constants.h"
#include "core/policy/limit_fields.h"
#include "core/policy/load.h"

namespace glovebox {
namespace {

std::string hex(std::uint64_t value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "0x%llx", static_cast<unsigned long long>(value));
  return buffer.data();
}

template <class Map>
Json keys(const Map& map) {
  Json list = Json::array();
  for (const auto& [name, unused] : map) list.push_back(name);
  return list;
}

Json environment_json(const EnvironmentPolicy& environment) {
  Json set = Json::object();
  for (const auto& [name, value] : environment.set) set[name] = value.value;
  return {{"pass", keys(environment.pass)}, {"set", set}, {"cpu_count", keys(environment.cpu_count)}};
}

Json limits_json(const LimitPolicy& limits) {
  Json json = Json::object();
  for_each_chosen_limit(
      [&](const char* name, const auto& bound) {
        json[name] = {{"default", bound.fallback}, {"max", bound.most}};
      },
      limits);
  for_each_fixed_limit([&](const char* name, const auto& fixed) { json[name] = fixed.value; }, limits);
  json["scratch_on"] = limits.scratch_on.value == ScratchKind::kDisk ? "disk" : "tmpfs";
  return json;
}

// Values as hex strings: JSON readers round numbers past 2^53.
Json test_json(const ArgumentTest& test) {
  Json values = Json::array();
  for (const std::uint64_t value : test.any_of) values.push_back(hex(value));
  return {{"arg", test.index}, {"mask", hex(test.mask)}, {"in", values}, {"names", test.names}};
}

Json rule_json(const AllowRule& rule) {
  Json alternatives = Json::array();
  for (const auto& alternative : rule.when) {
    Json all = Json::array();
    for (const ArgumentTest& test : alternative) all.push_back(test_json(test));
    alternatives.push_back(all);
  }
  return {{"any", alternatives}, {"else", errno_name(rule.refusal_errno)}};
}

Json syscalls_json(const SyscallPolicy& syscalls) {
  Json always = Json::array();
  Json conditional = Json::object();
  for (const auto& [name, rule] : syscalls.allow) {
    if (rule.when.empty()) {
      always.push_back(name);
    } else {
      conditional[name] = rule_json(rule);
    }
  }
  Json refused = Json::object();
  for (const auto& [name, error] : syscalls.refuse) refused[name] = errno_name(error);
  Json groups = Json::array();
  for (const SyscallGroup& group : syscalls.groups) {
    groups.push_back({{"name", group.name},
                      {"because", group.because},
                      {"allows", group.allows},
                      {"refuses", group.refuses},
                      {"why", Json(group.why)}});
  }
  return {{"allow", always},
          {"allow_where", conditional},
          {"refuse", refused},
          {"unknown", errno_name(syscalls.unknown_errno)},
          {"groups", groups}};
}

Json outputs_json(const OutputPolicy& outputs) {
  return {{"rules", outputs.name},
          {"extensions", Json(outputs.extensions)},
          {"file_bytes", {{"default", outputs.file_bytes.fallback}, {"max", outputs.file_bytes.most}}},
          {"csv_rows", {{"default", outputs.csv_rows.fallback}, {"max", outputs.csv_rows.most}}}};
}

}  // namespace

Json policy_json(const Policy& policy) {
  Json json = Json::object();
  json["policy"] = policy.name;
  json["summary"] = policy.summary;
  json["images"] = policy.images;
  json["network"] = policy.network.value == Network::kNone ? "none" : "loopback";
  json["runtimes"] = keys(policy.runtimes);
  json["secrets"] = keys(policy.secrets);
  json["environment"] = environment_json(policy.environment);
  json["limits"] = limits_json(policy.limits);
  json["outputs"] = outputs_json(policy.outputs);
  json["waived"] = keys(policy.waived);
  json["syscalls"] = syscalls_json(policy.syscalls);
  return json;
}

Digest policy_digest(const Policy& policy) {
  return Digest::of(dump_json(policy_json(policy)));
}

}  // namespace glovebox
