// Rules between actions, of certain commands, and of versions of the format.
#include "support.h"

namespace glovebox::spec_tests {

TEST_CASE("the version is a number from 1 to 5, quoted or not") {
  for (const char* good : {"5", "5.0", "'5'", "\"5.0\""}) {
    CAPTURE(good);
    CHECK(project_of("version: " + std::string(good) + "\nactions:\n" + action("a")).version == 5);
  }
  for (const char* bad : {"0", "6", "4.5", "-1", "five", "v5", "''", "[5]", "true", ".inf", "1e999"}) {
    CAPTURE(bad);
    CHECK(error_of("version: " + std::string(bad) + "\nactions:\n" + action("a")) ==
          "1:10 version must be a number from 1 to 5 | the newest version is 5");
  }
  CHECK(error_of("actions:\n" + action("a")) ==
        "1:1 the project file has no version | start it with version: 5");
  CHECK(error_of("version:\nactions:\n" + action("a")) ==
        "1:1 the project file has no version | start it with version: 5");
}

TEST_CASE("versions before the newest draw a warning") {
  for (int number = 1; number <= 4; ++number) {
    const ProjectReport report = check_project(version(number, action("a")), "p");
    CHECK(report.project.has_value());
    CHECK(report.warnings == std::vector<std::string>{"version " + std::to_string(number) +
                                                      " of the project format is old: the newest is 5"});
  }
  CHECK(check_project(project(action("a")), "p").warnings.empty());
}

TEST_CASE("expectations are optional, then required, then refused") {
  const auto with = [](int number, const std::string& expectations) {
    return errors_of("version: " + std::to_string(number) + "\n" + expectations + "actions:\n" + action("a"));
  };
  const std::string good = "expectations: {population_size: 1_000}\n";
  const std::string hint = " | for example: expectations: {population_size: 1000}";
  for (const int number : {1, 2}) {
    for (const std::string& text : {std::string(), good, std::string("expectations: {}\n")})
      CHECK(with(number, text).empty());
  }
  CHECK(with(3, good).empty());
  CHECK(with(3, "") == std::vector<std::string>{"1:1 expectations are required in version 3" + hint});
  CHECK(with(3, "expectations:\n") ==
        std::vector<std::string>{"2:1 expectations are required in version 3" + hint});
  CHECK(with(3, "expectations: {}\n") ==
        std::vector<std::string>{"2:1 expectations must have a population_size in version 3" + hint});
  for (const int number : {1, 2, 3}) {
    CHECK(with(number, "expectations: 5\n") ==
          std::vector<std::string>{"2:15 expectations must be a map" + hint});
    for (const char* size : {"many", "1.5", "'1000'", "-1", "[]"})
      CHECK(with(number, "expectations: {population_size: " + std::string(size) + "}\n") ==
            std::vector<std::string>{"2:33 population_size must be a whole number | for example 1000"});
    CHECK(with(number, "expectations: {population_size: 1, size: 2}\n")
              .at(0)
              .starts_with("2:36 \"size\" is not a key of expectations"));
  }
  for (const int number : {4, 5}) {
    CHECK(with(number, good) == std::vector<std::string>{"2:1 expectations are not supported in version " +
                                                         std::to_string(number) + " | remove them"});
  }
}

TEST_CASE("two actions with the same run are refused in every version") {
  for (int number = 1; number <= 5; ++number) {
    const auto told =
        errors_of(version(number, action("a", "", "python:v2 x") + action("b", "", "python:v2 x")));
    REQUIRE(told.size() == 1);
    const std::string line = number == 3 ? "4" : "3";
    CHECK(told[0].substr(2) == "10 action \"b\" has the same run as action \"a\" in line " + line +
                                   " | an action's run tells it apart: change one of them, or remove one");
  }
  CHECK(errors_of(project(action("a", "", "python:v2 x") + action("b", "", "python:v2  x"))).empty());
}

TEST_CASE("from version 2 a pattern stands once") {
  const std::string twice =
      "  a:\n    run: python:v2 a\n    outputs: {highly_sensitive: {x: o/a.csv}}\n"
      "  b:\n    run: python:v2 b\n    outputs: {moderately_sensitive: {y: o/a.csv}}\n";
  const std::string within =
      "  a:\n    run: python:v2 a\n    outputs: {highly_sensitive: {x: a.csv}, minimally_sensitive: {x: "
      "a.csv}}\n";
  CHECK(errors_of(version(1, twice)).empty());
  CHECK(errors_of(version(1, within)).empty());
  for (int number = 2; number <= 5; ++number) {
    CHECK(errors_of(version(number, twice)).size() == 1);
    CHECK(errors_of(version(number, within)).size() == 1);
  }
  CHECK(error_of(project(twice)) ==
        "8:41 output pattern \"o/a.csv\" is already given for action \"a\" in line 3 | every pattern may "
        "stand once in the file");
}

TEST_CASE("what an action needs is in the file") {
  CHECK(error_of(project(action("first") + action("b", "needs: [frist]"))) ==
        "9:13 action \"b\" needs \"frist\", which is no action of this file | did you mean \"first\"?");
  CHECK(error_of(project(action("b", "needs: [other]"))) ==
        "6:13 action \"b\" needs \"other\", which is no action of this file");
  CHECK(errors_of(project(action("a", "needs: [b]") + "  b: {}\n")).size() ==
        2);  // b is there, though wrong itself
}

TEST_CASE("a circle is named") {
  const std::string hint = " | remove one of these needs";
  CHECK(error_of(project(action("a", "needs: [a]"))) ==
        "6:13 actions need each other in a circle: a -> a" + hint);
  CHECK(
      error_of(project(action("a", "needs: [b]") + action("b", "needs: [c]") + action("c", "needs: [a]"))) ==
      "14:13 actions need each other in a circle: a -> b -> c -> a" + hint);
  // Two knots are two errors, and what only leads to them is none.
  const auto told =
      errors_of(project(action("x", "needs: [a, c]") + action("a", "needs: [b]") + action("b", "needs: [a]") +
                        action("c", "needs: [d]") + action("d", "needs: [c]")));
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "14:13 actions need each other in a circle: a -> b -> a" + hint);
  CHECK(told[1] == "22:13 actions need each other in a circle: c -> d -> c" + hint);
  CHECK(errors_of(project(action("a") + action("b", "needs: [a]") + action("c", "needs: [a]") +
                          action("d", "needs: [b, c]")))
            .empty());
}

