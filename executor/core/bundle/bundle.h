// The OCI bundle's config.json for a plan: what the runtime is told, and nothing that it might decide for
// itself.
#pragma once
#include <array>
#include <string>

#include "core/base/json.h"
#include "core/plan/plan.h"

namespace glovebox {

// What differs from attempt to attempt and is therefore in no plan.
struct BundlePlace {
  std::string root;       // the assembled root file system
  unsigned host_uid = 0;  // the host id that kActionUid is mapped to, for uid and gid
};

Json bundle_config(const Plan& plan, const BundlePlace& place);

// The devices inside, each a node of the action's own. Numbers: Linux, Documentation/admin-guide/devices.txt.
struct Device {
  const char* name;  // below /dev
  unsigned kind;     // the driver, "major number"
  unsigned number;   // "minor number"
};
inline constexpr std::array<Device, 6> kDevices{
    {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}}};

// The mounts that must exist inside, and nothing else may (shell/runtime compares them with
// /proc/PID/mountinfo).
struct ExpectedMount {
  std::string target;  // as seen inside
  std::string type;    // file system type, or empty where it is the host's business (input files, masks)
  bool read_only = false;
};
std::vector<ExpectedMount> expected_mounts(const Plan& plan);

}  // namespace glovebox
