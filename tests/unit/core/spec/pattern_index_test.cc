#include "core/spec/pattern_index.h"

#include <doctest/doctest.h>

#include <chrono>

namespace glovebox {
namespace {

Project project_of(const std::vector<std::string>& patterns) {
  std::string text = "version: 4\nactions:\n";
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const std::string number = std::to_string(i);
    text +=
        "  a" + number + ":\n    run: python:v2 x " + number + "\n    outputs:\n      highly_sensitive:\n";
    text += "        o: \"" + patterns[i] + "\"\n";
  }
  auto report = check_project(text, "project.yaml");
  REQUIRE_MESSAGE(report.project.has_value(), report.errors[0].message);
  return *std::move(report.project);
}

std::string owner(const PatternIndex& index, const std::string& path) {
  const auto parsed = RelPath::parse(path);
  REQUIRE(parsed.ok());
  const PatternIndex::Match match = index.find(*parsed);
  return match.action == nullptr ? "none" : match.action->name.str() + " " + match.pattern->str();
}

TEST_CASE("a path finds the first pattern of the file that matches it, wherever its star is") {
  const Project project = project_of(
      {"output/*.csv", "output/a.csv", "*/b.txt", "output/t_*_x.csv", "o*/*.log", "output/a.csv.gz"});
  const PatternIndex index(project);
  CHECK(owner(index, "output/a.csv") == "a0 output/*.csv");
  CHECK(owner(index, "output/t_1_x.csv") == "a0 output/*.csv");
  CHECK(owner(index, "output/a.csv.gz") == "a5 output/a.csv.gz");
  CHECK(owner(index, "any/b.txt") == "a2 */b.txt");
  CHECK(owner(index, "other/x.log") == "a4 o*/*.log");
  CHECK(owner(index, "x/other/x.log") == "none");
  CHECK(owner(index, "output/deep/a.csv") == "none");
  CHECK(owner(index, "output") == "none");
}

TEST_CASE("two thousand patterns and twenty thousand paths take well under a second") {
  std::vector<std::string> patterns;
  for (int i = 0; i < 2000; ++i) patterns.push_back("output/model_" + std::to_string(i) + "/table_*.csv");
  const Project project = project_of(patterns);
  const auto begin = std::chrono::steady_clock::now();
  const PatternIndex index(project);
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string number = std::to_string(i % 2000);
    const auto path = RelPath::parse("output/model_" + number + "/table_" + std::to_string(i) + ".csv");
    const ActionSpec* action = index.find(*path).action;
    if (action == nullptr || action->name.str() != "a" + number) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

}  // namespace
}  // namespace glovebox
