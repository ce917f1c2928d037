#include "core/rules/text_scan.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "core/base/text.h"

using namespace glovebox;

namespace {
bool scanned_as_utf8(std::string_view text, std::size_t piece) {
  TextScan scan;
  for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(text.substr(at, piece));
  scan.finish();
  return !scan.bad_utf8();
}
}  // namespace

TEST_CASE("the scan agrees with is_utf8 on every sequence of up to three bytes, however it is cut") {
  std::string text;
  for (int a = 0x7E; a < 256; ++a) {
    for (int b = 0x7E; b < 256; b += 3) {
      for (int c : {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF}) {
        text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        const bool expected = is_utf8(text);
        if (scanned_as_utf8(text, 1) != expected || scanned_as_utf8(text, 2) != expected ||
            scanned_as_utf8(text, 3) != expected) {
          FAIL_CHECK("differs for ", hex_encode(text));
        }
      }
    }
  }
}

TEST_CASE("the scan agrees with is_utf8 on random bytes near the borders") {
  std::mt19937 random(1);
  const std::string bytes("\x00\x41\x7F\x80\x8F\x90\x9F\xA0\xBF\xC1\xC2\xDF\xE0\xE1\xED\xEF\xF0\xF3\xF4\xF5",
                          20);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto i = random() % 8; i > 0; --i) text += bytes[random() % bytes.size()];
    if (scanned_as_utf8(text, 1 + random() % 3) != is_utf8(text))
      FAIL_CHECK("differs for ", hex_encode(text));
  }
}

TEST_CASE("a NUL is found wherever it stands") {
  TextScan scan;
  scan.feed("abc");
  CHECK_FALSE(scan.has_nul());
  scan.feed(std::string_view("\0", 1));
  CHECK(scan.has_nul());
}

TEST_CASE("text that only resembles a binary format is none") {
  for (const char* text : {"PK,name", "BZh is a word", "7z", "GIF", "ARROW", "RDX3"}) {
    CAPTURE(text);
    CHECK(binary_format(text).empty());
  }
}
