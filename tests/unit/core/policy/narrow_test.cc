// G14: combining two policies never loosens either.
#include <doctest/doctest.h>

#include "core/policy/limit_fields.h"
#include "core/seccomp/seccomp.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

using test::Random;

template <class Map>
bool subset(const Map& small, const Map& large) {
  return std::all_of(small.begin(), small.end(), [&](const auto& e) { return large.count(e.first) != 0; });
}

void check_limits(const LimitPolicy& result, const LimitPolicy& part) {
  for_each_chosen_limit(
      [](const std::string& name, const auto& mine, const auto& other) {
        CAPTURE(name);
        CHECK(mine.most <= other.most);
        CHECK(mine.fallback <= other.fallback);
        CHECK(mine.fallback <= mine.most);
      },
      result, part);
  for_each_fixed_limit(
      [](const std::string& name, const auto& mine, const auto& other) {
        CAPTURE(name);
        CHECK(mine.value <= other.value);
      },
      result, part);
  if (part.scratch_on.value == ScratchKind::kTmpfs) CHECK(result.scratch_on.value == ScratchKind::kTmpfs);
}

void check_sets(const Policy& result, const Policy& part) {
  if (part.network.value == Network::kNone) CHECK(result.network.value == Network::kNone);
  CHECK(subset(result.environment.pass, part.environment.pass));
  CHECK(subset(result.secrets, part.secrets));
  CHECK(subset(result.runtimes, part.runtimes));
  for (const std::string& extension : result.outputs.extensions) {
    CHECK(part.outputs.extensions.count(extension) == 1);
  }
  CHECK(result.outputs.file_bytes.most <= part.outputs.file_bytes.most);
  CHECK(result.outputs.csv_rows.most <= part.outputs.csv_rows.most);
}

std::vector<const AllowRule*> rules_for(const std::string& name,
                                        std::initializer_list<const Policy*> policies) {
  std::vector<const AllowRule*> rules;
  for (const Policy* policy : policies) {
    const auto found = policy->syscalls.allow.find(name);
    if (found != policy->syscalls.allow.end()) rules.push_back(&found->second);
  }
  return rules;
}

// Allowed exactly where both allow it.
void check_syscalls(Random& random, const Policy& result, const Policy& a, const Policy& b) {
  for (const std::string& name : test::sample_syscalls()) {
    const auto rules = rules_for(name, {&a, &b});
    for (int i = 0; i < 12; ++i) {
      const Arguments arguments = test::interesting_arguments(random, rules);
      const bool expected =
          decide(a.syscalls, name, arguments).allowed && decide(b.syscalls, name, arguments).allowed;
      const SyscallDecision decision = decide(result.syscalls, name, arguments);
      const bool sound = decision.allowed == expected && decision.allowed == (decision.error == 0);
      if (!sound)
        FAIL(name << " is " << (decision.allowed ? "allowed" : "refused") << ", errno " << decision.error);
    }
  }
}

TEST_CASE("G14: of thousands of random pairs, none is looser together than either alone") {
  Random random(20261122);
  for (int round = 0; round < 3000; ++round) {
    const Policy a = test::random_policy(random, "image");
    const Policy b = test::random_policy(random, "site");
    const Policy result = narrowed(a, b);
    CAPTURE(round);
    check_limits(result.limits, a.limits);
    check_limits(result.limits, b.limits);
    check_sets(result, a);
    check_sets(result, b);
    check_syscalls(random, result, a, b);
  }
}

TEST_CASE("G14: narrowing a second time by the same ceiling changes nothing") {
  Random random(7);
  for (int round = 0; round < 2000; ++round) {
    const Policy a = test::random_policy(random, "image");
    const Policy b = test::random_policy(random, "site");
    const Policy once = narrowed(a, b);
    CAPTURE(round);
    REQUIRE(dump_json(policy_json(narrowed(once, b))) == dump_json(policy_json(once)));
  }
}

TEST_CASE("G14: the order of two ceilings does not matter for what is allowed") {
  Random random(11);
  for (int round = 0; round < 500; ++round) {
    const Policy image = test::random_policy(random, "image");
    const Policy a = test::random_policy(random, "site");
    const Policy b = test::random_policy(random, "other");
    const Policy ab = narrowed(narrowed(image, a), b);
    const Policy ba = narrowed(narrowed(image, b), a);
    CAPTURE(round);
    check_limits(ab.limits, ba.limits);
    check_limits(ba.limits, ab.limits);
    for (const std::string& name : test::sample_syscalls()) {
      const Arguments arguments = test::interesting_arguments(random, rules_for(name, {&image, &a, &b}));
      REQUIRE(decide(ab.syscalls, name, arguments).allowed == decide(ba.syscalls, name, arguments).allowed);
    }
  }
}

