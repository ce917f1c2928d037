// The one binary: reads the command line and hands it to the command that is meant.
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>

#include "cli/cli.h"
#include "cli/command_line.h"

namespace {

std::string default_root() {
  if (::geteuid() == 0) return "/var/lib/glovebox";
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data == '/')
    return std::string(data) + "/glovebox";
  const char* home = std::getenv("HOME");
  return std::string(home != nullptr ? home : "/tmp") + "/.local/share/glovebox";
}

// "glovebox: error: …", "glovebox: warning: …" on stderr.
void set_up_logging() {
  auto sink = std::make_shared<spdlog::sinks::ansicolor_stderr_sink_st>();
  auto logger = std::make_shared<spdlog::logger>("glovebox", sink);
  logger->set_pattern("%n: %^%l%$: %v");
  spdlog::set_default_logger(logger);
}

int run(int count, char** arguments) {
  glovebox::CliContext context;
  context.root = default_root();
  CLI::App app("Glovebox runs research code on protected data, and lets only permitted files out.",
               "glovebox");
  app.set_version_flag("--version", std::string("glovebox ") + GLOVEBOX_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  glovebox::set_help_style(app);  // before there are commands: they take it over
  glovebox::add_common_options(app, context);
  glovebox::add_run_commands(app, context);
  glovebox::add_project_commands(app, context);
  glovebox::add_image_commands(app, context);
  glovebox::add_policy_commands(app, context);
  glovebox::add_record_commands(app, context);
  glovebox::add_key_commands(app, context);
  try {
    app.parse(count, arguments);
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help, --version
  } catch (const CLI::ParseError& e) {
    return glovebox::report_misused(app, e);
  }
  return context.exit;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(022);
  set_up_logging();
  try {
    return run(count, arguments);
  } catch (const std::exception& e) {  // memory, or a broken library: nothing below throws on purpose
    spdlog::critical("{}", e.what());
    return 6;
  }
}
