#include "core/base/text.h"

#include <doctest/doctest.h>

namespace glovebox {

TEST_CASE("UTF-8 is well-formed or not, to the byte") {
  for (const char* good : {"", "a", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    CAPTURE(good);
    CHECK(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x80\x80",
                          "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xFE", "a\xF0\x9F\x98"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("what controls a terminal or hides text is not printable") {
  for (const char* bad : {"\x01", "\x1B[2J", "a\nb", "\x7F", "\xC2\x80",
                          "\xC2\x9B"
                          "31m",
                          "\xC2\xAD", "\xE2\x80\x8B", "\xE2\x80\xAE", "\xE2\x80\xA8", "\xE2\x81\xA6",
                          "\xEF\xBB\xBF", "\xE3\x85\xA4", "\xF3\xA0\x81\x81", "\xEF\xBF\xBF"}) {
    CAPTURE(bad);
    CHECK(has_unprintable(bad));
    CHECK_FALSE(has_unprintable(printable(bad)));
  }
  for (const char* good : {"", "a b", "caf\xC3\xA9", "\xE6\x97\xA5\xE6\x9C\xAC", "\xF0\x9F\x98\x80"}) {
    CAPTURE(good);
    CHECK_FALSE(has_unprintable(good));
    CHECK(printable(good) == good);
  }
}

TEST_CASE("every byte is shown in one safe way") {
  CHECK(printable("a\tb\nc\rd") == "a\\tb\\nc\\rd");
  CHECK(printable("\x1B]0;x\x07") == "\\x1B]0;x\\x07");
  CHECK(printable(std::string_view("\0", 1)) == "\\x00");
  CHECK(printable("\xC2\x9B") == "\\u{9B}");
  CHECK(printable("\xE2\x80\xAE") == "\\u{202E}");
  CHECK(printable("\xFF\xC3") == "\\xFF\\xC3");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string shown = printable(std::string(3, static_cast<char>(byte)));
    CHECK(is_utf8(shown));
    CHECK_FALSE(has_unprintable(shown));
  }
}

TEST_CASE("text that is shown is bounded, and cut between characters") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcde…");
  CHECK(printable("\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9…");
  CHECK(printable("\x01\x01", 7) == "\\x01…");
  CHECK(quoted("a b", 100) == "\"a b\"");
}

TEST_CASE("text is split at every separator") {
  CHECK(split("", '/') == std::vector<std::string_view>{""});
  CHECK(split("/a//b", '/') == std::vector<std::string_view>{"", "a", "", "b"});
  CHECK(join({}, ", ").empty());
  CHECK(join({"a", "b"}, ", ") == "a, b");
}

TEST_CASE("base64 and hex are those of RFC 4648") {
  CHECK(base64_encode("").empty());
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foo") == "Zm9v");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  CHECK(base64_encode("\xFB\xFF\xFE") == "+//+");
  CHECK(hex_encode(std::string_view("\x00\xAB\x7F", 3)) == "00ab7f");
}

TEST_CASE("a near word is one that its author may have meant") {
  const std::vector<std::string> words{"outputs", "run", "needs", "config"};
  CHECK(nearest("output", words) == "outputs");
  CHECK(nearest("ouptuts", words) == "outputs");
  CHECK(nearest("nedds", words) == "needs");
  CHECK(nearest("rnu", words).empty());  // two of three letters
  CHECK(nearest("ru", words).empty());   // one of two letters
  CHECK(nearest("rum", words) == "run");
  CHECK(nearest("", words).empty());
  CHECK(nearest("", {""}).empty());
  CHECK(nearest("expectations", words).empty());
  CHECK(nearest(std::string(4'000'000, 'x'), words).empty());
}

}  // namespace glovebox
