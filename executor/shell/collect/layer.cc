#include "shell/collect/layer.h"

#include <dirent.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "core/base/text.h"

namespace glovebox {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Read entry by entry, since a list of names could be as long as the action likes.
struct Folder {
  std::unique_ptr<DIR, CloseDirectory> entries;
  std::string path;  // with a '/' at its end, or empty
};

// Kernel documentation, filesystems/overlayfs: "a whiteout is created as a character device with 0/0 device
// number".
bool is_whiteout(const struct stat& info) {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0);
}

class Walk {
 public:
  Walk(std::size_t most, const std::function<Status(const std::string&, const struct stat&)>& visit)
      : left_(most), visit_(visit) {}

  Status run(int upper) {
    TRY(enter(upper, ".", ""));
    while (!stack_.empty()) {
      const Folder& folder = stack_.back();
      errno = 0;
      const dirent* entry = ::readdir(folder.entries.get());
      if (entry == nullptr) {
        if (errno != 0) return errno_error("list " + quoted(folder.path));
        stack_.pop_back();
        continue;
      }
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string path = folder.path + name;
      if (left_ == 0 || path.size() > left_bytes_) return refused("the action left too many files");
      --left_;
      left_bytes_ -= path.size();
      TRY(step(::dirfd(folder.entries.get()), path, name));
    }
    return {};
  }

 private:
  Status enter(int parent, const std::string& name, std::string path) {
    UniqueFd fd = TRY(open_beneath(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    Folder folder;
    folder.entries.reset(::fdopendir(fd.get()));
    if (!folder.entries) return errno_error("list " + quoted(path));
    fd.release();  // the stream's now
    folder.path = std::move(path);
    stack_.push_back(std::move(folder));
    return {};
  }

  Status step(int parent, const std::string& path, const std::string& name) {
    struct stat info {};
    if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      return errno_error("look at " + quoted(path));
    }
    if (is_whiteout(info)) return {};
    if (S_ISDIR(info.st_mode) && stack_.size() < kMaxLayerDepth) return enter(parent, name, path + "/");
    return visit_(path, info);
  }

  std::vector<Folder> stack_;
  std::size_t left_;
  std::size_t left_bytes_ = kMaxLayerPathBytes;
  const std::function<Status(const std::string&, const struct stat&)>& visit_;
};

}  // namespace

Status walk_layer(int upper, std::size_t most,
                  const std::function<Status(const std::string& path, const struct stat& info)>& visit) {
  return Walk(most, visit).run(upper);
}

}  // namespace glovebox
