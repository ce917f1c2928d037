#include "shell/sys/scan.h"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "core/base/text.h"

namespace glovebox {
namespace {

// The kind that readdir tells for free, or that fstatat tells where the file system does not.
Result<EntryKind> kind_of_entry(int directory, const dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kFile;
    case DT_DIR:
      return EntryKind::kDirectory;
    case DT_LNK:
      return EntryKind::kLink;
    case DT_UNKNOWN:
      break;
    default:
      return EntryKind::kOther;
  }
  struct stat info {};
  if (::fstatat(directory, entry.d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("read the attributes of " + quoted(entry.d_name));
  }
  return kind_of(info.st_mode);
}

}  // namespace

EntryKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::kFile;
  if (S_ISDIR(mode)) return EntryKind::kDirectory;
  return S_ISLNK(mode) ? EntryKind::kLink : EntryKind::kOther;
}

Result<std::vector<Entry>> scan_directory(UniqueFd directory, std::size_t most) {
  const auto close_dir = [](DIR* d) { ::closedir(d); };
  const std::unique_ptr<DIR, decltype(close_dir)> stream(::fdopendir(directory.get()), close_dir);
  if (!stream) return errno_error("list a directory");
  const int fd = directory.release();  // the stream's now
  std::vector<Entry> entries;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) return errno_error("list a directory");
      break;
    }
    std::string name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (entries.size() == most)
      return refused("a directory has more than " + std::to_string(most) + " entries");
    const EntryKind kind = TRY(kind_of_entry(fd, *entry));
    entries.push_back({std::move(name), kind});
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

Result<int> BeneathStat::parent_of(const RelPath& path) {
  const std::string_view parent = path.parent();
  if (!directory_.valid() || directory_path_ != parent) {
    const std::string wanted = parent.empty() ? "." : std::string(parent);
    directory_ = TRY(open_beneath(root_, wanted, O_PATH | O_DIRECTORY));
    directory_path_ = parent;
  }
  return directory_.get();
}

Result<struct stat> BeneathStat::of(const RelPath& path) {
  const int directory = TRY(parent_of(path));
  struct stat info {};
  if (::fstatat(directory, std::string(path.name()).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("read the attributes of " + quoted(path.str()));
  }
  return info;
}

}  // namespace glovebox
