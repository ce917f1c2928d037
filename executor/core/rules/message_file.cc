#include "core/rules/message_file.h"

#include <algorithm>
#include <array>

namespace glovebox {
namespace {

struct Advice {
  std::string_view rule;
  std::string_view text;
};
constexpr std::array<Advice, 8> kAdvice{{
    {"size", "Release a summary instead, or split what is needed into smaller files."},
    {"type.ext", "Write it in one of the types that may be released, for example .csv, .png or .html."},
    {"type.content", "Write the file in the format that its extension names, text as UTF-8."},
    {"csv.rows", "Release a summary with fewer rows. Row-level data must not leave the secure environment."},
    {"csv.patient-id", "Remove the column, and everything else that describes single patients."},
    {"csv.control", "Remove these characters: only tabs and line breaks belong in a table."},
    {"csv.unparsable", "Write the file with the CSV writer of pandas or R, as UTF-8."},
    {"unreadable", "Run the action again. If it happens again, tell the people who run this environment."},
}};

constexpr std::size_t kMaxName = 255;  // NAME_MAX
constexpr std::size_t kMaxPath = 1024;

// Enough names that a study can be withheld its message only by declaring this many outputs for the purpose.
constexpr std::array<const char*, 5> kSuffixes{".txt", ".withheld.txt", ".withheld-2.txt", ".withheld-3.txt",
                                               ".withheld-4.txt"};

}  // namespace

std::vector<std::string> message_paths(const std::string& path) {
  std::vector<std::string> paths;
  const std::size_t name = path.size() - (path.rfind('/') + 1);  // npos + 1 is 0
  for (const char* suffix : kSuffixes) {
    const std::size_t extra = std::string_view(suffix).size();
    if (name + extra <= kMaxName && path.size() + extra <= kMaxPath) paths.push_back(path + suffix);
  }
  return paths;
}

std::optional<std::string> message_path(const std::string& path,
                                        const std::function<bool(const std::string&)>& is_output) {
  for (std::string& candidate : message_paths(path)) {
    if (!is_output(candidate)) return std::move(candidate);
  }
  return std::nullopt;
}

std::string reasons_line(const OutputFile& file) {
  std::string line;
  for (const RuleHit& hit : file.reasons) {
    if (!line.empty()) line += "; ";
    line += hit.rule + ": " + hit.message;
  }
  return line;
}

std::string message_text(const OutputFile& file) {
  std::string text = "This file was withheld: " + file.path + "\n\n";
  text += "It stays in the high-privacy tree and is not shown here.\n\nWhy:\n";
  for (const RuleHit& hit : file.reasons) text += "  " + hit.rule + ": " + hit.message + "\n";
  text += "\nWhat to do:\n";
  for (const RuleHit& hit : file.reasons) {
    const auto* found =
        std::find_if(kAdvice.begin(), kAdvice.end(), [&](const Advice& a) { return a.rule == hit.rule; });
    if (found != kAdvice.end()) text += "  " + std::string(found->text) + "\n";
  }
  return text;
}

}  // namespace glovebox
