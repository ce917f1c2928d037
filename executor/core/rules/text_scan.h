// What bytes look like, in one pass and bounded memory: sound UTF-8 text, or one of the formats whose first
// bytes give them away.
#pragma once
#include <cstdint>
#include <string_view>

namespace glovebox {

// Is a stream well-formed UTF-8 text without NUL? The same definition as is_utf8(), for input in pieces.
class TextScan {
 public:
  void feed(std::string_view chunk);
  // True where anything so far is not text. A sequence that is cut off counts once finish() was called.
  [[nodiscard]] bool bad_utf8() const { return bad_utf8_; }
  [[nodiscard]] bool has_nul() const { return has_nul_; }
  // A control character other than NUL, tab, CR and LF: C0, DEL, C1, and the separators U+2028 and U+2029.
  [[nodiscard]] bool has_control() const { return has_control_; }
  void finish() { bad_utf8_ = bad_utf8_ || missing_ > 0; }

 private:
  void step(std::uint8_t byte);
  void begin(std::uint8_t byte);
  unsigned missing_ = 0;     // continuation bytes that are still to come
  std::uint32_t point_ = 0;  // the code point as far as it has come
  std::uint8_t low_ = 0x80;  // what the next one must lie between
  std::uint8_t high_ = 0xBF;
  bool bad_utf8_ = false;
  bool has_nul_ = false;
  bool has_control_ = false;
};

// The name of a binary format that `head` (the first bytes of a file, 16 or all of it) begins like: "gzip",
// "zip", "Arrow", "Parquet", "PDF", "PNG", "JPEG", …; empty where it is none of those known.
std::string_view binary_format(std::string_view head);

// How many bytes of a file begins_like_html() and begins_like_svg() are to be given, where it has as many.
inline constexpr std::size_t kMarkupHead = 64U << 10U;
// The first visible character is '<'.
bool begins_like_html(std::string_view head);
// Nothing but a byte-order mark, white space, XML declarations, comments and a document type stands before
// an <svg element.
bool begins_like_svg(std::string_view head);

}  // namespace glovebox
