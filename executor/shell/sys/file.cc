#include "shell/sys/file.h"

#include <dirent.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kChunk = 1U << 20U;

// Room for reading. Not zeroed first: for many small files that took longer than all the rest.
class Buffer {
 public:
  explicit Buffer(std::size_t size) : size_(size), bytes_(std::make_unique_for_overwrite<char[]>(size)) {}
  // The next chunk of `fd`, or an empty view at the end.
  Result<std::string_view> read_from(int fd) {
    for (;;) {
      const ssize_t n = ::read(fd, bytes_.get(), size_);
      if (n >= 0) return std::string_view(bytes_.get(), static_cast<std::size_t>(n));
      if (errno != EINTR) return errno_error("read a file");
    }
  }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

struct Split {
  std::string directory;
  std::string name;
};
Split split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

Result<std::string> read_all(int fd, std::size_t most) {
  std::string text;
  Buffer buffer(std::min<std::size_t>(kChunk, most + 1));
  for (;;) {
    const std::string_view chunk = TRY(buffer.read_from(fd));
    if (chunk.empty()) return text;
    text += chunk;
    if (text.size() > most) return invalid("the file is larger than " + format_bytes(most));
  }
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
  const UniqueFd fd = TRY(open_path(path, O_RDONLY | O_NONBLOCK));
  const auto info = TRY(stat_of(fd.get()));
  if (!S_ISREG(info.st_mode)) return invalid(quoted(path) + " is not a regular file");
  return read_all(fd.get(), most);
}

Result<std::string> read_beneath(int directory, const std::string& path, std::size_t most) {
  const UniqueFd fd = TRY(open_beneath(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const auto info = TRY(stat_of(fd.get()));
  if (!S_ISREG(info.st_mode)) return invalid(quoted(path) + " is not a regular file");
  return read_all(fd.get(), most);
}

Status write_all(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno_error("write a file");
    }
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_fd(int fd) {
  if (::fsync(fd) != 0) return errno_error("make a file durable (fsync)");
  return {};
}

Status replace_file(int directory, const std::string& path, std::string_view data, mode_t mode, uid_t owner,
                    gid_t group) {
  const Split split = split_path(path);
  const UniqueFd parent = TRY(open_beneath(directory, split.directory, O_RDONLY | O_DIRECTORY));
  const std::string temporary =
      ".glovebox-new-" + std::to_string(::getpid()) + "-" + Digest::of(split.name).hex().substr(0, 16);
  ::unlinkat(parent.get(), temporary.c_str(), 0);
  const auto write_it = [&]() -> Status {
    const UniqueFd fd =
        TRY(open_beneath(parent.get(), temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(write_all(fd.get(), data));
    const bool give = owner != static_cast<uid_t>(-1) || group != static_cast<gid_t>(-1);
    if (give && ::fchown(fd.get(), owner, group) != 0) return errno_error("give away " + quoted(path));
    if (::fchmod(fd.get(), mode) != 0) return errno_error("set the mode of " + quoted(path));
    TRY(sync_fd(fd.get()));
    if (::renameat(parent.get(), temporary.c_str(), parent.get(), split.name.c_str()) != 0) {
      return errno_error("put " + quoted(path) + " in place");
    }
    return sync_fd(parent.get());
  };
  Status written = write_it();
  if (!written.ok()) ::unlinkat(parent.get(), temporary.c_str(), 0);
  return written;
}

namespace {

// Writes what it is given, one chunk after the other, with holes in place of blocks of zeros.
class SparseWriter {
 public:
  explicit SparseWriter(int fd) : fd_(fd) {}
  Status put(std::string_view chunk) {
    while (!chunk.empty()) {
      const bool zero = is_zero(chunk.substr(0, kBlock));
      std::size_t length = std::min(kBlock, chunk.size());
      while (length < chunk.size() && is_zero(chunk.substr(length, kBlock)) == zero)
        length = std::min(length + kBlock, chunk.size());
      if (zero) {
        hole_ += static_cast<off_t>(length);
      } else {
        TRY(skip_hole());
        TRY(write_all(fd_, chunk.substr(0, length)));
      }
      chunk.remove_prefix(length);
    }
    return {};
  }
  // A hole at the end is nothing but length.
  Status finish() {
    if (hole_ == 0) return {};
    const off_t end = TRY(skip_hole());
    if (::ftruncate(fd_, end) != 0) return errno_error("write a file");
    return {};
  }

 private:
  static constexpr std::size_t kBlock = 4096;  // of every file system that we run on, or a multiple of it
  static bool is_zero(std::string_view block) {
    return block[0] == 0 && std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
  }
  Result<off_t> skip_hole() {
    const off_t at = ::lseek(fd_, std::exchange(hole_, 0), SEEK_CUR);
    if (at < 0) return errno_error("write a file");
    return at;
  }
  int fd_;
  off_t hole_ = 0;
};

}  // namespace

Result<Copied> copy_and_hash(int from, int to, ByteCount most, int cancel) {
  Hasher hasher;
  Copied copied;
  SparseWriter writer(to);
  Buffer buffer(kChunk);
  for (;;) {
    const std::string_view chunk = TRY(buffer.read_from(from));
    if (chunk.empty()) break;
    copied.size += chunk.size();
    if (copied.size > most) return refused("the file is larger than " + format_bytes(most));
    if (is_readable(cancel)) return refused("cancelled");
    hasher.update(chunk);
    if (to >= 0) TRY(writer.put(chunk));
  }
  if (to >= 0) TRY(writer.finish());
  copied.digest = hasher.finish();
  return copied;
}

Result<Copied> hash_fd(int fd, ByteCount most, int cancel) {
  return copy_and_hash(fd, -1, most, cancel);
}

Result<std::vector<std::string>> list_directory(int directory, std::size_t most) {
  UniqueFd again = TRY(open_beneath(directory, ".", O_RDONLY | O_DIRECTORY));
  const auto close_dir = [](DIR* d) { ::closedir(d); };
  const std::unique_ptr<DIR, decltype(close_dir)> stream(::fdopendir(again.get()), close_dir);
  if (!stream) return errno_error("list a directory");
  again.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return errno_error("list a directory");
      break;
    }
    const std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (names.size() == most)
      return refused("a directory has more than " + std::to_string(most) + " entries");
    names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

// Empties `directory` without recursion: a sub-directory that is not empty is renamed up into `top`, where it
// becomes one more entry to remove. Depth therefore costs neither stack nor descriptors.
Status empty_directory(int top) {
  std::uint64_t moved = 0;
  for (;;) {
    const std::vector<std::string> names = TRY(list_directory(top, 100'000'000));
    if (names.empty()) return {};
    for (const std::string& name : names) {
      if (::unlinkat(top, name.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno != EISDIR && errno != EPERM) return errno_error("remove " + quoted(name));
      const UniqueFd sub = TRY(open_beneath(top, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      for (const std::string& inner : TRY(list_directory(sub.get(), 100'000'000))) {
        if (::unlinkat(sub.get(), inner.c_str(), 0) == 0 || errno == ENOENT) continue;
        if (::unlinkat(sub.get(), inner.c_str(), AT_REMOVEDIR) == 0) continue;
        for (;;) {
          const std::string fresh = ".glovebox-gone-" + std::to_string(moved++);
          if (::renameat(sub.get(), inner.c_str(), top, fresh.c_str()) == 0) break;
          if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR && errno != EISDIR)
            return errno_error("remove " + quoted(inner));
        }
      }
      if (::unlinkat(top, name.c_str(), AT_REMOVEDIR) != 0) return errno_error("remove " + quoted(name));
    }
  }
}

}  // namespace

Status remove_tree(int directory, const std::string& name) {
  if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR && errno != EPERM) return errno_error("remove " + quoted(name));
  const UniqueFd top = TRY(open_beneath(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  TRY(empty_directory(top.get()));
  if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0) return errno_error("remove " + quoted(name));
  return {};
}

Result<TempDir> TempDir::make(const std::string& parent, const std::string& prefix) {
  std::string path = parent + "/" + prefix + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return errno_error("make a temporary directory in " + quoted(parent));
  UniqueFd fd = TRY(open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return TempDir(std::move(path), std::move(fd));
}
TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}
TempDir& TempDir::operator=(TempDir&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}
TempDir::~TempDir() {
  if (path_.empty()) return;
  (void)empty_directory(fd_.get()).ok();
  ::rmdir(path_.c_str());
}

namespace {
Result<UniqueFd> lock_file(int directory, const std::string& name, int operation, bool& busy) {
  UniqueFd fd = TRY(open_beneath(directory, name, O_RDWR | O_CREAT, 0600));
  for (;;) {
    if (::flock(fd.get(), operation) == 0) return fd;
    if (errno == EWOULDBLOCK) {
      busy = true;
      return UniqueFd();
    }
    if (errno != EINTR) return errno_error("lock " + quoted(name));
  }
}
}  // namespace

Result<bool> is_open_for_writing(int fd) {
  // A lease for reading is granted only where nobody can write. Whoever opens the file for that before the
  // lease is given back makes the kernel send us SIGIO.
  ::signal(SIGIO, SIG_IGN);
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    if (::fcntl(fd, F_SETLEASE, F_UNLCK) != 0) return errno_error("give a lease back");
    return false;
  }
  if (errno == EAGAIN) return true;
  return host_error(std::string("cannot tell whether somebody writes to a file: ") + std::strerror(errno),
                    "keep the study on a file system that grants leases, such as ext4, xfs, btrfs or tmpfs");
}

Result<FileLock> FileLock::take(int directory, const std::string& name) {
  bool busy = false;
  return FileLock(TRY(lock_file(directory, name, LOCK_EX, busy)));
}
Result<FileLock> FileLock::attempt(int directory, const std::string& name) {
  bool busy = false;
  return FileLock(TRY(lock_file(directory, name, LOCK_EX | LOCK_NB, busy)));
}

}  // namespace glovebox
