#include <doctest/doctest.h>

#include "core/base/text.h"

using namespace glovebox;

TEST_CASE("base64 of RFC 4648 section 10 is read, padded or not") {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    std::string encoded = base64_encode(text);
    CHECK(base64_decode(encoded) == text);
    while (encoded.ends_with('=')) encoded.pop_back();
    CHECK(base64_decode(encoded) == text);
  }
}

TEST_CASE("both alphabets are read, but not mixed") {
  const std::string bytes = "\xfb\xff\xbf";
  CHECK(base64_decode("+/+/") == bytes);
  CHECK(base64_decode("-_-_") == bytes);
  CHECK_FALSE(base64_decode("+/-_").has_value());
}

TEST_CASE("base64 that is not in the one form for its bytes is refused") {
  for (const char* text : {"A", "Zg=", "Zg===", "Z===", "====", "=", "Zh==", "Zm9=", " Zg==", "Zg==\n",
                           "Z g=", "Zg==Zg==", "Zé=="}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}
