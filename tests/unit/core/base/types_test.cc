#include "core/base/types.h"

#include <doctest/doctest.h>

#include <limits>

namespace glovebox {

TEST_CASE("a digest is 64 lower-case hex digits, and SHA-256 is SHA-256") {
  const std::string empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  CHECK(Digest::of("").hex() == empty);
  CHECK(Digest::of("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(*Digest::parse(empty) == Digest::of(""));
  CHECK(*Digest::parse("sha256:" + empty) == Digest::of(""));
  CHECK(Digest::of("").str() == "sha256:" + empty);
  for (const std::string& bad :
       {std::string(), empty.substr(1), empty + "0", "sha256:" + empty.substr(1), "SHA256:" + empty,
        "sha256:sha256:" + empty, "E" + empty.substr(1), "g" + empty.substr(1)}) {
    CAPTURE(bad);
    CHECK_FALSE(Digest::parse(bad).ok());
  }
}

TEST_CASE("bytes hashed in parts have the digest of the whole") {
  Hasher hasher;
  for (const char* part : {"a", "", "bc"}) hasher.update(part);
  Hasher moved = std::move(hasher);
  CHECK(moved.finish() == Digest::of("abc"));
}

TEST_CASE("a relative path stays below its root") {
  for (const char* good :
       {"a", "a/b", "a b/c d.csv", "...", "a..b/..c", ".hidden", "caf\xC3\xA9.csv", "-rf", "a:b"}) {
    CAPTURE(good);
    CHECK(RelPath::parse(good).ok());
  }
  for (const char* bad :
       {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", "./a", "a/.", "a\nb", "a\x1B[m",
        "a\xE2\x80\xAE"
        "b",
        "\xFF", "a/\xC0\xAF/b"}) {
    CAPTURE(bad);
    CHECK_FALSE(RelPath::parse(bad).ok());
  }
  CHECK_FALSE(RelPath::parse(std::string_view("a\0b", 3)).ok());
  CHECK(RelPath::parse("../a").error().message == "path \"../a\" has a '.' or '..' component");
}

TEST_CASE("a path has the lengths that Linux has") {
  const std::string component(255, 'a');
  CHECK(RelPath::parse(component).ok());
  CHECK_FALSE(RelPath::parse(component + "a").ok());
  const std::string longest =
      component + "/" + component + "/" + component + "/" + std::string(255, 'b') + "/";
  CHECK(RelPath::parse(longest.substr(0, 1023)).ok());
  CHECK_FALSE(RelPath::parse(longest + "c").ok());
}

TEST_CASE("a folder contains what is below it, and not its namesakes") {
  const RelPath a = *RelPath::parse("a");
  CHECK(a.contains(a));
  CHECK(a.contains(*RelPath::parse("a/b")));
  CHECK_FALSE(a.contains(*RelPath::parse("ab")));
  CHECK_FALSE(a.contains(*RelPath::parse("ab/a")));
  CHECK_FALSE(RelPath::parse("a/b")->contains(a));
}

TEST_CASE("a path knows its parts") {
  const RelPath path = *RelPath::parse("a.d/b.csv.gz");
  CHECK(path.name() == "b.csv.gz");
  CHECK(path.parent() == "a.d");
  CHECK(path.extension() == ".gz");
  CHECK(RelPath::parse("a.d/b")->extension().empty());
  CHECK(RelPath::parse(".csv")->extension().empty());
  CHECK(RelPath::parse("b")->parent().empty());
}

TEST_CASE("action names and ids can be file names") {
  CHECK(ActionName::parse("a-b_c.1").ok());
  CHECK(ActionName::parse("_a").ok());
  CHECK(ActionName::parse(std::string(128, 'a')).ok());
  for (const char* bad :
       {"", ".", "..", ".a", "-a", "a b", "a/b", "../x", "a\n", "caf\xC3\xA9", "a:b", "a\"", "a'"}) {
    CAPTURE(bad);
    CHECK_FALSE(ActionName::parse(bad).ok());
  }
  CHECK_FALSE(ActionName::parse(std::string(129, 'a')).ok());
  CHECK(AttemptId::parse("0a-b_C").ok());
  CHECK(AttemptId::parse(std::string(64, 'a')).ok());
  for (const char* bad : {"", "-a", "_a", "a.b", "a/b", "a b"}) {
    CAPTURE(bad);
    CHECK_FALSE(AttemptId::parse(bad).ok());
  }
  CHECK_FALSE(AttemptId::parse(std::string(65, 'a')).ok());
}

TEST_CASE("an image has a name and a version") {
  for (const char* good : {"python:v2", "r:v1.2.3", "cox-ipw:v0.0.37", "a:dev", "a:v1-pre", "a_b.c:v1"}) {
    CAPTURE(good);
    REQUIRE(ImageName::parse(good).ok());
    CHECK(ImageName::parse(good)->str() == good);
  }
  CHECK(ImageName::parse("stata-mp:latest")->str() == "stata-mp:v1");
  for (const char* bad :
       {"", "python", "python:", ":v1", "python:2", "python:v", "python:vx", "python:v1x1", "python:pre",
        "Python:v1", "a/b:v1", "a:v1:v2", "-a:v1", "a:v1 ", "a:V1", "a:v-pre", "a:dev-pre", "../a:v1"}) {
    CAPTURE(bad);
    CHECK_FALSE(ImageName::parse(bad).ok());
  }
}

TEST_CASE("an image version has digits") {
  CHECK_FALSE(ImageName::parse("a:v.").ok());
  CHECK_FALSE(ImageName::parse("a:v..").ok());
}

TEST_CASE("sizes are read exactly") {
  CHECK(*parse_bytes("0") == 0);
  CHECK(*parse_bytes("1024") == 1024);
  CHECK(*parse_bytes("4GiB") == 4294967296);
  CHECK(*parse_bytes("9007199254740992") == 9007199254740992);
  for (const char* bad :
       {"", "-1", "+1", " 1", "1 ", "1.5GiB", "4G", "4gib", "4 GiB", "GiB", "0x10", "1e3", "1_000"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_bytes(bad).ok());
    CHECK(parse_bytes(bad).error().message.ends_with("is not understood"));
  }
  for (const char* bad : {"9007199254740993", "8193TiB", "18446744073709551615", "18446744073709551616",
                          "99999999999999999999999GiB"}) {
    CAPTURE(bad);
    REQUIRE_FALSE(parse_bytes(bad).ok());
    CHECK(parse_bytes(bad).error().message.ends_with("is too large"));
  }
}

TEST_CASE("durations need a unit") {
  CHECK(*parse_duration("30s") == 30'000);
  CHECK(*parse_duration("2m") == 120'000);
  CHECK(*parse_duration("24h") == 86'400'000);
  CHECK(*parse_duration("14d") == 1'209'600'000);
  CHECK(*parse_duration("0s") == 0);
  CHECK(parse_duration("3660d").ok());
  for (const char* bad :
       {"", "30", "s", "-1s", "1.5h", "30 s", "30S", "1h30m", "3661d", "18446744073709551615d"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).ok());
  }
}

TEST_CASE("CPUs are decimals down to a thousandth") {
  CHECK(*parse_cpus("2") == 2000);
  CHECK(*parse_cpus("0.5") == 500);
  CHECK(*parse_cpus("0.001") == 1);
  CHECK(*parse_cpus("4096") == 4'096'000);
  for (const char* bad : {"", "0", "0.000", "0.0001", "4096.001", "9999", "-1", "+1", ".5", "1.", "1e2",
                          "1,5", "1.5.1", " 1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_cpus(bad).ok());
  }
}

TEST_CASE("numbers are shown as people read them") {
  CHECK(format_bytes(1) == "1 byte");
  CHECK(format_bytes(27) == "27 bytes");
  CHECK(format_bytes(1536) == "1.5 KiB");
  CHECK(format_bytes(4294967296) == "4 GiB");
  CHECK(format_duration(350) == "350 ms");
  CHECK(format_duration(1250) == "1.25 s");
  CHECK(format_duration(86'400'000) == "24 h");
  CHECK(format_duration(14 * 86'400'000ULL) == "14 d");
  CHECK(format_cpus(2000) == "2");
  CHECK(format_cpus(500) == "0.5");
  CHECK(format_cpus(1) == "0.001");
}

TEST_CASE("a privacy level is one of three") {
  for (const Level level : {Level::kHighlySensitive, Level::kModeratelySensitive, Level::kMinimallySensitive})
    CHECK(*parse_level(to_string(level)) == level);
  CHECK_FALSE(parse_level("Highly_sensitive").ok());
  CHECK_FALSE(parse_level("").ok());
}

}  // namespace glovebox
