// The environment of the study's first process.
#pragma once
#include <map>
#include <string>

#include "core/plan/plan.h"

namespace glovebox {

// `limit` rounded up to whole CPUs, at most those of the host (where known), at least 1: more threads than
// cores only get in each other's way.
unsigned whole_cpus(MilliCpus limit, unsigned host_cpus);

// From the lowest layer to the highest: the image's own variables, what the request may pass, what policy
// sets, the CPU counts. Refuses, by name and never by value, a variable that the policy does not pass, or
// sets itself. Writes a reason ("environment.HOME") for each.
Result<std::map<std::string, std::string>> plan_environment(const std::map<std::string, std::string>& asked,
                                                            const Policy& policy, const ImageInfo& image,
                                                            unsigned cpus,
                                                            std::map<std::string, std::string>& reasons);

}  // namespace glovebox
