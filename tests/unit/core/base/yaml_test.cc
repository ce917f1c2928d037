#include "core/base/yaml.h"

#include <doctest/doctest.h>

namespace glovebox {
namespace {

YamlDocument read(std::string_view text) {
  const auto document = YamlDocument::parse(text, "x.yaml");
  if (!document.ok()) FAIL(document.error().message);
  return *document;
}

Error failure(std::string_view text) {
  const auto document = YamlDocument::parse(text, "x.yaml");
  if (document.ok()) FAIL("was accepted");
  return document.error();
}

std::string told(std::string_view text) {
  const Error error = failure(text);
  return error.where + ": " + error.message;
}

const YamlNode& member(const YamlDocument& document, std::string_view key) {
  const YamlEntry* entry = document.root().find(key);
  REQUIRE(entry != nullptr);
  return *entry->value;
}

YamlNode plain(const std::string& text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kScalar;
  node.text = text;
  node.plain = true;
  return node;
}

}  // namespace

TEST_CASE("whole numbers are YAML 1.2's, and 1_000") {
  const std::vector<std::pair<const char*, std::int64_t>> numbers{{"0", 0},
                                                                  {"5", 5},
                                                                  {"-5", -5},
                                                                  {"+5", 5},
                                                                  {"010", 10},
                                                                  {"-010", -10},
                                                                  {"0o10", 8},
                                                                  {"0x1f", 31},
                                                                  {"0xFF", 255},
                                                                  {"1_000", 1000},
                                                                  {"1_000_000", 1'000'000},
                                                                  {"-1_0", -10},
                                                                  {"9223372036854775807", INT64_MAX},
                                                                  {"-9223372036854775808", INT64_MIN},
                                                                  {"0x7fffffffffffffff", INT64_MAX}};
  for (const auto& [text, value] : numbers) {
    CAPTURE(text);
    CHECK(plain(text).as_integer() == value);
    CHECK(plain(text).as_number() == static_cast<double>(value));
    CHECK_FALSE(plain(text).is_string());
  }
}

TEST_CASE("what only looks like a number is text") {
  for (const char* text :
       {"-",     "+",        "--5", "+-5", "-+5",  "- 5",  "0o8",   "0o",    "0x",  "0xg",      "-0x1f",
        "-0o7",  "0x-5",     "_1",  "1_",  "1__0", "0b11", "1:30",  "1,000", "5a",  "1.2.3",    "v1",
        ".",     "-.",       "e5",  "1e",  "1e+",  ".e5",  "1.5_0", "inf",   "nan", "Infinity", "0x1p3",
        "1 000", "\xD9\xA1", "yes", "no",  "on",   "off",  "y",     "tRue",  "nULL"}) {
    CAPTURE(text);
    CHECK(plain(text).is_string());
    CHECK_FALSE(plain(text).as_integer().has_value());
    CHECK_FALSE(plain(text).as_number().has_value());
    CHECK_FALSE(plain(text).as_bool().has_value());
  }
}

TEST_CASE("floats are YAML 1.2's") {
  const std::vector<std::pair<const char*, double>> numbers{
      {"1.5", 1.5}, {"-1.5", -1.5}, {"+1.5", 1.5},  {".5", 0.5}, {"-.5", -0.5},
      {"5.", 5},    {"1e3", 1000},  {"1E-2", 0.01}, {"4.0", 4},  {"00.5", 0.5}};
  for (const auto& [text, value] : numbers) {
    CAPTURE(text);
    CHECK(plain(text).as_number() == value);
    CHECK_FALSE(plain(text).as_integer().has_value());
    CHECK_FALSE(plain(text).is_string());
  }
}

TEST_CASE("a number that does not fit is no text either") {
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "0x8000000000000000", "1e999",
                           ".inf", "-.INF", ".nan"}) {
    CAPTURE(text);
    CHECK_FALSE(plain(text).is_string());
    CHECK_FALSE(plain(text).as_integer().has_value());
  }
  CHECK(plain("9223372036854775808").as_number() == 9223372036854775808.0);
  CHECK_FALSE(plain("1e999").as_number().has_value());
  CHECK_FALSE(plain(".inf").as_number().has_value());
  CHECK_FALSE(plain(".nan").as_number().has_value());
}

TEST_CASE("quotes make text of everything") {
  const auto document = read("a: \"5\"\nb: 'true'\nc: \"null\"\nd: !!str 5\ne: |\n  5\nf: ''\n");
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) {
    CAPTURE(key);
    CHECK(member(document, key).is_string());
    CHECK_FALSE(member(document, key).as_number().has_value());
    CHECK_FALSE(member(document, key).as_bool().has_value());
  }
}

