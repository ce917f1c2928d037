// Study code, copied once per content into the state directory: ROOT/code/<tree digest>/, root's own, shared
// by all actions that run it. What an action sees can then no longer be changed in the study.
#pragma once
#include <string>
#include <vector>

#include "core/base/types.h"
#include "shell/workspace/hashing.h"
#include "shell/workspace/study.h"

namespace glovebox {

enum class CodeKind { kFile, kExecutable, kLink };

struct CodeFile {
  RelPath path;
  CodeKind kind = CodeKind::kFile;
  ByteCount size = 0;
  Digest digest;       // of the content; of the target, for a link
  std::string target;  // of a link: hostile bytes, never followed by us
};

struct StagedCode {
  Digest tree;                        // names the directory
  std::vector<CodeFile> files;        // sorted by path
  std::vector<std::string> warnings;  // what a commit has that was left out; escaped
};

// SHA-256 over "glovebox code 1\n" and, per file in order, one letter for the kind (f, x, l), NUL, the path,
// NUL, the 32 bytes of its digest. Precondition: sorted.
Digest code_digest(const std::vector<CodeFile>& files);

// Makes sure that `store` (ROOT/code) has the tree of these files of the study: directories 0755, files 0644
// or 0755, links as what they are. Where nothing changed since the last time nothing is read or copied.
// Several processes may do this at once; what one that was killed left behind is removed by a later call that
// copies. kInvalid: a file vanished, changed meanwhile or is no file any more. kRefused: more than 10 GiB.
Result<StagedCode> stage_code(int store, const Study& study, const std::vector<RelPath>& code,
                              DigestCache& cache);

inline constexpr ByteCount kMaxCodeBytes = 10ULL << 30U;

}  // namespace glovebox
