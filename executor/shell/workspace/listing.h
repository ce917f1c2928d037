// What a study says of itself: its project file and which of its files are code. Read by a worker without
// power (G18); what it answers is checked again here.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/types.h"
#include "core/spec/project.h"
#include "shell/workspace/study.h"

namespace glovebox {

struct StudyListing {
  ProjectReport report;               // where it has errors, the rest is empty
  std::vector<std::string> warnings;  // of the listing, escaped; the project's own are in the report
  std::vector<RelPath> code;          // sorted, no two the same; files and links
};

// Code is what git tracks plus new files that git does not ignore (every file, where there is no `.git`),
// less
// `.git`, `.glovebox/`, `metadata/` and what an output pattern of the project matches. Submodules, nested
// repositories and special files are left out with a warning. `worker_uid`: a host uid that nothing else has.
// kInvalid: no project.yaml; `.git` is not an ordinary repository; git tracks `.glovebox`, `metadata` or a
// file that an output pattern matches (named both); a file name that no path of ours may have. kRefused: more
// than 200,000 files; a worker that had to be stopped.
Result<StudyListing> read_study(const Study& study, uid_t worker_uid);

// The project file that is open as `file`, called `name` in messages; parsed by a worker. Needs no root.
Result<ProjectReport> parse_project(int file, const std::string& name, uid_t worker_uid);

// The project file of a study alone. Needs no root.
Result<ProjectReport> read_project(const Study& study, uid_t worker_uid);

// Every regular file but those in `.git` and `.glovebox`, for exec. Nothing is parsed, so no worker is
// started.
Result<std::vector<RelPath>> list_everything(const Study& study);

}  // namespace glovebox
