#include "core/job/state.h"

#include <doctest/doctest.h>

#include <vector>

namespace glovebox {
namespace {

const std::vector<JobState> kStates = {JobState::kPreparing, JobState::kPrepared,   JobState::kExecuting,
                                       JobState::kExecuted,  JobState::kFinalizing, JobState::kFinalized};
const std::vector<JobEvent> kEvents = {JobEvent::kPrepared, JobEvent::kStarted, JobEvent::kEnded,
                                       JobEvent::kPublishing, JobEvent::kRecorded};

TEST_CASE("an attempt goes through its states in order, and may skip what run does in one breath") {
  JobState state = JobState::kPreparing;
  for (const JobEvent event : kEvents) {
    const auto after = next(state, event);
    REQUIRE(after.ok());
    CHECK(*after > state);
    state = *after;
  }
  CHECK(state == JobState::kFinalized);
  CHECK(*next(JobState::kPreparing, JobEvent::kStarted) == JobState::kExecuting);
  CHECK(*next(JobState::kExecuting, JobEvent::kPublishing) == JobState::kFinalizing);
}

TEST_CASE("no event ever leads back, and repeating one changes nothing") {
  for (const JobState state : kStates) {
    for (const JobEvent event : kEvents) {
      const auto after = next(state, event);
      if (!after.ok()) continue;
      CHECK(*after >= state);
      const auto again = next(*after, event);
      REQUIRE(again.ok());
      CHECK(*again == *after);
    }
  }
}

TEST_CASE("an attempt can be recorded from every state, since every attempt gets a record") {
  for (const JobState state : kStates) CHECK(*next(state, JobEvent::kRecorded) == JobState::kFinalized);
}

TEST_CASE("what never ran cannot end or be published, and what is over cannot start") {
  CHECK(next(JobState::kPrepared, JobEvent::kEnded).error().message ==
        "an attempt that is prepared cannot be executed");
  CHECK_FALSE(next(JobState::kPreparing, JobEvent::kPublishing).ok());
  CHECK_FALSE(next(JobState::kFinalized, JobEvent::kStarted).ok());
  CHECK_FALSE(next(JobState::kExecuted, JobEvent::kStarted).ok());
  CHECK(next(JobState::kExecuted, JobEvent::kStarted).error().kind == ErrorKind::kInvalid);
}

TEST_CASE("the name of every state reads back as that state, and no other name does") {
  for (const JobState state : kStates) CHECK(*parse_job_state(to_string(state)) == state);
  CHECK(parse_job_state("done").error().message == "\"done\" is not a state of an attempt");
}

}  // namespace
}  // namespace glovebox
