#include "shell/publish/place.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxOpenFolders = 200;  // well below the usual limit of 1024 descriptors

int root_in(const PublishTarget& target, Tree tree) {
  return tree == Tree::kHigh ? target.high.get() : target.medium.get();
}

std::string folder_path(const PublishStep& step) {
  const std::string_view parent = step.path.parent();
  return parent.empty() ? "." : std::string(parent);
}

Error place_taken(const PublishStep& step, const std::string& why) {
  return refused("cannot keep " + quoted(step.path.str()) + ": " + why,
                 "move away what stands there and run the action again");
}

bool is_missing(int directory, const std::string& name) {
  struct stat info {};
  return ::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

// The name under which a copy grows beside its place; hidden, and the same for every attempt at this step, so
// that what a crash left is overwritten and not collected.
std::string growing_name(const PublishStep& step) {
  return ".glovebox-new-" + Digest::of(step.path.str()).hex().substr(0, 24);
}

Status give(int fd, const PublishTarget& target) {
  if (::fchown(fd, target.owner, target.group) != 0) return errno_error("give away an output");
  if (::fchmod(fd, target.file_mode) != 0) return errno_error("set the mode of an output");
  return {};
}

// Is the step's work done already? Only then may its staged file be gone.
Status check_done(const PublishStep& step, int folder, const std::string& name) {
  const auto fail = [&] {
    return integrity("the publishing that was cut off cannot be finished: " + quoted(step.path.str()) +
                     " is neither where it was kept nor where it belongs");
  };
  const auto fd = open_beneath(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return fail();
  const auto info = TRY(stat_of(fd->get()));
  if (!S_ISREG(info.st_mode)) return fail();
  const auto found = hash_fd(fd->get(), step.size);
  if (!found || found->digest != step.digest) return fail();
  return {};
}

}  // namespace

Status check_place(const PublishTarget& target, const PublishStep& step) {
  UniqueFd folder = TRY(open_beneath(root_in(target, step.tree), ".", O_RDONLY | O_DIRECTORY));
  const std::vector<std::string_view> parts = split(step.path.str(), '/');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    struct stat info {};
    const std::string name(parts[i]);
    if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return {};
      return errno_error("look at " + quoted(step.path.str()));
    }
    const bool last = i + 1 == parts.size();
    if (last && S_ISDIR(info.st_mode)) return place_taken(step, "a folder stands in its place");
    if (last) return {};
    if (!S_ISDIR(info.st_mode)) return place_taken(step, "a part of its path is a link or a file");
    folder = TRY(open_beneath(folder.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  }
  return {};
}

Result<int> Placer::folder_of(const PublishStep& step) {
  const auto key = std::pair(step.tree, folder_path(step));
  const auto found = folders_.find(key);
  if (found != folders_.end()) return found->second.get();
  if (folders_.size() >= kMaxOpenFolders) TRY(make_durable());
  UniqueFd folder = key.second == "."
                        ? TRY(open_beneath(root_of(step.tree), ".", O_RDONLY | O_DIRECTORY))
                        : TRY(make_directories(root_of(step.tree), key.second, target_.folder_mode,
                                               target_.owner, target_.group));
  const int fd = folder.get();
  folders_.emplace(key, std::move(folder));
  return fd;
}

Status Placer::carry_out(const PublishStep& step) {
  if (step.kind == PublishStep::Kind::kRemove) return take_away(step);
  return put(step, TRY(folder_of(step)), std::string(step.path.name()));
}

Status Placer::put(const PublishStep& step, int folder, const std::string& name) {
  if (is_missing(staging_, step.staged)) return check_done(step, folder, name);
  const UniqueFd staged = TRY(open_beneath(staging_, step.staged, O_RDONLY | O_NOFOLLOW));
  if (step.kind == PublishStep::Kind::kMove) {
    TRY(give(staged.get(), target_));
    if (::renameat(staging_, step.staged.c_str(), folder, name.c_str()) == 0) return {};
    if (errno != EXDEV) return errno_error("put " + quoted(step.path.str()) + " in place");
  }
  TRY(put_copy(step, staged.get(), folder, name));
  if (step.kind == PublishStep::Kind::kMove && ::unlinkat(staging_, step.staged.c_str(), 0) != 0) {
    return errno_error("remove the copy of " + quoted(step.path.str()));
  }
  return {};
}

Status Placer::put_copy(const PublishStep& step, int staged, int folder, const std::string& name) {
  const std::string growing = growing_name(step);
  if (::unlinkat(folder, growing.c_str(), 0) != 0 && errno != ENOENT) {
    return errno_error("remove what a cut-off publishing left");
  }
  const UniqueFd fd = TRY(open_beneath(folder, growing, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  const Copied copied = TRY(copy_and_hash(staged, fd.get(), step.size));
  if (copied.digest != step.digest)
    return integrity("our copy of " + quoted(step.path.str()) + " has changed");
  const auto info = TRY(stat_of(staged));
  const timespec times[2] = {info.st_mtim, info.st_mtim};
  if (::futimens(fd.get(), times) != 0) return errno_error("set the time of an output");
  TRY(give(fd.get(), target_));
  TRY(sync_fd(fd.get()));
  if (::renameat(folder, growing.c_str(), folder, name.c_str()) != 0) {
    return errno_error("put " + quoted(step.path.str()) + " in place");
  }
  return {};
}

Status Placer::take_away(const PublishStep& step) {
  // A folder that is not there needs no making for a file that is to go.
  const auto parent = open_beneath(root_of(step.tree), folder_path(step), O_RDONLY | O_DIRECTORY);
  if (!parent) {
    if (check_place(target_, step).ok()) return {};
    return parent.error();
  }
  if (::unlinkat(parent->get(), std::string(step.path.name()).c_str(), 0) != 0) {
    if (errno == ENOENT) return {};
    return errno_error("remove " + quoted(step.path.str()));
  }
  return sync_fd(parent->get());
}

Status Placer::make_durable() {
  for (const auto& [key, folder] : folders_) TRY(sync_fd(folder.get()));
  folders_.clear();
  return {};
}

}  // namespace glovebox
