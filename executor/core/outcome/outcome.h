// How an attempt ended: DESIGN.md §6's one table of reason, status and exit status, and the first cause that
// wins.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/types.h"
#include "core/plan/plan.h"

namespace glovebox {

enum class Reason {
  kNone,
  kExit,
  kSignal,
  kMissing,
  kMemory,
  kTime,
  kProcesses,
  kScratch,
  kOutput,
  kPolicy,
  kInput,
  kImage,
  kDependency,
  kCancelled,
  kHost,
  kLost,
};
std::string_view to_string(Reason reason);  // "none" is shown as null
std::string_view status_of(
    Reason reason);  // "succeeded", "failed", "stopped", "refused", "not_run", "cancelled", "error"
// Exit status; `withheld`: succeeded, and something was withheld or rejected. kDependency takes the cause's,
// given by the caller; here it is 1, which no cause's own status loses to in combined_exit_status().
int exit_status(Reason reason, bool withheld);
// Of several actions: the first that applies of 6, 3, 8, 4, 1, 5, 0. A status that no action has gives 6; no
// action gives 0.
int combined_exit_status(const std::vector<int>& statuses);

enum class Verdict { kAccepted, kWithheld, kRejected };
std::string_view to_string(Verdict verdict);

struct RuleHit {
  std::string rule;     // "csv.patient-id"
  std::string message;  // names the rule's own numbers, never the file's content
};

struct OutputFile {
  std::string
      path;  // a RelPath's text where accepted or withheld; printable() text of a hostile name where rejected
  Level level = Level::kHighlySensitive;
  Verdict verdict = Verdict::kAccepted;
  std::vector<RuleHit> reasons;
  ByteCount size = 0;
  std::optional<Digest> digest;       // none where rejected
  std::optional<std::uint64_t> rows;  // CSV
  std::optional<std::uint64_t> columns;
};

struct Usage {
  std::uint64_t wall_ms = 0;
  std::uint64_t cpu_user_ms = 0;
  std::uint64_t cpu_system_ms = 0;
  ByteCount memory_peak = 0;
  ByteCount io_read = 0;
  ByteCount io_write = 0;
  std::uint64_t pids_peak = 0;
};

// One limit as it was asked for, read back before the start, and its highest use where the kernel tells.
struct LimitFact {
  std::uint64_t asked = 0;
  std::uint64_t in_force = 0;
  std::optional<std::uint64_t> peak;
};

// What was read back while init waited behind its gate (DESIGN.md §9, "facts, not intentions").
struct Facts {
  int seccomp_mode = 0;
  bool no_new_privileges = false;
  std::string capabilities;  // the five sets, hex, joined by ','
  std::string uid_map;
  std::string gid_map;
  std::map<std::string, std::uint64_t> namespaces;  // "user" -> inode
  std::size_t mounts = 0;
  std::map<std::string, LimitFact> limits;  // "memory", "cpus", …
};

// Everything that came of one attempt.
struct Attempt {
  std::string id;
  std::string action;
  Reason reason = Reason::kNone;
  std::string message;  // one sentence; fixed words and the policy's own numbers
  std::string hint;
  std::optional<int> exit_code;
  std::optional<int> signal;
  bool cached = false;
  bool stop_asked = false;  // by its user; whether that ended it is its reason
  std::string started;      // RFC 3339 UTC with milliseconds, "…Z"
  std::string finished;
  std::optional<Plan> plan;  // none where refused before one was made
  std::optional<Facts> facts;
  Usage usage;
  std::vector<OutputFile> outputs;  // sorted by path
  std::vector<std::string> unmatched_patterns;
  std::vector<std::string> unmatched_files;  // new files that no pattern matched, escaped, at most 100
  std::string record;                        // path of the envelope
  std::string log;                           // path of the action's log
  // Names files, patterns and peaks, in lines: for the action's log and the local console, never for a
  // controller outside (G17).
  std::string detail;
};

[[nodiscard]] bool anything_withheld(const Attempt& attempt);

// The JSON object of DESIGN.md §6 for `run --json`. `denials` is null until they are observed.
Json attempt_json(const Attempt& attempt);

}  // namespace glovebox