TEST_CASE("every looser field of one side is caught by the other: raising each limit alone changes nothing") {
  const PolicySet set = test::shipped_policies();
  const Policy tight = narrowed(set.images.at("python"), set.site);
  Policy loose = tight;
  for_each_chosen_limit([](const char*, auto& bound) { bound.most *= 2, bound.fallback *= 2; }, loose.limits);
  for_each_fixed_limit([](const char*, auto& fixed) { fixed.value *= 2; }, loose.limits);
  loose.outputs.extensions.insert(".exe");
  loose.outputs.csv_rows.most *= 2;
  loose.runtimes["runc"] = "x:1";
  loose.secrets["TOKEN"] = "x:1";
  loose.syscalls.allow["ptrace"] = {{}, 0, "x:1"};
  loose.syscalls.refuse.erase("ptrace");
  loose.syscalls.allow.at("clone").when.clear();
  const Policy result = narrowed(loose, tight);
  CHECK(dump_json(policy_json(result)["limits"]) == dump_json(policy_json(tight)["limits"]));
  CHECK(result.outputs.extensions == tight.outputs.extensions);
  CHECK(result.outputs.csv_rows.most == tight.outputs.csv_rows.most);
  CHECK(result.runtimes.count("runc") == 0);
  CHECK(result.secrets.empty());
  CHECK(decide(result.syscalls, "ptrace", {}) == SyscallDecision{false, 1});
  CHECK(decide(result.syscalls, "clone", {0x10000000}) == SyscallDecision{false, 1});
  CHECK(policy_digest(loose) != policy_digest(tight));
}

TEST_CASE("the result names the file that decided") {
  const PolicySet set = test::shipped_policies();
  Policy site = set.site;
  site.limits.memory = {1U << 30U, 1U << 30U, "policies/site.yaml:99"};
  const Policy result = narrowed(set.images.at("python"), site);
  CHECK(result.limits.memory.source == "policies/site.yaml:99");
  CHECK(result.limits.memory.most == 1U << 30U);
  CHECK(result.limits.memory.fallback == 1U << 30U);
  CHECK(result.limits.cpus.source.starts_with("policies/base.yaml:"));
  CHECK(result.network.source.starts_with("policies/python.yaml:"));
}

TEST_CASE("a site without loopback leaves only AF_UNIX, and network says so too") {
  const PolicySet set = test::shipped_policies();
  Policy site = set.site;
  site.network = {Network::kNone, "policies/site.yaml:9"};
  site.syscalls = set.images.at("base").syscalls;  // whose network is none
  const Policy result = narrowed(set.images.at("r"), site);
  CHECK(result.network.value == Network::kNone);
  CHECK(result.network.source == "policies/site.yaml:9");
  CHECK(decide(result.syscalls, "socket", {1, 1, 0}).allowed);
  CHECK(decide(result.syscalls, "socket", {2, 1, 0}) == SyscallDecision{false, 97});
}

TEST_CASE("an image's policy cannot waive a guarantee") {
  Random random(3);
  Policy image = test::random_policy(random, "image");
  Policy site = test::random_policy(random, "site");
  image.waived = {{"unsafe_no_memory_limit", "x:1"}};
  site.waived.clear();
  CHECK(narrowed(image, site).waived.empty());
}

TEST_CASE("conditions that exclude each other refuse the call altogether, never allow it") {
  const auto policy_with = [](std::uint64_t value, int error) {
    Policy policy;
    policy.syscalls.unknown_errno = 38;
    policy.syscalls.allow["ioctl"] = {{{ArgumentTest{1, 0xff, {value}, {"x"}}}}, error, "x:1"};
    return policy;
  };
  const Policy result = narrowed(policy_with(1, 97), policy_with(2, 1));
  CHECK(result.syscalls.allow.count("ioctl") == 0);
  CHECK(decide(result.syscalls, "ioctl", {0, 1}) == SyscallDecision{false, 97});
  CHECK(decide(result.syscalls, "ioctl", {0, 2}) == SyscallDecision{false, 97});
}

}  // namespace
}  // namespace glovebox
