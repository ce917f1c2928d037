#include "core/rules/classify.h"

#include <algorithm>
#include <iterator>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::string_view kOurFolder = "metadata";
constexpr std::size_t kMaxShownName = 400;

std::string_view kind_name(FileKind kind) {
  switch (kind) {
    case FileKind::kSymlink:
      return "a symbolic link";
    case FileKind::kFifo:
      return "a named pipe";
    case FileKind::kSocket:
      return "a socket";
    case FileKind::kDevice:
      return "a device";
    default:
      return "of an unknown kind";
  }
}

bool wildcard_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last '*' seen, and where its match ends for now
  std::size_t star_end = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::optional<RuleHit> rejection_of(const FoundFile& file) {
  if (!RelPath::parse(file.path)) {
    return RuleHit{"name.unsafe",
                   "its name has control, invisible or undecodable characters, or is too long"};
  }
  if (file.kind != FileKind::kRegular) {
    return RuleHit{"file.kind", "is " + std::string(kind_name(file.kind)) + ": only regular files are kept"};
  }
  return std::nullopt;
}

bool pattern_matches(std::string_view pattern, std::string_view path) {
  const std::vector<std::string_view> parts = split(pattern, '/');
  const std::vector<std::string_view> names = split(path, '/');
  if (parts.size() != names.size() || names.front() == kOurFolder) return false;
  return std::equal(parts.begin(), parts.end(), names.begin(),
                    [](std::string_view part, std::string_view name) {
                      return !name.starts_with('.') && wildcard_matches(part, name);
                    });
}

std::optional<Level> Classifier::level_of(std::string_view path) const {
  if (collect_everything_) return Level::kHighlySensitive;
  std::optional<Level> level;
  for (const OutputSpec& spec : specs_) {
    if (!pattern_matches(spec.pattern.str(), path)) continue;
    level = level ? std::min(*level, spec.level) : spec.level;  // the most sensitive comes first
  }
  return level;
}

void Classifier::note_patterns(std::string_view path) {
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (!matched_[i] && pattern_matches(specs_[i].pattern.str(), path)) matched_[i] = true;
  }
}

void Classifier::note_unmatched(std::string_view path) {
  ++result_.unmatched_count;
  unmatched_.insert(printable(path, kMaxShownName));
  if (unmatched_.size() > kMaxUnmatchedFiles) unmatched_.erase(std::prev(unmatched_.end()));
}

void Classifier::add(const FoundFile& file) {
  const std::optional<Level> level = level_of(file.path);
  if (!level) return note_unmatched(file.path);
  note_patterns(file.path);
  auto path = RelPath::parse(file.path);
  const std::optional<RuleHit> rejection = rejection_of(file);
  if (path && !rejection) {
    result_.candidates.push_back({std::move(path).value(), *level, file.size});
    return;
  }
  OutputFile rejected;
  rejected.path = printable(file.path, kMaxShownName);
  rejected.level = *level;
  rejected.verdict = Verdict::kRejected;
  rejected.size = file.kind == FileKind::kRegular ? file.size : 0;
  if (rejection) rejected.reasons.push_back(*rejection);
  result_.rejected.push_back(std::move(rejected));
}

Classification Classifier::finish() {
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (!matched_[i]) result_.unmatched_patterns.push_back(specs_[i].pattern.str());
  }
  const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
  std::sort(result_.candidates.begin(), result_.candidates.end(), by_path);
  std::sort(result_.rejected.begin(), result_.rejected.end(), by_path);
  result_.unmatched_files.assign(unmatched_.begin(), unmatched_.end());
  return std::move(result_);
}

Classification classify(const std::vector<FoundFile>& found, const std::vector<OutputSpec>& specs,
                        bool collect_everything) {
  Classifier classifier(specs, collect_everything);
  for (const FoundFile& file : found) classifier.add(file);
  return classifier.finish();
}

}  // namespace glovebox
