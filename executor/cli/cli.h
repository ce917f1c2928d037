// What the commands of the one binary share.
#pragma once
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "shell/pipeline/session.h"

namespace glovebox {

// The options that every command knows, and the exit status that the chosen one leaves.
struct CliContext {
  std::string root;
  std::string policies;
  std::vector<std::string> variables;  // --env NAME=VALUE
  bool json = false;
  int exit = 0;
};

// --root, --policies, --env, --json.
void add_common_options(CLI::App& app, CliContext& context);

// Each adds its commands; the chosen one runs while the command line is parsed and sets context.exit.
void add_run_commands(CLI::App& app, CliContext& context);      // run, exec, plan
void add_project_commands(CLI::App& app, CliContext& context);  // project check
void add_image_commands(CLI::App& app, CliContext& context);    // image import|list|inspect|verify|remove
void add_policy_commands(CLI::App& app, CliContext& context);   // policy check
void add_record_commands(CLI::App& app, CliContext& context);   // record list|show|verify
void add_key_commands(CLI::App& app, CliContext& context);      // key init|show

// "glovebox: error: …" with where, line and caret, and "glovebox: hint: …" on stderr. The exit status of its
// kind (DESIGN.md §6).
int report(const Error& error);
int report(const std::vector<Error>& errors);
void warn(const std::string& text);

// A line on stderr. A closed terminal or pipe is no reason to fail.
void say(const std::string& line);

// `{"status":"invalid","errors":[…]}` of DESIGN.md §6.
Json invalid_json(const std::vector<Error>& errors);

// The session that commands work in, with progress on a terminal.
Result<Session> open_session(const CliContext& context);
Result<std::map<std::string, std::string>> variables_of(const CliContext& context);

// The directory of the policies: --policies, else what belongs to this binary.
std::string policies_folder(const CliContext& context);

// stdout, with an error where it cannot be written (a full disk): data that is not there must not look
// complete. A reader that has gone away (`| head`) has had what it wanted: 0, and nothing is said.
int print(const std::string& text);

}  // namespace glovebox
