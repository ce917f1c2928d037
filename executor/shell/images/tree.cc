#include "shell/images/tree.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxEntries = 10'000'000;  // in one directory
constexpr unsigned kMaxDepth = 256;              // a descriptor is open per level
constexpr std::size_t kMaxProblems = 100;
constexpr mode_t kModeBits = 07777;

// The names of extended attributes that change what a file means. A host's own label (SELinux) is none of
// them.
Result<std::vector<std::string>> meaningful_attributes(int fd) {
  std::array<char, 65536> names{};
  const ssize_t size = ::flistxattr(fd, names.data(), names.size());
  if (size < 0) {
    if (errno == ENOTSUP) return std::vector<std::string>();
    return errno_error("list extended attributes");
  }
  std::vector<std::string> out;
  for (const std::string_view name : split({names.data(), static_cast<std::size_t>(size)}, '\0')) {
    if (!name.empty() && name != "security.selinux") out.emplace_back(name);
  }
  return out;
}

enum class Pass { kNormalise, kInspect };

class TreeWalk {
 public:
  TreeWalk(Pass pass, std::size_t most) : pass_(pass), most_(most) {}
  Status directory(int fd, const std::string& path, unsigned depth);
  // The mode and owner of an open file or directory: set, or judged.
  Status attributes(int fd, const struct stat& info, mode_t mode, const std::string& path);
  Listing listing;

 private:
  Status entry(int parent, const std::string& name, const std::string& path, unsigned depth);
  Status file(int parent, const std::string& name, const std::string& path);
  Status link(int parent, const std::string& name, const std::string& path, const struct stat& info);
  Status line(char type, const std::string& path, const std::string& rest);
  void problem(const std::string& text) {
    if (listing.problems.size() < kMaxProblems) listing.problems.push_back(text);
  }
  Pass pass_;
  std::size_t most_;  // of the listing
};

Status TreeWalk::line(char type, const std::string& path, const std::string& rest) {
  if (listing.text.size() + path.size() + rest.size() + 4 > most_) {
    return refused("the list of the image's files is larger than " + format_bytes(most_));
  }
  listing.text += type;
  listing.text += '\0';
  listing.text += path;
  listing.text += '\0';
  if (type != 'd') (listing.text += rest) += '\0';
  ++listing.entries;
  return {};
}

Status TreeWalk::attributes(int fd, const struct stat& info, mode_t mode, const std::string& path) {
  const std::vector<std::string> extra = TRY(meaningful_attributes(fd));
  if (pass_ == Pass::kInspect) {
    if ((info.st_mode & kModeBits) != mode) problem("mode of " + quoted(path));
    if (info.st_uid != 0 || info.st_gid != 0) problem("owner of " + quoted(path));
    if (!extra.empty()) problem("extended attribute of " + quoted(path));
    return {};
  }
  for (const std::string& name : extra) {
    if (::fremovexattr(fd, name.c_str()) != 0)
      return errno_error("remove an extended attribute of " + quoted(path));
  }
  if (::fchown(fd, 0, 0) != 0) return errno_error("give to root " + quoted(path));
  if (::fchmod(fd, mode) != 0) return errno_error("set the mode of " + quoted(path));
  return {};
}

Status TreeWalk::directory(int fd, const std::string& path, unsigned depth) {
  if (depth > kMaxDepth) return refused("the image has directories more than 256 deep");
  for (const std::string& name : TRY(list_directory(fd, kMaxEntries))) {
    TRY(entry(fd, name, path.empty() ? name : path + "/" + name, depth));
  }
  return {};
}

