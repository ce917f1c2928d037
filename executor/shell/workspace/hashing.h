// Digests of a study's files, read only where they may have changed since they were last read.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/types.h"
#include "shell/sys/file_stamp.h"

namespace glovebox {

// The store's memory of digests; tests have their own.
class DigestCache {
 public:
  virtual ~DigestCache() = default;
  // One answer per stamp, in order.
  virtual Result<std::vector<std::optional<Digest>>> lookup(const std::vector<FileStamp>& stamps) = 0;
  // `hashed_at_ns`: when hashing of the first began (CLOCK_REALTIME). What changed within two seconds before
  // is not to be kept.
  virtual Status remember(const std::vector<FileDigest>& digests, std::int64_t hashed_at_ns) = 0;
};

struct StampedPath {
  RelPath path;
  FileStamp stamp;
};

// What to do about a file that somebody has open for writing: its digest is not remembered, or it is an
// error.
enum class Writers { kTolerated, kRefused };

// The digest of each file beneath `root`, in order; `files` are regular and have the stamps given. kInvalid,
// naming it, where one changed since it was stamped or while it was read, or has a writer that is
// not tolerated.
Result<std::vector<Digest>> digests_of(int root, const std::vector<StampedPath>& files, DigestCache& cache,
                                       Writers writers = Writers::kTolerated);

}  // namespace glovebox
