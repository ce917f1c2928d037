// The images of this host: ROOT/images.
//
//   blobs/sha256/<hex>          manifests, configurations and layers, as they came
//   rootfs/<manifest hex>/      the unpacked tree, read-only by custom: root's, 0755 and 0644
//   info/<manifest hex>.json    what the image says of itself, checked      info/<hex>.list   the tree's
//   listing names/<name:version>        the manifest digest that a name stands for tmp/ imports under way
//   lock   held by whoever changes anything
//
// A name appears last and only when everything that it stands for is durable, so whoever resolves one finds a
// whole image. An import that was cut off leaves something in tmp/, and the next open() removes it and all
// that no name refers to.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/plan/plan.h"
#include "shell/images/layer.h"
#include "shell/images/record.h"
#include "shell/sys/fd.h"
#include "shell/sys/file.h"

namespace glovebox {

struct ImageStoreOptions {
  uid_t worker = 65534;  // uid and gid of the processes that parse images
  UnpackLimits limits;
  // Told what goes on ("unpacking 3 layers"), for progress on a terminal. May be empty.
  std::function<void(const std::string&)> progress;
};

struct StoredImage {
  std::string name;  // "python:v2"
  ImageRecord record;
};

class ImageStore {
 public:
  // `root` is the state directory ROOT, which must exist. Makes images/ where missing, and cleans up after a
  // crash where nobody else is at work.
  static Result<ImageStore> open(int root, ImageStoreOptions options);

  // Takes in an OCI layout folder, or a tar archive of one or of Docker (`docker save`), compressed or not,
  // and gives it the name `name`; where that is empty, the name that the layout gives it, which must then be
  // one that studies use as it stands ("python:v2", no registry before it). Needs root. A name
  // that exists stands for the new image from then on. Errors: kInvalid (no such file, no name), kRefused
  // (what the image is or holds), kIntegrity (digests), kHost. Nothing is left of an import that failed.
  Result<StoredImage> import(const std::string& path, const std::string& name);

  // Sorted by name.
  [[nodiscard]] Result<std::vector<StoredImage>> list() const;
  // kRefused, with a hint how to get it, where there is no image of that name.
  [[nodiscard]] Result<StoredImage> find(const ImageName& name) const;
  [[nodiscard]] Result<ImageInfo> resolve(const ImageName& name) const;

  // The tree of an image. While the descriptor (or a copy) is open the tree is not removed.
  [[nodiscard]] Result<UniqueFd> open_tree(const Digest& manifest) const;

  // Hashes every blob and file again. What is wrong, in words; empty where nothing is.
  [[nodiscard]] Result<std::vector<std::string>> verify(const ImageName& name) const;

  // Forgets the name and removes what no other name refers to. kRefused while an action uses the image.
  Status remove(const ImageName& name);

 private:
  ImageStore(UniqueFd images, ImageStoreOptions options)
      : images_(std::move(images)), options_(std::move(options)) {}
  Result<StoredImage> import_layout(int layout, int work, const std::string& name);
  Result<UniqueFd> unpack_archive_file(const std::string& path, int work);
  Status store_blobs(int layout, const ImageRecord& record);
  Status make_tree(int work, ImageRecord& record);
  [[nodiscard]] Result<ImageRecord> record_of(const Digest& manifest) const;
  [[nodiscard]] Result<Digest> digest_of_name(const std::string& name) const;
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  Status sweep();
  Status clear_temporary();
  void say(const std::string& text) const {
    if (options_.progress) options_.progress(text);
  }

  UniqueFd images_;
  ImageStoreOptions options_;
};

}  // namespace glovebox
