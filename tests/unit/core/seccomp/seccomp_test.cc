#include "core/seccomp/seccomp.h"

#include <doctest/doctest.h>
#include <linux/audit.h>
#include <seccomp.h>

#include <cstdlib>

#include "tests/unit/core/policy/policy_samples.h"
#include "tests/unit/core/seccomp/compiled_filter.h"

namespace glovebox {
namespace {

using test::Answer;
using test::CompiledFilter;
using test::Random;

constexpr std::uint32_t kX32Bit = 0x40000000;

std::string native_name(int number) {
  char* text = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
  std::string name = text == nullptr ? "" : text;
  std::free(text);
  return name;
}

CompiledFilter compiled(const SyscallPolicy& policy) {
  const auto config = seccomp_config(policy);
  REQUIRE(config.ok());
  auto filter = CompiledFilter::compile(config.value());
  if (!filter.ok()) FAIL(filter.error().message);
  return std::move(filter).value();
}

void compare(const CompiledFilter& filter, const SyscallPolicy& policy, int number, const std::string& name,
             const Arguments& arguments) {
  const SyscallDecision expected = decide(policy, name, arguments);
  const Answer answer = filter.run(AUDIT_ARCH_X86_64, static_cast<std::uint32_t>(number), arguments);
  const std::uint32_t action = expected.allowed ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO;
  if (answer.action == action && answer.error == expected.error) return;
  FAIL("syscall " << number << " " << name << "(" << std::hex << arguments[0] << ", " << arguments[1] << ", "
                  << arguments[2] << ", " << arguments[3] << ", " << arguments[4] << ", " << arguments[5]
                  << std::dec << "): the filter answers action " << answer.action << " errno " << answer.error
                  << ", decide() " << expected.allowed << " errno " << expected.error);
}

// Each value that the rule compares with; each with one bit changed; each with all other bits set.
void compare_borders(const CompiledFilter& filter, const SyscallPolicy& policy, int number,
                     const std::string& name, const AllowRule& rule) {
  for (const Conjunction& alternative : rule.when) {
    Arguments base{};
    for (const ArgumentTest& test : alternative) base.at(test.index) |= test.any_of.front();
    for (const ArgumentTest& test : alternative) {
      for (const std::uint64_t value : test.any_of) {
        Arguments arguments = base;
        arguments.at(test.index) = value;
        compare(filter, policy, number, name, arguments);
        arguments.at(test.index) = value | ~test.mask;
        compare(filter, policy, number, name, arguments);
        for (unsigned bit = 0; bit < 64; ++bit) {
          arguments.at(test.index) = value ^ (1ULL << bit);
          compare(filter, policy, number, name, arguments);
        }
      }
    }
  }
}

void compare_everything(Random& random, const SyscallPolicy& policy, int rounds) {
  const CompiledFilter filter = compiled(policy);
  for (int number = 0; number <= 600; ++number) {
    const std::string name = native_name(number);
    const auto rule = policy.allow.find(name);
    std::vector<const AllowRule*> rules;
    if (rule != policy.allow.end()) {
      rules.push_back(&rule->second);
      compare_borders(filter, policy, number, name, rule->second);
    }
    compare(filter, policy, number, name, {});
    Arguments ones{};
    ones.fill(~0ULL);
    compare(filter, policy, number, name, ones);
    const int tries = rules.empty() || rules[0]->when.empty() ? 4 : rounds;
    for (int i = 0; i < tries; ++i) {
      compare(filter, policy, number, name, test::interesting_arguments(random, rules));
    }
  }
}

std::vector<std::pair<std::string, Policy>> policies_in_force() {
  const PolicySet set = test::shipped_policies();
  std::vector<std::pair<std::string, Policy>> all{{"site", set.site}, {"local", set.local}};
  for (const auto& [name, policy] : set.images) {
    all.emplace_back(name, policy);
    all.emplace_back(name + " under site", narrowed(policy, set.site));
    all.emplace_back(name + " under local", narrowed(policy, set.local));
  }
  return all;
}

TEST_CASE("G5: the compiled filter of every shipped policy answers as decide() does, call by call") {
  Random random(5);
  for (const auto& [name, policy] : policies_in_force()) {
    CAPTURE(name);
    compare_everything(random, policy.syscalls, 300);
  }
}

TEST_CASE("G5: the compiled filter of random policies answers as decide() does") {
  Random random(17);
  int compared = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    const Policy a = test::random_policy(random, "a");
    const Policy both = narrowed(a, test::random_policy(random, "b"));
    for (const Policy* policy : {&a, &both}) {
      const auto config = seccomp_config(policy->syscalls);
      if (!config.ok()) {  // wide masks in several alternatives: the one thing that may go wrong
        REQUIRE(config.error().message.ends_with("need more than 1,000 rules"));
        continue;
      }
      compare_everything(random, policy->syscalls, 60);
      ++compared;
    }
  }
  CHECK(compared > 8);
}

TEST_CASE("G5: calls of another ABI are killed, whatever their number") {
  for (const auto& [name, policy] : policies_in_force()) {
    CAPTURE(name);
    const CompiledFilter filter = compiled(policy.syscalls);
    for (std::uint32_t number = 0; number <= 600; ++number) {
      REQUIRE(filter.run(AUDIT_ARCH_I386, number, {}).kills());
      REQUIRE(filter.run(AUDIT_ARCH_AARCH64, number, {}).kills());
      REQUIRE(filter.run(AUDIT_ARCH_X86_64, kX32Bit | number, {}).kills());
    }
  }
}

TEST_CASE("G5: numbers past every known call are refused with ENOSYS") {
  const CompiledFilter filter = compiled(test::shipped_policies().images.at("python").syscalls);
  for (const std::uint32_t number : {601U, 1000U, 4096U, 0x3fffffffU}) {
    const Answer answer = filter.run(AUDIT_ARCH_X86_64, number, {});
    CHECK(answer.action == SECCOMP_RET_ERRNO);
    CHECK(answer.error == 38);
  }
}

TEST_CASE("the configuration says its default errno and its one ABI aloud") {
  const Json config = seccomp_config(test::shipped_policies().images.at("shell").syscalls).value();
  CHECK(config["defaultAction"] == "SCMP_ACT_ERRNO");
  CHECK(config["defaultErrnoRet"] == 38);
  CHECK(config["architectures"] == Json::array({"SCMP_ARCH_X86_64"}));
  for (const Json& entry : config["syscalls"]) {
    const bool same_as_default = entry["action"] == "SCMP_ACT_ERRNO" && entry["errnoRet"] == 38;
    CHECK_FALSE(same_as_default);
    if (!entry.contains("args")) continue;
    CHECK(entry["names"].size() == 1);
    std::set<unsigned> indices;
    for (const Json& arg : entry["args"]) CHECK(indices.insert(arg["index"].get<unsigned>()).second);
  }
}

TEST_CASE("the filters stay small enough to be loaded at every start") {
  for (const auto& [name, policy] : policies_in_force()) {
    CAPTURE(name);
    CHECK(compiled(policy.syscalls).size() < 2000);  // the kernel takes at most 4096
  }
}

TEST_CASE("equal policies give byte-equal configurations") {
  const Policy policy = test::shipped_policies().images.at("r");
  CHECK(dump_json(seccomp_config(policy.syscalls).value()) ==
        dump_json(seccomp_config(policy.syscalls).value()));
}

TEST_CASE("a name that libseccomp does not know fails: runtimes would skip it silently") {
  SyscallPolicy policy;
  policy.unknown_errno = 38;
  policy.refuse["mount_everything"] = 1;
  auto config = seccomp_config(policy);
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().message ==
        "the system call \"mount_everything\" is not known to the installed libseccomp");
  policy.refuse.clear();
  policy.allow["socketcall"] = {};  // of another architecture only
  CHECK_FALSE(seccomp_config(policy).ok());
  CHECK_FALSE(syscall_known("socketcall"));
  CHECK_FALSE(syscall_known(""));
  CHECK(syscall_known("read"));
}

