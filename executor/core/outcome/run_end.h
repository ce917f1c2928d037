// From what was seen at the end of a run to the one reason that it ended for.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/outcome/outcome.h"

namespace glovebox {

// Who ended the run: what Glovebox acted on first. A deadline that passes after a cancellation does not
// count.
enum class EndedBy { kItself, kDeadline, kCancelled };

// Why nothing of the run is trusted: an error of ours or of the scratch's file system, or an input that is
// not what was planned.
enum class Fault { kNone, kHost, kInput };

// What init said of the study's first process before it ended itself. Init is the only one that can tell a
// signal from an exit status above 128.
struct InitReport {
  enum class Kind { kNone, kExited, kSignalled };
  Kind kind = Kind::kNone;
  int value = 0;  // exit status 0 to 255, or signal 1 to 64
};

// What was observed, all of it outside the action.
struct RunEnd {
  EndedBy ended_by = EndedBy::kItself;
  Fault fault = Fault::kNone;
  InitReport report;
  std::uint64_t oom_kills = 0;       // the cgroup's oom_kill count
  std::uint64_t forks_refused = 0;   // pids.events max
  bool scratch_full = false;         // no free bytes or no free inodes at the end
  bool outputs_over = false;         // the declared outputs exceed the limits on their count or bytes
  std::vector<std::string> missing;  // declared patterns that nothing matched
};

// The first cause wins, in the order of this list:
//  1. cancelled: somebody asked; whatever happened meanwhile is of no interest to them
//  2. host, input: what was observed cannot be relied on, or not what it was made from
//  3. time: the wall time was over while the action still ran
//  4. memory: the kernel killed a process of the action for memory, *whatever the exit status*. A killed
//  child
//     often leaves exit status 0 behind (`python big.py | tail`, a lost worker of mclapply) and results that
//     are silently incomplete, so the counter is believed and not the status
//  5. host: init ended without a report and none of the above explains it
//  6. the first process failed: processes where a fork was refused, else scratch where the scratch is full,
//     else signal or exit. An action that met such a limit and still succeeded dealt with it
//  7. output: more output than allowed
//  8. missing: a declared output was not made
Reason decide_reason(const RunEnd& end);

// The hint of a failure that only the action itself can explain.
inline constexpr const char* kLogHint = "the action's log shows what it printed last";

// What is said about it. `message` and `hint` leave the host and hold fixed words and the policy's own
// numbers only (G17). `detail` names files, patterns and peaks: for the action's log and the local console.
struct Explanation {
  std::string message;
  std::string hint;
  std::string detail;  // lines, each ended by a newline, or empty
};
// `limits` and `usage` of the run; `unmatched_files` escaped, as in Attempt. `reason` as decide_reason gave
// it.
Explanation explain(Reason reason, const RunEnd& end, const Limits& limits, const Usage& usage,
                    const std::vector<std::string>& unmatched_files);

// "SIGKILL", or "signal 42" for those without a common name.
std::string signal_name(int signal);

}  // namespace glovebox
