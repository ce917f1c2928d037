// Host uids for actions (G4): while an action runs, no other has its uid, and nothing left over from an
// earlier one can have it either.
#pragma once
#include <sys/types.h>

#include <string>

#include "shell/sys/file.h"

namespace glovebox {

struct UidRange {
  uid_t first = 600'000;  // DESIGN.md §9a
  uid_t last = 600'999;
};

// Uids belong to the host, not to a state directory: installations with different ROOTs must share this.
inline constexpr const char* kUidLocks = "/run/glovebox/uids";

// One uid (to be used as gid too), held until destroyed or the process and its forks that kept the descriptor
// have ended. Programs do not inherit it.
class UidLease {
 public:
  // The uid in `range` that was leased longest ago, is not leased, and that no process on this host has as
  // its real uid. (An action's four uids are always the same: only one is mapped for it, and nothing that it
  // executes is setuid.) kHost with a hint where there is none. `locks` is made where it is missing.
  static Result<UidLease> take(const UidRange& range = {}, const std::string& locks = kUidLocks);
  [[nodiscard]] uid_t uid() const { return uid_; }
  [[nodiscard]] int fd() const { return lock_.fd(); }

 private:
  UidLease(uid_t uid, FileLock lock) : uid_(uid), lock_(std::move(lock)) {}
  uid_t uid_;
  FileLock lock_;
};

}  // namespace glovebox
