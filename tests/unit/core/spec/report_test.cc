// `project check --json`, and what is believed of a worker that hands it on.
#include "support.h"

namespace glovebox::spec_tests {
namespace {

const std::string kText = version(4, action("a", "config: {b: 1.5, a: [x]}") + action("b", "needs: [a]") +
                                         "  c:\n    run: ehrql:v1 generate-dataset --output o.csv\n"
                                         "    outputs: {highly_sensitive: {x: o.csv}}\n");

Json sound() {
  return report_json(check_project(kText, "project.yaml"));
}

std::string refusal(const Json& json) {
  const auto report = report_from_json(json);
  if (report.ok()) return "accepted";
  return report.error().where + ": " + report.error().message;
}

}  // namespace

TEST_CASE("a valid project is reported as documented") {
  CHECK(
      dump_json(report_json(check_project(version(4, action("a", "config: {b: 1}")), "project.yaml"))) ==
      R"({"verdict":"valid","errors":[],"warnings":["version 4 of the project format is old: the newest is 5"],)"
      R"("version":4,"images":["python:v2"],"actions":[{"name":"a","image":"python:v2",)"
      R"("args":["a.py","--config","{\"b\":1}"],"needs":[],"outputs":{"highly_sensitive":{"x":"output/a.csv"}},)"
      R"("config":{"b":1},"database":false,"source":"project.yaml:3"}]})");
}

TEST_CASE("an invalid project is reported as documented") {
  CHECK(
      dump_json(report_json(check_project("version: 5\nactionz: 1\n", "project.yaml"))) ==
      R"({"verdict":"invalid","errors":[{"where":"project.yaml:1:1","message":"the project file has no actions",)"
      R"("excerpt":"version: 5\n^"},{"where":"project.yaml:2:1","message":"\"actionz\" is not a key of a project file",)"
      R"("hint":"did you mean \"actions\"?","excerpt":"actionz: 1\n^"}],"warnings":[],"version":null,"images":[],"actions":[]})");
}

TEST_CASE("a report comes back as it went") {
  for (const std::string& text :
       {kText, std::string("version: 5\nactionz: 1\n"), std::string(), std::string("\xFF"),
        project(action("a") + "  \"\\e[2J\": {\"\\u202e\": 1}\n")}) {
    const std::string out = dump_json(report_json(check_project(text, "a\nb/project.yaml")));
    const auto json = parse_json(out, "x");
    REQUIRE(json.ok());
    CHECK(refusal(*json) == "accepted");
    CHECK(dump_json(report_json(*report_from_json(*json))) == out);
  }
  const ProjectReport back = *report_from_json(sound());
  CHECK(back.project->actions[1].needs[0].str() == "a");
  CHECK(back.project->actions[0].config == R"({"b":1.5,"a":["x"]})");
  CHECK(back.project->actions[0].source == "project.yaml:3");
  CHECK(back.warnings.size() == 1);
}

TEST_CASE("nothing that a worker says is believed without looking") {
  const std::vector<std::pair<std::string, Json>> changes{
      {"/actions/0/name", "../x"},
      {"/actions/0/name", "run_all"},
      {"/actions/0/name", "b"},
      {"/actions/0/name", 5},
      {"/actions/0/image", "python"},
      {"/actions/0/image", "r:v1"},
      {"/actions/0/args", "x"},
      {"/actions/0/args/0", 5},
      {"/actions/0/args/0", std::string("a\0b", 3)},
      {"/actions/0/args/0", std::string(200'000, 'x')},
      {"/actions/0/args/2", "{}"},
      {"/actions/0/config", Json::array()},
      {"/actions/0/config", Json{{"b", 2}}},
      {"/actions/0/needs", Json::array({"b"})},
      {"/actions/1/needs/0", "zzz"},
      {"/actions/1/needs/0", "../a"},
      {"/actions/0/outputs", Json::object()},
      {"/actions/0/outputs", Json{{"public", Json{{"x", "a.csv"}}}}},
      {"/actions/0/outputs/highly_sensitive", Json::object()},
      {"/actions/0/outputs/highly_sensitive/x", "../a.csv"},
      {"/actions/0/outputs/highly_sensitive/x", "output/b.csv"},
      {"/actions/0/outputs/highly_sensitive/x", ".glovebox/a.csv"},
      {"/actions/0/outputs", Json{{"moderately_sensitive", Json{{"x", "a.rds"}}}}},
      {"/actions/2/outputs", Json{{"moderately_sensitive", Json{{"x", "o.csv"}}}}},
      {"/actions/0/database", true},
      {"/actions/2/database", false},
      {"/actions/0/source", "x\x1B[2J"},
      {"/actions/0/extra", 1},
      {"/extra", 1},
      {"/version", 6},
      {"/version", "4"},
      {"/version", Json()},
      {"/verdict", "fine"},
      {"/verdict", "invalid"},
      {"/images", Json::array({"python:v3"})},
      {"/images/0", "x\n"},
      {"/warnings/0", "\x1B[2J"},
      {"/warnings", "x"},
      {"/errors", Json::array({Json{{"where", ""}, {"message", "x"}}})}};
  REQUIRE(refusal(sound()) == "accepted");
  for (const auto& [pointer, value] : changes) {
    Json changed = sound();
    changed[Json::json_pointer(pointer)] = value;
    CAPTURE(pointer);
    CAPTURE(dump_json(value).substr(0, 60));
    CHECK(refusal(changed) != "accepted");
  }
  CHECK(refusal(Json::array()) != "accepted");
  CHECK(refusal(Json()) != "accepted");
}

TEST_CASE("text of errors is fit for a terminal") {
  Json json = report_json(check_project("version: 5\n", "p"));
  REQUIRE(refusal(json) == "accepted");
  for (const char* member : {"where", "message", "hint", "excerpt"}) {
    for (const char* text : {"\x1B[2J", "a\rb", "\xE2\x80\xAE", "a\nb\nc"}) {
      Json changed = json;
      changed["errors"][0][member] = text;
      CHECK(refusal(changed) != "accepted");
    }
  }
  json["errors"][0]["message"] = std::string(9000, 'x');
  CHECK(refusal(json) == "errors[0].message: is longer than 8192 bytes");
}

}  // namespace glovebox::spec_tests
