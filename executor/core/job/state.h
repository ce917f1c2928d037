// The life of one attempt as the state database keeps it.
#pragma once
#include <string_view>

#include "core/base/result.h"

namespace glovebox {

// In the order in which an attempt goes through them; it never goes back.
enum class JobState { kPreparing, kPrepared, kExecuting, kExecuted, kFinalizing, kFinalized };
std::string_view to_string(JobState state);  // "preparing" …
Result<JobState> parse_job_state(std::string_view text);

enum class JobEvent {
  kPrepared,    // inputs, code, image and plan are in place
  kStarted,     // the sandbox is being started
  kEnded,       // its last process is gone
  kPublishing,  // outputs are being put where readers find them
  kRecorded,    // the signed record is in the chain: nothing more happens
};
std::string_view to_string(JobEvent event);

// Where `event` leads from `state`. An event that has already led to `state` changes nothing, so that a call
// repeated after a crash is harmless. kRecorded is possible from anywhere, since an attempt that was refused,
// cancelled or cut off gets its record too (G10). `run` starts what it prepares in one breath, and publishes
// what it ran, so kPrepared and kEnded may be skipped. Anything else is an error of kind kInvalid.
Result<JobState> next(JobState state, JobEvent event);

}  // namespace glovebox
