// The entries of a compressed tar archive, with a digest of the uncompressed bytes. libarchive's only user
// for layers. Parses hostile bytes: only to be used in a worker.
#pragma once
#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <vector>

#include "core/base/types.h"

namespace glovebox {

class LayerStream {
 public:
  // More than `most` uncompressed bytes are refused.
  static Result<std::unique_ptr<LayerStream>> open(int fd, ByteCount most);
  // The next entry, valid until the next call; null pointer at the end.
  Result<archive_entry*> next();
  // Writes the data of the present entry, `size` bytes by its header, to `file`, holes kept.
  Status copy_data(int file, ByteCount size);
  // After the last entry: reads what is left and tells digest and size of the whole stream.
  Result<Digest> finish();
  [[nodiscard]] ByteCount bytes() const { return bytes_; }

 private:
  struct Free {
    void operator()(archive* a) const { archive_read_free(a); }
  };
  using Archive = std::unique_ptr<archive, Free>;
  LayerStream(ByteCount most) : most_(most), buffer_(1U << 18U) {}
  static la_ssize_t read_block(archive* tar, void* self, const void** block);

  Archive plain_;  // undoes the compression
  Archive tar_;    // reads from plain_
  ByteCount most_;
  ByteCount bytes_ = 0;
  std::vector<char> buffer_;
  Hasher hasher_;
};

}  // namespace glovebox
