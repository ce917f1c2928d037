// Whole files: reading with a bound, writing so that a crash leaves the old one or the new one, copying with
// a digest.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "shell/sys/fd.h"

namespace glovebox {

// All of `fd` from its present offset; an error where it is longer than `most`.
Result<std::string> read_all(int fd, std::size_t most);
Result<std::string> read_file(const std::string& path, std::size_t most);  // operator's path
Result<std::string> read_beneath(int directory, const std::string& path,
                                 std::size_t most);  // regular files only, no links

Status write_all(int fd, std::string_view data);

// Writes beside `path`, fsyncs, renames over it, fsyncs the directory. `path` may have a directory part,
// which must exist.
Status replace_file(int directory, const std::string& path, std::string_view data, mode_t mode,
                    uid_t owner = static_cast<uid_t>(-1), gid_t group = static_cast<gid_t>(-1));

Status sync_fd(int fd);

// Copies from `from` to `to` until the end, hashing once; kRefused where it is longer than `most`, or where
// `cancel` becomes readable. Holes are hashed as zeros, and whatever is zero, block by block, is a hole in
// the copy: it occupies no more than the original. Precondition: `to` ends at its offset.
struct Copied {
  Digest digest;
  ByteCount size = 0;
};
Result<Copied> copy_and_hash(int from, int to, ByteCount most, int cancel = -1);
Result<Copied> hash_fd(int fd, ByteCount most, int cancel = -1);

// The names in a directory without "." and "..", as bytes, sorted. More than `most`: an error.
Result<std::vector<std::string>> list_directory(int directory, std::size_t most);

// Removes `name` beneath `directory` with everything in it, following no links, crossing no mounts (EBUSY is
// an error). A missing one is fine. Recursion is bounded by an explicit stack of descriptors, so that deep
// trees neither overflow nor run out of them.
Status remove_tree(int directory, const std::string& name);

// A fresh directory of its own in `parent`, removed with its contents by the destructor unless keep() was
// called.
class TempDir {
 public:
  static Result<TempDir> make(const std::string& parent, const std::string& prefix);
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&& other) noexcept;
  ~TempDir();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  void keep() { path_.clear(); }

 private:
  TempDir(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::string path_;
  UniqueFd fd_;
};

// Whether any process has the file open for writing, or mapped so: what it stores into a page that is dirty
// already does not move the file's times. kHost where the file system cannot tell. `fd` is open for reading
// only.
Result<bool> is_open_for_writing(int fd);

// An exclusive lock (flock) on a file, held until destroyed or the process ends.
class FileLock {
 public:
  // Waits for it.
  static Result<FileLock> take(int directory, const std::string& name);
  // A null lock (held() == false) where another process has it.
  static Result<FileLock> attempt(int directory, const std::string& name);
  [[nodiscard]] bool held() const { return fd_.valid(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace glovebox
