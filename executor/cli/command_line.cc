#include "cli/command_line.h"

#include <algorithm>
#include <cctype>

#include "cli/cli.h"
#include "core/base/text.h"

namespace glovebox {
namespace {

// The command that the line got to: "glovebox", "image", "import" …
const CLI::App& reached(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
  return *at;
}

// "glovebox image import"
std::string whole_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent == nullptr ? "" : whole_name(*parent) + " ") + command.get_name();
}

std::vector<std::string> verbs_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* verb : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(verb->get_name());
  return names;
}

// Its own and those of the commands above it, which it takes too.
std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::string hint_for(const std::string& word, const std::vector<std::string>& known, const CLI::App& at) {
  const std::string near = nearest(word, known);
  return near.empty() ? "see " + whole_name(at) + " --help" : "did you mean \"" + near + "\"?";
}

Error unknown_option(const CLI::App& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  return invalid(whole_name(command) + " has no option " + quoted(name, 100), {},
                 hint_for(name, options_of(command), command));
}

Error misused(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& at = reached(app);
  const std::vector<std::string> verbs = verbs_of(at);
  const std::vector<std::string> unknown = app.remaining(true);
  const auto option = std::find_if(unknown.begin(), unknown.end(),
                                   [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
  if (option != unknown.end()) return unknown_option(at, *option);
  const std::string word = unknown.empty() ? "" : unknown.front();
  if (!verbs.empty() && word.empty()) {
    return invalid("name a command: " + join(verbs, ", "), {}, "see " + whole_name(at) + " --help");
  }
  if (!verbs.empty()) {
    const std::string whole = at.get_parent() == nullptr ? word : at.get_name() + " " + word;
    return invalid("there is no command " + quoted(whole, 100), {}, hint_for(word, verbs, at));
  }
  if (!word.empty()) {
    return invalid("the argument " + quoted(word, 100) + " is one too many", {},
                   "see " + whole_name(at) + " --help");
  }
  return invalid(printable(error.what(), 300), {}, "see " + whole_name(at) + " --help");
}

// Commands also take the options of the whole program; exec lists them itself.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_footer(const CLI::App* command) const override {
    const bool inherits = command->get_parent() != nullptr && command->get_fallthrough();
    return (inherits ? "With every command: --root DIR, --policies DIR, --env NAME=VALUE, --json\n" : "") +
           CLI::Formatter::make_footer(command);
  }
};

}  // namespace

int report_misused(const CLI::App& app, const CLI::ParseError& error) {
  return report(misused(app, error));
}

int report_unknown_option(const CLI::App& command, const std::string& word) {
  return report(unknown_option(command, word));
}

int report_missing(const CLI::App& command, const std::string& argument) {
  return report(invalid(argument + " is required", {}, "see " + whole_name(command) + " --help"));
}

void set_help_style(CLI::App& app) {
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->label("TEXT", "");
  app.get_formatter()->label("REQUIRED", "");
  app.get_formatter()->label("OPTIONS", "OPTION…");
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.get_formatter()->label("Positionals", "Arguments");
  app.get_formatter()->column_width(26);
}

}  // namespace glovebox
