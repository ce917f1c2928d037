// The powers of our own process (libcap).
#pragma once
#include "core/base/result.h"

namespace glovebox {

// Gives up every capability that running an action never needs (network, modules, clock, reboot, raw I/O,
// tracing of the kernel …), for this process and all it starts. As an ordinary user: nothing to give up.
Status drop_unneeded_capabilities();

}  // namespace glovebox