Status TreeWalk::entry(int parent, const std::string& name, const std::string& path, unsigned depth) {
  struct stat info {};
  if (::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno_error("look at " + quoted(path));
  if (S_ISREG(info.st_mode)) return file(parent, name, path);
  if (S_ISLNK(info.st_mode)) return link(parent, name, path, info);
  if (S_ISDIR(info.st_mode)) {
    const UniqueFd fd = TRY(open_beneath(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(attributes(fd.get(), info, 0755, path));
    TRY(line('d', path, ""));
    return directory(fd.get(), path, depth + 1);
  }
  if (pass_ == Pass::kNormalise) return refused("the image has a special file: " + quoted(path));
  problem("special file " + quoted(path));
  return {};
}

Status TreeWalk::file(int parent, const std::string& name, const std::string& path) {
  const UniqueFd fd = TRY(open_beneath(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  const auto info = TRY(stat_of(fd.get()));
  if (!S_ISREG(info.st_mode)) return refused("a file changed while it was read: " + quoted(path));
  const bool executable = (info.st_mode & 0111U) != 0;
  TRY(attributes(fd.get(), info, executable ? 0755 : 0644, path));
  const Copied copied = TRY(hash_fd(fd.get(), static_cast<ByteCount>(info.st_size)));
  listing.bytes += copied.size;
  return line(executable ? 'x' : 'f', path, copied.digest.hex());
}

Status TreeWalk::link(int parent, const std::string& name, const std::string& path, const struct stat& info) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlinkat(parent, name.c_str(), target.data(), target.size());
  if (size < 0 || static_cast<std::size_t>(size) == target.size())
    return errno_error("read the link " + quoted(path));
  if (pass_ == Pass::kNormalise && ::fchownat(parent, name.c_str(), 0, 0, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("give to root " + quoted(path));
  }
  if (pass_ == Pass::kInspect && (info.st_uid != 0 || info.st_gid != 0)) problem("owner of " + quoted(path));
  return line('l', path, std::string(target.data(), static_cast<std::size_t>(size)));
}

Result<Listing> walk(int tree, Pass pass, std::size_t most) {
  TreeWalk walk(pass, most);
  const auto info = TRY(stat_of(tree));
  TRY(walk.attributes(tree, info, 0755, "/"));
  TRY(walk.directory(tree, "", 0));
  return std::move(walk.listing);
}

// Path to everything else that the listing says of it.
std::map<std::string_view, std::string> entries_of(const std::string& text) {
  std::map<std::string_view, std::string> out;
  const std::vector<std::string_view> fields = split(text, '\0');
  for (std::size_t i = 0; i + 1 < fields.size();) {
    const bool bare = fields[i] == "d";
    if (!bare && i + 2 >= fields.size()) break;
    out[fields[i + 1]] = std::string(fields[i]) + (bare ? "" : std::string(fields[i + 2]));
    i += bare ? 2 : 3;
  }
  return out;
}

}  // namespace

Status prepare_mount_points(int tree) {
  for (const std::string name : {"dev", "proc", "sys", "tmp", "workspace", ".glovebox"}) {
    struct stat info {};
    if (::fstatat(tree, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      if (!S_ISDIR(info.st_mode)) return refused("the image's /" + name + " is not a real directory");
      continue;
    }
    if (errno != ENOENT || ::mkdirat(tree, name.c_str(), 0755) != 0)
      return errno_error("make the image's /" + name);
  }
  return {};
}

Result<Listing> normalise_tree(int tree, std::size_t most) {
  return walk(tree, Pass::kNormalise, most);
}
Result<Listing> inspect_tree(int tree, std::size_t most) {
  return walk(tree, Pass::kInspect, most);
}

std::vector<std::string> compare_listings(const std::string& stored, const std::string& present,
                                          std::size_t most) {
  const auto before = entries_of(stored);
  const auto now = entries_of(present);
  std::vector<std::string> out;
  const auto say = [&](const char* what, std::string_view path) {
    if (out.size() < most) out.push_back(std::string(what) + " " + quoted(path));
  };
  for (const auto& [path, rest] : before) {
    const auto found = now.find(path);
    if (found == now.end())
      say("missing", path);
    else if (found->second != rest)
      say("changed", path);
  }
  for (const auto& [path, rest] : now) {
    if (before.count(path) == 0) say("added", path);
  }
  return out;
}

}  // namespace glovebox
