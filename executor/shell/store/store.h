// The state of one Glovebox installation: ROOT/state.sqlite. Attempts and their states, the cache of actions,
// the cache of file digests. The chain of records is in store/chain.h.
//
// Every function that changes something is one transaction. A new attempt is durable when begin() returns,
// its end with its record (store/chain.h): a power cut cannot undo them. The caches may lose their newest
// entries. Any number of processes may have the store open at once. A store must not be used on both sides of
// a fork (workers never touch it).
#pragma once
#include <sys/stat.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/types.h"
#include "core/job/state.h"
#include "shell/sys/fd.h"
#include "shell/sys/file_stamp.h"

namespace glovebox {

class Database;

// One attempt as the database knows it.
struct AttemptRow {
  std::string id;
  std::string study;
  std::string action;
  JobState state = JobState::kPreparing;
  std::string reason;    // empty until it is known
  std::string started;   // RFC 3339 UTC
  std::string finished;  // empty until then
};

// What an event brings with it; what is absent stays.
struct AttemptChange {
  std::optional<std::string> reason;
  std::optional<std::string> finished;
};

// A file changed this shortly before it was hashed may change again without its times showing it (their
// granularity is a clock tick, up to 10 ms; 2 s for some network file systems): its digest is not kept.
inline constexpr std::int64_t kRacyNanoseconds = 2'000'000'000;

// About 100 bytes each on disk.
inline constexpr std::int64_t kMaxFileDigests = 1'000'000;

class Store {
 public:
  // Opens ROOT/state.sqlite (0600), making ROOT (0711) and it where they are missing. A database that others
  // may write, that belongs to somebody else or that is damaged is refused.
  static Result<Store> open(const std::string& root);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  // Enters a new attempt, in state preparing. An id that is already there: kInvalid.
  Status begin(const AttemptRow& row);
  // Applies `event` by core/job's next(); kInvalid where that refuses or there is no such attempt. The new
  // state. A power cut may take it while nothing durable has followed: what is left of an attempt in its run
  // folder says more, and recovery goes by that.
  Result<JobState> advance(const std::string& id, JobEvent event, const AttemptChange& change = {});
  Result<std::optional<AttemptRow>> attempt(const std::string& id) const;
  // Those that are not finalized, oldest first: running, or cut off by a crash.
  Result<std::vector<AttemptRow>> unfinished() const;

  // The JSON text kept for an action of a study.
  Result<std::optional<std::string>> cached_action(const std::string& study, const std::string& action) const;
  Status cache_action(const std::string& study, const std::string& action, const std::string& entry);
  Status forget_action(const std::string& study, const std::string& action);

  // For each stamp its digest where a file with exactly this stamp was hashed before.
  Result<std::vector<std::optional<Digest>>> file_digests(const std::vector<FileStamp>& stamps) const;
  // Keeps those that are not racy at `hashed_at_ns` (the time when hashing of the first began), and no more
  // than `most` in all, the oldest going first. How many were kept.
  Result<std::size_t> keep_file_digests(const std::vector<FileDigest>& digests, std::int64_t hashed_at_ns,
                                        std::int64_t most = kMaxFileDigests);

  [[nodiscard]] const std::string& root() const { return root_; }
  // For store/chain.h.
  [[nodiscard]] const Database& database() const { return *database_; }

 private:
  Store(std::string root, std::unique_ptr<Database> database);
  std::string root_;
  std::unique_ptr<Database> database_;
};

// advance() within a transaction that the caller holds (store/chain.h).
Result<JobState> advance_within(const Database& database, const std::string& id, JobEvent event,
                                const AttemptChange& change);

}  // namespace glovebox
