// What the kernel says of a file without reading it: as long as all of it is the same, so is the content.
#pragma once
#include <sys/stat.h>

#include <cstdint>

#include "core/base/types.h"

namespace glovebox {

// The change time is the kernel's: no user can set it back. Within one clock tick two writes look alike, so
// the digest of a file changed a moment before it was hashed must not be kept.
struct FileStamp {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool operator==(const FileStamp&) const = default;
};

inline FileStamp stamp_of(const struct stat& info) {
  const auto nanoseconds = [](const timespec& time) {
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  };
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim),
          nanoseconds(info.st_ctim)};
}

struct FileDigest {
  FileStamp stamp;  // taken before hashing, and again after it: a file that changed meanwhile has none
  Digest digest;
};

}  // namespace glovebox
