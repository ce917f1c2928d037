#include "core/rules/message_file.h"

#include <doctest/doctest.h>

#include <set>

using namespace glovebox;

namespace {
std::optional<std::string> path_beside(const std::string& path, const std::set<std::string>& outputs) {
  return message_path(path, [&](const std::string& name) { return outputs.contains(name); });
}
}  // namespace

TEST_CASE("a message stands beside its file, under a name that is no output's") {
  CHECK(path_beside("output/t.csv", {}) == "output/t.csv.txt");
  CHECK(path_beside("output/t.csv", {"output/t.csv.txt"}) == "output/t.csv.withheld.txt");
  CHECK(path_beside("t.csv", {"t.csv.txt", "t.csv.withheld.txt"}) == "t.csv.withheld-2.txt");
}

TEST_CASE("there is no message where every name of it is an output") {
  const auto names = message_paths("t.csv");
  CHECK_FALSE(path_beside("t.csv", {names.begin(), names.end()}).has_value());
}

TEST_CASE("a message's name is never longer than a file system takes") {
  const std::string longest(251, 'x');
  CHECK(path_beside("d/" + longest, {}) == "d/" + longest + ".txt");
  CHECK_FALSE(path_beside("d/" + longest + "x", {}).has_value());
  CHECK_FALSE(path_beside("d/" + longest, {"d/" + longest + ".txt"}).has_value());
}

TEST_CASE("the message says why and what to do") {
  OutputFile file;
  file.path = "output/t.csv";
  file.reasons = {{"csv.patient-id", "has a column called patient_id"},
                  {"csv.rows", "has more than 5000 rows"}};
  CHECK(message_text(file) ==
        "This file was withheld: output/t.csv\n\n"
        "It stays in the high-privacy tree and is not shown here.\n\n"
        "Why:\n"
        "  csv.patient-id: has a column called patient_id\n"
        "  csv.rows: has more than 5000 rows\n"
        "\nWhat to do:\n"
        "  Remove the column, and everything else that describes single patients.\n"
        "  Release a summary with fewer rows. Row-level data must not leave the secure environment.\n");
  CHECK(reasons_line(file) ==
        "csv.patient-id: has a column called patient_id; csv.rows: has more than 5000 rows");
}
