#include "shell/workspace/git_library.h"

#include <git2.h>

#include <utility>

#include "core/base/text.h"

namespace glovebox {

Result<GitLibrary> GitLibrary::start() {
  if (git_libgit2_init() < 0) return host_error("cannot start libgit2");
  GitLibrary library;
  for (const git_config_level_t level : {GIT_CONFIG_LEVEL_PROGRAMDATA, GIT_CONFIG_LEVEL_SYSTEM,
                                         GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL}) {
    if (git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "") != 0)
      return library.error("cannot keep git configuration out");
  }
  // Packs are mapped in windows; the defaults (1 GiB each) exceed a worker's memory.
  constexpr std::size_t kWindow = 32U << 20U;
  constexpr std::size_t kMapped = 256U << 20U;
  if (git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, kWindow) != 0 ||
      git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, kMapped) != 0)
    return library.error("cannot bound libgit2's memory");
  return library;
}

GitLibrary::GitLibrary(GitLibrary&& other) noexcept : started_(std::exchange(other.started_, false)) {}

GitLibrary::~GitLibrary() {
  if (started_) git_libgit2_shutdown();
}

Error GitLibrary::error(const std::string& what, const std::string& hint) const {
  const git_error* last = git_error_last();
  const std::string why = last != nullptr && last->message != nullptr ? last->message : "unknown error";
  return invalid(what + ": " + printable(why, 200), {}, hint);
}

}  // namespace glovebox
