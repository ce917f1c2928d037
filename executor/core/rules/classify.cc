#include "core/rules/classify.h"

#include <algorithm>
#include <iterator>

#include "core/base/text.h"
#include "core/spec/pattern_match.h"

namespace glovebox {
namespace {

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

std::vector<std::size_t> Classifier::matching(std::string_view path) const {
  const std::vector<std::string_view> names = split(path, '/');
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < specs_.size(); ++i) {
    if (pattern_matches(specs_[i].pattern.str(), names)) found.push_back(i);
  }
  return found;
}

std::optional<Level> Classifier::level_of(const std::vector<std::size_t>& matching) const {
  if (collect_everything_) return Level::kHighlySensitive;
  std::optional<Level> level;
  for (const std::size_t i : matching) {
    level = level ? std::min(*level, specs_[i].level) : specs_[i].level;  // the most sensitive comes first
  }
  return level;
}

std::optional<Level> Classifier::level_of(std::string_view path) const {
  return level_of(matching(path));
}

void Classifier::note_unmatched(std::string_view path) {
  ++result_.unmatched_count;
  unmatched_.insert(printable(path, kMaxShownName));
  if (unmatched_.size() > kMaxUnmatchedFiles) unmatched_.erase(std::prev(unmatched_.end()));
}

void Classifier::add(const FoundFile& file) {
  const std::vector<std::size_t> matched = matching(file.path);
  const std::optional<Level> level = level_of(matched);
  if (!level) return note_unmatched(file.path);
  for (const std::size_t i : matched) matched_[i] = true;
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
