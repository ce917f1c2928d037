// Runs one planned action from stage to collected outputs, in a process of its own.
//
// The supervisor owns everything that the action is made of: a private mount namespace (so its mounts are
// nobody else's and vanish with it), the control group, the container, the scratch. It is a child subreaper,
// so that the container's init is its child. When its caller dies it dies; when it dies, init's lifeline
// closes and the action ends with it (G7).
#pragma once
#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/outcome/run_facts.h"
#include "core/plan/plan.h"
#include "shell/host/cgroup.h"
#include "shell/runtime/stage.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Collects and judges what lies in the action's layer; called once the last process is gone and the layer is
// read-only. Ends early, with any error, where `cancel` becomes readable.
using Collector = std::function<Status(int upper, int cancel, RunFacts& facts)>;

struct SupervisorSpec {
  const Plan* plan = nullptr;
  std::string id;
  uid_t host_uid = 0;
  int run = -1;        // ROOT/run/<id>: exists, empty but for what the caller put there
  int runs = -1;       // ROOT/run
  int templates = -1;  // ROOT/templates
  StageSources sources;
  Cgroup* group = nullptr;  // made, and removed by the supervisor once everything in it has ended
  std::string runtime;      // absolute path
  Collector collect;
  int echo_output = -1;  // where stdout and stderr are shown as they come, besides the log; -1: nowhere
  int echo_errors = -1;
  std::vector<int> close_in_child;  // locks that stand for the life of the caller, not of the supervisor
};

// Live figures for a progress display.
struct Progress {
  Millis elapsed = 0;
  ByteCount memory = 0;
  Millis cpu = 0;
};

// A supervisor that has been started.
class Supervision {
 public:
  // Forks it. Returns at once.
  static Result<Supervision> start(SupervisorSpec spec);

  // Waits for what came of the run. `on_progress` is called about every 200 ms while the action runs.
  // `cancel` is a descriptor that becomes readable when the user wants to stop (-1: none), a
  // pipe or a signalfd: what one read gives counts as one time. Until the answer is here it is never too
  // late: facts of a run that somebody wanted to stop say kCancelled.
  Result<RunFacts> wait(const std::function<void(const Progress&)>& on_progress, int cancel);

  // Waits until the supervisor has torn everything down and is gone.
  Status finish();

 private:
  Supervision(pid_t pid, UniqueFd answers, UniqueFd orders)
      : pid_(pid), answers_(std::move(answers)), orders_(std::move(orders)) {}
  pid_t pid_;
  UniqueFd answers_;
  UniqueFd orders_;
};

}  // namespace glovebox
