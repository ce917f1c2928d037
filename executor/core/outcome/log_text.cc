#include "core/outcome/log_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::string_view kNote = "glovebox: ";  // before our own lines among the action's
constexpr std::size_t kStampWidth = 25;           // "2026-11-22T10:00:00.000Z "
constexpr std::size_t kShownBytes = 200;          // of one line on a console

constexpr std::size_t kNoCut = static_cast<std::size_t>(-1) / 2;
constexpr std::string_view kMarkerWords = "JOB SUMMARY";

// The marker cannot come out of this: its words are broken wherever an equals sign stands before them.
std::string without_marker(std::string text) {
  const std::string words = "=" + std::string(kMarkerWords);
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
    text.insert(at + 4, "\\");  // =JOB\ SUMMARY
  }
  return text;
}

// printable(), but a tab stays: tables of R and pandas are printed with them.
std::string log_safe(std::string_view text) {
  std::string out;
  bool first = true;
  for (const std::string_view part : split(text, '\t')) {
    if (!std::exchange(first, false)) out += '\t';
    out += printable(part, kNoCut);
  }
  return without_marker(std::move(out));
}

// A line must not be cut inside a character: the start of an unfinished one at the end of `text`.
std::size_t whole_characters(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back < text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0U) == 0x80U) continue;
    const std::size_t needs = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return needs > back ? text.size() - back : text.size();
  }
  return text.size();
}

std::string one_line(std::string_view text) {
  return without_marker(printable(text, 2000));
}

std::vector<OutputFile> sorted(std::vector<OutputFile> files) {
  std::sort(files.begin(), files.end(),
            [](const OutputFile& a, const OutputFile& b) { return a.path < b.path; });
  return files;
}

std::string in_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t width = 0;
  for (const auto& row : rows) width = std::max(width, row.first.size());
  std::string text;
  for (const auto& [left, right] : rows) {
    text += "  " + left + std::string(width - left.size(), ' ') + "  - " + right + "\n";
  }
  return text;
}

std::string reasons_of(const OutputFile& file) {
  std::vector<std::string> reasons;
  for (const RuleHit& hit : file.reasons) reasons.push_back(hit.rule + ": " + hit.message);
  return join(reasons, "; ");
}

}  // namespace

void LogLines::end_line(std::string& out, std::string_view now) {
  out += std::string(now) + " " + log_safe(line_) + "\n";
  line_.clear();
}

std::string LogLines::feed(std::string_view chunk, std::string_view now) {
  std::string out;
  for (const char c : chunk) {
    const bool second_half = c == '\n' && after_return_;
    after_return_ = c == '\r';
    if (second_half) continue;
    if (c == '\n' || c == '\r') {
      end_line(out, now);
      continue;
    }
    line_ += c;
    if (line_.size() >= kMaxLine) {
      const std::string rest = line_.substr(whole_characters(line_));
      line_.resize(line_.size() - rest.size());
      end_line(out, now);
      line_ = rest;
    }
  }
  return out;
}

std::string LogLines::finish(std::string_view now) {
  std::string out;
  if (!line_.empty()) end_line(out, now);
  return out;
}

std::string log_notes(const Attempt& attempt, std::string_view now) {
  std::string out;
  const auto note = [&](std::string_view text) {
    out += std::string(now) + " " + std::string(kNote) + log_safe(text) + "\n";
  };
  for (const std::string_view line : split(attempt.detail, '\n')) {
    if (!line.empty()) note(line);
  }
  for (const OutputFile& file : attempt.outputs) {
    if (file.verdict == Verdict::kAccepted) continue;
    note(std::string(to_string(file.verdict)) + " " + quoted(file.path) + ": " + reasons_of(file));
  }
  return out;
}

std::string log_summary(const LogSummary& summary, const std::vector<OutputFile>& outputs, bool kept) {
  const std::array<std::pair<const char*, const std::string*>, 10> keys{
      {{"job_definition_id", &summary.job_definition_id},
       {"job_definition_rap_id", &summary.job_definition_rap_id},
       {"commit", &summary.commit},
       {"docker_image_id", &summary.docker_image_id},
       {"exit_code", &summary.exit_code},
       {"created_at", &summary.created_at},
       {"completed_at", &summary.completed_at},
       {"database_name", &summary.database_name},
       {"status_message", &summary.status_message},
       {"hint", &summary.hint}}};
  std::string text = std::string(kSummaryMarker) + "\n";
  for (const auto& [key, value] : keys) {
    if (!value->empty()) text += std::string(key) + ": " + one_line(*value) + "\n";
  }
  std::vector<std::pair<std::string, std::string>> shown;
  std::vector<std::pair<std::string, std::string>> invalid_ones;
  for (const OutputFile& file : sorted(outputs)) {
    if (!kept || file.verdict == Verdict::kRejected) continue;
    shown.emplace_back(one_line(file.path), to_string(file.level));
    if (file.verdict == Verdict::kWithheld) invalid_ones.emplace_back(one_line(file.path), reasons_of(file));
  }
  text += "\noutputs:\n" + in_columns(shown);
  if (!invalid_ones.empty()) {
    text += "\nInvalid moderately_sensitive outputs:\n" + in_columns(invalid_ones);
  }
  return text;
}

std::vector<std::string> last_lines(std::string_view log, std::size_t most) {
  log = log.substr(0, log.rfind(kSummaryMarker));
  std::vector<std::string> found;  // the last one first
  bool notes = true;               // ours, which log_notes() puts behind the action's
  while (!log.empty() && found.size() < most) {
    log.remove_suffix(log.ends_with('\n') ? 1 : 0);
    const std::size_t start = log.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = log.substr(start);
    log = log.substr(0, start);
    if (line.size() < kStampWidth || line[kStampWidth - 1] != ' ' || line[kStampWidth - 2] != 'Z') continue;
    const std::string_view text = line.substr(kStampWidth);
    notes = notes && text.starts_with(kNote);
    if (!notes) found.push_back(printable(text, kShownBytes));
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace glovebox
