#include "core/base/json.h"

#include <doctest/doctest.h>

namespace glovebox {
namespace {

std::string failure(std::string_view text) {
  const auto json = parse_json(text, "x.json");
  REQUIRE_FALSE(json.ok());
  return json.error().where + ": " + json.error().message;
}

}  // namespace

TEST_CASE("JSON is read and written back byte for byte, keys in their order") {
  const std::string text =
      R"({"z":1,"a":[true,false,null,-5,1.5,"é\n",{}],"m":{"b":18446744073709551615,"a":[]}})";
  const auto json = parse_json(text, "x");
  REQUIRE(json.ok());
  CHECK(dump_json(*json) == text);
  for (const char* scalar : {"null", "true", "0", "-1", "\"\"", "[]", "{}"})
    CHECK(dump_json(*parse_json(scalar, "x")) == scalar);
}

TEST_CASE("a key that is given twice is refused where it stands") {
  CHECK(failure(R"({"a":1,"a":2})") == R"(x.json:1:8: key "a" is given twice)");
  CHECK(failure("{\n  \"b\": {\"\\\"\": 1,\n  \"\\\"\": 2}}") == "x.json:3:3: key \"\"\" is given twice");
  CHECK(failure(R"({"a":1,"\u0061":2})") == R"(x.json:1:8: key "a" is given twice)");
  CHECK(parse_json(R"([{"a":1},{"a":1}])", "x").ok());
}

TEST_CASE("what is not JSON is refused where it begins") {
  CHECK(failure("") == "x.json:1:1: not well-formed JSON");
  CHECK(failure("{\n \"a\": nul}") == "x.json:2:10: not well-formed JSON");
  for (const char* bad : {"{} x",        "[1,]",    "{\"a\":1,}", "{'a':1}",  "[1 2]",  "01",     "+1",
                          "1.",          ".5",      "NaN",        "Infinity", "1e999",  "\"\t\"", "\"\\x41\"",
                          "\"\\uD800\"", "// c\n1", "/**/1",      "[",        "{\"a\"", "tru",    "{1:2}"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_json(bad, "x").ok());
  }
  CHECK_FALSE(parse_json("\"\xFF\"", "x").ok());
  CHECK_FALSE(parse_json(std::string_view("1\0", 2), "x").ok());
}

TEST_CASE("nesting ends at 64") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK(parse_json(nested(64), "x").ok());
  CHECK(failure(nested(65)) == "x.json:1:65: nested more than 64 deep");
  CHECK_FALSE(parse_json(std::string(1'000'000, '['), "x").ok());
}

TEST_CASE("an object of many keys is read in time in proportion") {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":0";
  const auto json = parse_json(text + "}", "x");
  REQUIRE(json.ok());
  CHECK(json->size() == 100'000);
}

TEST_CASE("text that is not UTF-8 is written as replacement characters") {
  CHECK(dump_json("a\xFF") == "\"a\xEF\xBF\xBD\"");
  CHECK(dump_json_pretty(Json::object({{"a", 1}})) == "{\n  \"a\": 1\n}\n");
}

TEST_CASE("an object is taken member by member, and nothing is left over") {
  const Json json = *parse_json(R"({"name":"x","count":3,"flag":true,"none":null})", "x");
  auto object = *JsonObject::of(json, "top");
  CHECK(*object.string("name") == "x");
  CHECK(*object.integer("count", 0, 3) == 3);
  CHECK(object.done().error().message == "key \"flag\" is not known");
  CHECK(*object.boolean_or("flag", false));
  CHECK(object.optional("none") == nullptr);
  CHECK(*object.integer_or("missing", 7, 0, 9) == 7);
  CHECK(*object.string_or("none", "y") == "y");
  CHECK(object.done().ok());
}

TEST_CASE("a member of the wrong kind is named by its path") {
  const Json json = *parse_json(R"({"a":1.0,"b":18446744073709551615,"c":"long","d":[]})", "x");
  auto object = *JsonObject::of(json, "top");
  CHECK(object.integer("a", 0, 9).error().where == "top.a");
  CHECK(object.integer("a", 0, 9).error().message == "must be a whole number from 0 to 9");
  CHECK_FALSE(object.integer("b", 0, INT64_MAX).ok());
  CHECK(object.string("c", 3).error().message == "is longer than 3 bytes");
  CHECK(object.string("d").error().message == "must be a string");
  CHECK(object.string("e").error().message == "is missing");
  CHECK_FALSE(object.boolean_or("a", true).ok());
  CHECK_FALSE(JsonObject::of(Json::array(), "x").ok());
}

}  // namespace glovebox
