#include "shell/sys/mount.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

__u64 attributes_of(unsigned flags) {
  __u64 attributes = 0;
  if ((flags & kReadOnly) != 0) attributes |= MOUNT_ATTR_RDONLY;
  if ((flags & kNoSuid) != 0) attributes |= MOUNT_ATTR_NOSUID;
  if ((flags & kNoDev) != 0) attributes |= MOUNT_ATTR_NODEV;
  if ((flags & kNoExec) != 0) attributes |= MOUNT_ATTR_NOEXEC;
  return attributes;
}

unsigned long classic_flags(unsigned flags) {
  unsigned long classic = 0;
  if ((flags & kReadOnly) != 0) classic |= MS_RDONLY;
  if ((flags & kNoSuid) != 0) classic |= MS_NOSUID;
  if ((flags & kNoDev) != 0) classic |= MS_NODEV;
  if ((flags & kNoExec) != 0) classic |= MS_NOEXEC;
  return classic;
}

Status write_map(pid_t child, const char* map, const std::string& line) {
  const UniqueFd fd = TRY(open_path("/proc/" + std::to_string(child) + "/" + map, O_WRONLY));
  return write_all(fd.get(), line);
}

}  // namespace

Status unshare_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) return errno_error("make a mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return errno_error("make all mounts private");
  return {};
}

Result<UniqueFd> idmap_namespace(uid_t from_uid, gid_t from_gid, uid_t to_uid, gid_t to_gid) {
  // A namespace lives as long as a descriptor to it; its first process only has to exist while the maps are
  // written. Sharing our memory, it costs no copy of it.
  alignas(16) std::array<char, 16 * 1024> stack;  // NOLINT: only that process writes there
  const pid_t parent = ::getpid();
  const auto wait_for_end = [](void* of) -> int {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (::getppid() == *static_cast<const pid_t*>(of)) ::pause();
    return 0;
  };
  const pid_t child = ::clone(wait_for_end, stack.data() + stack.size(), CLONE_NEWUSER | CLONE_VM | SIGCHLD,
                              const_cast<pid_t*>(&parent));
  if (child < 0) {
    return host_error("cannot make a user namespace for idmapped mounts",
                      "see: sysctl user.max_user_namespaces");
  }
  const auto build = [&]() -> Result<UniqueFd> {
    TRY(write_map(child, "uid_map", std::to_string(from_uid) + " " + std::to_string(to_uid) + " 1\n"));
    TRY(write_map(child, "gid_map", std::to_string(from_gid) + " " + std::to_string(to_gid) + " 1\n"));
    return open_path("/proc/" + std::to_string(child) + "/ns/user", O_RDONLY);
  };
  Result<UniqueFd> space = build();
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  return space;
}

Result<UniqueFd> clone_mount(int directory, const std::string& path) {
  const unsigned flags =
      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW | (path.empty() ? AT_EMPTY_PATH : 0U);
  const long fd = ::syscall(SYS_open_tree, directory, path.c_str(), flags);
  if (fd < 0) return errno_error("copy the mount of " + quoted(path.empty() ? "a directory" : path));
  return UniqueFd(static_cast<int>(fd));
}

Status restrict_mount(int mount, unsigned flags, int user_namespace) {
  mount_attr attributes{};
  attributes.attr_set = attributes_of(flags);
  if (user_namespace >= 0) {
    attributes.attr_set |= MOUNT_ATTR_IDMAP;
    attributes.userns_fd = static_cast<__u64>(user_namespace);
  }
  if (::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes) != 0) {
    return errno_error(user_namespace >= 0 ? "idmap a mount" : "restrict a mount");
  }
  return {};
}

Status attach_mount(int mount, int directory, const std::string& path) {
  const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path.empty() ? MOVE_MOUNT_T_EMPTY_PATH : 0U);
  if (::syscall(SYS_move_mount, mount, "", directory, path.c_str(), flags) != 0)
    return errno_error("mount " + quoted(path));
  return {};
}

Status mount_tmpfs(const std::string& target, const std::string& options, unsigned flags) {
  if (::mount("tmpfs", target.c_str(), "tmpfs", classic_flags(flags), options.c_str()) != 0)
    return errno_error("mount a tmpfs");
  return {};
}

Status mount_overlay(const std::string& target, const std::string& options, unsigned flags) {
  if (::mount("overlay", target.c_str(), "overlay", classic_flags(flags), options.c_str()) != 0) {
    return errno_error("mount an overlay");
  }
  return {};
}

Status move_mount_to(const std::string& mount, const std::string& target) {
  if (::mount(mount.c_str(), target.c_str(), nullptr, MS_MOVE, nullptr) != 0)
    return errno_error("move the mount " + quoted(mount));
  return {};
}

Status unmount(const std::string& target) {
  if (::umount2(target.c_str(), UMOUNT_NOFOLLOW) != 0) return errno_error("unmount " + quoted(target));
  return {};
}

}  // namespace glovebox