TEST_CASE("null, true and false have the words of the core schema") {
  const auto document = read("a:\nb: ~\nc: null\nd: NULL\ne: true\nf: FALSE\ng: yes\n");
  for (const char* key : {"a", "b", "c", "d"}) CHECK(member(document, key).is_null());
  CHECK(member(document, "e").as_bool() == true);
  CHECK(member(document, "f").as_bool() == false);
  CHECK(member(document, "g").is_string());
}

TEST_CASE("a key stands once") {
  const Error error = failure("a: 1\nb: 2\n'a': 3\n");
  CHECK(error.where == "x.yaml:3:1");
  CHECK(error.message == "key \"a\" is given twice");
  CHECK(error.hint == "it stands first in line 1");
  CHECK(error.excerpt == "'a': 3\n^");
  CHECK(told("{a: {b: 1, b: 2}}") == "x.yaml:1:12: key \"b\" is given twice");
  CHECK(told("<<: {a: 1}\n<<: {b: 1}\n") == "x.yaml:2:1: key \"<<\" is given twice");
}

TEST_CASE("a key is text") {
  CHECK(member(read("2020: x\n"), "2020").text == "x");
  for (const char* text : {"true: x", "null: x", "~: x", "1.5: x", "0x1f: x", "1_000: x", "010: x", ": x",
                           "[a]: x", "{a: b}: x", "? [a]\n: x", "*a : x"}) {
    CAPTURE(text);
    CHECK_FALSE(YamlDocument::parse(text, "x").ok());
  }
  CHECK(failure("a: 1\ntrue: x").hint == "put the key in quotes");
}

TEST_CASE("there is one document, and it is not empty") {
  CHECK(told("a: 1\n---\nb: 2\n") == "x.yaml:2:1: a second YAML document starts here");
  CHECK(told("--- 1\n--- 2\n") == "x.yaml:2:1: a second YAML document starts here");
  CHECK_FALSE(YamlDocument::parse("a: 1\n...\nb: 2\n", "x").ok());
  CHECK(read("---\na: 1\n...\n").root().is_map());
  for (const char* text : {"", "\n\n", "# only a comment\n", "   "})
    CHECK(told(text) == "x.yaml: the file is empty");
}

TEST_CASE("merge keys give what the map itself does not") {
  const auto document =
      read("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\na: {y: 9, <<: *b}\nc: {<<: [*m, *b], w: 0}\n");
  const YamlNode& a = member(document, "a");
  REQUIRE(a.entries.size() == 2);
  CHECK(a.find("x")->value->text == "1");
  CHECK(a.find("y")->value->text == "9");
  const YamlNode& c = member(document, "c");
  REQUIRE(c.entries.size() == 4);
  CHECK(c.find("y")->value->text == "3");  // the earlier source wins
  CHECK(c.find("z")->value->text == "4");
  CHECK(told("a: {<<: 1}") == "x.yaml:1:9: the merge key << needs a map, or a list of maps");
  CHECK(member(read("a: {'<<': 1}\n"), "a").find("<<") != nullptr);
}

TEST_CASE("aliases do not multiply without end") {
  std::string laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string alias = std::string("*") + static_cast<char>(c - 1);
    laughs += std::string(1, c) + ": &" + c + " [" + alias;
    for (int i = 0; i < 9; ++i) laughs += "," + alias;
    laughs += "]\n";
  }
  CHECK(failure(laughs).message == "the file expands to more than 400,000 values");
  std::string tower = "a0: &a0 [x]\n";
  for (int i = 1; i < 60; ++i)
    tower += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  CHECK(failure(tower).message == "nested more than 40 deep");
  CHECK(told("a: &a [*a]") == "x.yaml:1:8: an alias stands inside the node it names");
  CHECK_FALSE(YamlDocument::parse("a: *nowhere", "x").ok());
}

TEST_CASE("nesting ends at 40") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(YamlDocument::parse(nested(40), "x").ok());
  CHECK(failure(nested(41)).message == "nested more than 40 deep");
  for (const char* piece : {"[", "- ", "{a: ", "? "}) {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += piece;
    CAPTURE(piece);
    CHECK_FALSE(YamlDocument::parse(text, "x").ok());
  }
}

TEST_CASE("a byte-order mark and CRLF are read over") {
  const auto document = read(
      "\xEF\xBB\xBF"
      "a: 1\r\nb:\r\n  - c\r\n");
  CHECK(member(document, "a").as_integer() == 1);
  CHECK(member(document, "b").items.at(0)->text == "c");
  CHECK(document.error_at(member(document, "a"), "m").where == "x.yaml:1:4");
  CHECK(document.error_at(*member(document, "b").items.at(0), "m").excerpt == "  - c\n    ^");
}

