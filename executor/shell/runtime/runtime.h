// The OCI runtime: create a container from a bundle, start it, and see under which constraints its init
// really is.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/outcome/outcome.h"
#include "core/plan/plan.h"
#include "shell/sys/fd.h"

namespace glovebox {

// A read-only mount of the runtime's binary, to be put anywhere. `program`: absolute; links are followed.
Result<UniqueFd> detach_runtime(const std::string& program);

// Makes `directory` (absolute): there the runtime finds `config`, its bundle, and keeps its state, its pid
// file and its log. It is executed from there, too, off the read-only mount `runtime`.
Status prepare_runtime(const std::string& directory, int runtime, const std::string& config);

struct CreateSpec {
  std::string directory;  // as prepare_runtime() made it
  std::string id;
  int output = -1;  // the container's stdout
  int errors = -1;
  int channel = -1;          // init's descriptor 3
  std::vector<int> cgroups;  // entered before the runtime executes, so that all it starts is inside
};

// Creates the container and returns the host pid of its init, which waits to be started. Precondition: the
// caller is a child subreaper, so that init becomes its child.
Result<pid_t> create_container(const CreateSpec& spec);

// Lets init run, by the runtime's own start mechanism.
Status start_container(const CreateSpec& spec);

// Reads what is in force for the waiting init and compares it with the plan; any difference is an error, and
// nothing may start. Fills everything of Facts but the limits.
Result<Facts> check_confinement(pid_t init, const Plan& plan, uid_t host_uid);

}  // namespace glovebox
