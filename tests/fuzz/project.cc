// Any bytes as a project file: check_project ends, and its report survives the way through JSON unchanged.
#include <cstdint>
#include <cstdlib>

#include "core/spec/project.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox;
  const ProjectReport report =
      check_project(std::string_view(reinterpret_cast<const char*>(data), size), "project.yaml");
  if (report.project.has_value() != report.errors.empty()) std::abort();
  if (report.project.has_value() && !report.project->order({"run_all"}).ok()) std::abort();
  const std::string text = dump_json(report_json(report));
  const auto json = parse_json(text, "report");
  if (!json.ok()) std::abort();
  const auto again = report_from_json(*json);
  if (!again.ok() || dump_json(report_json(*again)) != text) std::abort();
  return 0;
}
