// What an attempt leaves on disk while it is under way, so that it can be finished, or told to be lost, by
// another process.
#pragma once
#include <optional>
#include <string>

#include "core/outcome/outcome.h"
#include "core/provenance/statement.h"
#include "shell/attest/records.h"
#include "shell/publish/publish.h"
#include "shell/sys/file.h"

namespace glovebox {

// Which directory a study is, so that nothing is ever published into another one that has taken its name.
struct StudyMark {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t born_ns = 0;  // numbers of inodes are used again; 0 where the file system does not tell
  bool operator==(const StudyMark&) const = default;
};
Result<StudyMark> mark_of(int study, std::string path);

// What recovery needs to know of an attempt that is cut off: `draft.json`.
struct Draft {
  StudyMark study;
  bool exec = false;
  std::string started;
  Json statement;  // the record of the attempt if it is lost
};
// kInvalid where it is missing or torn.
Result<Draft> read_draft(int run);

// What came of an attempt: `decision.json`.
struct Decision {
  std::string reason;  // to_string(Reason)
  Json statement;
};
// None where it did not come so far.
Result<std::optional<Decision>> read_decision(int run);

// Has what was decided signed and entered in the chain.
Result<WrittenRecord> write_decided(Store& store, const SigningKey& key, const RecordFolder& record,
                                    const Decision& decision, const std::string& finished);

// The statement of an attempt that was cut off, from what was known when it began.
Json lost_statement(const Attempt& begun, const Request& asked, const RecordContext& context);

// ROOT/run/<id>: bundle, scratch, staging, and for recovery `draft.json` and `decision.json`. Locked while
// the process that runs the attempt lives.
class RunFolder {
 public:
  static Result<RunFolder> make(int runs, int locks, const std::string& id);
  [[nodiscard]] int fd() const { return folder_.get(); }
  [[nodiscard]] int staging() const { return staging_.get(); }
  [[nodiscard]] int lock() const { return lock_.fd(); }
  Status keep_draft(const Draft& draft) const;
  // Durable: from here on the outcome is decided.
  Status keep_decision(const Decision& decision) const;

 private:
  RunFolder(UniqueFd folder, UniqueFd staging, FileLock lock)
      : folder_(std::move(folder)), staging_(std::move(staging)), lock_(std::move(lock)) {}
  UniqueFd folder_;
  UniqueFd staging_;
  FileLock lock_;
};

inline constexpr const char* kRunLock = "lock";
// Held in ROOT/locks while a run folder is made and locked: one without a lock is abandoned.
inline constexpr const char* kMakingRuns = "runs";
inline constexpr const char* kStaging = "staging";
inline constexpr const char* kDraft = "draft.json";
inline constexpr const char* kDecision = "decision.json";
inline constexpr std::size_t kMaxStatement = 512U << 20U;  // bytes, of either file

// ".glovebox/exec/<id>": where what one command made goes, in its directory.
std::string exec_folder(const std::string& id);

// Where the outputs of a study's action go, or (`exec`) those of one command.
Result<PublishTarget> publish_target(int study, bool exec, const std::string& id);

}  // namespace glovebox
