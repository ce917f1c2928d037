// Which of the files that an action left are outputs, and which of those may exist at all.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/outcome/outcome.h"
#include "core/spec/project.h"

namespace glovebox {

enum class FileKind { kRegular, kSymlink, kFifo, kSocket, kDevice, kOther };

// A new or changed entry of the scratch that is no directory, as found there. `path` is any bytes.
struct FoundFile {
  std::string path;
  FileKind kind = FileKind::kRegular;
  ByteCount size = 0;
};

// An output that may be kept, before the level 4 rules are asked.
struct Candidate {
  RelPath path;
  Level level = Level::kHighlySensitive;
  std::size_t found = 0;  // index into the list given
};

struct Classification {
  std::vector<Candidate> candidates;            // sorted by path
  std::vector<OutputFile> rejected;             // sorted by path; escaped names
  std::vector<std::string> unmatched_patterns;  // in the order of the specification
  std::vector<std::string> unmatched_files;     // escaped, sorted, at most kMaxUnmatchedFiles
  std::size_t unmatched_count = 0;              // all of them
};

inline constexpr std::size_t kMaxUnmatchedFiles = 100;

// Why a file of this name or kind is not kept at all, or nothing:
//   name.unsafe    not a RelPath: control, invisible or undecodable characters, or too long
//   name.hidden    a component begins with a dot: it would be hidden from whoever looks, or configure a
//   program name.reserved  below metadata/, which is ours file.kind      not a regular file
std::optional<RuleHit> rejection_of(const FoundFile& file);

// '*' matches any bytes but '/'. For names that are not RelPaths; for those that are, equal to
// Pattern::matches.
bool wildcard_matches(std::string_view pattern, std::string_view text);

// A file that several patterns match gets the most sensitive of their levels: a wider pattern must not
// release what a narrower one keeps. A pattern counts as matched where what it matched was rejected, since
// the action did make it: the rejection is what the researcher has to read about. With `collect_everything`,
// every file is a candidate of the highest sensitivity.
Classification classify(const std::vector<FoundFile>& found, const std::vector<OutputSpec>& specs,
                        bool collect_everything);

}  // namespace glovebox
