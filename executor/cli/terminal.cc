#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/base/text.h"
#include "core/outcome/log_text.h"
#include "core/outcome/run_end.h"
#include "shell/attest/records.h"
#include "shell/publish/publish.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kLogLines = 10;
constexpr off_t kLogEnd = 1 << 20;       // bytes: the lines, and behind them a summary of 10,000 outputs
constexpr std::size_t kShownFiles = 20;  // outputs listed one by one; more are counted

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string coloured(const std::string& text, const char* code, bool colours) {
  return colours ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : text;
}

std::string status_word(const Attempt& attempt, bool colours) {
  const std::string status(attempt.reason == Reason::kDependency ? "not run" : status_of(attempt.reason));
  const bool good = attempt.reason == Reason::kNone;
  const bool quiet = attempt.reason == Reason::kDependency || attempt.reason == Reason::kCancelled;
  return coloured(status, good ? "32" : quiet ? "33" : "31", colours);
}

// `shown`: accepted files go to where output checkers look, which those of a failed action never do.
std::string output_line(const OutputFile& file, bool shown, bool colours) {
  const bool accepted = file.verdict == Verdict::kAccepted;
  const std::string_view word = accepted && !shown ? "kept" : to_string(file.verdict);
  std::string line = "    " + coloured(fmt::format("{:<8}", word), accepted && shown ? "32" : "33", colours) +
                     "  " + printable(file.path, 200);
  line += fmt::format("  ({}, {}", to_string(file.level), format_bytes(file.size));
  if (file.rows) line += fmt::format(", {} {}", *file.rows, *file.rows == 1 ? "row" : "rows");
  line += ")\n";
  for (const RuleHit& hit : file.reasons)
    line += fmt::format("              {}: {}\n", hit.rule, hit.message);
  return line;
}

// What needs attention first: withheld and rejected ones are always among those shown.
std::string outputs_text(const Attempt& attempt, bool colours) {
  const std::vector<OutputFile>& outputs = attempt.outputs;
  const bool shown = attempt.reason == Reason::kNone;
  std::vector<const OutputFile*> order;
  for (const OutputFile& file : outputs) order.push_back(&file);
  std::stable_sort(order.begin(), order.end(),
                   [](const OutputFile* a, const OutputFile* b) { return a->verdict > b->verdict; });
  std::string text;
  for (std::size_t i = 0; i < order.size() && i < kShownFiles; ++i)
    text += output_line(*order[i], shown, colours);
  if (order.size() > kShownFiles) text += fmt::format("    and {} more files\n", order.size() - kShownFiles);
  return text;
}

// `path` beneath the directory that the user named.
std::string beneath(const std::string& directory, const std::string& path) {
  const std::string shown = printable(directory, 400);
  return shown.substr(0, shown.find_last_not_of('/') + 1) + "/" + path;
}

// The record's copy of an action's log: its folder is ours alone, where the study's may hold anything by now.
// Empty where it cannot be read.
std::string end_of_log(const Attempt& attempt) {
  const std::string path = attempt.record.substr(0, attempt.record.rfind('/') + 1) + kLogFile;
  const Result<UniqueFd> file = open_path(path, O_RDONLY);
  if (!file.ok()) return {};
  const off_t size = ::lseek(file->get(), 0, SEEK_END);
  if (::lseek(file->get(), std::max<off_t>(0, size - kLogEnd), SEEK_SET) < 0) return {};
  const Result<std::string> text = read_all(file->get(), kLogEnd);
  return text.ok() ? *text : std::string();
}

}  // namespace

void show_progress(const std::string& text) {
  if (::isatty(2) == 0) return;
  const std::string line = printable(text, terminal_width() - 2);
  (void)std::fputs(("\r\x1b[2K" + line).c_str(), stderr);
}

void clear_progress() {
  if (::isatty(2) != 0) (void)std::fputs("\r\x1b[2K", stderr);
}

std::string progress_text(const std::string& action, const Progress& progress) {
  return fmt::format("{}  running {}  memory {}  CPU {}", action,
                     format_duration(progress.elapsed / 1000 * 1000), format_bytes(progress.memory),
                     format_duration(progress.cpu / 1000 * 1000));
}

std::string attempt_text(const Attempt& attempt, bool colours) {
  std::string text =
      fmt::format("{}  {}", coloured(attempt.action, "1", colours), status_word(attempt, colours));
  if (attempt.cached) text += "  unchanged since " + attempt.finished.substr(0, 16) + "Z, not run again";
  if (!attempt.cached && attempt.usage.wall_ms > 0) {
    text += fmt::format("  {}, memory {}, CPU {}", format_duration(attempt.usage.wall_ms),
                        format_bytes(attempt.usage.memory_peak),
                        format_duration(attempt.usage.cpu_user_ms + attempt.usage.cpu_system_ms));
  }
  text += "\n";
  if (attempt.reason != Reason::kNone) text += "    " + attempt.message + "\n";
  // log_end_text() does what this one advises.
  if (!attempt.hint.empty() && attempt.hint != kLogHint) text += "    hint: " + attempt.hint + "\n";
  for (const std::string_view line : split(attempt.detail, '\n')) {
    if (!line.empty()) text += "    " + std::string(line) + "\n";
  }
  return text + outputs_text(attempt, colours);
}

std::string log_end_text(const Attempt& attempt, const std::string& directory) {
  const std::string_view status = status_of(attempt.reason);
  if (attempt.log.empty() || (status != "failed" && status != "stopped")) return {};
  const std::string path = beneath(directory, attempt.log);
  const std::vector<std::string> lines = last_lines(end_of_log(attempt), kLogLines);
  if (lines.empty()) return "    it printed nothing; its log is " + path + "\n";
  std::string text = "    the end of " + path + ":\n";
  for (const std::string& line : lines) text += "      " + line + "\n";
  return text;
}

std::string run_summary(const std::vector<Attempt>& attempts, const std::string& directory) {
  std::map<std::string, std::size_t> counts;
  std::size_t cached = 0;
  std::size_t withheld = 0;
  for (const Attempt& attempt : attempts) {
    ++counts[std::string(status_of(attempt.reason))];
    cached += attempt.cached ? 1 : 0;
    withheld += static_cast<std::size_t>(
        std::count_if(attempt.outputs.begin(), attempt.outputs.end(),
                      [](const OutputFile& file) { return file.verdict != Verdict::kAccepted; }));
  }
  std::vector<std::string> parts;
  for (const auto& [status, count] : counts)
    parts.push_back(fmt::format("{} {}", count, status == "not_run" ? "not run" : status));
  std::string text = fmt::format("{} {}: {}", attempts.size(), attempts.size() == 1 ? "action" : "actions",
                                 join(parts, ", "));
  if (cached > 0) text += fmt::format(" ({} not run again)", cached);
  if (withheld > 0)
    text += fmt::format("; {} {} withheld or rejected", withheld, withheld == 1 ? "file was" : "files were");
  text += "\n";
  const bool shown = std::any_of(attempts.begin(), attempts.end(), [](const Attempt& attempt) {
    return attempt.reason == Reason::kNone &&
           std::any_of(attempt.outputs.begin(), attempt.outputs.end(),
                       [](const OutputFile& file) { return file.level == Level::kModeratelySensitive; });
  });
  if (shown) text += "an output checker sees what is in " + beneath(directory, kLocalMedium) + "/\n";
  return text;
}

}  // namespace glovebox
