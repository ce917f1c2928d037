// Images made by hand, sound and hostile, for the tests of shell/images.
#pragma once
#include <string>
#include <vector>

#include "core/base/json.h"
#include "shell/sys/file.h"

namespace glovebox::testing {

struct TarEntry {
  char type = 'f';  // f file, d directory, l symbolic link, h hard link, b block device, p FIFO
  std::string path;
  std::string text;  // content of a file, target of a link
  unsigned mode = 0644;
  std::string xattr = {};       // the name of one
  std::uint64_t hole_size = 0;  // a file that is one hole of this size
};

enum class Compression { kNone, kGzip, kZstd };
std::string make_tar(const std::vector<TarEntry>& entries);
std::string compressed(const std::string& data, Compression how);

// An OCI layout folder in the making. What is public may be bent before write().
class MadeImage {
 public:
  explicit MadeImage(const std::string& folder);
  void add_layer(const std::vector<TarEntry>& entries, Compression how = Compression::kGzip);
  void add_layer_bytes(const std::string& blob, const std::string& uncompressed);
  // A blob, and its descriptor.
  Json add_blob(const std::string& data, const std::string& media_type);
  Json write_manifest();  // config and manifest as they stand; its descriptor
  void write_index(const Json& manifests);
  void write();  // all of it, as "made:v1"
  [[nodiscard]] std::string blob_file(const Json& descriptor) const;

  std::string folder;
  Json config;
  Json layers = Json::array();
};

void write_text(const std::string& path, const std::string& text);
std::string read_text(const std::string& path);

}  // namespace glovebox::testing
