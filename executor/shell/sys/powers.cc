#include "shell/sys/powers.h"

#include <sys/capability.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "shell/sys/fd.h"

namespace glovebox {
namespace {

// What the supervisor and the OCI runtime use: files of other owners, ids, mounts and namespaces, signals,
// /proc of the action.
constexpr cap_value_t kNeeded[] = {CAP_CHOWN,      CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
                                   CAP_FSETID,     CAP_KILL,         CAP_SETGID,          CAP_SETUID,
                                   CAP_SETPCAP,    CAP_SETFCAP,      CAP_MKNOD,           CAP_SYS_ADMIN,
                                   CAP_SYS_CHROOT, CAP_SYS_PTRACE,   CAP_SYS_RESOURCE};

bool is_needed(cap_value_t capability) {
  return std::find(std::begin(kNeeded), std::end(kNeeded), capability) != std::end(kNeeded);
}

}  // namespace

Status drop_unneeded_capabilities() {
  if (::geteuid() != 0) return {};
  for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
    if (!is_needed(capability) && cap_drop_bound(capability) != 0) return errno_error("drop a capability");
  }
  const auto release = [](cap_t caps) { cap_free(caps); };
  const std::unique_ptr<std::remove_pointer_t<cap_t>, decltype(release)> kept(cap_get_proc(), release);
  if (!kept) return errno_error("read capabilities");
  for (cap_value_t capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
    if (is_needed(capability)) continue;
    for (const cap_flag_t set : {CAP_PERMITTED, CAP_EFFECTIVE, CAP_INHERITABLE}) {
      if (cap_set_flag(kept.get(), set, 1, &capability, CAP_CLEAR) != 0)
        return errno_error("choose capabilities");
    }
  }
  if (cap_set_proc(kept.get()) != 0) return errno_error("drop capabilities");
  return {};
}

}  // namespace glovebox
