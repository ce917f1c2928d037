#include "shell/runtime/scratch.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "shell/sys/disk_room.h"
#include "shell/sys/file.h"
#include "shell/sys/mount.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

constexpr unsigned kBlock = 4096;  // of loop device and file system: mkfs would take 1 KiB below 512 MiB
// ext4 keeps blocks back for its own tables: of 72 MiB, 0.8 % were still free when a write was refused.
constexpr std::uint64_t kNearlyFull = 64;  // a sixty-fourth of all blocks

// An empty ext4 of this size, as a sparse file. No journal: nobody reads a scratch after a crash.
Result<UniqueFd> template_image(int templates, const Limits& limits) {
  const std::string name =
      "ext4-4k-" + std::to_string(limits.scratch) + "-" + std::to_string(limits.scratch_inodes) + ".img";
  if (Result<UniqueFd> known = open_beneath(templates, name, O_RDONLY); known.ok()) return known;
  const std::string fresh = name + ".new-" + std::to_string(::getpid());
  const UniqueFd fd = TRY(open_beneath(templates, fresh, O_RDWR | O_CREAT | O_TRUNC, 0600));
  if (::ftruncate(fd.get(), static_cast<off_t>(limits.scratch)) != 0)
    return errno_error("size an empty file system");
  const std::string mkfs = TRY(find_program("mkfs.ext4", "install the package e2fsprogs"));
  TRY(run_program({mkfs, "-q", "-F", "-O", "^has_journal,^resize_inode", "-E", "lazy_itable_init=1,nodiscard",
                   "-m", "0", "-b", std::to_string(kBlock), "-N", std::to_string(limits.scratch_inodes),
                   "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd.get())}));
  if (::renameat(templates, fresh.c_str(), templates, name.c_str()) != 0)
    return errno_error("keep an empty file system");
  return open_beneath(templates, name, O_RDONLY);
}

Status copy_sparse(int from, int to, off_t size) {
  if (::ftruncate(to, size) != 0) return errno_error("size a scratch file system");
  for (off_t at = 0;;) {
    off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0) return errno == ENXIO ? Status() : Status(errno_error("read an empty file system"));
    const off_t end = ::lseek(from, data, SEEK_HOLE);
    off_t out = data;
    while (data < end) {
      const ssize_t n = ::copy_file_range(from, &data, to, &out, static_cast<std::size_t>(end - data), 0);
      if (n <= 0) return errno_error("copy an empty file system");
    }
    at = end;
  }
}

Result<std::string> attach_loop(int image) {
  const UniqueFd control = TRY(open_path("/dev/loop-control", O_RDWR));
  for (int tries = 0; tries < 64; ++tries) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) return errno_error("find a free loop device");
    const std::string path = "/dev/loop" + std::to_string(number);
    const UniqueFd device = TRY(open_path(path, O_RDWR));
    loop_config config{};
    config.fd = static_cast<__u32>(image);
    config.block_size = kBlock;
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
      // Autoclear lets the device go with its last user: it must be mounted before this descriptor closes.
      if (::mount(path.c_str(), "scratch", "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME,
                  "barrier=0,errors=remount-ro") != 0) {
        return errno_error("mount a scratch file system");
      }
      return path;
    }
    if (errno != EBUSY)
      return errno_error("set up a loop device");  // EBUSY: somebody else took it in between
  }
  return host_error("cannot get a loop device: all are taken as soon as they are free");
}

Status make_layers(const std::string& path, uid_t owner) {
  for (const char* name : {"/upper", "/work"}) {
    const std::string folder = path + name;
    if (::mkdir(folder.c_str(), 0755) != 0 || ::chown(folder.c_str(), owner, owner) != 0)
      return errno_error("make a scratch layer");
  }
  return {};
}

}  // namespace

Result<Scratch> Scratch::mount_at(const std::string& place, int run, int runs, int templates,
                                  const Limits& limits, uid_t owner) {
  const std::string path = place + "/scratch";
  if (::mkdir(path.c_str(), 0700) != 0) return errno_error("make the scratch's mount point");
  if (limits.scratch_on == ScratchKind::kTmpfs) {
    TRY(mount_tmpfs(path,
                    "size=" + std::to_string(limits.scratch) +
                        ",nr_inodes=" + std::to_string(limits.scratch_inodes) + ",mode=0711",
                    kNoSuid | kNoDev));
    TRY(make_layers(path, owner));
    return Scratch(path, UniqueFd());
  }
  TRY(check_room(
      run, {"a scratch", limits.scratch, "make room, or choose a smaller scratch in the policy", runs}));
  const UniqueFd empty = TRY(template_image(templates, limits));
  UniqueFd image = TRY(open_beneath(run, kScratchImage, O_RDWR | O_CREAT | O_EXCL, 0600));
  TRY(copy_sparse(empty.get(), image.get(), static_cast<off_t>(limits.scratch)));
  if (::chdir(place.c_str()) != 0) return errno_error("enter the stage");
  TRY(attach_loop(image.get()));
  TRY(make_layers(path, owner));
  return Scratch(path, std::move(image));
}

Result<std::map<std::string, LimitFact>> Scratch::read_back(const Limits& limits) const {
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) != 0) return errno_error("read the scratch's limits");
  const ByteCount bytes = static_cast<ByteCount>(disk.f_blocks) * disk.f_frsize;
  // mkfs rounds inodes up to whole table blocks in each of its groups, and it chooses the groups.
  const std::uint64_t rounding = limits.scratch_inodes / 100 + 512;
  if (bytes > limits.scratch || bytes == 0 || disk.f_files == 0 ||
      disk.f_files > limits.scratch_inodes + rounding) {
    return host_error("the limits of the scratch are not in force");
  }
  return std::map<std::string, LimitFact>{{"scratch", {limits.scratch, bytes, {}}},
                                          {"scratch_inodes", {limits.scratch_inodes, disk.f_files, {}}}};
}

bool Scratch::full() const {
  struct statvfs disk {};
  if (::statvfs(path_.c_str(), &disk) != 0) return false;
  return disk.f_bavail <= disk.f_blocks / kNearlyFull || disk.f_favail == 0;
}

Status Scratch::freeze() const {
  const UniqueFd fd = TRY(open_path(path_, O_RDONLY | O_DIRECTORY));
  if (::syncfs(fd.get()) != 0) return errno_error("write the scratch to disk");
  // The mount, not the file system: nobody else has one of it, and that would wait for a grace period (10
  // ms).
  return restrict_mount(fd.get(), kReadOnly, -1);
}

Result<UniqueFd> Scratch::upper() const {
  return open_path(path_ + "/upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

Status Scratch::tear_down() {
  if (image_.valid() && ::ftruncate(image_.get(), 0) != 0)
    return errno_error("give the scratch's space back");
  image_.reset();
  return unmount(path_);
}

}  // namespace glovebox
