// What an action that succeeded made, so that it need not run again while nothing that it depends on has
// changed.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/outcome/run_facts.h"
#include "shell/pipeline/session.h"

namespace glovebox {

struct RememberedAction {
  Digest key;      // repeat_key() of its plan
  std::string id;  // of the attempt
  std::string record;
  std::string log;
  std::string message;
  RunFacts facts;  // without staged names
};

Result<std::optional<RememberedAction>> remembered_action(const Store& store, const std::string& study,
                                                          const std::string& action);
Status remember_action(Store& store, const std::string& study, const Attempt& attempt);

// Its outputs that stand in the study's directory: accepted and withheld ones.
std::vector<OutputFile> kept_outputs(const RememberedAction& remembered);

// The attempt that a cached action repeats.
Attempt repeated(const RememberedAction& remembered, const std::string& action, const Plan& plan);

}  // namespace glovebox
