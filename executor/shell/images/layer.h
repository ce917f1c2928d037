// One layer of an image, unpacked. Runs in a worker whose root is the tree (shell/images/unpack.h).
#pragma once
#include <ctime>
#include <map>
#include <set>
#include <string>

#include "core/base/types.h"
#include "shell/images/layer_stream.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Against archives that are small and unpack to something huge. The largest image known to be used by studies
// has 530 R packages, about 100,000 files and 6 GB.
struct UnpackLimits {
  std::uint64_t entries = 2'000'000;
  ByteCount bytes = 64ULL << 30U;  // uncompressed, of all layers together
  unsigned depth = 64;             // directories in directories
  // Names and targets of links, of all layers together: they compress so well that their number alone bounds
  // nothing.
  std::size_t name_bytes = 256U << 20U;
};

struct UnpackTotals {
  std::uint64_t entries = 0;
  ByteCount bytes = 0;
  std::uint64_t dropped = 0;  // devices, FIFOs and sockets, which no action gets
};

// Unpacks layers beneath a directory, bottom first: files, directories, links and OCI's whiteouts. Nothing is
// ever opened, made or removed through a symbolic link; a name that is absolute, has ".." or goes through a
// link or file is refused. Owners, modes other than the x bit, extended attributes and devices are dropped.
class LayerWriter {
 public:
  LayerWriter(int tree, const UnpackLimits& limits) : tree_(tree), limits_(limits) {}
  // Applies the tar archive in `layer` (gzip, zstd or uncompressed) and returns the digest of the
  // uncompressed stream, to be compared with the image's diff_id.
  Result<Digest> apply(int layer);
  // Once, after the last layer: the directories' own times, which the writing of their contents changed.
  Status finish();
  [[nodiscard]] const UnpackTotals& totals() const { return totals_; }

 private:
  // One entry, its names already judged.
  struct Entry;
  Result<Entry> judge(LayerStream& stream, archive_entry* raw) const;
  Status apply_entry(const Entry& entry);
  Status apply_whiteout(const Entry& entry);
  Status clear_lower(int directory, const std::string& prefix);
  Status make_room(const Entry& entry);
  Status open_parent(const std::string& parent);
  Status put_directory(const Entry& entry);
  Status put_file(const Entry& entry);
  Status put_hard_link(const Entry& entry);
  Status remove(int directory, const std::string& name);
  void remember(const std::string& path);

  int tree_;
  UnpackLimits limits_;
  UnpackTotals totals_;
  std::size_t name_bytes_ = 0;     // with the parents that the archive leaves out
  std::set<std::string> written_;  // by the present layer, with all parents: whiteouts spare these
  std::map<std::string, timespec> directory_times_;
  std::string parent_path_;  // of `parent_`, which stays open since neighbours follow one another
  UniqueFd parent_;
};

}  // namespace glovebox
