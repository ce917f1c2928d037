#include "shell/workspace/study.h"

#include <cerrno>
#include <cstring>

#include "core/base/text.h"

namespace glovebox {
namespace {

// `path` without what would make the kernel follow a link in its last place: "study/", "study/.".
std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && (path.ends_with('/') || path.ends_with("/."))) path.pop_back();
  return path;
}

Error cannot_open(const std::string& path) {
  const int number = errno;
  const std::string shown = quoted(path);
  switch (number) {
    case ENOENT:
      return invalid("no such study: " + shown, {}, "give the directory that holds the study's project.yaml");
    case ENOTDIR:
      return invalid("the study " + shown + " is not a directory", {},
                     "give the directory that holds the study's project.yaml");
    case EACCES:
      return invalid("the study " + shown + " may not be opened: " + std::strerror(number));
    default:
      errno = number;
      return errno_error("open the study " + shown);
  }
}

Status check_ours(int study, const char* name) {
  struct stat info {};
  if (::fstatat(study, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return errno_error("read the attributes of " + quoted(name));
  }
  if (S_ISDIR(info.st_mode)) return {};
  return invalid(quoted(name) + " in the study is " + (S_ISLNK(info.st_mode) ? "a link" : "not a directory"),
                 {}, "remove it: Glovebox makes a directory of that name");
}

}  // namespace

Result<Study> Study::open(const std::string& path, Use use) {
  const std::string bare = without_trailing_slashes(path);
  struct stat named {};
  if (bare.empty() || ::lstat(bare.c_str(), &named) != 0) {
    if (bare.empty()) errno = ENOENT;
    return cannot_open(path);
  }
  if (S_ISLNK(named.st_mode)) {
    return invalid("the study " + quoted(path) + " is a symbolic link", {},
                   "give the directory that it points to");
  }
  // Not open_beneath: the operator's own path may lead through links. The last component may not, whoever
  // swaps it now.
  const int raw = ::open(bare.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (raw < 0) return cannot_open(path);
  UniqueFd fd(raw);
  const auto info = TRY(stat_of(fd.get()));
  TRY(check_ours(fd.get(), kOwnFolder));
  if (use == Use::kRun) TRY(check_ours(fd.get(), kMetadataFolder));
  return Study(std::move(fd), path, info.st_uid, info.st_gid);
}

}  // namespace glovebox
