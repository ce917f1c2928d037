// The algebra of AllowRule::when: alternatives of conjunctions of argument tests.
#pragma once
#include <array>
#include <optional>
#include <vector>

#include "core/policy/policy.h"

namespace glovebox {

using Arguments = std::array<std::uint64_t, 6>;
using Conjunction = std::vector<ArgumentTest>;

// True where `arguments` satisfy one of `when`, or `when` is empty.
bool holds(const std::vector<Conjunction>& when, const Arguments& arguments);

// What satisfies both `a` and `b`; none where nothing can. Not optimal, but exact: holds(result) == holds(a)
// && holds(b). both(both(a, b), b) == both(a, b).
std::optional<std::vector<Conjunction>> both(const std::vector<Conjunction>& a,
                                             const std::vector<Conjunction>& b);

}  // namespace glovebox
