#include "core/outcome/log_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kStampWidth = 25;   // "2026-11-22T10:00:00.000Z "
constexpr std::size_t kShownBytes = 200;  // of one line on a console

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

// How a byte takes part in a line: as it is, by being looked at again, or by ending it.
enum class ByteKind : unsigned char { kPlain, kOther, kEnd };
constexpr std::array<ByteKind, 256> kByteKinds = [] {
  std::array<ByteKind, 256> kinds{};
  for (std::size_t byte = 0; byte < kinds.size(); ++byte)
    kinds[byte] = (byte >= 0x20 && byte <= 0x7E) || byte == '\t' ? ByteKind::kPlain : ByteKind::kOther;
  kinds['\n'] = kinds['\r'] = ByteKind::kEnd;
  return kinds;
}();

struct LineStart {
  std::size_t length = 0;  // up to a newline or carriage return, or all of the text
  bool plain = true;       // nothing in it is to be escaped, but for the marker
};

// One pass for both: a flood of short lines must not cost more than copying them.
LineStart line_start_of(std::string_view text) {
  LineStart line;
  for (; line.length < text.size(); ++line.length) {
    const ByteKind kind = kByteKinds[static_cast<unsigned char>(text[line.length])];
    if (kind == ByteKind::kEnd) break;
    line.plain = line.plain && kind == ByteKind::kPlain;
  }
  return line;
}

bool has_marker_words(std::string_view text) {
  return text.size() > kMarkerWords.size() && text.find(kMarkerWords) != std::string_view::npos;
}

void append_line(std::string& out, std::string_view text, bool plain, std::string_view now) {
  out += now;
  out += ' ';
  if (plain && !has_marker_words(text)) {
    out += text;
  } else {
    out += log_safe(text);
  }
  out += '\n';
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

std::string LogLines::feed(std::string_view chunk, std::string_view now) {
  std::string out;
  while (!chunk.empty()) {
    if (std::exchange(after_return_, false) && chunk.front() == '\n') {
      chunk.remove_prefix(1);
      continue;
    }
    const auto [length, plain] = line_start_of(chunk);
    const std::size_t room = kMaxLine - line_.size();
    if (length >= room) {
      line_ += chunk.substr(0, room);
      chunk.remove_prefix(room);
      const std::string rest = line_.substr(whole_characters(line_));
      line_.resize(line_.size() - rest.size());
      append_line(out, line_, false, now);
      line_ = rest;
      continue;
    }
    if (length == chunk.size()) {
      line_ += chunk;
      break;
    }
    if (line_.empty()) {
      append_line(out, chunk.substr(0, length), plain, now);
    } else {
      line_ += chunk.substr(0, length);
      append_line(out, line_, false, now);
      line_.clear();
    }
    after_return_ = chunk[length] == '\r';
    chunk.remove_prefix(length + 1);
  }
  return out;
}

std::string LogLines::finish(std::string_view now) {
  std::string out;
  if (!line_.empty()) append_line(out, std::exchange(line_, {}), false, now);
  return out;
}

std::string terminal_text(std::string_view bytes) {
  std::string out;
  for (std::size_t end = 0; !bytes.empty(); bytes.remove_prefix(end)) {
    end = bytes.find_first_of("\n\r\t");
    out += printable(bytes.substr(0, end), kNoCut);
    if (end == std::string_view::npos) break;
    out += bytes[end++];
  }
  return out;
}

std::string log_notes(const Attempt& attempt) {
  std::string out;
  const auto note = [&](std::string_view text) { out += std::string(kNotePrefix) + log_safe(text) + "\n"; };
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
  while (!log.empty() && found.size() < most) {
    log.remove_suffix(log.ends_with('\n') ? 1 : 0);
    const std::size_t start = log.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = log.substr(start);
    log = log.substr(0, start);
    // Only the action's lines have a time.
    if (line.size() < kStampWidth || line[kStampWidth - 1] != ' ' || line[kStampWidth - 2] != 'Z') continue;
    found.push_back(printable(line.substr(kStampWidth), kShownBytes));
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace glovebox
