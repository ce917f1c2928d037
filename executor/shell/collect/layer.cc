#include "shell/collect/layer.h"

#include <sys/sysmacros.h>

#include <cerrno>
#include <vector>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

struct Folder {
  UniqueFd fd;
  std::string path;  // with a '/' at its end, or empty
  std::vector<std::string> names;
  std::size_t next = 0;
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
      Folder& folder = stack_.back();
      if (folder.next == folder.names.size()) {
        stack_.pop_back();
        continue;
      }
      const std::string name = std::move(folder.names[folder.next++]);
      TRY(step(folder.fd.get(), folder.path + name, name));
    }
    return {};
  }

 private:
  Status enter(int parent, const std::string& name, std::string path) {
    Folder folder;
    folder.fd = TRY(open_beneath(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    folder.path = std::move(path);
    auto names = list_directory(folder.fd.get(), left_);
    if (!names) return refused("the action left too many files");
    folder.names = std::move(names).value();
    left_ -= folder.names.size();
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
  const std::function<Status(const std::string&, const struct stat&)>& visit_;
};

}  // namespace

Status walk_layer(int upper, std::size_t most,
                  const std::function<Status(const std::string& path, const struct stat& info)>& visit) {
  return Walk(most, visit).run(upper);
}

}  // namespace glovebox