TEST_CASE("cohortextractor ends with version 3") {
  const std::string cohort = action("a", "", "cohortextractor:v1 generate_cohort");
  for (const int number : {1, 2, 3}) CHECK(errors_of(version(number, cohort)).empty());
  for (const int number : {4, 5}) {
    CHECK(error_of(version(number, cohort)) ==
          "4:10 action \"a\" uses cohortextractor, which is not supported in version " +
              std::to_string(number) + " | use ehrql");
  }
  CHECK(errors_of(version(4, action("a", "", "cohortextractor-v2:v1 x"))).size() == 1);
}

TEST_CASE("the tag latest ends with version 4") {
  const std::string latest = action("a", "", "r:latest a.R");
  for (const int number : {1, 2, 3, 4})
    CHECK(project_of(version(number, latest)).actions[0].image.str() == "r:v1");
  CHECK(error_of(project(latest)) ==
        "4:10 action \"a\" uses \"r:latest\", which is not supported in version 5 | name a version: "
        "latest has always meant v1");
}

TEST_CASE("an action called run_all is ignored with a warning, then refused") {
  const std::string text = action("a") + action("run_all", "needs: [a]");
  for (const int number : {1, 2, 3, 4}) {
    const ProjectReport report = check_project(version(number, text), "p");
    REQUIRE(report.project.has_value());
    CHECK(report.project->actions.size() == 1);
    REQUIRE(report.warnings.size() == 2);
    CHECK(report.warnings[1] == "the action called run_all is ignored: the name stands for every action");
  }
  CHECK(error_of(project(text)) ==
        "6:3 no action may be called run_all in version 5 | the name stands for every action");
  CHECK(error_of(version(4, action("run_all") + action("b", "needs: [run_all]"))) ==
        "9:13 action \"b\" needs run_all, which is no action | name the actions that it needs");
}

TEST_CASE("a dataset is highly sensitive and agrees with --output") {
  const auto dataset = [](const std::string& run, const std::string& outputs) {
    return errors_of(version(4, "  a:\n    run: " + run + "\n    outputs: {" + outputs + "}\n"));
  };
  const std::string high = "highly_sensitive: {x: output/d.csv}";
  for (const char* image : {"ehrql:v1", "databuilder:v0"}) {
    for (const char* command : {"generate-dataset", "generate_dataset"}) {
      const std::string run = std::string(image) + " " + command + " d.py";
      CAPTURE(run);
      CHECK(dataset(run + " --output output/d.csv", high).empty());
      CHECK(dataset(run + " --output=output/d.csv", high).empty());
      CHECK(dataset("'" + run + " --output output/:csv'", high).empty());
      CHECK(dataset("'" + run + " --output output:csv'", "highly_sensitive: {x: output/*.csv}").empty());
      for (const char* wrong : {"", " --output", " --output=", " --output output/e.csv",
                                " --output ./output/d.csv", " --outputs output/d.csv"})
        CHECK(dataset(run + wrong, high).size() == 1);
      for (const char* wrong : {" --output output:arrow", " --output out/:csv", " --output output/x/:csv"})
        CHECK(dataset("'" + run + wrong + "'", high).size() == 1);
      for (const char* level : {"moderately_sensitive", "minimally_sensitive"})
        CHECK(dataset(run + " --output output/d.csv", std::string(level) + ": {x: output/d.csv}").size() ==
              1);
    }
  }
  CHECK(dataset("ehrql:v1 generate-dataset d.py", high) ==
        std::vector<std::string>{
            "4:10 action \"a\" uses generate-dataset without --output | say where the dataset goes, for "
            "example --output output/d.csv"});
  CHECK(
      dataset("ehrql:v1 generate-dataset --output x.csv", high) ==
      std::vector<std::string>{
          "4:10 action \"a\" uses generate-dataset with --output \"x.csv\", which is not among its outputs | "
          "write the same path in run and in outputs"});
  CHECK(dataset("'ehrql:v1 generate-dataset --output out/:csv'", high) ==
        std::vector<std::string>{
            "4:10 action \"a\" uses generate-dataset with --output \"out/:csv\", but its output "
            "\"output/d.csv\" does not match \"out/*.csv\" | write the same folder and type in run and in "
            "outputs"});
  CHECK(
      dataset("ehrql:v1 generate-dataset --output output/d.csv", "moderately_sensitive: {x: output/d.csv}") ==
      std::vector<std::string>{
          "4:10 action \"a\" uses generate-dataset, so all its outputs must be highly_sensitive | move them "
          "to highly_sensitive"});
  CHECK(dataset("ehrql:v1 generate-measures m.py", "moderately_sensitive: {x: output/d.csv}").empty());
  CHECK(dataset("python:v2 generate-dataset", "moderately_sensitive: {x: output/d.csv}").empty());
}

