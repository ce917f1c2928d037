#include "core/plan/plan.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/plan/environment.h"
#include "core/plan/paths.h"
#include "core/policy/limit_fields.h"
#include "core/seccomp/seccomp.h"

namespace glovebox {
namespace {

using Reasons = std::map<std::string, std::string>;

// Linux: MAX_ARG_STRLEN of 32 pages for one string, with its final NUL, and a quarter of the usual 8 MiB
// stack for all of them.
constexpr std::size_t kMaxString = 32 * 4096 - 1;
constexpr std::size_t kMaxStrings = 2U << 20U;

// Each input is a mount, and is there twice while the runtime enters its root; Linux allows a namespace
// 100,000 (fs.mount-max). Their paths are what /proc/PID/mountinfo is read back with (shell/runtime).
constexpr std::size_t kMaxInputs = 40'000;

std::string show(const std::string& name, std::uint64_t value) {
  if (name == "cpus") return format_cpus(static_cast<MilliCpus>(value));
  if (name == "time") return format_duration(value);
  if (name == "processes" || name == "csv_rows") return std::to_string(value);
  return format_bytes(value);
}

// `asked` within `bound`, or its default.
template <class T>
Result<T> chosen(const std::string& name, const std::optional<T>& asked, const Bound<T>& bound,
                 Reasons& reasons, const std::string& field) {
  if (!asked.has_value()) {
    reasons[field] = "default of " + bound.source;
    return bound.fallback;
  }
  if (*asked == 0) return refused(name + " must be more than nothing");
  if (*asked > bound.most) {
    return refused(name + ": " + show(name, *asked) + " is more than the " + show(name, bound.most) +
                       " that " + bound.source + " allows",
                   "ask for at most " + show(name, bound.most));
  }
  reasons[field] = "asked for; at most " + show(name, bound.most) + " by " + bound.source;
  return *asked;
}

// A quota beyond the host is harmless and kept: the same request gives the same limit everywhere.
void note_host(const Limits& limits, const HostFacts& host, Reasons& reasons) {
  if (limits.cpus > std::uint64_t{host.cpus} * 1000) {
    reasons["limits.cpus"] += "; this host has " + std::to_string(host.cpus);
  }
  if (limits.memory > host.memory) reasons["limits.memory"] += "; this host has " + format_bytes(host.memory);
  if (limits.scratch_on == ScratchKind::kTmpfs)
    reasons["limits.scratch"] += "; in memory, so within limits.memory";
}

Result<Limits> plan_limits(const Request& request, const LimitPolicy& policy, const HostFacts& host,
                           Reasons& reasons) {
  Limits limits;
  limits.memory = TRY(chosen("memory", request.memory, policy.memory, reasons, "limits.memory"));
  limits.cpus = TRY(chosen("cpus", request.cpus, policy.cpus, reasons, "limits.cpus"));
  limits.processes =
      TRY(chosen("processes", std::optional<std::uint32_t>(), policy.processes, reasons, "limits.processes"));
  limits.time = TRY(chosen("time", request.time, policy.time, reasons, "limits.time"));
  limits.scratch = TRY(chosen("scratch", request.scratch, policy.scratch, reasons, "limits.scratch"));
  for_each_fixed_limit(
      [&](const char* name, auto& limit, const auto& fixed) {
        limit = fixed.value;
        reasons[std::string("limits.") + name] = fixed.source;
      },
      limits, policy);
  limits.scratch_on = policy.scratch_on.value;
  reasons["limits.scratch_on"] = policy.scratch_on.source;
  note_host(limits, host, reasons);
  return limits;
}

Result<OutputRules> plan_outputs(const Request& request, const OutputPolicy& policy, Reasons& reasons) {
  OutputRules rules;
  rules.extensions = policy.extensions;
  reasons["output_rules.extensions"] = policy.source;
  rules.file_bytes = TRY(
      chosen("file_bytes", request.output_file_bytes, policy.file_bytes, reasons, "output_rules.file_bytes"));
  rules.csv_rows =
      TRY(chosen("csv_rows", request.output_csv_rows, policy.csv_rows, reasons, "output_rules.csv_rows"));
  return rules;
}

// The first of crun and runc that the policy allows and the host has.
Result<std::string> choose_runtime(const Policy& policy, const HostFacts& host, Reasons& reasons) {
  std::vector<std::string> allowed;
  for (const auto& [name, source] : policy.runtimes) {
    if (host.runtimes.count(name) != 0) {
      reasons["runtime"] = source;
      return name;
    }
    allowed.push_back(name);
  }
  if (allowed.empty()) return refused("no runtime is allowed by both the policy and the site");
  return host_error("none of the runtimes that the policy allows is installed: " + join(allowed, ", "),
                    "install " + allowed.front() + " (scripts/setup installs all that is needed)");
}

// Limits that only a cgroup can hold. Without root there is none of ours; each is then given up by name, or
// the action does not start (G16).
Result<std::vector<std::string>> needed_waivers(const Policy& policy, const HostFacts& host,
                                                Reasons& reasons) {
  std::vector<std::string> waived;
  if (host.root && host.cgroup != "none") return waived;
  for (const char* what : {"cpu", "memory", "process"}) {
    const std::string token = std::string("unsafe_no_") + what + "_limit";
    const auto found = policy.waived.find(token);
    if (found == policy.waived.end()) {
      return refused(
          std::string("this host cannot hold the ") + what + " limit: it needs root and control groups",
          "run as root, or give the limit up with \"waive: [" + token + "]\" in policies/local.yaml");
    }
    waived.push_back(token);
    reasons["waived." + token] = found->second;
  }
  return waived;
}

Status check_strings(const std::vector<std::string>& argv,
                     const std::map<std::string, std::string>& environment) {
  std::size_t total = 0;
  const auto check = [&](const std::string& text, std::size_t extra, const std::string& what) -> Status {
    if (text.find('\0') != std::string::npos) return refused(what + " has a NUL byte");
    if (text.size() + extra > kMaxString) return refused(what + " is longer than 131,071 bytes");
    total += text.size() + extra + 1 + sizeof(char*);
    return {};
  };
  for (std::size_t i = 0; i < argv.size(); ++i) TRY(check(argv[i], 0, "argument " + std::to_string(i)));
  for (const auto& [name, value] : environment) {
    TRY(check(value, name.size() + 1, "environment variable " + quoted(name, 60)));
  }
  if (total > kMaxStrings) return refused("arguments and environment are together longer than 2 MiB");
  return {};
}

// Entry point and arguments; the image's own command where there are no arguments, as OCI images mean it.
Result<std::vector<std::string>> plan_argv(const Request& request, const ImageInfo& image) {
  std::vector<std::string> argv = image.entrypoint;
  const std::vector<std::string>& rest = request.args.empty() ? image.command : request.args;
  argv.insert(argv.end(), rest.begin(), rest.end());
  if (argv.empty()) {
    return refused("there is nothing to run: no arguments, and the image has no entry point",
                   "give a command after the image's name");
  }
  if (argv.front().empty()) return refused("the name of the program to run is empty");
  return argv;
}

// Sorted, each path once (two actions that produced the same file leave open which one is meant), and none
// below another, which is a file.
Result<std::vector<InputFile>> plan_inputs(std::vector<InputFile> inputs) {
  const char* hint = "let the actions before it write fewer files, or shorter names";
  if (inputs.size() > kMaxInputs) return refused("there are more than 40,000 inputs", hint);
  std::size_t bytes = 0;
  for (const InputFile& input : inputs) bytes += input.path.str().size();
  if (bytes > kMaxInputPaths) return refused("the paths of the inputs are together longer than 16 MiB", hint);
  std::sort(inputs.begin(), inputs.end(),
            [](const InputFile& a, const InputFile& b) { return a.path < b.path; });
  std::set<std::string_view> files;
  for (const InputFile& input : inputs) {
    if (!files.insert(input.path.str()).second) {
      return refused("input " + quoted(input.path.str(), 200) + " is given twice");
    }
  }
  for (const InputFile& input : inputs) {
    const std::string_view path = input.path.str();
    for (std::size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', slash + 1)) {
      if (files.count(path.substr(0, slash)) == 0) continue;
      return refused("input " + quoted(path, 200) + " lies below another input, which is a file");
    }
  }
  return inputs;
}

Status check_fit(const Request& request, const Policy& policy) {
  const auto& images = policy.images;
  if (std::find(images.begin(), images.end(), request.image.name) == images.end()) {
    return refused("the policy " + policy.name + " is not for the image " + quoted(request.image.name, 60));
  }
  if (request.database) {
    return refused("no policy allows access to a database",
                   "run the action that extracts the data elsewhere, and give its output as an input");
  }
  return {};
}

void explain(const Policy& policy, const Policy& site, Plan& plan) {
  plan.reasons["network"] = policy.network.source;
  plan.reasons["policy"] = policy.source + ", within " + site.source;
  plan.reasons["seccomp"] = "the system calls of " + policy.source + ", within " + site.source;
  plan.reasons["masked_paths"] = "fixed: they tell of the host, or reach into it";
  plan.reasons["readonly_paths"] = "fixed: settings of the kernel";
  plan.reasons["image"] = "asked for; " + policy.name + " is the policy that names it";
  plan.reasons["argv"] = "the image's entry point and the request's arguments";
}

}  // namespace

Result<Plan> make_plan(const Request& request, const Policy& policy, const Policy& site,
                       const ImageInfo& image, const HostFacts& host) {
  const Policy in_force = narrowed(policy, site);
  Plan plan;
  TRY(check_fit(request, in_force));
  plan.workspace = request.workspace;
  plan.action = request.action;
  plan.image = image;
  plan.argv = TRY(plan_argv(request, image));
  plan.network = in_force.network.value;
  plan.limits = TRY(plan_limits(request, in_force.limits, host, plan.reasons));
  const unsigned cpus = whole_cpus(plan.limits.cpus, host.cpus);
  plan.environment = TRY(plan_environment(request.environment, in_force, image, cpus, plan.reasons));
  TRY(check_strings(plan.argv, plan.environment));
  plan.seccomp = TRY(seccomp_config(in_force.syscalls));
  plan.masked_paths = masked_paths();
  plan.readonly_paths = readonly_paths();
  plan.code = request.code;
  plan.repository = request.repository;
  plan.commit = request.commit;
  plan.inputs = TRY(plan_inputs(request.inputs));
  plan.outputs = request.outputs;
  plan.collect_everything = request.collect_everything;
  plan.output_rules = TRY(plan_outputs(request, in_force.outputs, plan.reasons));
  plan.runtime = TRY(choose_runtime(in_force, host, plan.reasons));
  plan.policy = in_force.name;
  plan.policy_digest = policy_digest(in_force);
  plan.waived = TRY(needed_waivers(in_force, host, plan.reasons));
  explain(in_force, site, plan);
  return plan;
}

}  // namespace glovebox
