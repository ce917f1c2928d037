// Asks the level 4 rules about our copies, in one worker for all files of an action (G18).
#pragma once
#include <string>
#include <vector>

#include "core/outcome/outcome.h"
#include "shell/collect/collect.h"

namespace glovebox {

struct CopyToJudge {
  std::size_t output = 0;  // index into the outputs
  std::string staged;      // path of the copy in the staging directory, below kJudgeFolder
};

// Sets verdict, reasons, rows and columns of each. No worker is started where names and sizes decide.
// Whatever a worker fails at is withheld as unreadable; kHost only where no worker could be started.
Status judge_copies(const CollectSpec& spec, const std::vector<CopyToJudge>& copies,
                    std::vector<OutputFile>& outputs);

}  // namespace glovebox
