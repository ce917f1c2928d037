// Commits and their trees, from the files of a repository's object store alone. Runs in a worker.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "shell/workspace/commit.h"

namespace glovebox {

struct CommitEntry {
  std::string path;
  CodeKind kind = CodeKind::kFile;
  ByteCount size = 0;
};

struct CommitTree {
  std::vector<CommitEntry> entries;  // in the order in which their content was handed out
  std::vector<std::string> warnings;
};

// `root`: an open directory, whose path is `root_path`. Each file's content, and each link's target, goes to
// `sink`.
Result<CommitTree> read_commit(int root, const std::string& root_path, const CommitSpec& spec,
                               const std::function<Status(std::string_view)>& sink);

}  // namespace glovebox
