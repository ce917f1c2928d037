// Descriptors with one owner, and opening things without following anybody's links.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <string>
#include <utility>

#include "core/base/result.h"
#include "core/base/types.h"

namespace glovebox {

// Owns one descriptor. Closing never fails loudly: what must be durable is fsynced before.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset() { UniqueFd gone(std::exchange(fd_, -1)); }

 private:
  int fd_ = -1;
};

// An Error of kind kHost for the present errno: "cannot <what>: No space left on device". `what` is shown as
// it is: escape hostile names with quoted() first.
Error errno_error(const std::string& what);

// Opens `path` beneath `directory` with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS
// | RESOLVE_NO_XDEV), O_CLOEXEC added. No component may be a link or leave the file system. "." is the
// directory itself.
Result<UniqueFd> open_beneath(int directory, const std::string& path, int flags, mode_t mode = 0);

// Opens an ordinary path of the operator's (state directory, policies), following links as the shell would.
// O_CLOEXEC added.
Result<UniqueFd> open_path(const std::string& path, int flags, mode_t mode = 0);

// Opens an absolute path of which no component may be a link: one that was resolved before and must still
// mean the same. Mounts may be crossed. O_CLOEXEC added.
Result<UniqueFd> open_resolved(const std::string& path, int flags);

Result<struct stat> stat_of(int fd);

// Makes every missing directory of `path` beneath `directory` and opens the last one; existing components
// must be real directories. `mode` is applied to new ones regardless of the umask, and `owner`/`group` where
// not (uid_t)-1.
Result<UniqueFd> make_directories(int directory, const std::string& path, mode_t mode,
                                  uid_t owner = static_cast<uid_t>(-1), gid_t group = static_cast<gid_t>(-1));

// Something to read, or the other end is gone; never waits. False for -1.
bool is_readable(int fd);

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};
Result<Pipe> make_pipe();  // O_CLOEXEC

// A socket pair that keeps message borders (SOCK_SEQPACKET), O_CLOEXEC.
Result<std::pair<UniqueFd, UniqueFd>> make_seqpacket();

}  // namespace glovebox
