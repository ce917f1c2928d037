#include "shell/sys/disk_room.h"

#include <sys/statvfs.h>

#include "shell/sys/fd.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr ByteCount kStatBlock = 512;  // stat(2): the unit of st_blocks

ByteCount promised_to_others(const DiskUse& use) {
  if (use.runs < 0) return 0;
  ByteCount promised = 0;
  const auto names = list_directory(use.runs, 100'000);
  if (!names.ok()) return 0;
  for (const std::string& name : *names) {
    struct stat info {};
    if (name == use.except) continue;
    if (::fstatat(use.runs, (name + "/" + kScratchImage).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const auto size = static_cast<ByteCount>(info.st_size);
    const ByteCount used = allocated_bytes(info);
    promised += size > used ? size - used : 0;
  }
  return promised;
}

}  // namespace

Status check_room(int directory, const DiskUse& use) {
  struct statvfs disk {};
  if (::fstatvfs(directory, &disk) != 0) return errno_error("ask for free disk space");
  const ByteCount free = static_cast<ByteCount>(disk.f_bavail) * disk.f_frsize;
  const ByteCount promised = promised_to_others(use);
  if (free >= use.wanted + promised + kDiskReserve) return {};
  return host_error("no room for " + use.what + " of " + format_bytes(use.wanted) + ": " +
                        format_bytes(free) + " are free, " + format_bytes(promised) +
                        " of them promised to running actions and " + format_bytes(kDiskReserve) +
                        " reserved for records",
                    use.hint);
}

ByteCount allocated_bytes(const struct stat& info) {
  return static_cast<ByteCount>(info.st_blocks) * kStatBlock;
}

}  // namespace glovebox
