#include "shell/workspace/git_index.h"

#include <git2.h>

#include <cerrno>
#include <memory>

#include "core/base/text.h"
#include "shell/sys/fd.h"
#include "shell/sys/scan.h"
#include "shell/workspace/git_library.h"

namespace glovebox {
namespace {

constexpr off_t kMaxIndexBytes = 128 << 20;  // about a million files

// The kind of `path`, or nothing where it is missing.
Result<std::optional<struct stat>> look(int fd, const char* path) {
  struct stat info {};
  if (::fstatat(fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0) return std::optional(info);
  if (errno == ENOENT) return std::optional<struct stat>();
  return errno_error("read the attributes of " + quoted(path));
}

Status check_git_folder(const struct stat& info) {
  switch (kind_of(info.st_mode)) {
    case EntryKind::kDirectory:
      return {};
    case EntryKind::kLink:
      return invalid("\".git\" in the study is a link", {}, "use an ordinary clone of the repository");
    default:
      return invalid(
          "\".git\" in the study is a file: a linked worktree or a submodule, whose index is elsewhere", {},
          "use an ordinary clone of the repository");
  }
}

void add_folders(const std::string& path, std::unordered_set<std::string>& folders) {
  for (std::size_t slash = path.rfind('/'); slash != std::string::npos && slash > 0;
       slash = path.rfind('/', slash - 1)) {
    if (!folders.insert(path.substr(0, slash)).second) return;  // and so are its parents
  }
}

}  // namespace

Result<std::optional<TrackedFiles>> tracked_files(int fd, const std::string& root) {
  const std::optional<struct stat> folder = TRY(look(fd, ".git"));
  if (!folder) return std::optional<TrackedFiles>();
  TRY(check_git_folder(*folder));
  TrackedFiles tracked;
  const std::optional<struct stat> file = TRY(look(fd, ".git/index"));
  if (!file) return std::optional(std::move(tracked));
  const std::string hint = "git status shows whether the repository is in order";
  if (!S_ISREG(file->st_mode)) return invalid("the git index of the study is not a regular file", {}, hint);
  if (file->st_size > kMaxIndexBytes)
    return invalid("the git index of the study is larger than " +
                   format_bytes(static_cast<ByteCount>(kMaxIndexBytes)));

  const GitLibrary library = TRY(GitLibrary::start());
  git_index* raw = nullptr;
  const int failed = git_index_open(&raw, (root + "/.git/index").c_str());
  const std::unique_ptr<git_index, decltype(&git_index_free)> index(raw, git_index_free);
  if (failed != 0) return library.error("cannot read the git index of the study", hint);
  const std::size_t count = git_index_entrycount(index.get());
  for (std::size_t i = 0; i < count; ++i) {
    const git_index_entry* entry = git_index_get_byindex(index.get(), i);
    const std::string path = entry->path;
    add_folders(path, tracked.folders);
    (entry->mode == GIT_FILEMODE_COMMIT ? tracked.submodules : tracked.files).insert(path);
  }
  return std::optional(std::move(tracked));
}

}  // namespace glovebox
