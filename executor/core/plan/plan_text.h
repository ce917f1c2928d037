// A plan as people read it: `glovebox plan` without --json.
#pragma once
#include <string>

#include "core/plan/plan.h"

namespace glovebox {

// Every decided value beside its reason ("policies/python.yaml:31"), on a page or two: system calls are
// counted, and of very many inputs and patterns the first are shown and the rest counted. What others wrote
// is escaped (G9). Byte-equal for equal plans (G15); plan_json() is the whole.
std::string plan_text(const Plan& plan);

}  // namespace glovebox
