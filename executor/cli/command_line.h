// What is said of a command line that cannot be understood, and how help reads.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace glovebox {

// "glovebox: error: there is no option "--forse"" and the nearest one, or whose --help to read, on stderr.
// Returns the exit status, 2.
int report_misused(const CLI::App& app, const CLI::ParseError& error);

// The same for what the parser leaves to a command.
int report_unknown_option(const CLI::App& command, const std::string& word);
int report_missing(const CLI::App& command, const std::string& argument);

// Help for people: no types where a name says it, and no shouting.
void set_help_style(CLI::App& app);

}  // namespace glovebox
