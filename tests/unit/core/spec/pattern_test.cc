#include <doctest/doctest.h>

#include "core/spec/project.h"

namespace glovebox {
namespace {

std::string refusal(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  if (pattern.ok()) FAIL("was accepted: " << std::string(text));
  return pattern.error().message;
}

bool matches(std::string_view pattern, std::string_view path) {
  return Pattern::parse(pattern)->matches(*RelPath::parse(path));
}

}  // namespace

TEST_CASE("a pattern is a path in which * is special") {
  for (const char* good :
       {"a.csv", "output/*.csv", "*.csv", "*/*.csv", "a/b c/d.csv.gz", "output/*_*.csv", "a..b/c.csv",
        "metadata.csv", "metadatas/a.csv", "x/metadata/a.csv", "a.c*v", "caf\xC3\xA9/a.csv", "c:a.csv"}) {
    CAPTURE(good);
    REQUIRE(Pattern::parse(good).ok());
    CHECK(Pattern::parse(good)->str() == good);
  }
  CHECK(Pattern::parse("a/b.csv.gz")->extension() == ".gz");
}

TEST_CASE("every other pattern is refused with the reason") {
  CHECK(refusal("") == "an output pattern is empty");
  CHECK(refusal("a\\b.csv") == "output pattern \"a\\b.csv\" has a backslash");
  CHECK(refusal("a/**/b.csv") == "output pattern \"a/**/b.csv\" has **");
  CHECK(refusal("a?.csv") == "output pattern \"a?.csv\" has ?");
  CHECK(refusal("a[0-9].csv") == "output pattern \"a[0-9].csv\" has [");
  for (const char* text : {"a", "a/b", "a.csv/b", "a.", "a/*"})
    CHECK(refusal(text).ends_with(" has no extension"));
  for (const char* text : {"a.*", "a.csv*", "a/b.c*"})
    CHECK(refusal(text).ends_with(" has an extension that ends with *"));
  for (const char* text : {"a//b.csv", "./a.csv", "a/./b.csv", "a.csv/", "a/b.csv/."})
    CHECK(refusal(text).ends_with(" is not in normal form"));
  for (const char* text : {"../a.csv", "a/../b.csv", "a/..", "../../etc/x.csv"})
    CHECK(refusal(text).ends_with(" leaves the study's folder"));
  for (const char* text : {"/a.csv", "//a.csv", "c:/a.csv", "Z:/a.csv"})
    CHECK(refusal(text).ends_with(" is absolute"));
  for (const char* text : {"metadata", "metadata/a.csv", "metadata/*.log"})
    CHECK(refusal(text).ends_with(" is in metadata/, which is kept for logs and the manifest"));
  for (const char* text :
       {".glovebox/x.csv", "a/.hidden/x.csv", ".git/x.csv", "a/.x.csv", ".csv", "a/.*.csv", "...csv"})
    CHECK(refusal(text).ends_with(" has a component that starts with a dot"));
  for (const char* text : {"a\nb.csv", "a\x1B.csv", "a\xE2\x80\xAE.csv"})
    CHECK(refusal(text).ends_with(" has control or invisible characters"));
  CHECK(refusal("\xFF.csv").ends_with(" is not UTF-8"));
  CHECK(refusal(std::string(2000, 'a') + ".csv").ends_with(" is too long"));
}

TEST_CASE("* stands for any part of one name") {
  CHECK(matches("output/*.csv", "output/a.csv"));
  CHECK(matches("output/*.csv", "output/a.b.csv"));
  CHECK(matches("a*.csv", "a.csv"));
  CHECK(matches("*/x.csv", "a/x.csv"));
  CHECK(matches("a*b*c.csv", "a-b-b-c-c.csv"));
  CHECK(matches("*a*a.csv", "aaa.csv"));
  CHECK_FALSE(matches("*a*a*a.csv", "aa.csv"));
  CHECK_FALSE(matches("ab*ba.csv", "aba.csv"));
  CHECK_FALSE(matches("output/*.csv", "output/a/b.csv"));
  CHECK_FALSE(matches("*.csv", "output/a.csv"));
  CHECK_FALSE(matches("output/*.csv", "output/a.csv.gz"));
  CHECK_FALSE(matches("output/*.csv", "Output/a.csv"));
  CHECK_FALSE(matches("output/*.csv", "output/a.CSV"));
  CHECK_FALSE(matches("a.csv", "aXcsv"));
  CHECK_FALSE(matches("a/*.csv", "a"));
  CHECK_FALSE(matches("output/*.csv", "output/.csv"));
  CHECK(matches("output/*.csv", "output/a.csv.csv"));
  CHECK(matches("*/a*b*.csv", "x/aabb.b.csv"));
  CHECK_FALSE(matches("a*a.csv", "a.csv"));
  CHECK_FALSE(matches("a*bc*b.csv", "abcb"));
  CHECK(matches("a*bc*b.csv", "abcb.csv"));
  CHECK_FALSE(matches("output/*.csv", "output/a/b.csv"));
  CHECK_FALSE(matches("output/*.csv", "xoutput/a.csv"));
}

TEST_CASE("what a pattern may not name, its * does not reach") {
  CHECK_FALSE(matches("*/x.csv", ".glovebox/x.csv"));
  CHECK_FALSE(matches("*/x.csv", ".git/x.csv"));
  CHECK_FALSE(matches("*/*.log", "metadata/a.log"));
  CHECK_FALSE(matches("output/*.csv", "output/.a.csv"));
  CHECK_FALSE(matches("*.csv", ".csv"));
  CHECK(matches("*/*/*.log", "a/metadata/a.log"));
}

TEST_CASE("a hostile pattern is matched in time in proportion") {
  std::string pattern;
  for (int i = 0; i < 120; ++i) pattern += "a*";
  const Pattern hard = *Pattern::parse(pattern + "b.csv");
  const RelPath path = *RelPath::parse(std::string(250, 'a') + "c.csv");
  for (int i = 0; i < 1000; ++i) CHECK_FALSE(hard.matches(path));
}

}  // namespace glovebox
