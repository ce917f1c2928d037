// What git tracks, from the index file alone: no configuration, hook, filter, alternate or monitor of the
// repository is looked at. Runs in a worker: the index is the study's, and hostile.
#pragma once
#include <optional>
#include <string>
#include <unordered_set>

#include "core/base/result.h"

namespace glovebox {

// Paths are as the index has them: any bytes, possibly absurd ("../x"). Only good for asking whether a path
// that was found on disk is among them, and for check against patterns.
struct TrackedFiles {
  std::unordered_set<std::string> files;       // and links
  std::unordered_set<std::string> submodules;  // other repositories at a commit
  std::unordered_set<std::string> folders;     // every parent of one of the above
};

// Of the repository whose working tree is the directory `root`, open as `fd`. Nothing: there is no `.git`. An
// index that is missing tracks nothing. kInvalid: `.git` is a link or a file (a linked worktree or a
// submodule, whose index is elsewhere), or the index cannot be read.
Result<std::optional<TrackedFiles>> tracked_files(int fd, const std::string& root);

}  // namespace glovebox
