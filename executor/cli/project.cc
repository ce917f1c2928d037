// glovebox project check.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cli/cli.h"
#include "core/base/text.h"
#include "core/spec/project.h"
#include "shell/host/uids.h"
#include "shell/workspace/listing.h"

namespace glovebox {
namespace {

constexpr std::size_t kMostPadded = 40;  // one long name must not push all others off the screen

// A file is read by us and parsed by a worker; a study's directory is given to the worker's reader.
Result<ProjectReport> check(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return invalid("there is no " + quoted(path), {}, "name a study's directory or its project.yaml");
  uid_t worker = ::getuid();
  std::optional<UidLease> lease;
  if (::geteuid() == 0) {
    lease = TRY(UidLease::take());
    worker = lease->uid();
  }
  if (S_ISDIR(info.st_mode)) return read_project(TRY(Study::open(path, Study::Use::kExec)), worker);
  const UniqueFd file = TRY(open_path(path, O_RDONLY | O_NONBLOCK));
  return parse_project(file.get(), path.substr(path.rfind('/') + 1), worker);
}

std::string report_text(const ProjectReport& report) {
  const Project& project = *report.project;
  std::string text = fmt::format("valid: version {}, {} {}\n", project.version, project.actions.size(),
                                 project.actions.size() == 1 ? "action" : "actions");
  std::size_t name_width = 0;
  std::size_t image_width = 0;
  for (const ActionSpec& action : project.actions) {
    name_width = std::min(kMostPadded, std::max(name_width, action.name.str().size()));
    image_width = std::min(kMostPadded, std::max(image_width, action.image.str().size()));
  }
  for (const ActionSpec& action : project.actions) {
    std::vector<std::string> needs;
    for (const ActionName& need : action.needs) needs.push_back(need.str());
    text += fmt::format(
        "  {:<{}}  {}\n", action.name.str(), name_width,
        needs.empty() ? action.image.str()
                      : fmt::format("{:<{}}  needs {}", action.image.str(), image_width, join(needs, ", ")));
  }
  return text;
}

int check_command(const CliContext& context, const std::string& path) {
  const Result<ProjectReport> checked = check(path);
  if (!checked.ok()) {
    if (context.json && checked.error().kind == ErrorKind::kInvalid)
      print(dump_json(invalid_json({checked.error()})) + "\n");
    return report(checked.error());
  }
  for (const std::string& warning : checked->warnings) warn(warning);
  if (!checked->errors.empty()) report(checked->errors);
  const int status = checked->errors.empty() ? 0 : 2;
  if (context.json) {
    const int printed = print(dump_json(report_json(*checked)) + "\n");
    return status != 0 ? status : printed;
  }
  return status != 0 ? status : print(report_text(*checked));
}

}  // namespace

void add_project_commands(CLI::App& app, CliContext& context) {
  CLI::App* project = app.add_subcommand("project", "Judge a study's project.yaml")->require_subcommand(1);
  const auto path = std::make_shared<std::string>();
  CLI::App* check = project->add_subcommand(
      "check", "Judge a project.yaml and list its actions; needs no root and no images");
  check->add_option("DIR|FILE", *path, "the study, or its project file")->required();
  check->footer("Example: glovebox project check ./my-study");
  check->callback([&context, path] { context.exit = check_command(context, *path); });
}

}  // namespace glovebox
