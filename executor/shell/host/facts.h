// What this host is and can enforce.
#pragma once
#include "core/plan/plan.h"

namespace glovebox {

// Probed afresh at each call; below a millisecond.
HostFacts probe_host();

}  // namespace glovebox
