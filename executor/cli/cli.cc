#include "cli/cli.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

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

// Records name files below ROOT, and who reads them may stand elsewhere.
std::string absolute_path(const std::string& path) {
  std::error_code failed;
  std::string whole = std::filesystem::absolute(path, failed).lexically_normal().string();
  while (whole.size() > 1 && whole.back() == '/') whole.pop_back();
  return failed ? path : whole;
}

bool is_folder(const std::string& path) {
  return open_path(path, O_PATH | O_DIRECTORY).ok();
}

}  // namespace

void add_common_options(CLI::App& app, CliContext& context) {
  app.add_option("--root", context.root, "state directory")
      ->type_name("DIR")
      ->transform(absolute_path, "")
      ->capture_default_str();
  app.add_option("--policies", context.policies, "directory of the policy files")->type_name("DIR");
  app.add_option("--env", context.variables,
                 "a variable for the action, where its policy lets it through; may be given again")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_flag("--json", context.json, "answer in JSON");
}

int report(const Error& error) {
  clear_progress();
  const std::string where = error.where.empty() ? "" : printable(error.where) + ": ";
  spdlog::error("{}{}", where, error.message);
  if (!error.excerpt.empty()) {
    for (const std::string_view line : split(error.excerpt, '\n')) say("  " + std::string(line));
  }
  if (!error.hint.empty()) say("glovebox: hint: " + error.hint);
  return status_of_kind(error.kind);
}

int report(const std::vector<Error>& errors) {
  int status = 0;
  for (const Error& error : errors) status = std::max(status, report(error));
  return status;
}

void warn(const std::string& text) {
  clear_progress();
  spdlog::warn("{}", text);
}

void say(const std::string& line) {
  (void)std::fputs((line + "\n").c_str(), stderr);  // nobody may be left to hear it
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
  if (errno == EPIPE) return 0;
  return report(host_error(std::string("cannot write the answer to stdout: ") + std::strerror(errno)));
}

}  // namespace glovebox
