// ImageStore::import and its steps.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/base/text.h"
#include "shell/images/archive.h"
#include "shell/images/layout.h"
#include "shell/images/store.h"
#include "shell/images/tree.h"
#include "shell/images/unpack.h"

namespace glovebox {
namespace {

// The directory of one import, directly in tmp/, removed whatever happens.
constexpr const char* kWork = "tmp/import";

bool exists(int directory, const std::string& path) {
  struct stat info {};
  return ::fstatat(directory, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
}

Status rename_beneath(int directory, const std::string& from, const std::string& to) {
  if (::renameat(directory, from.c_str(), directory, to.c_str()) != 0)
    return errno_error("put " + to + " in place");
  return {};
}

Status sync_folder(int directory, const std::string& path) {
  const UniqueFd folder = TRY(open_beneath(directory, path, O_RDONLY | O_DIRECTORY));
  return sync_fd(folder.get());
}

// Copies a blob out of a layout and insists on its digest and size.
Status copy_blob(int layout, const Descriptor& blob, int to) {
  const Result<UniqueFd> from =
      open_beneath(layout, blob_path(blob.digest), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!from.ok()) return refused("the blob " + blob.digest.str() + " is missing");
  const auto info = TRY(stat_of(from->get()));
  if (!S_ISREG(info.st_mode)) return refused("the blob " + blob.digest.str() + " is not a regular file");
  if (static_cast<ByteCount>(info.st_size) != blob.size) {
    return integrity("the blob " + blob.digest.str() + " has " + std::to_string(info.st_size) +
                         " bytes, not " + std::to_string(blob.size),
                     "it may have been cut short: copy or build the image again");
  }
  const Copied copied = TRY(copy_and_hash(from->get(), to, blob.size));
  if (copied.digest != blob.digest) {
    return integrity("the blob " + blob.digest.str() + " is not what its name promises",
                     "it was damaged or changed: copy or build the image again");
  }
  return {};
}

}  // namespace

Result<StoredImage> ImageStore::import(const std::string& path, const std::string& name) {
  if (::geteuid() != 0) return host_error("only root can import an image", "run this command as root");
  if (!name.empty()) TRY(ImageName::parse(name));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return invalid("cannot read " + glovebox::quoted(path), "",
                   "name an OCI layout folder or an image archive");
  }
  const FileLock lock = TRY(FileLock::take(images_.get(), "lock"));
  TRY(clear_temporary());
  const UniqueFd work = TRY(make_directories(images_.get(), kWork, 0711));
  const auto take_in = [&]() -> Result<StoredImage> {
    if (!S_ISDIR(info.st_mode)) {
      const UniqueFd layout = TRY(unpack_archive_file(path, work.get()));
      return import_layout(layout.get(), work.get(), name);
    }
    const UniqueFd layout = TRY(open_path(path, O_RDONLY | O_DIRECTORY));
    if (!is_layout(layout.get()))
      return invalid(glovebox::quoted(path) + " is not an OCI layout: it has no file oci-layout");
    return import_layout(layout.get(), work.get(), name);
  };
  Result<StoredImage> taken = take_in();
  const Status cleared = clear_temporary();
  // Of a failed import, or of an image whose name was taken over by this one.
  const Status swept = sweep();
  if (!taken.ok()) return std::move(taken).error().because("cannot import " + glovebox::quoted(path, 200));
  TRY(cleared);
  TRY(swept);
  return taken;
}

Result<StoredImage> ImageStore::import_layout(int layout, int work, const std::string& name) {
  say("reading the image's description");
  LayoutImage found = TRY(read_layout(layout, name, options_.worker));
  // A name with a registry or folder before it is not one of this host: who imports it says what it may stand
  // for.
  const Result<ImageName> chosen = ImageName::parse(name.empty() ? found.reference : name);
  if (!chosen.ok()) {
    return invalid("the image has no name that a study could use: " + quoted(found.reference, 100), "",
                   "say what studies call it: glovebox image import PATH NAME, such as python:v2");
  }
  ImageRecord record;
  record.manifest = found.manifest;
  record.config = found.contents.config;
  record.layers = found.contents.layers;
  record.image = found.config;
  TRY(store_blobs(layout, record));
  const std::string hex = record.manifest.digest.hex();
  const bool known = exists(images_.get(), "rootfs/" + hex) && exists(images_.get(), "info/" + hex + ".json");
  if (known)
    record = TRY(record_of(record.manifest.digest));
  else
    TRY(make_tree(work, record));
  TRY(replace_file(images_.get(), "names/" + chosen->str(), record.manifest.digest.str() + "\n", 0644));
  return StoredImage{chosen->str(), std::move(record)};
}

Status ImageStore::store_blobs(int layout, const ImageRecord& record) {
  std::vector<Descriptor> blobs{record.manifest, record.config};
  blobs.insert(blobs.end(), record.layers.begin(), record.layers.end());
  ByteCount total = 0;
  for (const Descriptor& blob : blobs) total += blob.size;
  say("checking " + format_bytes(total));
  for (const Descriptor& blob : blobs) {
    // Copied even where a file of that name is there: a damaged blob is mended by importing again.
    const std::string temporary = std::string(kWork) + "/blob";
    {
      const UniqueFd to = TRY(open_beneath(images_.get(), temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644));
      TRY(copy_blob(layout, blob, to.get()));
      TRY(sync_fd(to.get()));
    }
    TRY(rename_beneath(images_.get(), temporary, blob_path(blob.digest)));
  }
  return sync_folder(images_.get(), "blobs/sha256");
}

Status ImageStore::make_tree(int work, ImageRecord& record) {
  const UniqueFd tree = TRY(make_directories(work, "tree", 0700, options_.worker, options_.worker));
  std::vector<UniqueFd> open_layers;
  UnpackJob job;
  for (const Descriptor& layer : record.layers) {
    open_layers.push_back(TRY(open_beneath(images_.get(), blob_path(layer.digest), O_RDONLY)));
    job.layers.push_back(open_layers.back().get());
  }
  job.diff_ids = record.image.diff_ids;
  job.tree = tree.get();
  job.worker = options_.worker;
  job.limits = options_.limits;
  say("unpacking " + std::to_string(job.layers.size()) + (job.layers.size() == 1 ? " layer" : " layers"));
  record.dropped = TRY(unpack_layers(job)).dropped;
  TRY(prepare_mount_points(tree.get()));
  say("hashing files");
  const Listing listing = TRY(normalise_tree(tree.get()));
  record.tree = listing.digest();
  record.entries = listing.entries;
  record.bytes = listing.bytes;
  const std::string hex = record.manifest.digest.hex();
  TRY(replace_file(images_.get(), "info/" + hex + ".list", listing.text, 0644));
  TRY(replace_file(images_.get(), "info/" + hex + ".json", dump_json(record_json(record)), 0644));
  // One call for tens of thousands of files.
  if (::syncfs(tree.get()) != 0) return errno_error("make the image durable (syncfs)");
  TRY(remove_tree(images_.get(), "rootfs/" + hex));
  TRY(rename_beneath(images_.get(), std::string(kWork) + "/tree", "rootfs/" + hex));
  return sync_folder(images_.get(), "rootfs");
}

Result<UniqueFd> ImageStore::unpack_archive_file(const std::string& path, int work) {
  say("unpacking the archive");
  return open_archive(path, work, options_.worker, options_.limits);
}

}  // namespace glovebox
