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

struct CreateSpec {
  std::string program;  // the runtime's absolute path
  std::string
      run_path;  // the attempt's directory, where config.json lies and where the runtime keeps its state
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
