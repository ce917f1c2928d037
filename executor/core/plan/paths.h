// What of /proc an action does not see, or cannot write: the same for every action (G2).
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace glovebox {

// Bytes that the paths of all inputs of a plan may have together.
inline constexpr std::size_t kMaxInputPaths = 16U << 20U;

// Shown as an empty file or folder. A runtime skips those that the host's kernel does not have.
std::vector<std::string> masked_paths();

// Mounted read-only.
std::vector<std::string> readonly_paths();

}  // namespace glovebox
