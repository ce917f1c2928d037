// shell_split against Python's shlex.split: the expected words were printed by Python 3.11.
#include <doctest/doctest.h>

#include "core/base/text.h"

namespace glovebox {
namespace {

struct Case {
  const char* text;
  bool sound;
  std::vector<std::string> words;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> kCases{
      {"", true, {}},
      {" ", true, {}},
      {"a", true, {"a"}},
      {"a b", true, {"a", "b"}},
      {"  a\tb\r\nc ", true, {"a", "b", "c"}},
      {"'a b'", true, {"a b"}},
      {"\"a b\"", true, {"a b"}},
      {"a'b'c", true, {"abc"}},
      {"''", true, {""}},
      {"\"\"", true, {""}},
      {"'' a \"\"", true, {"", "a", ""}},
      {"a\"\"", true, {"a"}},
      {"\"a\\\"b\"", true, {"a\"b"}},
      {"\"a\\\\b\"", true, {"a\\b"}},
      {"\"a\\nb\"", true, {"a\\nb"}},
      {"'a\\nb'", true, {"a\\nb"}},
      {"a\\ b", true, {"a b"}},
      {"a\\\nb", true, {"a\nb"}},
      {"\"a\\\nb\"", true, {"a\\\nb"}},
      {"\\\"a", true, {"\"a"}},
      {"a\\'b", true, {"a'b"}},
      {"#a b", true, {"#a", "b"}},
      {"a #b", true, {"a", "#b"}},
      {"a;b|c&d>e", true, {"a;b|c&d>e"}},
      {"$HOME `x` $(y)", true, {"$HOME", "`x`", "$(y)"}},
      {"python:v2 python -c \"print('x')\"", true, {"python:v2", "python", "-c", "print('x')"}},
      {"--config '{\"a\": [1, 2]}'", true, {"--config", "{\"a\": [1, 2]}"}},
      {"caf\303\251 \342\230\203", true, {"caf\303\251", "\342\230\203"}},
      {"a\302\240b", true, {"a\302\240b"}},
      {"\"", false, {}},
      {"'", false, {}},
      {"\"a", false, {}},
      {"'a", false, {}},
      {"a\\", false, {}},
      {"\"a\\", false, {}},
      {"\"a\\\"", false, {}},
      {"'a\\'", true, {"a\\"}},
      {"\"'\"", true, {"'"}},
      {"'\"'", true, {"\""}},
      {"a\"b c\"d", true, {"ab cd"}},
      {"\\\\", true, {"\\"}},
      {"\"\\a\"", true, {"\\a"}},
      {"\"\\'\"", true, {"\\'"}},
      {"a\vb\fc", true, {"a\vb\fc"}},
      {"*.csv ~ {a,b}", true, {"*.csv", "~", "{a,b}"}},
      {" \nab\tb\\", false, {}},
      {"\t'", false, {}},
      {"b\n", true, {"b"}},
      {"b'b\t\nab'", true, {"bb\t\nab"}},
      {"\na", true, {"a"}},
      {"a\t \"\n", false, {}},
      {"\tb\"\t", false, {}},
      {"b'\\b", false, {}},
      {"a'#", false, {}},
      {"\\##\\\"' '", true, {"##\" "}},
      {"\"\t#", false, {}},
      {"#\"bb\t\n ", false, {}},
      {" #\nab\t\\", false, {}},
      {"\\##bb\"#", false, {}},
      {"a\"#", false, {}},
      {"\n\\a#\\ ", true, {"a# "}},
      {"#a'", false, {}},
      {" '\n\n#b", false, {}},
      {"#\n\t\"", false, {}},
      {"\n\t\"\n", false, {}},
      {"\n' b  '", true, {" b  "}},
      {"a# \"\"", true, {"a#", ""}},
      {" \n", true, {}},
      {"\\ \ta#\t\n", true, {" ", "a#"}},
      {"\n\nb#\na'b", false, {}},
      {"# b\\a", true, {"#", "ba"}},
      {"a \t", true, {"a"}},
      {"\\ab", true, {"ab"}},
      {"\n \"\\\\", false, {}},
      {"bb####\"b ", false, {}},
      {"\\\"#", true, {"\"#"}},
      {"\ta'\t", false, {}},
      {" \ta\t\"b\"", true, {"a", "b"}},
      {" \\'\t\t\t\\", false, {}},
      {"''\n''", true, {"", ""}},
      {"\\aa\"#\"'\\#", false, {}},
      {"\\b'b'#'", false, {}},
      {"'#a#\\bb", false, {}},
      {"'# \n\\b\n#", false, {}},
      {"b   a # ", true, {"b", "a", "#"}},
      {"\\ \t\t aab\t", true, {" ", "aab"}},
      {"\n''a", true, {"a"}},
      {"'\"\t'\\\"", true, {"\"\t\""}},
      {" a\\#\t\n\t ", true, {"a#"}},
      {"\t\ta#", true, {"a#"}},
      {"a   ", true, {"a"}},
      {"b\ta\\\t\t\t#b", true, {"b", "a\t", "#b"}},
      {"''", true, {""}},
      {"ab\t#\ta", true, {"ab", "#", "a"}},
      {"#\\\t", true, {"#\t"}},
      {"\"#\t\t#", false, {}},
      {"\t\"\t'#", false, {}},
      {"\nb\n#", true, {"b", "#"}},
      {"b'\nb'\"b", false, {}},
      {"\\ \" ", false, {}},
      {"'b\n# ' \n\t", true, {"b\n# "}},
      {"\\\n'\\\\b\\a", false, {}},
      {"\t##a\n\\\t", true, {"##a", "\t"}},
      {"\tbb'bb", false, {}},
      {"\"a \" \n", true, {"a "}},
      {"\n \t\t#\\", false, {}},
      {"\"a ", false, {}},
      {"b\"ab\"b'b", false, {}},
      {"b#a\\\t\n", true, {"b#a\t"}},
      {" a\t'b ", false, {}},
      {"a '\"\"\t", false, {}},
      {"\"#\t \"", true, {"#\t "}},
      {"a\"aaa\t\t", false, {}},
      {"\t#'#b", false, {}},
      {"#\t\n\t\"''\\", false, {}},
      {" \n\\a ", true, {"a"}},
      {"b\"", false, {}},
      {" ab\n\t\"'\"", true, {"ab", "'"}},
      {"# ", true, {"#"}},
      {"\"#a\"", true, {"#a"}},
      {"\\\t\\'a\"'", false, {}},
      {" a\\\nb#\"", false, {}},
      {"'\tab\"", false, {}},
      {" \na", true, {"a"}},
      {"a\"\"'b\t \n", false, {}},
      {"# \" a\t\n", false, {}},
      {"\t\ta'", false, {}},
      {"aa ", true, {"aa"}},
      {"b\n#\taa\t", true, {"b", "#", "aa"}},
      {"#\"a#b", false, {}},
      {"\tb#", true, {"b#"}},
      {"b\"'''#", false, {}},
      {"\nb#\"a'b \\", false, {}},
      {"\" a#a#", false, {}},
      {"b'#\"\t\"", false, {}},
      {"##b\t'\"b#a", false, {}},
      {"#b\t#\"\n", false, {}},
      {"'bb \t", false, {}},
      {"\\ \t\"b\\", false, {}},
      {"##\na ", true, {"##", "a"}},
      {"##", true, {"##"}},
      {"\" \n\\\n\\b\\", false, {}},
      {"\\\\", true, {"\\"}},
      {"b'a\"\"\\b\n", false, {}},
      {"b\\\n\"a\"ba", true, {"b\naba"}},
      {" '\"\n\t\\", false, {}},
      {"\\\na\n\t", true, {"\na"}},
      {"ba\n# ", true, {"ba", "#"}},
      {"#a\t  #", true, {"#a", "#"}},
      {"\\\"\"\"\"\n'\"", true, {"\"\n'"}},
      {"\t\nb  b'\t#", false, {}},
      {"#\\#\n ", true, {"##"}},
      {"'b \\\t", false, {}},
      {"\\'\\", false, {}},
      {"'a\n\n\n\t", false, {}},
      {"\n\"\\a#", false, {}},
      {"\\ \t\t'b", false, {}},
      {"'\n\n#\n\"", false, {}},
      {" a", true, {"a"}},
      {"##ab\n\t##", true, {"##ab", "##"}},
  };
  return kCases;
}

}  // namespace

TEST_CASE("a command line is split as Python splits it") {
  for (const Case& c : cases()) {
    CAPTURE(c.text);
    std::vector<std::string> words;
    std::string error;
    CHECK(shell_split(c.text, words, error) == c.sound);
    if (c.sound) CHECK(words == c.words);
    CHECK(error.empty() == c.sound);
  }
}

TEST_CASE("what is wrong with a command line is said") {
  std::vector<std::string> words;
  std::string error;
  CHECK_FALSE(shell_split("a 'b", words, error));
  CHECK(error == "a single quote is not closed");
  CHECK_FALSE(shell_split("a \"b", words, error));
  CHECK(error == "a double quote is not closed");
  CHECK_FALSE(shell_split("a \\", words, error));
  CHECK(error == "a backslash at the end escapes nothing");
}

TEST_CASE("words of an earlier call do not stay") {
  std::vector<std::string> words{"old"};
  std::string error;
  CHECK(shell_split("", words, error));
  CHECK(words.empty());
}

TEST_CASE("a NUL byte is a character like any other") {
  std::vector<std::string> words;
  std::string error;
  CHECK(shell_split(std::string_view("a\0b c", 5), words, error));
  CHECK(words == std::vector<std::string>{std::string("a\0b", 3), "c"});
}

}  // namespace glovebox
