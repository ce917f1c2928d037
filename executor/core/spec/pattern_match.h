// What output patterns match: the one matcher, for sound paths and for names that an action chose.
#pragma once
#include <string_view>
#include <vector>

namespace glovebox {

inline constexpr std::string_view kOurFolder = "metadata";  // logs and the manifest of a workspace

// Does `pattern` match the path with these components, which may be any bytes? '*' matches anything within
// one component; a component that begins with a dot matches nothing, nor does anything below metadata/. No
// memory is taken, so that one path, split once, can be held against many patterns.
bool pattern_matches(std::string_view pattern, const std::vector<std::string_view>& names);

}  // namespace glovebox
