#include "core/spec/pattern_index.h"

namespace glovebox {

PatternIndex::PatternIndex(const Project& project) {
  std::size_t order = 0;
  for (const ActionSpec& action : project.actions) {
    for (const OutputSpec& output : action.outputs) {
      const std::string& text = output.pattern.str();
      std::string start = text.substr(0, text.find('*'));
      lengths_.insert(start.size());
      by_start_[std::move(start)].push_back({{&action, &output.pattern}, order++});
    }
  }
}

PatternIndex::Match PatternIndex::find(const RelPath& path) const {
  const Entry* best = nullptr;
  for (const std::size_t length : lengths_) {
    if (length > path.str().size()) break;
    const auto candidates = by_start_.find(path.str().substr(0, length));
    if (candidates == by_start_.end()) continue;
    for (const Entry& entry : candidates->second) {
      if (best != nullptr && best->order < entry.order) break;
      if (entry.match.pattern->matches(path)) best = &entry;
    }
  }
  return best == nullptr ? Match{} : best->match;
}

}  // namespace glovebox
