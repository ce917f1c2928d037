// tests/golden/project/NAME.yaml is reported as NAME.json. With GLOVEBOX_ACCEPT=1 the answers are written
// instead, and the run is not a success, since nothing was checked.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support.h"

namespace glovebox::spec_tests {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::stringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

bool accepting() {
  const char* accept = std::getenv("GLOVEBOX_ACCEPT");
  return accept != nullptr && std::string(accept) == "1";
}

std::vector<std::filesystem::path> project_files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(GLOVEBOX_SOURCE_DIR "/tests/golden/project")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  return files;
}

std::filesystem::path answer_to(std::filesystem::path file) {
  return file.replace_extension(".json");
}

std::string report_of(const std::filesystem::path& file) {
  return dump_json_pretty(report_json(check_project(contents(file), "project.yaml")));
}

}  // namespace

TEST_CASE("golden project files are reported as before") {
  const auto files = project_files();
  CHECK(files.size() >= 3);
  for (const auto& file : files) {
    CAPTURE(file.filename().string());
    if (accepting()) std::ofstream(answer_to(file), std::ios::binary) << report_of(file);
    CHECK(report_of(file) == contents(answer_to(file)));
  }
  if (accepting())
    FAIL(
        "the answers were accepted, not checked: look at what changed, and run again without "
        "GLOVEBOX_ACCEPT");
}

}  // namespace glovebox::spec_tests
