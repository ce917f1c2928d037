// One attempt at one action, from a request to its signed record (G10: every attempt gets one, refused and
// failed ones too).
#pragma once
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/outcome/run_facts.h"
#include "core/provenance/statement.h"
#include "shell/attest/records.h"
#include "shell/pipeline/session.h"
#include "shell/supervisor/supervisor.h"

namespace glovebox {

// Where an attempt's files come from and go to.
struct AttemptPlace {
  std::string study_key;                  // names the study in the state database
  std::string study_path;                 // of its directory, for recovery
  int study = -1;                         // directory: inputs come from here, and outputs go here
  std::set<std::string> project_actions;  // of the study's project; empty for exec
};

// How its user follows it.
struct AttemptWatch {
  std::function<void(const Progress&)> progress = [](const Progress&) {};
  int cancel = -1;       // readable: stop
  int echo_output = -1;  // exec: the action's own output as it comes
  int echo_errors = -1;
};

// A plan that is ready to be carried out, or the reason why there is none.
struct PlannedAttempt {
  Request request;
  Result<Plan> plan;
  std::vector<FileStamp> stamps = {};  // of request.inputs, in their order
  Reason refusal = Reason::kPolicy;    // where there is none: kPolicy, kInput or kImage
};

// The plan for a request: resolves the image, finds its policy, decides. Changes nothing.
PlannedAttempt plan_attempt(const Session& session, Request request);

// Carries the plan out, publishes what came of it and writes the record; for one that was refused, the record
// alone. An Error only where not even a record could be written.
Result<Attempt> run_attempt(Session& session, const AttemptPlace& place, const PlannedAttempt& planned,
                            const AttemptWatch& watch);

// Identical for attempts whose repetition would be the same work: the plan's digest, less the ids of who made
// the inputs.
Digest repeat_key(const Plan& plan);

}  // namespace glovebox
