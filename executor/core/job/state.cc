#include "core/job/state.h"

#include <array>
#include <string>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::array<std::string_view, 6> kStateNames = {"preparing", "prepared",   "executing",
                                                         "executed",  "finalizing", "finalized"};
constexpr std::array<std::string_view, 5> kEventNames = {"prepared", "started", "ended", "publishing",
                                                         "recorded"};

JobState target_of(JobEvent event) {
  switch (event) {
    case JobEvent::kPrepared:
      return JobState::kPrepared;
    case JobEvent::kStarted:
      return JobState::kExecuting;
    case JobEvent::kEnded:
      return JobState::kExecuted;
    case JobEvent::kPublishing:
      return JobState::kFinalizing;
    case JobEvent::kRecorded:
      break;
  }
  return JobState::kFinalized;
}

bool possible(JobState state, JobEvent event) {
  switch (event) {
    case JobEvent::kPrepared:
      return state == JobState::kPreparing;
    case JobEvent::kStarted:
      return state == JobState::kPreparing || state == JobState::kPrepared;
    case JobEvent::kEnded:
      return state == JobState::kExecuting;
    case JobEvent::kPublishing:
      return state == JobState::kExecuting || state == JobState::kExecuted;
    case JobEvent::kRecorded:
      break;
  }
  return state != JobState::kFinalized;
}

}  // namespace

std::string_view to_string(JobState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::string_view to_string(JobEvent event) {
  return kEventNames[static_cast<std::size_t>(event)];
}

Result<JobState> parse_job_state(std::string_view text) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == text) return static_cast<JobState>(i);
  }
  return invalid(quoted(text) + " is not a state of an attempt");
}

Result<JobState> next(JobState state, JobEvent event) {
  const JobState target = target_of(event);
  if (target == state || possible(state, event)) return target;
  return invalid("an attempt that is " + std::string(to_string(state)) + " cannot be " +
                 std::string(to_string(target)));
}

}  // namespace glovebox
