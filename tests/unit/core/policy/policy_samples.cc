#include "tests/unit/core/policy/policy_samples.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace glovebox::test {
namespace {

template <class T>
void randomise(Random& random, Bound<T>& bound, const std::string& source) {
  bound.most = static_cast<T>(1 + below(random, 6));
  bound.fallback = static_cast<T>(1 + below(random, bound.most));
  bound.source = source;
}

template <class T>
void randomise(Random& random, Fixed<T>& fixed, const std::string& source) {
  fixed = {static_cast<T>(1 + below(random, 6)), source};
}

LimitPolicy random_limits(Random& random, const std::string& source) {
  LimitPolicy limits;
  randomise(random, limits.memory, source);
  randomise(random, limits.cpus, source);
  randomise(random, limits.processes, source);
  randomise(random, limits.time, source);
  randomise(random, limits.grace, source);
  randomise(random, limits.scratch, source);
  randomise(random, limits.scratch_inodes, source);
  limits.scratch_on = {chance(random, 50) ? ScratchKind::kDisk : ScratchKind::kTmpfs, source};
  randomise(random, limits.tmp, source);
  randomise(random, limits.shm, source);
  randomise(random, limits.log, source);
  randomise(random, limits.output_files, source);
  randomise(random, limits.output_bytes, source);
  randomise(random, limits.open_files, source);
  randomise(random, limits.file_size, source);
  return limits;
}

ArgumentTest random_test(Random& random) {
  static constexpr std::array<std::uint64_t, 6> kMasks{0x3, 0x6, 0xf, 0x3f, 0xffff, 0xffffffffffffffff};
  ArgumentTest test;
  test.index = static_cast<unsigned>(below(random, 3));
  test.mask = kMasks.at(below(random, kMasks.size()));
  std::set<std::uint64_t> values;
  for (std::uint64_t n = 1 + below(random, 3); n > 0; --n) values.insert(below(random, 8) & test.mask);
  for (const std::uint64_t value : values) {
    test.any_of.push_back(value);
    test.names.push_back(std::to_string(value));
  }
  return test;
}

AllowRule random_rule(Random& random, const std::string& source) {
  AllowRule rule{{}, 0, source};
  if (chance(random, 40)) return rule;
  rule.refusal_errno = chance(random, 50) ? 1 : 97;
  for (std::uint64_t alternatives = 1 + below(random, 2); alternatives > 0; --alternatives) {
    Conjunction all;
    for (std::uint64_t tests = 1 + below(random, 2); tests > 0; --tests) {
      const ArgumentTest test = random_test(random);
      const bool twice = std::any_of(all.begin(), all.end(), [&](const ArgumentTest& other) {
        return other.index == test.index && other.mask == test.mask;
      });
      if (!twice) all.push_back(test);
    }
    rule.when.push_back(all);
  }
  return rule;
}

SyscallPolicy random_syscalls(Random& random, const std::string& source) {
  SyscallPolicy syscalls;
  syscalls.unknown_errno = 38;
  SyscallGroup allows{"allows", "random", source, {}, {}, {}};
  SyscallGroup refuses{"refuses", "random", source, {}, {}, {}};
  for (const std::string& name : sample_syscalls()) {
    const std::uint64_t kind = below(random, 10);
    if (kind < 6) {
      syscalls.allow[name] = random_rule(random, source);
      allows.allows.push_back(name);
    } else if (kind < 8) {
      syscalls.refuse[name] = chance(random, 50) ? 1 : 38;
      refuses.refuses.push_back(name);
    }
  }
  if (!allows.allows.empty()) syscalls.groups.push_back(allows);
  if (!refuses.refuses.empty()) syscalls.groups.push_back(refuses);
  return syscalls;
}

std::map<std::string, Source> random_names(Random& random, const std::string& source,
                                           const std::vector<std::string>& names) {
  std::map<std::string, Source> chosen;
  for (const std::string& name : names) {
    if (chance(random, 60)) chosen[name] = source;
  }
  return chosen;
}

EnvironmentPolicy random_environment(Random& random, const std::string& source) {
  EnvironmentPolicy environment;
  for (const char* name : {"A", "B", "C", "D", "E", "F"}) {
    const std::uint64_t kind = below(random, 5);
    if (kind < 2) environment.pass[name] = source;
    if (kind == 2) environment.set[name] = {std::string(chance(random, 50) ? "x" : "y"), source};
    if (kind == 3) environment.cpu_count[name] = source;
  }
  return environment;
}

}  // namespace

std::map<std::string, std::string> shipped_policy_files() {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(GLOVEBOX_SOURCE_DIR "/policies")) {
    if (entry.path().extension() != ".yaml") continue;
    std::ifstream stream(entry.path());
    files[entry.path().filename()] = {std::istreambuf_iterator<char>(stream), {}};
  }
  return files;
}

PolicySet shipped_policies() {
  PolicyLoad load = load_policies(shipped_policy_files(), "policies");
  for (const Error& error : load.errors) FAIL(error.where << ": " << error.message << "\n" << error.excerpt);
  return std::move(load.set);
}

std::uint64_t below(Random& random, std::uint64_t limit) {
  return random() % limit;
}

bool chance(Random& random, unsigned percent) {
  return below(random, 100) < percent;
}

Policy random_policy(Random& random, const std::string& name) {
  const std::string source = "policies/" + name + ".yaml:1";
  Policy policy;
  policy.name = name;
  policy.summary = "random";
  policy.source = source;
  policy.network = {chance(random, 50) ? Network::kNone : Network::kLoopback, source};
  policy.environment = random_environment(random, source);
  policy.limits = random_limits(random, source);
  policy.syscalls = random_syscalls(random, source);
  policy.secrets = random_names(random, source, {"STATA_LICENSE", "TOKEN"});
  policy.runtimes = random_names(random, source, {"crun", "runc"});
  for (const auto& [extension, unused] : random_names(random, source, {".csv", ".png", ".txt"})) {
    policy.outputs.extensions.insert(extension);
  }
  policy.outputs.name = "opensafely-level4";
  policy.outputs.source = source;
  randomise(random, policy.outputs.file_bytes, source);
  randomise(random, policy.outputs.csv_rows, source);
  policy.waived = random_names(random, source, {"unsafe_no_memory_limit", "unsafe_no_cpu_limit"});
  return policy;
}

Arguments interesting_arguments(Random& random, const std::vector<const AllowRule*>& rules) {
  Arguments arguments{};
  for (std::uint64_t& argument : arguments) argument = chance(random, 50) ? below(random, 8) : random();
  std::vector<const ArgumentTest*> tests;
  for (const AllowRule* rule : rules) {
    for (const Conjunction& alternative : rule->when) {
      const bool whole = chance(random, 50);  // satisfy it, or nearly
      for (const ArgumentTest& test : alternative) {
        if (whole || chance(random, 50)) tests.push_back(&test);
      }
    }
  }
  for (const ArgumentTest* test : tests) {
    std::uint64_t& argument = arguments.at(test->index);
    const std::uint64_t value = test->any_of.at(below(random, test->any_of.size()));
    argument = value | (chance(random, 50) ? random() & ~test->mask : 0);
  }
  if (chance(random, 40)) arguments.at(below(random, 6)) ^= 1ULL << below(random, 64);
  return arguments;
}

const std::vector<std::string>& sample_syscalls() {
  static const std::vector<std::string> kNames{"read",  "write", "ioctl",  "socket", "clone",  "prctl",
                                               "mount", "chmod", "keyctl", "bpf",    "openat", "kill"};
  return kNames;
}

}  // namespace glovebox::test
