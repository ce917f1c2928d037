// Sets of system call arguments as cubes: the form in which libseccomp can compare them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/policy/conditions.h"

namespace glovebox {

// The arguments whose bits under mask[i] equal value[i], for every i. A rule of libseccomp takes one masked
// comparison for each argument, so a cube is exactly what one rule can say.
struct Cube {
  std::array<std::uint64_t, 6> mask{};
  std::array<std::uint64_t, 6> value{};  // within mask
  bool operator==(const Cube&) const = default;
};

// What satisfies one of `when` (not empty). None where that takes more than `most` cubes.
std::optional<std::vector<Cube>> satisfying(const std::vector<Conjunction>& when, std::size_t most);

// What satisfies none of `when` (not empty). The cubes may overlap. None where that takes more than `most`.
std::optional<std::vector<Cube>> refusing(const std::vector<Conjunction>& when, std::size_t most);

}  // namespace glovebox