TEST_CASE("a cohort has one level and one folder") {
  const auto cohort = [](const std::string& arguments, const std::string& outputs) {
    return errors_of(version(2, "  a:\n    run: cohortextractor:latest generate_cohort" + arguments +
                                    "\n    outputs: {" + outputs + "}\n"));
  };
  CHECK(cohort("", "highly_sensitive: {x: output/a.csv, y: output/b.csv}").empty());
  CHECK(cohort("", "moderately_sensitive: {x: output/a.csv}").empty());
  CHECK(cohort("", "highly_sensitive: {x: output/a.csv}, moderately_sensitive: {y: output/b.csv}") ==
        std::vector<std::string>{
            "4:10 action \"a\" uses generate_cohort, so its outputs must be of one privacy level | keep one "
            "level, highly_sensitive"});
  CHECK(cohort("", "highly_sensitive: {x: output/a.csv, y: b.csv}") ==
        std::vector<std::string>{"4:10 action \"a\" uses generate_cohort with outputs in 2 folders | put "
                                 "them in one folder, or give "
                                 "--output-dir in run"});
  for (const char* given : {" --output-dir output", " --output-dir=output"})
    CHECK(cohort(given, "highly_sensitive: {x: output/a.csv, y: b.csv}").empty());
}

TEST_CASE("the commands that the reference gives a database are known") {
  const auto database = [](const std::string& run) {
    return project_of(version(3, action("a", "", run))).actions[0].database;
  };
  for (const char* run :
       {"ehrql:v1 generate-dataset --output output/a.csv", "ehrql:v1 generate-measures", "sqlrunner:v1",
        "sqlrunner:v1 x", "cohortextractor:v1 generate_cohort", "cohortextractor:v1 generate_codelist_report",
        "databuilder:v1 generate-dataset --output output/a.csv"}) {
    CAPTURE(run);
    CHECK(database(run));
  }
  for (const char* run :
       {"ehrql:v1", "ehrql:v1 x generate-measures", "ehrql:v1 generate_measures",
        "cohortextractor:v1 generate_measures", "databuilder:v1 generate_dataset --output output/a.csv",
        "databuilder:v1 x", "python:v2 generate-dataset", "sqlrunner2:v1 x"}) {
    CAPTURE(run);
    CHECK_FALSE(database(run));
  }
}

TEST_CASE("all errors are told, in the order of the file, each with its line and a caret") {
  const ProjectReport report =
      check_project("version: 9\nactions:\n  b: {run: x}\n  a b: {}\nother: 1\n", "study/project.yaml");
  REQUIRE(report.errors.size() == 7);
  CHECK_FALSE(report.project.has_value());
  CHECK(report.errors[0].where == "study/project.yaml:1:10");
  CHECK(report.errors[0].excerpt == "version: 9\n         ^");
  CHECK(report.errors[1].message == "action \"b\" has no outputs");
  CHECK(report.errors[2].message == "image \"x\" has no version");
  CHECK(report.errors[6].message == "\"other\" is not a key of a project file");
  for (const Error& error : report.errors) CHECK(error.kind == ErrorKind::kInvalid);
}

TEST_CASE("errors end after 5,000") {
  std::string text = "version: 5\nactions:\n";
  for (int i = 0; i < 6000; ++i) text += "  a" + std::to_string(i) + ": 1\n";
  const auto told = errors_of(text);
  REQUIRE(told.size() == 5001);
  CHECK(told.back().ends_with("there are more errors than these | mend these first"));
}

}  // namespace glovebox::spec_tests
