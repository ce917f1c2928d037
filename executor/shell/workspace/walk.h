// Which files of a directory are a study's code. Lists, opens .gitignore files, and follows no link.
#pragma once
#include <set>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/spec/pattern_index.h"
#include "shell/workspace/git_index.h"

namespace glovebox {

inline constexpr std::size_t kMaxCodeFiles = 200'000;
inline constexpr std::size_t kMaxWarnings = 100;

struct WalkRules {
  std::set<std::string> leave_out;        // names at the top ("metadata"); ".git" is left out everywhere
  const TrackedFiles* tracked = nullptr;  // none: there is no git, and everything counts
  const PatternIndex* outputs = nullptr;  // what is made by actions, and hence no code
  bool links = true;                      // list symbolic links too
};

struct WalkedTree {
  std::vector<RelPath> tracked;  // sorted; of these only what is on disk
  std::vector<RelPath> others;   // sorted; new files that git does not ignore, or all where there is no git
  std::vector<std::string> warnings;  // what was left out though somebody might miss it; escaped, at most 100
};

// kInvalid, naming it, for a file whose name no path of ours may have; kRefused for more than kMaxCodeFiles.
Result<WalkedTree> walk_tree(int root, const WalkRules& rules);

}  // namespace glovebox
