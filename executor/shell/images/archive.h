// Images that were saved to one file: an OCI layout in a tar archive, or what `docker save` writes.
#pragma once
#include <string>

#include "shell/images/layer.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Makes a layout folder of the archive at `path` in the directory `work` and opens it. An OCI archive is
// unpacked in a worker; Docker's is converted by skopeo, confined. kRefused for anything else.
Result<UniqueFd> open_archive(const std::string& path, int work, uid_t worker, const UnpackLimits& limits);

}  // namespace glovebox
