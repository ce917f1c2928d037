#include "core/rules/svgz.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace glovebox {

struct SvgzScan::Stream {
  z_stream z{};
  std::string input;  // zlib wants it writable
};

SvgzScan::SvgzScan(ByteCount compressed_size)
    : stream_(std::make_unique<Stream>()),
      most_(std::min(kMaxInflated, std::min(compressed_size, kMaxInflated) * kMaxInflation)) {
  constexpr int kGzipOnly = 15 + 16;  // zlib.h: the largest window, and a gzip header
  sound_ = inflateInit2(&stream_->z, kGzipOnly) == Z_OK;
}
SvgzScan::SvgzScan(SvgzScan&&) noexcept = default;
SvgzScan& SvgzScan::operator=(SvgzScan&& other) noexcept {
  std::swap(stream_, other.stream_);
  most_ = other.most_;
  inflated_ = other.inflated_;
  head_ = std::move(other.head_);
  text_ = other.text_;
  sound_ = other.sound_;
  ended_ = other.ended_;
  too_large_ = other.too_large_;
  return *this;
}
SvgzScan::~SvgzScan() {
  if (stream_ != nullptr) inflateEnd(&stream_->z);
}

void SvgzScan::feed(std::string_view chunk) {
  if (chunk.empty() || !sound_) return;
  if (ended_) {
    sound_ = false;  // bytes behind the picture
    return;
  }
  stream_->input = chunk;
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(stream_->input.data());
  z.avail_in = static_cast<uInt>(stream_->input.size());
  std::array<char, 16384> out{};
  while (sound_ && !ended_) {
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    const int status = inflate(&z, Z_NO_FLUSH);
    const std::size_t made = out.size() - z.avail_out;
    if (status == Z_BUF_ERROR && made == 0) break;  // wants more input
    sound_ = status == Z_OK || status == Z_STREAM_END;
    ended_ = status == Z_STREAM_END;
    take({out.data(), made});
    if (made < out.size() && z.avail_in == 0) break;
  }
  if (ended_ && z.avail_in > 0) sound_ = false;
}

void SvgzScan::take(std::string_view inflated) {
  inflated_ += inflated.size();
  if (inflated_ > most_) {
    too_large_ = true;
    sound_ = false;
    return;
  }
  if (head_.size() < kMarkupHead) head_ += inflated.substr(0, kMarkupHead - head_.size());
  text_.feed(inflated);
}

void SvgzScan::finish() {
  text_.finish();
  sound_ = sound_ && !text_.bad_utf8() && !text_.has_nul() && begins_like_svg(head_);
}

}  // namespace glovebox
