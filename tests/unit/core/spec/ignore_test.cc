#include "core/spec/ignore.h"

#include <doctest/doctest.h>

#include <ctime>

namespace glovebox {
namespace {

// "+", "-" or "?" for ignored, explicitly not, nothing said.
char said(const std::string& rules, const std::string& path, bool directory = false) {
  const auto verdict = IgnoreFile("", rules).verdict(path, directory);
  return !verdict ? '?' : *verdict ? '+' : '-';
}

TEST_CASE("a rule without a slash matches at every depth, one with a slash from its folder on") {
  CHECK(said("*.csv", "a.csv") == '+');
  CHECK(said("*.csv", "x/y/a.csv") == '+');
  CHECK(said("*.csv", "a.csv.gz") == '?');
  CHECK(said("/a", "a") == '+');
  CHECK(said("/a", "x/a") == '?');
  CHECK(said("x/*.csv", "x/a.csv") == '+');
  CHECK(said("x/*.csv", "y/x/a.csv") == '?');
  CHECK(said("x/*.csv", "x/y/a.csv") == '?');
}

TEST_CASE("a rule that ends in a slash matches directories alone") {
  CHECK(said("build/", "build", true) == '+');
  CHECK(said("build/", "x/build", true) == '+');
  CHECK(said("build/", "build") == '?');
}

TEST_CASE("two stars stand for folders") {
  CHECK(said("**/a", "a") == '+');
  CHECK(said("**/a", "x/y/a") == '+');
  CHECK(said("x/**", "x/y/a") == '+');
  CHECK(said("x/**", "x", true) == '?');
  CHECK(said("x/**/a", "x/a") == '+');
  CHECK(said("x/**/a", "x/y/z/a") == '+');
  CHECK(said("x/**/a", "y/a") == '?');
  CHECK(said("x/**/y/**/a", "x/1/y/2/y/3/a") == '+');
  CHECK(said("a**b", "axxb") == '+');
}

TEST_CASE("the last rule that matches decides, and an exclamation mark takes back") {
  CHECK(said("*.csv\n!keep.csv", "keep.csv") == '-');
  CHECK(said("!keep.csv\n*.csv", "keep.csv") == '+');
  CHECK(said("\\!a", "!a") == '+');
}

TEST_CASE(
    "comments, blank lines, carriage returns, a byte-order mark and trailing spaces count for nothing") {
  CHECK(said("# a\n\n   \n", "# a") == '?');
  CHECK(said("\\#a", "#a") == '+');
  CHECK(said("a\r\nb\r\n", "b") == '+');
  CHECK(said("\xEF\xBB\xBF"
             "a",
             "a") == '+');
  CHECK(said("a   ", "a") == '+');
  CHECK(said("a\\ ", "a ") == '+');
  CHECK(said("a\\  ", "a ") == '+');
  CHECK(said("/", "a") == '?');
  CHECK(said("!", "a") == '?');
  CHECK(said("a//", "a", true) == '?');
}

TEST_CASE("wildcards match as in git") {
  CHECK(wildcard_match("", ""));
  CHECK(wildcard_match("*", ""));
  CHECK(wildcard_match("a*b*c", "axxbyyc"));
  CHECK_FALSE(wildcard_match("a*b*c", "axxbyy"));
  CHECK(wildcard_match("?", "x"));
  CHECK_FALSE(wildcard_match("?", ""));
  CHECK(wildcard_match("[a-c]x", "bx"));
  CHECK_FALSE(wildcard_match("[!a-c]x", "bx"));
  CHECK(wildcard_match("[^a-c]x", "dx"));
  CHECK(wildcard_match("[]a]", "]"));
  CHECK(wildcard_match("[a-]", "-"));
  CHECK(wildcard_match("[[:digit:]x]", "7"));
  CHECK_FALSE(wildcard_match("[[:nonsense:]]", "7"));
  CHECK(wildcard_match("[\\]]", "]"));
  CHECK_FALSE(wildcard_match("[abc", "[abc"));
  CHECK_FALSE(wildcard_match("a\\", "a\\"));
  CHECK(wildcard_match("\\*", "*"));
  CHECK_FALSE(wildcard_match("\\*", "x"));
}

TEST_CASE("a deeper file of rules wins over a higher one, for what is beneath it") {
  const IgnoreFile top("", "*.csv\n");
  const IgnoreFile deep("lists", "!*.csv\n/drop.csv\n");
  CHECK(is_ignored({&top}, "lists/a.csv", false));
  CHECK_FALSE(is_ignored({&top, &deep}, "lists/a.csv", false));
  CHECK(is_ignored({&top, &deep}, "lists/drop.csv", false));
  CHECK_FALSE(is_ignored({&top, &deep}, "lists/x.py", false));
}

TEST_CASE("no rule takes longer than its length times the name's") {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  const std::clock_t begin = std::clock();  // of this process: other work on the machine does not count
  CHECK_FALSE(wildcard_match(pattern + "b", std::string(5000, 'a')));
  CHECK(std::clock() - begin < 2 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace glovebox
