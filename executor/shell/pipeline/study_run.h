// A study's actions, dependencies first (`glovebox run`), one action's plan (`glovebox plan`), one command
// (`glovebox exec`).
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/spec/project.h"
#include "shell/host/uids.h"
#include "shell/pipeline/attempt.h"
#include "shell/workspace/inputs.h"
#include "shell/workspace/listing.h"
#include "shell/workspace/stage.h"
#include "shell/workspace/study.h"

namespace glovebox {

// A study that was read: its project is sound, its code is in ROOT/code.
struct OpenedStudy {
  Study study;
  std::string path;       // absolute
  std::string key;        // names it in the state database
  std::string workspace;  // its directory's name, for records
  std::string commit;     // 40 hex digits, where its code is that commit's and not the working tree's
  StudyListing listing;
  StagedCode code;
  [[nodiscard]] const Project& project() const { return *listing.report.project; }
};

// Reads it in a worker. Where project.yaml has errors, `listing` has them and no code was staged.
// With `commit`, project file and code are those of that commit of the study's repository, read as objects
// only.
Result<OpenedStudy> open_study(Session& session, const std::string& path, const std::string& commit);

struct RunOptions {
  std::vector<std::string> actions;  // names, or run_all
  std::map<std::string, std::string> environment;
  bool force = false;
};

// How a user follows a run. Called in this order for every action; `done` alone for those that are not run.
struct RunWatch {
  std::function<void(const std::string& action)> started = [](const std::string&) {};
  std::function<void(const std::string& action, const Progress&)> progress = [](const std::string&,
                                                                                const Progress&) {};
  std::function<void(const Attempt&)> done = [](const Attempt&) {};
  int cancel = -1;
};

// One result per action that was asked for or is needed, in the order in which they were taken. kInvalid for
// an unknown action.
Result<std::vector<Attempt>> run_study(Session& session, const OpenedStudy& study, const RunOptions& options,
                                       const RunWatch& watch);

// The plan for one action, from what its needs have recorded. Runs nothing.
Result<Plan> plan_action(Session& session, const OpenedStudy& study, const std::string& action,
                         const std::map<std::string, std::string>& environment);

struct ExecOptions {
  ImageName image;
  std::vector<std::string> args;
  std::map<std::string, std::string> environment;
};

// Runs one command with the files of `directory` as its workspace; new and changed files go to
// .glovebox/exec/<id>/ there.
Result<Attempt> exec_command(Session& session, const std::string& directory, const ExecOptions& options,
                             const AttemptWatch& watch);

}  // namespace glovebox
