#include "shell/workspace/hashing.h"

#include <ctime>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

Result<bool> unchanged(int fd, const FileStamp& stamp) {
  const auto info = TRY(stat_of(fd));
  return S_ISREG(info.st_mode) && stamp_of(info) == stamp;
}

struct Hashed {
  Digest digest;
  bool at_rest = false;  // nobody can change it without moving its times
};

Result<Hashed> hash_file(BeneathStat& files, const StampedPath& file, Writers writers) {
  const int folder = TRY(files.parent_of(file.path));
  const UniqueFd fd =
      TRY(open_beneath(folder, std::string(file.path.name()), O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const bool same_before = TRY(unchanged(fd.get(), file.stamp));
  if (same_before) {
    // After the look at its stamp: whoever begins to write from here on moves its times.
    const Result<bool> written = is_open_for_writing(fd.get());
    const bool at_rest = written.ok() && !*written;
    if (!at_rest && writers == Writers::kRefused) {
      if (!written.ok()) return written.error();
      return invalid(quoted(file.path.str()) + " is open for writing in another program", {},
                     "close it there, then try again");
    }
    const Copied copied = TRY(hash_fd(fd.get(), file.stamp.size));
    const bool same_after = TRY(unchanged(fd.get(), file.stamp));
    if (same_after && copied.size == file.stamp.size) return Hashed{copied.digest, at_rest};
  }
  return invalid(quoted(file.path.str()) + " was changed while it was read", {},
                 "try again when it is at rest");
}

}  // namespace

Result<std::vector<Digest>> digests_of(int root, const std::vector<StampedPath>& files, DigestCache& cache,
                                       Writers writers) {
  std::vector<FileStamp> stamps;
  stamps.reserve(files.size());
  for (const StampedPath& file : files) stamps.push_back(file.stamp);
  const std::vector<std::optional<Digest>> known = TRY(cache.lookup(stamps));
  if (known.size() != files.size()) return host_error("the cache of digests answered for other files");
  const std::int64_t began = now_ns();
  BeneathStat beneath(root);
  std::vector<Digest> digests;
  std::vector<FileDigest> fresh;
  digests.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (known[i]) {
      digests.push_back(*known[i]);
      continue;
    }
    const Hashed hashed = TRY(hash_file(beneath, files[i], writers));
    digests.push_back(hashed.digest);
    if (hashed.at_rest) fresh.push_back({files[i].stamp, hashed.digest});
  }
  if (!fresh.empty()) TRY(cache.remember(fresh, began));
  return digests;
}

}  // namespace glovebox
