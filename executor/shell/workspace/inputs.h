// Outputs of earlier actions that the next one reads: present, and still what was recorded?
#pragma once
#include <string>
#include <vector>

#include "core/plan/plan.h"
#include "shell/workspace/hashing.h"
#include "shell/workspace/study.h"

namespace glovebox {

struct WantedInput {
  RelPath path;  // beneath the study
  Digest digest;
  ActionName action;        // that makes it
  std::string produced_by;  // attempt id of that, may be empty
};

struct FoundInput {
  InputFile file;
  uid_t owner = 0;  // for the idmap that it is mounted with
  gid_t group = 0;
  FileStamp stamp;  // what staging compares the file it opens with
};

// In the order of `wanted`. kRefused, naming file and action, where one is missing, no regular file, reached
// through a link, or has another digest.
Result<std::vector<FoundInput>> find_inputs(const Study& study, const std::vector<WantedInput>& wanted,
                                            DigestCache& cache);

}  // namespace glovebox
