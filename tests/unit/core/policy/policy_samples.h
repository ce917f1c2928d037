// Policies for tests: the ones that ship, and random ones.
#pragma once
#include <map>
#include <random>
#include <string>

#include "core/policy/conditions.h"
#include "core/policy/load.h"

namespace glovebox::test {

using Random = std::mt19937_64;

// File name to text of every *.yaml in policies/.
std::map<std::string, std::string> shipped_policy_files();
// The shipped policies; fails the test where they have errors.
PolicySet shipped_policies();

std::uint64_t below(Random& random, std::uint64_t limit);  // 0 to limit - 1
bool chance(Random& random, unsigned percent);

// Small numbers and few names, so that two random policies often speak of the same thing.
Policy random_policy(Random& random, const std::string& name);
// Arguments near the borders of what the rules for `syscall` in `policies` compare with.
Arguments interesting_arguments(Random& random, const std::vector<const AllowRule*>& rules);
// The calls that random policies speak of.
const std::vector<std::string>& sample_syscalls();

}  // namespace glovebox::test
