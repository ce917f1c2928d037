// All layers of an image into one directory, in a worker without power (G18).
#pragma once
#include <functional>
#include <vector>

#include "shell/images/layer.h"

namespace glovebox {

struct UnpackJob {
  std::vector<int> layers;       // open blobs, bottom first
  std::vector<Digest> diff_ids;  // what each must unpack to
  int tree = -1;                 // an empty directory that belongs to `worker`
  uid_t worker = 0;              // the uid and gid that the worker takes
  UnpackLimits limits;
};

// What is in `tree` afterwards belongs to the worker and is not to be trusted before normalise_tree().
// kIntegrity where a layer is not what the image's configuration says; kRefused for a hostile or damaged one;
// kHost where the disk is full.
Result<UnpackTotals> unpack_layers(const UnpackJob& job);

// Unpacks one tar archive (an image that was saved to a file), whatever is in it.
Status unpack_archive(const UnpackJob& job);

}  // namespace glovebox
