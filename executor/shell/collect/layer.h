// A walk over the writable layer of an overlay, as the action left it.
#pragma once
#include <sys/stat.h>

#include <functional>
#include <string>

#include "shell/sys/fd.h"

namespace glovebox {

// Deeper folders are not entered: no pattern reaches them, since patterns are at most 1024 bytes long and
// real ones have a handful of components, and each level costs a descriptor.
inline constexpr std::size_t kMaxLayerDepth = 64;

// All paths together. Names of hard links cost the action next to nothing, and deep folders make each of them
// 16 KiB long; a million files with paths of 256 bytes are far more than studies leave.
inline constexpr std::size_t kMaxLayerPathBytes = 256U << 20U;

// Calls `visit` for everything that is no directory, with its path (any bytes) and what fstatat says of it; a
// folder that is too deep is visited as if it were a file. Whiteouts, by which an overlay marks deletions,
// are skipped. No link is followed and no mount is entered. `most`: entries in all; more, or more than
// kMaxLayerPathBytes of paths, are an error (kRefused).
Status walk_layer(int upper, std::size_t most,
                  const std::function<Status(const std::string& path, const struct stat& info)>& visit);

}  // namespace glovebox
