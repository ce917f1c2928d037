// Study code from a commit, by git objects alone: no checkout, hook, filter, alternate, replacement ref or
// configuration of the repository has any effect.
#pragma once
#include <sys/types.h>

#include <string>

#include "shell/workspace/stage.h"

namespace glovebox {

struct CommitSpec {
  std::string commit;  // 40 lower-case hex digits
  std::string branch;  // the commit must be on it; empty: on any, or none
};

inline constexpr ByteCount kMaxBlobBytes = 128ULL << 20U;
inline constexpr ByteCount kMaxCommitBytes = 2ULL << 30U;  // of all its files

// Makes sure that `store` (ROOT/code) has the tree of this commit. `repository` is an open directory: a bare
// repository, or a working tree with `.git` in it. Objects are read by a worker (`worker_uid`), which writes
// them into an unnamed file; names and sizes are checked here, and digests made. Submodules are left out with
// a warning. kInvalid: a malformed id or branch; no such commit or branch; objects that are missing or
// broken; a tree with a name that no path of ours may have. kRefused: the commit is not on the branch; too
// many files or bytes.
Result<StagedCode> stage_commit(int store, int repository, const CommitSpec& spec, uid_t worker_uid);

}  // namespace glovebox
