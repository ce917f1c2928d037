// An action's private writable layer: a small file system of its own with hard limits on bytes and inodes
// (G6).
#pragma once
#include <sys/types.h>

#include <map>
#include <string>

#include "core/outcome/outcome.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Mounted at `place`/scratch in the caller's mount namespace, which must be private; holds `upper` (the
// action's) and `work`.
class Scratch {
 public:
  // `run` is the attempt's directory on disk (the image file lies there), `templates` holds empty file
  // systems by size, made when first needed. kHost where the disk could not hold all that is promised.
  static Result<Scratch> mount_at(const std::string& place, int run, int runs, int templates,
                                  const Limits& limits, uid_t owner);

  // "scratch", "scratch_inodes" as asked and as the file system has them.
  [[nodiscard]] Result<std::map<std::string, LimitFact>> read_back(const Limits& limits) const;
  // Bytes or inodes have run out.
  [[nodiscard]] bool full() const;
  // After the last process is gone: everything written, then read-only. An error means that the outputs
  // cannot be trusted.
  Status freeze() const;
  // The action's layer. Precondition: freeze() succeeded, or the caller is still staging.
  [[nodiscard]] Result<UniqueFd> upper() const;
  // Gives the space back at once: an unmounted file system need not write what nobody will read.
  Status tear_down();

 private:
  Scratch(std::string path, UniqueFd image) : path_(std::move(path)), image_(std::move(image)) {}
  std::string path_;
  UniqueFd image_;  // the ext4 image on disk; none for tmpfs
};

}  // namespace glovebox
