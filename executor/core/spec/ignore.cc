#include "core/spec/ignore.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/base/text.h"

namespace glovebox {
namespace {

bool in_class(std::string_view name, char c) {
  using Test = int (*)(int);
  static constexpr std::array<std::pair<std::string_view, Test>, 12> kClasses{{{"alnum", std::isalnum},
                                                                               {"alpha", std::isalpha},
                                                                               {"blank", std::isblank},
                                                                               {"cntrl", std::iscntrl},
                                                                               {"digit", std::isdigit},
                                                                               {"graph", std::isgraph},
                                                                               {"lower", std::islower},
                                                                               {"print", std::isprint},
                                                                               {"punct", std::ispunct},
                                                                               {"space", std::isspace},
                                                                               {"upper", std::isupper},
                                                                               {"xdigit", std::isxdigit}}};
  for (const auto& [known, test] : kClasses) {
    if (known == name) return test(static_cast<unsigned char>(c)) != 0;
  }
  return false;
}

struct Step {
  bool matched = false;
  std::size_t length = 0;  // of the pattern's element; 0: the pattern is malformed
};

// One character against the bracket expression at the start of `pattern`.
Step match_bracket(std::string_view pattern, char c) {
  std::size_t i = 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) return {found != negated, i + 1};
    if (pattern.substr(i).starts_with("[:")) {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        found = found || in_class(pattern.substr(i + 2, end - i - 2), c);
        i = end + 2;
        continue;
      }
    }
    const auto literal = [&] {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      return static_cast<unsigned char>(pattern[i++]);
    };
    const unsigned char low = literal();
    unsigned char high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      high = literal();
    }
    const auto value = static_cast<unsigned char>(c);
    found = found || (low <= value && value <= high);
  }
  return {};
}

// One character against the element at the start of `pattern`, which is not '*'.
Step match_one(std::string_view pattern, char c) {
  switch (pattern[0]) {
    case '?':
      return {true, 1};
    case '[':
      return match_bracket(pattern, c);
    case '\\':
      if (pattern.size() < 2) return {};
      return {pattern[1] == c, 2};
    default:
      return {pattern[0] == c, 1};
  }
}

// The parts of a pattern against the components of a path; "**" stands for any number of components, at the
// end for at least one.
bool parts_match(const std::vector<std::string>& parts, const std::vector<std::string_view>& names) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t part = 0;
  std::size_t name = 0;
  std::size_t star = kNone;  // the last "**" seen
  std::size_t resume = 0;    // the first component that it does not stand for
  while (name < names.size()) {
    if (part < parts.size() && parts[part] == "**") {
      if (part + 1 == parts.size()) return true;
      star = part++;
      resume = name;
    } else if (part < parts.size() && wildcard_match(parts[part], names[name])) {
      ++part;
      ++name;
    } else if (star != kNone) {
      part = star + 1;
      name = ++resume;
    } else {
      return false;
    }
  }
  return part == parts.size();
}

// gitignore(5): trailing spaces count for nothing unless a backslash stands before them.
std::string_view without_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == ' ') continue;
    if (line[i] == '\\') ++i;
    end = std::min(i + 1, line.size());
  }
  return line.substr(0, end);
}

}  // namespace

bool wildcard_match(std::string_view pattern, std::string_view name) {
  constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t at = 0;
  std::size_t i = 0;
  std::size_t star = kNone;
  std::size_t resume = 0;
  while (i < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = ++at;
      resume = i;
      continue;
    }
    const Step step = at < pattern.size() ? match_one(pattern.substr(at), name[i]) : Step{};
    if (step.matched && step.length > 0) {
      at += step.length;
      ++i;
    } else if (star != kNone) {
      at = star;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

IgnoreFile::IgnoreFile(std::string folder, std::string_view text) : folder_(std::move(folder)) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with('#')) add(without_trailing_spaces(line));
  }
}

void IgnoreFile::add(std::string_view line) {
  Rule rule;
  if (line.starts_with('!')) {
    rule.negated = true;
    line.remove_prefix(1);
  }
  if (line.ends_with('/')) {
    rule.directories_only = true;
    line.remove_suffix(1);
  }
  if (line.empty()) return;
  rule.anchored = line.find('/') != std::string_view::npos;
  if (line.starts_with('/')) line.remove_prefix(1);
  for (const std::string_view part : split(line, '/')) rule.parts.emplace_back(part);
  rules_.push_back(std::move(rule));
}

std::optional<bool> IgnoreFile::verdict(std::string_view path, bool is_directory) const {
  if (rules_.empty()) return std::nullopt;
  if (!folder_.empty()) path.remove_prefix(folder_.size() + 1);
  const std::vector<std::string_view> names = split(path, '/');
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directories_only && !is_directory) continue;
    const bool matches =
        rule->anchored ? parts_match(rule->parts, names) : wildcard_match(rule->parts[0], names.back());
    if (matches) return !rule->negated;
  }
  return std::nullopt;
}

bool is_ignored(const std::vector<const IgnoreFile*>& files, std::string_view path, bool is_directory) {
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (const std::optional<bool> verdict = (*file)->verdict(path, is_directory)) return *verdict;
  }
  return false;
}

}  // namespace glovebox
