#include "shell/images/layer.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kMaxName = 255;   // NAME_MAX
constexpr std::size_t kMaxPath = 4096;  // PATH_MAX

struct Place {
  std::string parent;  // "" is the root of the tree
  std::string name;
};
Place place_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}
std::string joined(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

// A path of the archive in normal form, "" for the root itself; any bytes but '/' and NUL in names.
Result<std::string> normal_path(const char* raw, unsigned depth) {
  if (raw == nullptr || *raw == '\0') return refused("the layer has an entry without a name");
  const std::string_view text(raw);
  if (text.front() == '/') return refused("the layer has an absolute name: " + quoted(text, 200));
  if (text.size() > kMaxPath) return refused("the layer has a name of more than 4096 bytes");
  std::string path;
  unsigned parts = 0;
  for (const std::string_view part : split(text, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return refused("the layer has a name with \"..\": " + quoted(text, 200));
    if (part.size() > kMaxName) return refused("the layer has a name part of more than 255 bytes");
    if (++parts > depth)
      return refused("the layer has directories more than " + std::to_string(depth) + " deep");
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

// True where a part of `path` is there and is no directory.
bool is_blocked(int tree, const std::string& path) {
  for (std::string at = path; !at.empty(); at = place_of(at).parent) {
    struct stat info {};
    if (::fstatat(tree, at.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(info.st_mode)) return true;
  }
  return false;
}

timespec time_of(archive_entry* raw) {
  return {archive_entry_mtime_is_set(raw) != 0 ? archive_entry_mtime(raw) : 0, 0};
}

}  // namespace

struct LayerWriter::Entry {
  enum class Kind { kDirectory, kFile, kSymlink, kHardLink, kWhiteout, kOpaque, kDropped };
  Kind kind = Kind::kDropped;
  std::string path;
  Place place;
  std::string target;  // of a link
  bool executable = false;
  ByteCount size = 0;
  timespec time{};
  LayerStream* stream = nullptr;
};

Result<LayerWriter::Entry> LayerWriter::judge(LayerStream& stream, archive_entry* raw) const {
  Entry entry;
  entry.path = TRY(normal_path(archive_entry_pathname(raw), limits_.depth));
  entry.place = place_of(entry.path);
  entry.time = time_of(raw);
  entry.stream = &stream;
  const mode_t type = archive_entry_filetype(raw);
  if (entry.place.name.rfind(kOpaque, 0) == 0) {
    entry.kind = Entry::Kind::kOpaque;
  } else if (entry.place.name.rfind(kWhiteout, 0) == 0) {
    entry.kind = Entry::Kind::kWhiteout;
    entry.place.name.erase(0, kWhiteout.size());
    entry.path = joined(entry.place.parent, entry.place.name);
    const std::string& name = entry.place.name;
    if (name.empty() || name == "." || name == "..") return refused("the layer has a whiteout of nothing");
  } else if (archive_entry_hardlink(raw) != nullptr) {
    entry.kind = Entry::Kind::kHardLink;
    entry.target = TRY(normal_path(archive_entry_hardlink(raw), limits_.depth));
  } else if (type == S_IFDIR) {
    entry.kind = Entry::Kind::kDirectory;
  } else if (type == S_IFREG) {
    entry.kind = Entry::Kind::kFile;
    entry.executable = (archive_entry_perm(raw) & 0111U) != 0;
    entry.size = static_cast<ByteCount>(std::max<la_int64_t>(0, archive_entry_size(raw)));
  } else if (type == S_IFLNK) {
    entry.kind = Entry::Kind::kSymlink;
    const char* target = archive_entry_symlink(raw);
    if (target == nullptr || *target == '\0')
      return refused("the layer has a link to nothing: " + quoted(entry.path));
    entry.target = target;
  }
  if (entry.path.empty() && entry.kind != Entry::Kind::kDirectory && entry.kind != Entry::Kind::kOpaque) {
    return refused("the layer replaces the root directory by something else");
  }
  return entry;
}

Result<Digest> LayerWriter::apply(int layer) {
  written_.clear();
  const auto stream = TRY(LayerStream::open(layer, limits_.bytes - std::min(limits_.bytes, totals_.bytes)));
  const ByteCount before = totals_.bytes;
  ByteCount declared = 0;
  for (;;) {
    archive_entry* raw = TRY(stream->next());
    if (raw == nullptr) break;
    const Entry entry = TRY(judge(*stream, raw));
    if (++totals_.entries > limits_.entries) {
      return refused("the image has more than " + std::to_string(limits_.entries) + " entries");
    }
    declared += entry.size;  // a sparse file declares far more than the archive holds
    if (entry.size > limits_.bytes || before + declared > limits_.bytes) {
      return refused("the image unpacks to more than " + format_bytes(limits_.bytes));
    }
    TRY(apply_entry(entry));
    name_bytes_ += entry.path.size() + entry.target.size();
    if (name_bytes_ > limits_.name_bytes) {
      return refused("the image has more than " + format_bytes(limits_.name_bytes) + " of names");
    }
  }
  Digest digest = TRY(stream->finish());
  totals_.bytes = before + std::max(declared, stream->bytes());
  return digest;
}

Status LayerWriter::apply_entry(const Entry& entry) {
  switch (entry.kind) {
    case Entry::Kind::kDropped:
      ++totals_.dropped;
      return {};
    case Entry::Kind::kWhiteout:
    case Entry::Kind::kOpaque:
      return apply_whiteout(entry);
    case Entry::Kind::kDirectory:
      return put_directory(entry);
    case Entry::Kind::kFile:
      return put_file(entry);
    case Entry::Kind::kHardLink:
      return put_hard_link(entry);
    case Entry::Kind::kSymlink:
      TRY(make_room(entry));
      if (::symlinkat(entry.target.c_str(), parent_.get(), entry.place.name.c_str()) != 0) {
        return errno_error("make the link " + quoted(entry.path));
      }
      return {};
  }
  return {};
}

// A whiteout removes what lower layers left, never what its own layer wrote, wherever it stands in the
// archive.
Status LayerWriter::apply_whiteout(const Entry& entry) {
  const Result<UniqueFd> parent =
      open_beneath(tree_, entry.place.parent.empty() ? "." : entry.place.parent, O_RDONLY | O_DIRECTORY);
  if (!parent.ok()) return {};  // nothing there to hide
  if (entry.kind == Entry::Kind::kOpaque) return clear_lower(parent->get(), entry.place.parent);
  if (written_.count(entry.path) == 0) return remove(parent->get(), entry.place.name);
  const Result<UniqueFd> inner = open_beneath(parent->get(), entry.place.name, O_RDONLY | O_DIRECTORY);
  return inner.ok() ? clear_lower(inner->get(), entry.path) : Status();
}

Status LayerWriter::clear_lower(int directory, const std::string& prefix) {
  for (const std::string& name : TRY(list_directory(directory, limits_.entries))) {
    const std::string path = joined(prefix, name);
    if (written_.count(path) == 0) {
      TRY(remove(directory, name));
      continue;
    }
    const Result<UniqueFd> inner = open_beneath(directory, name, O_RDONLY | O_DIRECTORY);
    if (inner.ok()) TRY(clear_lower(inner->get(), path));
  }
  return {};
}

Status LayerWriter::remove(int directory, const std::string& name) {
  parent_.reset();  // may be inside
  parent_path_.clear();
  return remove_tree(directory, name);
}

// Leaves parent_ open at `parent`. Missing directories are made, as other unpackers do; a link on the way is
// refused.
Status LayerWriter::open_parent(const std::string& parent) {
  if (parent_.valid() && parent_path_ == parent) return {};
  Result<UniqueFd> opened = open_beneath(tree_, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
  if (!opened.ok()) {
    if (is_blocked(tree_, parent))
      return refused("the layer writes through a link or file: " + quoted(parent));
    opened = make_directories(tree_, parent, 0755);
  }
  parent_ = TRY(std::move(opened));
  parent_path_ = parent;
  return {};
}

void LayerWriter::remember(const std::string& path) {
  std::string at = path;
  while (!at.empty() && written_.insert(at).second) {
    name_bytes_ += at.size();
    at = place_of(at).parent;
  }
}

// Opens the parent and removes what the new entry replaces.
Status LayerWriter::make_room(const Entry& entry) {
  TRY(open_parent(entry.place.parent));
  remember(entry.path);
  struct stat old {};
  if (::fstatat(parent_.get(), entry.place.name.c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status() : errno_error("look at " + quoted(entry.path));
  }
  if (!S_ISDIR(old.st_mode)) {
    if (::unlinkat(parent_.get(), entry.place.name.c_str(), 0) != 0)
      return errno_error("replace " + quoted(entry.path));
    return {};
  }
  if (entry.kind == Entry::Kind::kDirectory) return {};
  const UniqueFd directory = std::move(parent_);
  TRY(remove(directory.get(), entry.place.name));
  return open_parent(entry.place.parent);
}

Status LayerWriter::put_directory(const Entry& entry) {
  directory_times_[entry.path] = entry.time;
  if (entry.path.empty()) return {};
  TRY(make_room(entry));
  if (::mkdirat(parent_.get(), entry.place.name.c_str(), 0755) != 0 && errno != EEXIST) {
    return errno_error("make the directory " + quoted(entry.path));
  }
  return {};
}

Status LayerWriter::put_file(const Entry& entry) {
  TRY(make_room(entry));
  const UniqueFd file =
      TRY(open_beneath(parent_.get(), entry.place.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                       entry.executable ? 0755 : 0644));
  TRY(entry.stream->copy_data(file.get(), entry.size));
  const timespec times[2] = {entry.time, entry.time};
  if (::futimens(file.get(), times) != 0) return errno_error("set the time of " + quoted(entry.path));
  return {};
}

Status LayerWriter::put_hard_link(const Entry& entry) {
  const Place target = place_of(entry.target);
  const Result<UniqueFd> from =
      open_beneath(tree_, target.parent.empty() ? "." : target.parent, O_RDONLY | O_DIRECTORY);
  struct stat info {};
  const bool there =
      from.ok() && ::fstatat(from->get(), target.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there || !(S_ISREG(info.st_mode) || S_ISLNK(info.st_mode)) || entry.target == entry.path) {
    return refused("the layer has a hard link to what is not a file of the image: " + quoted(entry.path));
  }
  TRY(make_room(entry));
  if (::linkat(from->get(), target.name.c_str(), parent_.get(), entry.place.name.c_str(), 0) != 0) {
    return errno_error("make the hard link " + quoted(entry.path));
  }
  return {};
}

Status LayerWriter::finish() {
  parent_.reset();
  for (const auto& [path, time] : directory_times_) {
    // Gone or replaced by a later layer: nothing to do.
    const Result<UniqueFd> directory = open_beneath(tree_, path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    const timespec times[2] = {time, time};
    if (directory.ok()) (void)::futimens(directory->get(), times);
  }
  return {};
}

}  // namespace glovebox
