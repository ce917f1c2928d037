// From a SyscallPolicy to the OCI runtime's linux.seccomp object, and the same decision as a pure function.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/policy/policy.h"

namespace glovebox {

struct SyscallDecision {
  bool allowed = false;
  int error = 0;  // errno that the caller gets where it is not allowed
  bool operator==(const SyscallDecision&) const = default;
};

// What the compiled filter must answer: the reference that tests compare it with. `name` is the native x86_64
// name, empty for a number that has none.
SyscallDecision decide(const SyscallPolicy& policy, std::string_view name,
                       const std::array<std::uint64_t, 6>& arguments);

// The linux.seccomp object of an OCI configuration: native ABI only, defaultErrnoRet explicit, refusals as
// the exact complement of the allowed condition (libseccomp 2.5.4 lets an unconditional rule erase a
// conditional one). Fails for a name that the installed libseccomp does not know: runtimes skip such names
// silently.
Result<Json> seccomp_config(const SyscallPolicy& policy);

// True where libseccomp knows `name` on the native architecture.
bool syscall_known(const std::string& name);

// Every name that libseccomp knows on the native architecture, sorted.
std::vector<std::string> native_syscalls();

}  // namespace glovebox