TEST_CASE("a name that is both allowed and refused is refused by decide() and fails to compile") {
  SyscallPolicy policy;
  policy.unknown_errno = 38;
  policy.allow["mount"] = {};
  policy.refuse["mount"] = 1;
  CHECK(decide(policy, "mount", {}) == SyscallDecision{false, 1});
  const auto config = seccomp_config(policy);
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().message == "the system call mount is both allowed and refused");
}

TEST_CASE("conditions that would need a thousand rules are an error, not a slow start") {
  SyscallPolicy policy;
  policy.unknown_errno = 38;
  policy.allow["prlimit64"] = {
      {{ArgumentTest{2, ~0ULL, {0}, {"0"}}}, {ArgumentTest{0, 0xffffffff, {0}, {"0"}}}}, 1, "x:1"};
  const auto config = seccomp_config(policy);
  REQUIRE_FALSE(config.ok());
  CHECK(config.error().message == "the conditions of the system call prlimit64 need more than 1,000 rules");
}

TEST_CASE("conditions that multiply without end are an error at once, not a full memory") {
  SyscallPolicy policy;
  policy.unknown_errno = 38;
  ArgumentTest wide{0, ~0ULL, {}, {}};
  for (std::uint64_t value = 0; value < 1000; ++value) wide.any_of.push_back(value * 7919);
  Conjunction all;
  for (unsigned index = 0; index < 6; ++index) {
    all.push_back(wide);
    all.back().index = index;
  }
  for (const auto& when : {std::vector<Conjunction>{all}, std::vector<Conjunction>{all, all}}) {
    policy.allow["ioctl"] = {when, 1, "x:1"};
    CHECK_FALSE(seccomp_config(policy).ok());
  }
}

