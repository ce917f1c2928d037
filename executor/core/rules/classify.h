// Which of the files that an action left are outputs, and which of those may exist at all.
#pragma once
#include <optional>
#include <set>
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
  ByteCount size = 0;
};

struct Classification {
  std::vector<Candidate> candidates;            // sorted by path
  std::vector<OutputFile> rejected;             // sorted by path; escaped names
  std::vector<std::string> unmatched_patterns;  // in the order of the specification
  std::vector<std::string> unmatched_files;     // escaped, sorted, the first kMaxUnmatchedFiles of them
  std::size_t unmatched_count = 0;              // all of them
};

inline constexpr std::size_t kMaxUnmatchedFiles = 100;

// Why a file of this name or kind is not kept at all, or nothing:
//   name.unsafe  not a RelPath: control, invisible or undecodable characters, or too long
//   file.kind    not a regular file
std::optional<RuleHit> rejection_of(const FoundFile& file);

// Sorts out files one by one, as a walk finds them: what matches nothing is counted and not kept.
//
// A file that several patterns match gets the most sensitive of their levels: a wider pattern must not
// release what a narrower one keeps. A pattern counts as matched where what it matched was rejected, since
// the action did make it: the rejection is what the researcher has to read about. With `collect_everything`,
// every file is a candidate of the highest sensitivity.
class Classifier {
 public:
  // `specs` must live as long as this.
  Classifier(const std::vector<OutputSpec>& specs, bool collect_everything)
      : specs_(specs), matched_(specs.size(), false), collect_everything_(collect_everything) {}
  // The most sensitive level of the patterns that match, or none.
  [[nodiscard]] std::optional<Level> level_of(std::string_view path) const;
  void add(const FoundFile& file);
  // Files that matched so far.
  [[nodiscard]] std::size_t matched_count() const {
    return result_.candidates.size() + result_.rejected.size();
  }
  Classification finish();

 private:
  void note_unmatched(std::string_view path);
  [[nodiscard]] std::vector<std::size_t> matching(std::string_view path) const;  // indices of specs_
  [[nodiscard]] std::optional<Level> level_of(const std::vector<std::size_t>& matching) const;
  const std::vector<OutputSpec>& specs_;
  std::vector<bool> matched_;
  bool collect_everything_;
  std::set<std::string> unmatched_;
  Classification result_;
};

// All of them at once.
Classification classify(const std::vector<FoundFile>& found, const std::vector<OutputSpec>& specs,
                        bool collect_everything);

}  // namespace glovebox
