// What an attempt leaves on disk while it is under way, so that it can be finished, or told to be lost, by
// another process.
#pragma once
#include <string>

#include "core/outcome/outcome.h"
#include "shell/publish/publish.h"
#include "shell/sys/file.h"

namespace glovebox {

// Which directory a study is, so that nothing is ever published into another one that has taken its name.
struct StudyMark {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const StudyMark&) const = default;
};
Result<StudyMark> mark_of(int study, std::string path);

// ROOT/run/<id>: bundle, scratch, staging, and for recovery `draft.json` (study, and the statement as it
// would read if the attempt were lost) and `statement.json` (the decided one). Locked while the process that
// runs the attempt lives.
class RunFolder {
 public:
  static Result<RunFolder> make(int runs, const std::string& id);
  [[nodiscard]] int fd() const { return folder_.get(); }
  [[nodiscard]] int staging() const { return staging_.get(); }
  [[nodiscard]] int lock() const { return lock_.fd(); }
  Status keep_draft(const Attempt& lost, const Json& statement, const StudyMark& study, bool exec) const;
  // Durable: from here on the outcome is decided.
  Status keep_statement(const Json& statement) const;

 private:
  RunFolder(UniqueFd folder, UniqueFd staging, FileLock lock)
      : folder_(std::move(folder)), staging_(std::move(staging)), lock_(std::move(lock)) {}
  UniqueFd folder_;
  UniqueFd staging_;
  FileLock lock_;
};

inline constexpr const char* kRunLock = "lock";
inline constexpr const char* kStaging = "staging";
inline constexpr const char* kDraft = "draft.json";
inline constexpr const char* kDecided = "statement.json";

// ".glovebox/exec/<id>": where what one command made goes, in its directory.
std::string exec_folder(const std::string& id);

// Where the outputs of a study's action go, or (`exec`) those of one command.
Result<PublishTarget> publish_target(int study, bool exec, const std::string& id);

}  // namespace glovebox
