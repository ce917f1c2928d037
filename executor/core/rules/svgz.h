// Looks inside a .svgz file without trusting it: inflated piece by piece, never kept, never past a limit.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "core/rules/text_scan.h"

namespace glovebox {

inline constexpr ByteCount kMaxInflated = 16ULL << 20U;  // an SVG that large is data, not a picture
inline constexpr ByteCount kMaxInflation = 100;          // times its own size

class SvgzScan {
 public:
  explicit SvgzScan(ByteCount compressed_size);
  SvgzScan(SvgzScan&&) noexcept;
  SvgzScan& operator=(SvgzScan&&) noexcept;
  ~SvgzScan();
  void feed(std::string_view chunk);
  void finish();
  // True once finish() was called, for exactly one whole gzip member that holds an SVG of UTF-8 text within
  // the limits, and nothing behind it.
  [[nodiscard]] bool is_svg() const { return sound_ && ended_; }
  [[nodiscard]] bool too_large() const { return too_large_; }

 private:
  struct Stream;  // zlib's
  void take(std::string_view inflated);
  std::unique_ptr<Stream> stream_;
  ByteCount most_;
  ByteCount inflated_ = 0;
  std::string head_;
  TextScan text_;
  bool sound_ = true;
  bool ended_ = false;
  bool too_large_ = false;
};

}  // namespace glovebox
