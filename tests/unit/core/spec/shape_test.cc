// Types and shape of project.yaml, one action at a time.
#include "support.h"

namespace glovebox::spec_tests {

TEST_CASE("a sound project is read whole") {
  const Project p = project_of(
      "version: 5\n"
      "actions:\n"
      "  data:\n"
      "    run: ehrql:v1 generate-dataset d.py --output output/d.csv.gz\n"
      "    outputs:\n"
      "      highly_sensitive: {cohort: output/d.csv.gz}\n"
      "  table:\n"
      "    run: \"python:v2 python -c 'print(1)' a\\\\ b\"\n"
      "    needs: [data, data]\n"
      "    dummy_data_file: x.csv\n"
      "    config: {z: [1, -2.5, 0o10, 010, 1_000], a: {yes: no, t: true, n: ~}, q: \"it's\"}\n"
      "    outputs:\n"
      "      moderately_sensitive: {b: 'output/*.csv', a: output/a.png}\n"
      "      highly_sensitive: {c: output/c.rds}\n");
  CHECK(p.version == 5);
  REQUIRE(p.actions.size() == 2);
  CHECK(p.actions[0].database);
  CHECK_FALSE(p.actions[0].config.has_value());
  const ActionSpec& table = p.actions[1];
  CHECK(table.name.str() == "table");
  CHECK(table.image.str() == "python:v2");
  const std::string config = R"({"z":[1,-2.5,8,10,1000],"a":{"yes":"no","t":true,"n":null},"q":"it's"})";
  CHECK(table.args == std::vector<std::string>{"python", "-c", "print(1)", "a b", "--config", config});
  CHECK(table.config == config);
  REQUIRE(table.needs.size() == 1);
  CHECK(table.needs[0].str() == "data");
  CHECK_FALSE(table.database);
  CHECK(table.source == "project.yaml:7");
  REQUIRE(table.outputs.size() == 3);
  CHECK(table.outputs[0].name == "b");
  CHECK(table.outputs[0].level == Level::kModeratelySensitive);
  CHECK(table.outputs[2].pattern.str() == "output/c.rds");
  CHECK(table.outputs[2].level == Level::kHighlySensitive);
}

TEST_CASE("an action has at most a thousand output patterns") {
  std::string outputs;
  for (int i = 1; i <= 1001; ++i)
    outputs += "\n        o" + std::to_string(i) + ": o/" + std::to_string(i) + ".rds";
  const std::string text = project("  a:\n    run: python:v2 a.py\n    outputs:\n      highly_sensitive:");
  CHECK(error_of(text + outputs + "\n") ==
        "1007:16 outputs of action \"a\" have more than 1000 patterns | let one pattern with * stand for "
        "many files");
  CHECK(project_of(text + outputs.substr(0, outputs.rfind('\n')) + "\n").actions.at(0).outputs.size() ==
        1000);
}

TEST_CASE("the top level has three keys") {
  CHECK(error_of("version: 5\nactionz: {}\nactions:\n" + action("a")) ==
        "2:1 \"actionz\" is not a key of a project file | did you mean \"actions\"?");
  CHECK(error_of("version: 5\n") == "1:1 the project file has no actions");
  CHECK(error_of("[]") == "1:1 a project file must be a map with the keys version and actions");
  CHECK(error_of("").starts_with(" the file is empty") == false);
  CHECK(check_project("", "p").errors.at(0).message == "the file is empty");
  for (const char* actions : {"[]", "{}", "x"})
    CHECK(error_of("version: 5\nactions: " + std::string(actions)) ==
          "2:10 actions must be a map with at least one action");
  CHECK(error_of("version: 5\nactions:\n") == "2:1 actions must be a map with at least one action");
}

TEST_CASE("an action has five keys, and needs two") {
  CHECK(error_of(project(action("a", "need: [b]"))) ==
        "6:5 \"need\" is not a key of an action | did you mean \"needs\"?");
  CHECK(errors_of(project("  a: {}\n")) ==
        std::vector<std::string>{"3:3 action \"a\" has no run", "3:3 action \"a\" has no outputs"});
  for (const char* body : {"x", "[]", "5"})
    CHECK(error_of(project("  a: " + std::string(body) + "\n")) ==
          "3:6 action \"a\" must be a map with the keys run and outputs");
  CHECK(errors_of(project("  a:\n")).size() == 1);
}

TEST_CASE("an action's name can be a file name") {
  for (const char* name : {"../x", "a b", "a/b", ".a", "\"a\\nb\"", "-a"}) {
    CAPTURE(name);
    const std::string text =
        project("  " + std::string(name) + ": {run: 'python:v1', outputs: {highly_sensitive: {x: a.csv}}}\n");
    CHECK(error_of(text).find(" is not allowed | use letters, digits, '_', '-' and '.'") !=
          std::string::npos);
  }
  CHECK(error_of(project("  ../x: {run: 'python:v1', outputs: {highly_sensitive: {x: a.csv}}}\n"))
            .starts_with("3:3 action name \"../x\" is not allowed"));
}

TEST_CASE("run is a command line whose first word is an image") {
  const std::string example = " | for example: run: python:v2 python analysis/table.py";
  CHECK(error_of(project(action("a", "", "''"))) == "4:10 run of action \"a\" is empty" + example);
  CHECK(error_of(project(action("a", "", "'  '"))) == "4:10 run of action \"a\" is empty" + example);
  for (const char* run : {"5", "~", "[a]", "{a: b}", "true"})
    CHECK(error_of(project(action("a", "", run))) ==
          "4:10 run of action \"a\" must be a command line" + example);
  CHECK(error_of(project(action("a", "", "python:v2 'a"))) ==
        "4:10 run of action \"a\" cannot be split into words: a single quote is not closed");
  const std::string name_version = " | write name:version, for example python:v2";
  CHECK(error_of(project(action("a", "", "python a.py"))) ==
        "4:10 image \"python\" has no version" + name_version);
  CHECK(error_of(project(action("a", "", "'python: a.py'"))) ==
        "4:10 image \"python:\" has no version" + name_version);
  for (const char* image : {"python:2", "python:v", "python:vx", "python:v.", "python:other"})
    CHECK(error_of(project(action("a", "", image))).find("has a version that is not allowed") !=
          std::string::npos);
  for (const char* image : {"python:v2", "python:v0.0.37", "python:v1-pre", "python:dev"})
    CHECK(errors_of(project(action("a", "", image))).empty());
  CHECK(project_of(version(4, action("a", "", "stata-mp:latest a.do"))).actions[0].image.str() ==
        "stata-mp:v1");
}

TEST_CASE("arguments that no program can be given are refused") {
  CHECK(error_of(project(action("a", "", "\"python:v2 a\\0b\""))) ==
        "4:10 an argument has a NUL byte | remove it");
  CHECK(errors_of(project(action("a", "", "python:v2 " + std::string(131'071, 'x')))).empty());
  CHECK(error_of(project(action("a", "", "python:v2 " + std::string(131'072, 'x')))) ==
        "4:10 an argument is longer than 131,071 bytes | pass what is long in a file of the study");
  CHECK(error_of(project(action("a", "config: {x: " + std::string(131'072, 'x') + "}")))
            .starts_with("4:10 an argument is longer"));
  std::string many = "python:v2";
  for (int i = 0; i < 9; ++i) many += " " + std::string(120'000, 'x');
  CHECK(error_of(project(action("a", "", many)))
            .starts_with("4:10 the arguments are longer than 1 MiB together"));
}

TEST_CASE("outputs are levels of names of patterns") {
  const auto outputs = [](const std::string& text) {
    return errors_of(project("  a:\n    run: python:v2\n    outputs: " + text + "\n"));
  };
  const std::string example = " | for example: outputs: {moderately_sensitive: {table: output/table.csv}}";
  CHECK(
      outputs(
          "{highly_sensitive: {x: a.rds}, minimally_sensitive: {y: b.rds}, moderately_sensitive: {z: c.csv}}")
          .empty());
  CHECK(outputs("[a]") ==
        std::vector<std::string>{"5:14 outputs of action \"a\" must be a map from privacy levels to outputs" +
                                 example});
  CHECK(outputs("{}") ==
        std::vector<std::string>{"5:14 outputs of action \"a\" must have at least one of highly_sensitive, "
                                 "moderately_sensitive, minimally_sensitive" +
                                 example});
  CHECK(outputs("{highly_sensitive: ~}").size() == 1);
  CHECK(outputs("{highly_sensitive: ~, moderately_sensitive: {x: a.csv}}").empty());
  CHECK(outputs("{highly_sensitve: {x: a.csv}, highly_sensitive: {x: b.csv}}") ==
        std::vector<std::string>{
            "5:15 \"highly_sensitve\" is not a key of outputs | did you mean \"highly_sensitive\"?"});
  for (const char* level : {"{}", "[]", "a.csv"}) {
    CHECK(outputs("{highly_sensitive: " + std::string(level) + "}") ==
          std::vector<std::string>{
              "5:33 highly_sensitive of action \"a\" must be a map from names to patterns | for example: "
              "highly_sensitive: {table: output/table.csv}"});
  }
  CHECK(outputs("{highly_sensitive: {x: 1.5}}") ==
        std::vector<std::string>{"5:37 the pattern of output \"x\" must be text | put it in quotes"});
  CHECK(outputs("{highly_sensitive: {\"x\\ny\": a.csv}}")
            .at(0)
            .starts_with("5:34 output name \"x\\ny\" is not allowed"));
  CHECK(outputs("{highly_sensitive: {x: ../a.csv, y: a.rds}}") ==
        std::vector<std::string>{"5:37 output pattern \"../a.csv\" leaves the study's folder | write where "
                                 "the file is, without .."});
}

TEST_CASE("moderately sensitive files are of the types that checkers can read") {
  const auto outputs = [](const std::string& level, const std::string& extension) {
    return errors_of(
        project("  a:\n    run: python:v2\n    outputs: {" + level + ": {x: output/a" + extension + "}}\n"));
  };
  for (const char* good :
       {".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html", ".txt", ".log", ".json", ".md"})
    CHECK(outputs("moderately_sensitive", good).empty());
  for (const char* bad : {".CSV", ".csv.gz", ".rds", ".feather", ".c*v", ".htm", ".csvx", ".pdf"}) {
    CAPTURE(bad);
    CHECK(outputs("moderately_sensitive", bad).size() == 1);
    CHECK(outputs("highly_sensitive", bad).empty());
    CHECK(outputs("minimally_sensitive", bad).empty());
  }
  CHECK(outputs("moderately_sensitive", ".rds").at(0) ==
        "5:41 output pattern \"output/a.rds\" has an extension that moderately_sensitive files may not have "
        "| it may be .csv, "
        ".jpg, .jpeg, .png, .svg, .svgz, .html, .txt, .log, .json or .md");
}

TEST_CASE("needs is a list of names") {
  CHECK(errors_of(project(action("a", "needs:"))).empty());
  CHECK(error_of(project(action("a") + action("b", "needs: a"))) ==
        "9:12 needs of action \"b\" must be a list of actions | for example: needs: [first, second]");
  CHECK(error_of(project(action("a") + action("b", "needs: [5]"))) ==
        "9:13 an entry in needs of action \"b\" must be the name of an action | put it in quotes");
  CHECK(error_of(project(action("a") + action("b") + action("c", "needs: [a b]"))) ==
        "12:13 needs of action \"c\" names \"a b\", which has a space | separate the actions with commas");
}

TEST_CASE("config is a map, and its numbers are passed on exactly") {
  CHECK(project_of(project(action("a", "config:"))).actions[0].args == std::vector<std::string>{"a.py"});
  CHECK(project_of(project(action("a", "config: {}"))).actions[0].args ==
        std::vector<std::string>{"a.py", "--config", "{}"});
  CHECK(error_of(project(action("a", "config: [1]"))) == "6:13 config of action \"a\" must be a map");
  CHECK(project_of(project(action("a", "config: {b: \"\\0\\e\u00e9\", a: 1e3}"))).actions[0].config ==
        "{\"b\":\"\\u0000\\u001b\u00e9\",\"a\":1000.0}");
  for (const char* number :
       {".inf", ".nan", "1e999", "9223372036854775808", "0x8000000000000000", "0xeeeeeeeeeeeeeeeeee"}) {
    CAPTURE(number);
    CHECK(error_of(project(action("a", "config: {x: " + std::string(number) + "}"))) ==
          "6:17 the number cannot be passed on exactly | use a finite number, a whole one within 64 bits, or "
          "put it in quotes");
  }
  CHECK(errors_of(project(action("a", "config: {x: \".inf\"}"))).empty());
}

TEST_CASE("dummy_data_file is text") {
  CHECK(errors_of(project(action("a", "dummy_data_file: x.csv"))).empty());
  CHECK(errors_of(project(action("a", "dummy_data_file:"))).empty());
  CHECK(error_of(project(action("a", "dummy_data_file: [x]"))) ==
        "6:22 dummy_data_file of action \"a\" must be text");
}

TEST_CASE("YAML that is no YAML is one error with its place") {
  CHECK(errors_of("version: 5\nactions: {a: {run: x, run: y}}\n") ==
        std::vector<std::string>{"2:23 key \"run\" is given twice | it stands first in line 2"});
  CHECK(errors_of("version: 5\n---\nversion: 5\n").size() == 1);
  CHECK(check_project("a: \xFF", "p").errors.at(0).message == "the file is not UTF-8");
  CHECK(check_project(std::string(5U << 20U, 'x'), "p").errors.at(0).message ==
        "the file is larger than 4 MiB");
}

TEST_CASE("a byte-order mark, CRLF, anchors and merge keys work") {
  const Project p = project_of(
      "\xEF\xBB\xBF"
      "version: 5\r\n"
      "actions:\r\n"
      "  a: &base\r\n"
      "    run: python:v2 a\r\n"
      "    outputs: {highly_sensitive: {x: a.csv}}\r\n"
      "  b:\r\n"
      "    <<: *base\r\n"
      "    run: python:v2 b\r\n"
      "    outputs: {highly_sensitive: {x: b.csv}}\r\n");
  REQUIRE(p.actions.size() == 2);
  CHECK(p.actions[1].args == std::vector<std::string>{"b"});
}

}  // namespace glovebox::spec_tests
