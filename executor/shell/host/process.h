// Which process is which, for longer than a pid says: pids come back, also after a restart of the host.
#pragma once
#include <sys/types.h>

#include <string>

#include "core/base/result.h"

namespace glovebox {

struct ProcessIdentity {
  pid_t pid = 0;
  std::string start;  // "<boot id>/<start time in clock ticks since boot>"
};

Result<ProcessIdentity> this_process();

// True while exactly that process runs (a zombie has ended).
bool is_alive(const ProcessIdentity& process);

}  // namespace glovebox
