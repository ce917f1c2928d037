#include "shell/images/store.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "core/base/text.h"
#include "shell/images/layout.h"
#include "shell/images/tree.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxNames = 100'000;
constexpr std::size_t kMaxRecordBytes = 64U << 20U;

Result<UniqueFd> open_folder(int images, const std::string& path) {
  return open_beneath(images, path, O_RDONLY | O_DIRECTORY);
}

// True where nobody has the tree open (open_tree).
bool is_unused(int tree) {
  return ::flock(tree, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

Result<ImageStore> ImageStore::open(int root, ImageStoreOptions options) {
  // Others may pass through, so that a worker reaches its directory, but not look around.
  UniqueFd images = TRY(make_directories(root, "images", 0711));
  for (const char* path : {"blobs/sha256", "rootfs", "info", "names", "tmp"}) {
    TRY(make_directories(images.get(), path, 0711));
  }
  ImageStore store(std::move(images), std::move(options));
  const FileLock lock = TRY(FileLock::attempt(store.images_.get(), "lock"));
  if (lock.held()) {
    const UniqueFd tmp = TRY(open_folder(store.images_.get(), "tmp"));
    const auto left = TRY(list_directory(tmp.get(), kMaxNames));
    if (!left.empty()) {
      TRY(store.clear_temporary());
      TRY(store.sweep());
    }
  }
  return store;
}

Status ImageStore::clear_temporary() {
  const UniqueFd tmp = TRY(open_folder(images_.get(), "tmp"));
  for (const std::string& name : TRY(list_directory(tmp.get(), kMaxNames))) TRY(remove_tree(tmp.get(), name));
  return {};
}

Result<std::vector<std::string>> ImageStore::names() const {
  const UniqueFd folder = TRY(open_folder(images_.get(), "names"));
  std::vector<std::string> out;
  for (const std::string& name : TRY(list_directory(folder.get(), kMaxNames))) {
    if (ImageName::parse(name).ok()) out.push_back(name);  // anything else is a write that was cut off
  }
  return out;
}

Result<Digest> ImageStore::digest_of_name(const std::string& name) const {
  const std::string text = TRY(read_beneath(images_.get(), "names/" + name, 200));
  return Digest::parse(std::string_view(text).substr(0, text.find('\n')));
}

Result<ImageRecord> ImageStore::record_of(const Digest& manifest) const {
  const std::string text =
      TRY(read_beneath(images_.get(), "info/" + manifest.hex() + ".json", kMaxRecordBytes));
  return parse_record(text);
}

Result<StoredImage> ImageStore::find(const ImageName& name) const {
  struct stat info {};
  const std::string path = "names/" + name.str();
  if (::fstatat(images_.get(), path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
    return refused("there is no image " + name.str() + " on this host",
                   "take it in: glovebox image import PATH (scripts/build-image makes those in images/)");
  }
  const Digest manifest = TRY(digest_of_name(name.str()));
  return StoredImage{name.str(), TRY(record_of(manifest))};
}

Result<ImageInfo> ImageStore::resolve(const ImageName& name) const {
  const StoredImage image = TRY(find(name));
  return info_of(image.record, image.name);
}

Result<std::vector<StoredImage>> ImageStore::list() const {
  std::vector<StoredImage> out;
  for (const std::string& name : TRY(names())) {
    const Digest manifest = TRY(digest_of_name(name));
    out.push_back(StoredImage{name, TRY(record_of(manifest))});
  }
  return out;
}

Result<UniqueFd> ImageStore::open_tree(const Digest& manifest) const {
  const std::string path = "rootfs/" + manifest.hex();
  UniqueFd tree = TRY(open_folder(images_.get(), path));
  if (::flock(tree.get(), LOCK_SH) != 0) return errno_error("lock an image's files");
  // Removed between opening and locking: then the name is gone as well.
  struct stat named {};
  const auto opened = TRY(stat_of(tree.get()));
  if (::fstatat(images_.get(), path.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != opened.st_ino) {
    return refused("the image was removed just now");
  }
  return tree;
}

Result<std::vector<std::string>> ImageStore::verify(const ImageName& name) const {
  const ImageRecord record = TRY(find(name)).record;
  std::vector<std::string> problems;
  std::vector<Descriptor> blobs{record.manifest, record.config};
  blobs.insert(blobs.end(), record.layers.begin(), record.layers.end());
  say("hashing blobs");
  for (const Descriptor& blob : blobs) {
    const Result<UniqueFd> file = open_beneath(images_.get(), blob_path(blob.digest), O_RDONLY);
    if (!file.ok()) {
      problems.push_back("missing blob " + blob.digest.str());
      continue;
    }
    const Result<Copied> copied = hash_fd(file->get(), blob.size);
    if (!copied.ok() || copied->digest != blob.digest)
      problems.push_back("changed blob " + blob.digest.str());
  }
  const Result<UniqueFd> tree = open_tree(record.manifest.digest);
  if (!tree.ok()) {
    problems.emplace_back("missing the unpacked files");
    return problems;
  }
  const std::string list = "info/" + record.manifest.digest.hex() + ".list";
  const Result<std::string> stored = read_beneath(images_.get(), list, kMaxListingBytes);
  if (!stored.ok() || Digest::of(*stored) != record.tree) {
    problems.emplace_back("changed listing of the image's files");
    return problems;
  }
  say("hashing files");
  const Listing present = TRY(inspect_tree(tree->get()));
  problems.insert(problems.end(), present.problems.begin(), present.problems.end());
  const auto differences = compare_listings(*stored, present.text, 100);
  problems.insert(problems.end(), differences.begin(), differences.end());
  return problems;
}

Status ImageStore::remove(const ImageName& name) {
  const FileLock lock = TRY(FileLock::take(images_.get(), "lock"));
  const StoredImage image = TRY(find(name));
  const Digest manifest = image.record.manifest.digest;
  std::size_t references = 0;
  for (const std::string& other : TRY(names())) {
    const Digest digest = TRY(digest_of_name(other));
    references += digest == manifest ? 1 : 0;
  }
  if (references == 1) {
    const Result<UniqueFd> tree = open_folder(images_.get(), "rootfs/" + manifest.hex());
    if (tree.ok() && !is_unused(tree->get())) {
      return refused("an action is using the image " + name.str(), "wait until it has finished");
    }
  }
  const UniqueFd folder = TRY(open_folder(images_.get(), "names"));
  if (::unlinkat(folder.get(), name.str().c_str(), 0) != 0)
    return errno_error("remove the name " + name.str());
  TRY(sync_fd(folder.get()));
  return sweep();
}

// Removes every blob, tree and record that no name refers to. The lock is held.
Status ImageStore::sweep() {
  std::set<std::string> wanted;
  for (const std::string& name : TRY(names())) {
    const Digest manifest = TRY(digest_of_name(name));
    const ImageRecord record = TRY(record_of(manifest));
    for (const Descriptor& layer : record.layers) wanted.insert(layer.digest.hex());
    for (const Digest& digest : {record.manifest.digest, record.config.digest}) wanted.insert(digest.hex());
  }
  for (const std::string path : {"rootfs", "info", "blobs/sha256"}) {
    const UniqueFd folder = TRY(open_folder(images_.get(), path));
    for (const std::string& name : TRY(list_directory(folder.get(), kMaxNames))) {
      if (wanted.count(name.substr(0, name.find('.'))) != 0) continue;
      if (path == "rootfs") {
        const Result<UniqueFd> tree = open_beneath(folder.get(), name, O_RDONLY | O_DIRECTORY);
        if (tree.ok() && !is_unused(tree->get())) continue;  // the next sweep will find it
      }
      TRY(remove_tree(folder.get(), name));
    }
  }
  return {};
}

}  // namespace glovebox
