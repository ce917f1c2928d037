#include "core/rules/classify.h"

#include <algorithm>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::string_view kOurFolder = "metadata";
constexpr std::size_t kMaxShownName = 400;

bool has_hidden_component(std::string_view path) {
  const std::vector<std::string_view> parts = split(path, '/');
  return std::any_of(parts.begin(), parts.end(), [](std::string_view part) { return part.starts_with('.'); });
}

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

class Classifier {
 public:
  Classifier(const std::vector<OutputSpec>& specs, bool collect_everything)
      : specs_(specs), matched_(specs.size(), false), collect_everything_(collect_everything) {}

  void add(const FoundFile& file, std::size_t index) {
    const std::optional<Level> level = level_of(file.path);
    if (!level) {
      ++result_.unmatched_count;
      result_.unmatched_files.push_back(printable(file.path, kMaxShownName));
      return;
    }
    auto path = RelPath::parse(file.path);
    const std::optional<RuleHit> rejection = rejection_of(file);
    if (rejection || !path) {
      OutputFile rejected;
      rejected.path = printable(file.path, kMaxShownName);
      rejected.level = *level;
      rejected.verdict = Verdict::kRejected;
      rejected.size = file.kind == FileKind::kRegular ? file.size : 0;
      if (rejection) rejected.reasons.push_back(*rejection);
      result_.rejected.push_back(std::move(rejected));
      return;
    }
    result_.candidates.push_back({std::move(path).value(), *level, index});
  }

  Classification finish() {
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (!matched_[i]) result_.unmatched_patterns.push_back(specs_[i].pattern.str());
    }
    const auto by_path = [](const auto& a, const auto& b) { return a.path < b.path; };
    std::sort(result_.candidates.begin(), result_.candidates.end(), by_path);
    std::sort(result_.rejected.begin(), result_.rejected.end(), by_path);
    auto& files = result_.unmatched_files;
    std::sort(files.begin(), files.end());
    if (files.size() > kMaxUnmatchedFiles) files.resize(kMaxUnmatchedFiles);
    return std::move(result_);
  }

 private:
  // The most sensitive level of the patterns that match; remembers that they did.
  std::optional<Level> level_of(std::string_view path) {
    std::optional<Level> level;
    if (collect_everything_) level = Level::kHighlySensitive;
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (!wildcard_matches(specs_[i].pattern.str(), path)) continue;
      matched_[i] = true;
      level = level ? std::min(*level, specs_[i].level) : specs_[i].level;  // most sensitive comes first
    }
    return level;
  }

  const std::vector<OutputSpec>& specs_;
  std::vector<bool> matched_;
  bool collect_everything_;
  Classification result_;
};

}  // namespace

std::optional<RuleHit> rejection_of(const FoundFile& file) {
  if (!RelPath::parse(file.path)) {
    return RuleHit{"name.unsafe",
                   "its name has control, invisible or undecodable characters, or is too long"};
  }
  if (has_hidden_component(file.path)) {
    return RuleHit{"name.hidden", "a file or folder whose name begins with a dot is not kept"};
  }
  if (split(file.path, '/').front() == kOurFolder) {
    return RuleHit{"name.reserved", "the folder metadata is not for outputs"};
  }
  if (file.kind != FileKind::kRegular) {
    return RuleHit{"file.kind", "is " + std::string(kind_name(file.kind)) + ": only regular files are kept"};
  }
  return std::nullopt;
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
    } else if (star != std::string_view::npos && text[star_end] != '/') {
      p = star + 1;
      t = ++star_end;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Classification classify(const std::vector<FoundFile>& found, const std::vector<OutputSpec>& specs,
                        bool collect_everything) {
  Classifier classifier(specs, collect_everything);
  for (std::size_t i = 0; i < found.size(); ++i) classifier.add(found[i], i);
  return classifier.finish();
}

}  // namespace glovebox
