// What the tests of project files share.
#pragma once
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/spec/project.h"

namespace glovebox::spec_tests {

// A sound action; `more` is further lines of it, without indentation.
inline std::string action(const std::string& name, const std::string& more = "",
                          const std::string& run = "") {
  std::string text = "  " + name + ":\n    run: " + (run.empty() ? "python:v2 " + name + ".py" : run) +
                     "\n    outputs: {highly_sensitive: {x: output/" + name + ".csv}}\n";
  if (!more.empty()) text += "    " + more + "\n";
  return text;
}

inline std::string version(int number, const std::string& actions) {
  const std::string expectations = number == 3 ? "expectations: {population_size: 1000}\n" : "";
  return "version: " + std::to_string(number) + "\n" + expectations + "actions:\n" + actions;
}

inline std::string project(const std::string& actions) {
  return version(5, actions);
}

// "12:5 message | hint" of every error.
inline std::vector<std::string> errors_of(const std::string& text) {
  std::vector<std::string> told;
  for (const Error& error : check_project(text, "p").errors) {
    const std::string where = error.where.size() > 2 ? error.where.substr(2) : error.where;
    told.push_back(where + " " + error.message + (error.hint.empty() ? "" : " | " + error.hint));
  }
  return told;
}

// The one error of `text`.
inline std::string error_of(const std::string& text) {
  const auto told = errors_of(text);
  CHECK(told.size() == 1);
  return told.empty() ? "" : told.front();
}

inline Project project_of(const std::string& text) {
  ProjectReport report = check_project(text, "project.yaml");
  for (const Error& error : report.errors) MESSAGE(error.where << ": " << error.message);
  REQUIRE(report.project.has_value());
  return *std::move(report.project);
}

}  // namespace glovebox::spec_tests
