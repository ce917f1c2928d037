// The policies as they ship.
#include <doctest/doctest.h>

#include <fstream>

#include "core/base/text.h"
#include "core/seccomp/seccomp.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

// What strace saw in real workloads (python, R and shell images), one name in a line.
std::set<std::string> measured() {
  std::ifstream stream(GLOVEBOX_SOURCE_DIR "/tests/vectors/syscalls-measured.txt");
  std::set<std::string> names;
  for (std::string line; std::getline(stream, line);) names.insert(line);
  return names;
}

std::vector<Policy> all_of(const PolicySet& set) {
  std::vector<Policy> all{set.site, set.local};
  for (const auto& [name, policy] : set.images) all.push_back(policy);
  return all;
}

TEST_CASE("G5: every allowed call is one that a workload makes, or has a reason of its own") {
  const std::set<std::string> seen = measured();
  REQUIRE(seen.size() == 138);
  for (const Policy& policy : all_of(test::shipped_policies())) {
    CAPTURE(policy.name);
    std::set<std::string> in_groups;
    for (const SyscallGroup& group : policy.syscalls.groups) {
      CHECK(group.because.size() > 20);
      for (const std::string& name : group.allows) {
        CAPTURE(name);
        CHECK(in_groups.insert(name).second);
        CHECK((seen.count(name) == 1 || group.why.count(name) == 1));
        CHECK_FALSE((seen.count(name) == 1 && group.why.count(name) == 1));  // a reason nobody needs
        CHECK(policy.syscalls.allow.count(name) == 1);
      }
    }
    CHECK(in_groups.size() == policy.syscalls.allow.size());
  }
}

TEST_CASE("every call that a workload makes is allowed, or refused on purpose") {
  const std::set<std::string> refused_on_purpose{"clone3", "mbind"};
  const PolicySet set = test::shipped_policies();
  const Policy python = narrowed(set.images.at("python"), set.site);
  for (const std::string& name : measured()) {
    CAPTURE(name);
    CHECK(python.syscalls.allow.count(name) == (refused_on_purpose.count(name) == 0 ? 1 : 0));
  }
}

TEST_CASE("our first process may make the calls it is written with") {
  const PolicySet set = test::shipped_policies();
  for (const auto& [name, image] : set.images) {
    const Policy policy = narrowed(image, set.local);
    for (const char* call :
         {"read",       "write",        "close",          "poll",         "ppoll",     "recvmsg",
          "sendmsg",    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "signalfd4", "wait4",
          "waitid",     "kill",         "fork",           "vfork",        "execve",    "setsid",
          "exit_group", "fcntl",        "dup2",           "close_range",  "getpid"}) {
      CAPTURE(call);
      CHECK(decide(policy.syscalls, call, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}).allowed);
    }
    CHECK(decide(policy.syscalls, "clone", {0x1200011})
              .allowed);                                      // fork(): SIGCHLD, set and clear the child's id
    CHECK(decide(policy.syscalls, "prctl", {4, 0}).allowed);  // PR_SET_DUMPABLE
    CHECK(decide(policy.syscalls, "prctl", {15}).allowed);    // PR_SET_NAME
  }
}

TEST_CASE("each image has one policy, with the network it needs") {
  const PolicySet set = test::shipped_policies();
  CHECK(policy_for_image(set, "python").value()->name == "python");
  CHECK(policy_for_image(set, "r").value()->name == "r");
  CHECK(policy_for_image(set, "minimal").value()->name == "shell");
  CHECK(set.images.at("python").network.value == Network::kLoopback);
  CHECK(set.images.at("r").network.value == Network::kLoopback);
  CHECK(set.images.at("shell").network.value == Network::kNone);
  CHECK(set.images.at("base").images.empty());
  const auto none = policy_for_image(set, "nginx");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().kind == ErrorKind::kRefused);
  CHECK(none.error().message == "no policy fits the image \"nginx\"");
}

TEST_CASE("the ceilings leave the shipped image policies as they are, but for what local.yaml lowers") {
  const PolicySet set = test::shipped_policies();
  for (const char* name : {"python", "r", "shell"}) {
    CAPTURE(name);
    const Policy& image = set.images.at(name);
    CHECK(dump_json(policy_json(narrowed(image, set.site))) == dump_json(policy_json(image)));
    const Policy local = narrowed(image, set.local);
    CHECK(local.limits.scratch_on.value == ScratchKind::kTmpfs);
    CHECK(local.limits.memory.most == 16ULL << 30U);
    CHECK(local.limits.memory.fallback == 4ULL << 30U);
    CHECK(local.environment.set.at("HOME").value == "/tmp");
    CHECK(local.waived.empty());
  }
}

TEST_CASE("the level 4 rules of the shipped policies are those of OpenSAFELY") {
  const OutputPolicy outputs = test::shipped_policies().images.at("python").outputs;
  CHECK(outputs.name == "opensafely-level4");
  CHECK(outputs.extensions == std::set<std::string>{".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html",
                                                    ".txt", ".log", ".json", ".md"});
  CHECK(outputs.file_bytes.most == 16U << 20U);
  CHECK(outputs.csv_rows.most == 5000);
}

TEST_CASE("sources name the file and the line, so that a plan can be followed back") {
  const PolicySet set = test::shipped_policies();
  const auto files = test::shipped_policy_files();
  const auto line = [&](const std::string& source) {
    const std::size_t slash = source.find('/');
    const std::size_t colon = source.find(':');
    const auto lines = split(files.at(source.substr(slash + 1, colon - slash - 1)), '\n');
    return std::string(lines.at(static_cast<std::size_t>(std::stoi(source.substr(colon + 1))) - 1));
  };
  const Policy& python = set.images.at("python");
  CHECK(line(python.network.source).starts_with("network: loopback"));
  CHECK(line(python.limits.memory.source).starts_with("  memory: {default: 4GiB"));
  CHECK(line(python.environment.set.at("MPLBACKEND").source).starts_with("    MPLBACKEND: Agg"));
  CHECK(line(python.environment.cpu_count.at("OMP_NUM_THREADS")).starts_with("    - OMP_NUM_THREADS"));
  CHECK(line(python.syscalls.allow.at("clone").source).starts_with("      clone:"));
  CHECK(line(python.syscalls.allow.at("futex").source).find("futex") != std::string::npos);
}

}  // namespace
}  // namespace glovebox
