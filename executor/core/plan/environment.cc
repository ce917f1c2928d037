#include "core/plan/environment.h"

#include <algorithm>

#include "core/base/text.h"

namespace glovebox {
namespace {

Status check_asked(const std::string& name, const Policy& policy) {
  const EnvironmentPolicy& environment = policy.environment;
  const std::string shown = "environment variable " + quoted(name, 60);
  if (policy.secrets.count(name) != 0) {
    return refused(shown + " is a secret of the policy " + policy.name,
                   "hand its value over by descriptor, never in a request");
  }
  const auto set = environment.set.find(name);
  const auto count = environment.cpu_count.find(name);
  if (set != environment.set.end()) return refused(shown + " is set by " + set->second.source);
  if (count != environment.cpu_count.end())
    return refused(shown + " follows the CPU limit, by " + count->second);
  if (environment.pass.count(name) != 0) return {};
  std::vector<std::string> names;
  for (const auto& [passed, source] : environment.pass) names.push_back(passed);
  return refused(shown + " is not passed by the policy " + policy.name,
                 names.empty() ? "it passes none" : "it passes " + join(names, ", "));
}

}  // namespace

unsigned whole_cpus(MilliCpus limit, unsigned host_cpus) {
  const unsigned wanted = std::max(1U, (limit + 999) / 1000);
  return host_cpus == 0 ? wanted : std::min(wanted, host_cpus);
}

Result<std::map<std::string, std::string>> plan_environment(const std::map<std::string, std::string>& asked,
                                                            const Policy& policy, const ImageInfo& image,
                                                            unsigned cpus,
                                                            std::map<std::string, std::string>& reasons) {
  std::map<std::string, std::string> result;
  const auto put = [&](const std::string& name, const std::string& value, const std::string& reason) {
    result[name] = value;
    reasons["environment." + name] = reason;
  };
  for (const auto& [name, value] : image.environment) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      return refused("the image has an environment variable with an impossible name: " + quoted(name, 60));
    }
    put(name, value, "the image");
  }
  for (const auto& [name, value] : asked) {
    TRY(check_asked(name, policy));
    put(name, value, "asked for; passed by " + policy.environment.pass.at(name));
  }
  for (const auto& [name, value] : policy.environment.set) put(name, value.value, value.source);
  for (const auto& [name, source] : policy.environment.cpu_count) {
    put(name, std::to_string(cpus), source + ": follows limits.cpus");
  }
  return result;
}

}  // namespace glovebox
