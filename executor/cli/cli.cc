#include "cli/cli.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/terminal.h"
#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

int status_of_kind(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return 2;
    case ErrorKind::kRefused:
      return 3;
    case ErrorKind::kHost:
      return 6;
    case ErrorKind::kIntegrity:
      return 7;
    case ErrorKind::kCancelled:
      return 8;
  }
  return 6;
}

std::string folder_of_binary() {
  std::string path(4096, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path.substr(0, path.rfind('/'));
}

bool is_folder(const std::string& path) {
  return open_path(path, O_PATH | O_DIRECTORY).ok();
}

}  // namespace

void add_common_options(CLI::App& app, CliContext& context) {
  app.add_option("--root", context.root, "state directory")->capture_default_str();
  app.add_option("--policies", context.policies, "directory of the policy files");
  app.add_option("--env", context.variables,
                 "a variable for the action, NAME=VALUE, where its policy lets it through")
      ->allow_extra_args(false);
  app.add_flag("--json", context.json, "answer in JSON");
}

int report(const Error& error) {
  const std::string where = error.where.empty() ? "" : printable(error.where) + ": ";
  spdlog::error("{}{}", where, error.message);
  if (!error.excerpt.empty())
    fmt::print(stderr, "  {}\n", [&] {
      std::string indented;
      for (const std::string_view line : split(error.excerpt, '\n'))
        indented += (indented.empty() ? "" : "\n  ") + std::string(line);
      return indented;
    }());
  if (!error.hint.empty()) fmt::print(stderr, "glovebox: hint: {}\n", error.hint);
  return status_of_kind(error.kind);
}

int report(const std::vector<Error>& errors) {
  int status = 0;
  for (const Error& error : errors) status = std::max(status, report(error));
  return status;
}

void warn(const std::string& text) {
  spdlog::warn("{}", text);
}

int report_unknown_command(const CLI::App& app, int count, char** arguments) {
  if (count < 2 || arguments[1][0] == '-') return 0;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), arguments[1]) != names.end()) return 0;
  const std::string near = nearest(arguments[1], names);
  return report(invalid("there is no command " + quoted(arguments[1], 100), {},
                        near.empty() ? "see glovebox --help" : "did you mean \"" + near + "\"?"));
}

Json invalid_json(const std::vector<Error>& errors) {
  Json list = Json::array();
  for (const Error& error : errors) {
    Json entry{{"where", error.where}, {"message", error.message}};
    if (!error.hint.empty()) entry["hint"] = error.hint;
    list.push_back(std::move(entry));
  }
  return Json{{"status", "invalid"}, {"errors", std::move(list)}};
}

std::string policies_folder(const CliContext& context) {
  if (!context.policies.empty()) return context.policies;
  const std::string here = folder_of_binary();
  for (const char* place : {"/../share/glovebox/policies", "/../../policies"}) {
    if (is_folder(here + place)) return here + place;
  }
  return here + "/../share/glovebox/policies";
}

Result<Session> open_session(const CliContext& context) {
  SessionOptions options;
  options.root = context.root;
  options.policies = policies_folder(context);
  options.init = folder_of_binary() + "/glovebox-init";
  options.progress = [](const std::string& text) { show_progress(text); };
  return Session::open(options);
}

Result<std::map<std::string, std::string>> variables_of(const CliContext& context) {
  std::map<std::string, std::string> variables;
  for (const std::string& pair : context.variables) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return invalid("--env " + quoted(pair.substr(0, equals), 100) + " is not understood", {},
                     "write --env NAME=VALUE");
    }
    if (!variables.emplace(pair.substr(0, equals), pair.substr(equals + 1)).second) {
      return invalid("--env " + quoted(pair.substr(0, equals), 100) + " is given twice");
    }
  }
  return variables;
}

int print(const std::string& text) {
  clear_progress();
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) return 0;
  return report(host_error(std::string("cannot write the answer to stdout: ") + std::strerror(errno)));
}

}  // namespace glovebox
