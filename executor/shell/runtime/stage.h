// The action's whole root, assembled in the supervisor's own mount namespace before the runtime is called
// (DESIGN.md §9): image, init, code, scratch and inputs under neutral names, so that nothing inside tells
// where they lie on the host.
#pragma once
#include <sys/types.h>

#include <string>

#include "core/plan/plan.h"
#include "shell/runtime/scratch.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Directories that a stage is built from; none is changed.
struct StageSources {
  UniqueFd image;  // an image's unpacked tree
  UniqueFd init;   // holds .glovebox/init
  UniqueFd code;   // the study code, root-owned
  UniqueFd study;  // what the inputs' paths are relative to; not needed where there are none
};

// `place` is an empty directory; its parents must let everybody pass (0711). Precondition: unshare_mounts()
// was called. Everything mounted here vanishes with the calling process. Inputs are checked to be the files
// that the plan saw: size, and regular. The assembled root is `place`/root.
Status assemble_root(const Plan& plan, uid_t host_uid, const StageSources& sources, const std::string& place);

}  // namespace glovebox
