#include "shell/workspace/code_store.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

constexpr const char* kNewPrefix = ".new-";
constexpr std::size_t kMaxTrees = 10'000'000;

bool is_locked_by_us(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

Status set_mode(int fd, CodeKind kind) {
  if (::fchmod(fd, kind == CodeKind::kExecutable ? 0755 : 0644) != 0)
    return errno_error("set the mode of a file of code");
  return {};
}

}  // namespace

Result<bool> has_tree(int store, const Digest& tree) {
  struct stat info {};
  if (::fstatat(store, tree.hex().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;
    return errno_error("look into the store of code");
  }
  if (S_ISDIR(info.st_mode)) return true;
  return host_error("the store of code has something that is no directory: " + tree.hex());
}

Result<NewTree> NewTree::begin(int store) {
  constexpr unsigned kAttempts = 10'000;
  for (unsigned number = 0; number < kAttempts; ++number) {
    std::string name = kNewPrefix + std::to_string(::getpid()) + "-" + std::to_string(number);
    if (::mkdirat(store, name.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;  // of an earlier process with our id
      return errno_error("make a directory in the store of code");
    }
    // Before it is locked, another process may take it for abandoned and remove it: then there is another
    // name.
    Result<UniqueFd> fd = open_beneath(store, name, O_RDONLY | O_DIRECTORY);
    if (!fd.ok() || !is_locked_by_us(fd->get())) continue;
    const auto info = TRY(stat_of(fd->get()));
    if (info.st_nlink > 0) return NewTree(store, std::move(name), std::move(fd).value());
  }
  return host_error("cannot make a directory in the store of code");
}

NewTree::NewTree(NewTree&& other) noexcept
    : store_(other.store_),
      name_(std::exchange(other.name_, {})),
      fd_(std::move(other.fd_)),
      folder_(std::move(other.folder_)),
      folder_path_(std::move(other.folder_path_)) {}

NewTree::~NewTree() {
  if (!name_.empty()) (void)remove_tree(store_, name_).ok();
}

Result<int> NewTree::folder_of(const RelPath& path) {
  const std::string parent(path.parent());
  if (parent.empty()) return fd_.get();
  if (!folder_.valid() || folder_path_ != parent) {
    folder_ = TRY(make_directories(fd_.get(), parent, 0755));
    folder_path_ = parent;
  }
  return folder_.get();
}

Result<UniqueFd> NewTree::create(const RelPath& path) {
  const int folder = TRY(folder_of(path));
  return open_beneath(folder, std::string(path.name()), O_WRONLY | O_CREAT | O_EXCL, 0600);
}

Status NewTree::add_file(const CodeFile& file, int from) {
  const UniqueFd to = TRY(create(file.path));
  const Result<Copied> copied = copy_and_hash(from, to.get(), file.size);
  const bool grown = !copied.ok() && copied.error().kind == ErrorKind::kRefused;
  if (!copied.ok() && !grown) return copied.error();
  if (grown || copied->size != file.size || copied->digest != file.digest) {
    return invalid(quoted(file.path.str()) + " was changed while it was read", {},
                   "try again when it is at rest");
  }
  return set_mode(to.get(), file.kind);
}

Status NewTree::add_content(const CodeFile& file, std::string_view content) {
  const UniqueFd to = TRY(create(file.path));
  TRY(write_all(to.get(), content));
  return set_mode(to.get(), file.kind);
}

Status NewTree::add_link(const CodeFile& file) {
  const int folder = TRY(folder_of(file.path));
  if (::symlinkat(file.target.c_str(), folder, std::string(file.path.name()).c_str()) != 0)
    return errno_error("copy the link " + quoted(file.path.str()));
  return {};
}

Status NewTree::publish(const Digest& tree) {
  if (::fchmod(fd_.get(), 0755) != 0) return errno_error("set the mode of a directory of code");
  // One call for all its files, instead of a journal commit for each.
  if (::syncfs(fd_.get()) != 0) return errno_error("make the study's code durable");
  if (::renameat2(store_, name_.c_str(), store_, tree.hex().c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return {};  // the same content; ours goes
    return errno_error("put the study's code in place");
  }
  name_.clear();
  return sync_fd(store_);
}

Status remove_abandoned_trees(int store) {
  UniqueFd folder = TRY(open_beneath(store, ".", O_RDONLY | O_DIRECTORY));
  for (const Entry& entry : TRY(scan_directory(std::move(folder), kMaxTrees))) {
    if (!entry.name.starts_with(kNewPrefix)) continue;
    const Result<UniqueFd> fd = open_beneath(store, entry.name, O_RDONLY | O_DIRECTORY);
    if (!fd.ok()) continue;  // its maker was faster
    if (is_locked_by_us(fd->get())) TRY(remove_tree(store, entry.name));
  }
  return {};
}

}  // namespace glovebox
