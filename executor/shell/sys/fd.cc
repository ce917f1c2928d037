#include "shell/sys/fd.h"

#include <linux/openat2.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/base/text.h"

namespace glovebox {

UniqueFd::~UniqueFd() {
  if (fd_ >= 0) ::close(fd_);
}

Error errno_error(const std::string& what) {
  const int number = errno;
  std::string hint;
  if (number == ENOSPC || number == EDQUOT) hint = "make room on that file system, then try again";
  if (number == EMFILE) hint = "raise the limit of open files (ulimit -n)";
  return host_error("cannot " + what + ": " + std::strerror(number), std::move(hint));
}

namespace {

Result<UniqueFd> open_as(int directory, const std::string& path, open_how how) {
  how.flags |= O_CLOEXEC;
  for (int tries = 0;; ++tries) {
    const long fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    // EAGAIN: a rename elsewhere raced with the kernel's beneath check; the man page says to try again.
    if ((errno != EAGAIN && errno != EINTR) || tries > 100) return errno_error("open " + quoted(path));
  }
}

}  // namespace

Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<__u64>(flags);
  how.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  return open_as(directory, path, how);
}

Result<UniqueFd> open_resolved(const std::string& path, int flags) {
  if (!path.starts_with('/')) return host_error("not an absolute path: " + quoted(path));
  open_how how{};
  how.flags = static_cast<__u64>(flags);
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return open_as(AT_FDCWD, path, how);
}

Result<UniqueFd> open_path(const std::string& path, int flags, mode_t mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return errno_error("open " + quoted(path));
  return UniqueFd(fd);
}

Result<struct stat> stat_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return errno_error("read the attributes of an open file");
  return info;
}

Result<UniqueFd> make_directories(int directory, const std::string& path, mode_t mode, uid_t owner,
                                  gid_t group) {
  UniqueFd current = TRY(open_beneath(directory, ".", O_RDONLY | O_DIRECTORY));
  for (const std::string_view part : split(path, '/')) {
    const std::string name(part);
    const bool fresh = ::mkdirat(current.get(), name.c_str(), 0700) == 0;
    if (!fresh && errno != EEXIST) return errno_error("make the directory " + quoted(path));
    UniqueFd next = TRY(open_beneath(current.get(), name, O_RDONLY | O_DIRECTORY));
    if (fresh) {
      const bool keep = owner == static_cast<uid_t>(-1) && group == static_cast<gid_t>(-1);
      if (!keep && ::fchown(next.get(), owner, group) != 0)
        return errno_error("give away the directory " + quoted(path));
      if (::fchmod(next.get(), mode) != 0)
        return errno_error("set the mode of the directory " + quoted(path));
    }
    current = std::move(next);
  }
  return current;
}

bool is_readable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  return fd >= 0 && ::poll(&ready, 1, 0) > 0;
}

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("make a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<std::pair<UniqueFd, UniqueFd>> make_seqpacket() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return errno_error("make a socket pair");
  return std::pair(UniqueFd(ends[0]), UniqueFd(ends[1]));
}

}  // namespace glovebox