TEST_CASE("what the guarantees rest on, in the policies as they ship") {
  for (const auto& [name, policy] : policies_in_force()) {
    CAPTURE(name);
    const SyscallPolicy& calls = policy.syscalls;
    const bool loopback = policy.network.value == Network::kLoopback;
    for (std::uint64_t family = 0; family < 64; ++family) {
      const bool inet = family == 2 || family == 10;
      const bool expected = family == 1 || (loopback && inet);
      CHECK(decide(calls, "socket", {family, 1, 0}).allowed == expected);
      CHECK(decide(calls, "socket", {family | 0xabcd00000000ULL, 1, 0}).allowed == expected);
      if (!expected) CHECK(decide(calls, "socket", {family, 1, 0}).error == 97);
    }
    for (unsigned bit = 0; bit < 32; ++bit) {
      const std::uint64_t flag = 1ULL << bit;
      CHECK(decide(calls, "clone", {flag}).allowed == ((flag & 0x7E020000U) == 0));
    }
    CHECK(decide(calls, "clone3", {}) == SyscallDecision{false, 38});
    CHECK(decide(calls, "mbind", {}) == SyscallDecision{false, 38});
    CHECK_FALSE(decide(calls, "ioctl", {0, 0x5412}).allowed);       // TIOCSTI
    CHECK_FALSE(decide(calls, "ioctl", {0, 0x100005412}).allowed);  // CVE-2019-10063
    CHECK_FALSE(decide(calls, "ioctl", {0, 0x541C}).allowed);       // TIOCLINUX
    CHECK(decide(calls, "ioctl", {0, 0x540F}).allowed);             // TIOCGPGRP
    CHECK(decide(calls, "chmod", {0, 04755}) == SyscallDecision{false, 1});
    CHECK(decide(calls, "fchmodat", {0, 0, 02755}) == SyscallDecision{false, 1});
    CHECK(decide(calls, "openat", {0, 0, 0x40, 06755}) == SyscallDecision{false, 1});
    CHECK(decide(calls, "openat", {0, 0, 0, 06755}).allowed);                         // not created: no mode
    CHECK(decide(calls, "mknodat", {0, 0, 0020666}) == SyscallDecision{false, 1});    // a device
    CHECK(decide(calls, "mknodat", {0, 0, 0010600}).allowed);                         // a named pipe
    CHECK(decide(calls, "renameat2", {0, 0, 0, 0, 4}) == SyscallDecision{false, 1});  // a whiteout
    CHECK_FALSE(decide(calls, "prctl", {22}).allowed);                                // PR_SET_SECCOMP
    CHECK_FALSE(decide(calls, "setsockopt", {0, 6, 31}).allowed);                     // TCP_ULP
    CHECK_FALSE(decide(calls, "personality", {0x0040000}).allowed);                   // ADDR_NO_RANDOMIZE
    for (const char* call :
         {"mount", "unshare", "setns", "ptrace", "bpf", "io_uring_setup", "keyctl", "add_key", "userfaultfd",
          "perf_event_open", "open_by_handle_at", "process_vm_readv", "pidfd_getfd", "pivot_root",
          "kexec_load", "init_module", "name_to_handle_at"}) {
      CAPTURE(call);
      CHECK(decide(calls, call, {}) == SyscallDecision{false, 1});
    }
  }
}

}  // namespace
}  // namespace glovebox
