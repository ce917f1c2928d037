// Puts right what a command that was killed left behind: nothing of an action survives, and every attempt has
// a true record (G7, G10, G12).
#pragma once
#include "core/base/result.h"

namespace glovebox {

class Installation;

// For every attempt that nobody supervises any more: its processes and control group go; a publish that had
// its journal is rolled forward, one that had not leaves no trace; its record is written (`lost`, or the
// outcome where that was decided already); its directory goes. Cheap where there is nothing to do. Safe while
// other commands run.
Status reconcile(Installation& home);

}  // namespace glovebox
