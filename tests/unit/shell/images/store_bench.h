// What the tests of the image store share.
#pragma once
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "shell/images/store.h"
#include "tests/unit/shell/images/made_image.h"

namespace glovebox::testing {

// Import needs root.
inline bool not_root() {
  return ::geteuid() != 0;
}

// A state directory, a layout folder beside it, and what can be asked of them.
struct Bench {
  Bench() : dir(TempDir::make("/tmp", "gb-images-").value()) {
    std::filesystem::create_directory(dir.path() + "/root");
    root = open_path(dir.path() + "/root", O_RDONLY | O_DIRECTORY).value();
    options.worker = 600997;
  }
  ImageStore store() { return ImageStore::open(root.get(), options).value(); }
  [[nodiscard]] std::string layout() const { return dir.path() + "/layout"; }
  [[nodiscard]] std::string images() const { return dir.path() + "/root/images"; }
  [[nodiscard]] std::string tree(const StoredImage& image) const {
    return images() + "/rootfs/" + image.record.manifest.digest.hex();
  }
  // Everything under images/ but the lock and the folders, to show that nothing is left.
  [[nodiscard]] std::size_t leftovers() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(images())) {
      const std::string path = entry.path().string().substr(images().size() + 1);
      const bool folder = path == "blobs" || path == "blobs/sha256" || path == "rootfs" || path == "info" ||
                          path == "names" || path == "tmp" || path == "lock";
      count += folder ? 0 : 1;
    }
    return count;
  }
  TempDir dir;
  UniqueFd root;
  ImageStoreOptions options;
};

inline const std::vector<TarEntry> kSmall{
    {'d', "bin", "", 0755}, {'f', "bin/sh", "#!", 0755}, {'f', "etc/os", "x"}};

}  // namespace glovebox::testing
