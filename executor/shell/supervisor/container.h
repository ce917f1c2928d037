// One container, from its creation to the last of its processes.
#pragma once
#include <poll.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "core/job/watch.h"
#include "core/outcome/run_facts.h"
#include "shell/host/cgroup.h"
#include "shell/supervisor/log_keeper.h"
#include "shell/supervisor/supervisor.h"

namespace glovebox {

class Container {
 public:
  // Creates it from the runtime's `directory` (shell/runtime), starts init and waits until init is ready
  // behind its gate. The caller's group limits are in force from the first instruction on.
  static Result<Container> launch(const SupervisorSpec& spec, const std::string& directory,
                                  const Cgroup& group);

  // Facts under full confinement. Nothing of the study has run yet.
  Result<Facts> check(const SupervisorSpec& spec) const;

  // Opens the gate, then keeps log and clock until init is gone and the group is empty. `orders`: a byte or
  // the end asks to stop. `tick` is called about five times a second.
  Status run(const SupervisorSpec& spec, const Cgroup& group, int orders,
             const std::function<void(Millis)>& tick, RunFacts& facts);

  // Kills whatever runs and reaps it; for the paths on which run() was not reached.
  Status abandon(const Cgroup& group);

 private:
  Container(pid_t init, UniqueFd channel, UniqueFd output, UniqueFd errors, LogKeeper log);
  Status wait_ready();
  [[nodiscard]] int echo_of(int stream, const SupervisorSpec& spec) const;
  [[nodiscard]] pollfd next_of(int stream, const SupervisorSpec& spec) const;
  Status drain(int stream, const SupervisorSpec& spec);
  Status drain_to_end(int stream, const SupervisorSpec& spec);
  void take_report(RunFacts& facts);
  void act(WatchEffect effect, const Cgroup& group);
  void reap(RunFacts& facts);

  pid_t init_;
  UniqueFd process_;  // pidfd
  UniqueFd channel_;
  UniqueFd streams_[2];
  LogKeeper log_;
  bool echoes_ = true;
  bool reader_left_ = false;  // of the echo
};

}  // namespace glovebox
