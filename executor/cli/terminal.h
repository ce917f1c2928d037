// What a person at a terminal sees: progress on stderr, none where that is no terminal.
#pragma once
#include <string>
#include <vector>

#include "core/outcome/outcome.h"
#include "shell/supervisor/supervisor.h"

namespace glovebox {

// Replaces the present progress line; at most one line of the terminal's width.
void show_progress(const std::string& text);
void clear_progress();

// "table1  running  1 min 5 s  memory 1.2 GiB  CPU 8 s"
std::string progress_text(const std::string& action, const Progress& progress);

// A few lines for people: how it ended, what came out, what was withheld and why, what to do.
std::string attempt_text(const Attempt& attempt, bool colours);

// For an action that failed or was stopped: where its log is and what it printed last. `directory` is what
// Attempt::log is relative to, as the user named it; the lines come from the record's own copy.
std::string log_end_text(const Attempt& attempt, const std::string& directory);

// "4 actions: 3 succeeded, 1 failed" and, where any did, where an output checker looks.
std::string run_summary(const std::vector<Attempt>& attempts, const std::string& directory);

}  // namespace glovebox