TEST_CASE("bytes that are not text are refused") {
  CHECK(told("a: \xFF") == "x.yaml: the file is not UTF-8");
  CHECK(told(std::string_view("a: b\0c", 6)) == "x.yaml:1:5: the file has the control character \"\\x00\"");
  CHECK(told("a: 1\nb: \x1B[2J") == "x.yaml:2:4: the file has the control character \"\\x1B\"");
  CHECK(told("a: b\rc: d\n") == "x.yaml:1:5: the file has the control character \"\\r\"");
  CHECK(failure("a: \x7F").kind == ErrorKind::kInvalid);
  CHECK(told(std::string(kMaxYamlBytes + 1, ' ')) == "x.yaml: the file is larger than 4 MiB");
  CHECK(told("a: !!python/object x") ==
        "x.yaml:1:4: the tag \"tag:yaml.org,2002:python/object\" is not supported");
  CHECK(read("!!map {a: !!seq [1]}").root().is_map());
}

TEST_CASE("the caret stands below the place, whatever is before it") {
  const auto excerpt = [](const std::string& line, int column) {
    return read(line + "\n").error_at(Mark{1, column}, "m");
  };
  CHECK(excerpt("key: value", 6).excerpt == "key: value\n     ^");
  CHECK(excerpt("k:\tv", 4).excerpt == "k:\\tv\n    ^");  // a tab is shown as two characters
  CHECK(excerpt("\xC3\xA9\xC3\xA9: v", 7).excerpt ==
        "\xC3\xA9\xC3\xA9: v\n    ^");  // by characters, not bytes
  CHECK(excerpt("\xC3\xA9\xC3\xA9: v", 7).where == "x.yaml:1:5");
  CHECK(excerpt("a\xE2\x80\xAE: v", 6).excerpt == "a\\u{202E}: v\n          ^");
  CHECK(excerpt("a: b", 99).where == "x.yaml:1:5");  // behind the end
}

TEST_CASE("a long line is shown around the caret") {
  const std::string line = "key: " + std::string(1'000'000, 'x') + "Y" + std::string(1000, 'z');
  const Error error = read(line + "\n").error_at(Mark{1, 1'000'006}, "m");
  CHECK(error.where == "x.yaml:1:1000006");
  CHECK(error.excerpt ==
        "…" + std::string(60, 'x') + "Y" + std::string(59, 'z') + "…\n" + std::string(61, ' ') + "^");
}

TEST_CASE("an error far down names its line") {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  CHECK(told(text + "k7: 1\n") == "x.yaml:5001:1: key \"k7\" is given twice");
}

TEST_CASE("an unknown key comes with the one that was meant") {
  const auto document = read("runn: 1\nzzz: 2\nrun: 3\n");
  const auto errors = unknown_keys(document, document.root(), {"run", "needs"}, "an action");
  REQUIRE(errors.size() == 2);
  CHECK(errors[0].message == "\"runn\" is not a key of an action");
  CHECK(errors[0].hint == "did you mean \"run\"?");
  CHECK(errors[1].where == "x.yaml:2:1");
  CHECK(errors[1].hint == "the keys are: run, needs");
}

TEST_CASE("folded and literal text keep what they mean") {
  const auto document = read("a: >\n  python:v2\n  a.py\nb: |\n  x\n  y\nc: one\n  two\n");
  CHECK(member(document, "a").text == "python:v2 a.py\n");
  CHECK(member(document, "b").text == "x\ny\n");
  CHECK(member(document, "c").text == "one two");
}

TEST_CASE("a tab in the indentation is named, wherever the library ran into it") {
  CHECK(told("version: 5\nactions:\n  a:\n\trun: x\n") == "x.yaml:4:1: a tab in the indentation");
  CHECK(told("version: 5\n\tactions:\n  a: 1\n") == "x.yaml:2:1: a tab in the indentation");
  CHECK(told("version: 5\nactions:\n  a:\n  \trun: x\n    b: 1\n") == "x.yaml:4:3: a tab in the indentation");
  CHECK(told("a:\n  b:\n    c: 1\n\t  d: 2\n") == "x.yaml:4:1: a tab in the indentation");
  CHECK(failure("a:\n\tb: 1\n").hint == "YAML is indented with spaces alone");
  CHECK(failure("a:\n\tb: 1\n").excerpt == "\\tb: 1\n^");
}

TEST_CASE("a tab elsewhere is no fault, and is not blamed for one") {
  CHECK(member(read("a:\tb\t# c\n\t\nd: |\n  \tx\n"), "a").text == "b");
  CHECK(told("d: |\n  \tx\nb: [1\n").find("tab") == std::string::npos);
}

}  // namespace glovebox
