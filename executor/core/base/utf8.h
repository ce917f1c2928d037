// Text as code points.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace glovebox {

// The code point at `at` and its length in bytes; length 0 where the bytes are not well-formed.
// Precondition: at < text.size().
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;
};
CodePoint decode_utf8(std::string_view text, std::size_t at);

// A C0 or C1 control, DEL, or a code point that reorders or hides text: what has_unprintable() looks for.
bool is_unprintable(std::uint32_t point);

}  // namespace glovebox
