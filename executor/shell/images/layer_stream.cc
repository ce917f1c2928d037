#include "shell/images/layer_stream.h"

#include <unistd.h>

#include <cerrno>

#include "core/base/text.h"
#include "shell/sys/fd.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

Error archive_failure(archive* a, const std::string& what) {
  const char* text = archive_error_string(a);
  return refused(what + ": " + printable(text == nullptr ? "unknown error" : text, 200));
}

Status write_at(int file, const char* data, std::size_t size, la_int64_t offset) {
  while (size > 0) {
    const ssize_t n = ::pwrite(file, data, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write a file of the image");
    data += n;
    size -= static_cast<std::size_t>(n);
    offset += n;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<LayerStream>> LayerStream::open(int fd, ByteCount most) {
  std::unique_ptr<LayerStream> stream(new LayerStream(most));
  stream->plain_.reset(archive_read_new());
  stream->tar_.reset(archive_read_new());
  archive* plain = stream->plain_.get();
  archive* tar = stream->tar_.get();
  if (plain == nullptr || tar == nullptr) return host_error("cannot make an archive reader");
  // Only these: for others libarchive would start programs.
  archive_read_support_filter_gzip(plain);
  archive_read_support_filter_zstd(plain);
  archive_read_support_format_raw(plain);
  if (archive_read_open_fd(plain, fd, 1U << 18U) != ARCHIVE_OK) {
    return archive_failure(plain, "cannot read the layer");
  }
  archive_entry* whole = nullptr;
  if (archive_read_next_header(plain, &whole) != ARCHIVE_OK)
    return archive_failure(plain, "cannot read the layer");
  archive_read_support_format_tar(tar);
  if (archive_read_open2(tar, stream.get(), nullptr, &LayerStream::read_block, nullptr, nullptr) !=
      ARCHIVE_OK) {
    return archive_failure(tar, "the layer is not a tar archive");
  }
  return stream;
}

la_ssize_t LayerStream::read_block(archive* tar, void* self, const void** block) {
  auto& stream = *static_cast<LayerStream*>(self);
  const la_ssize_t n = archive_read_data(stream.plain_.get(), stream.buffer_.data(), stream.buffer_.size());
  if (n < 0) {
    const char* text = archive_error_string(stream.plain_.get());
    archive_set_error(tar, EIO, "%s", text == nullptr ? "damaged compression" : text);
    return ARCHIVE_FATAL;
  }
  const auto size = static_cast<std::size_t>(n);
  stream.bytes_ += size;
  if (stream.bytes_ > stream.most_) {
    archive_set_error(tar, EFBIG, "it unpacks to more than the limit");
    return ARCHIVE_FATAL;
  }
  stream.hasher_.update({stream.buffer_.data(), size});
  *block = stream.buffer_.data();
  return n;
}

Result<archive_entry*> LayerStream::next() {
  archive_entry* entry = nullptr;
  const int status = archive_read_next_header(tar_.get(), &entry);
  if (status == ARCHIVE_EOF) return nullptr;
  // A warning is about a name that this locale cannot show: the bytes are there all the same.
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
    return archive_failure(tar_.get(), "the layer is damaged");
  return entry;
}

Status LayerStream::copy_data(int file, ByteCount size) {
  for (;;) {
    const void* data = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(tar_.get(), &data, &length, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) return archive_failure(tar_.get(), "the layer is damaged");
    TRY(write_at(file, static_cast<const char*>(data), length, offset));
  }
  if (::ftruncate(file, static_cast<off_t>(size)) != 0) return errno_error("write a file of the image");
  return {};
}

Result<Digest> LayerStream::finish() {
  const void* block = nullptr;
  for (;;) {
    const la_ssize_t n = read_block(tar_.get(), this, &block);
    if (n < 0) return archive_failure(tar_.get(), "the layer is damaged");
    if (n == 0) return hasher_.finish();
  }
}

}  // namespace glovebox
