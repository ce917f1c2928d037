// Which output pattern of a project matches a path: for thousands of patterns and paths.
#pragma once
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/spec/project.h"

namespace glovebox {

// Refers to the project, which must outlive it and stay where it is.
class PatternIndex {
 public:
  explicit PatternIndex(const Project& project);

  struct Match {
    const ActionSpec* action = nullptr;  // none: nothing matches
    const Pattern* pattern = nullptr;
  };
  // The first in file order that matches.
  [[nodiscard]] Match find(const RelPath& path) const;

 private:
  struct Entry {
    Match match;
    std::size_t order = 0;  // in the file
  };
  // By the text before the first '*': whatever matches a pattern starts with that.
  std::unordered_map<std::string, std::vector<Entry>> by_start_;
  std::set<std::size_t> lengths_;  // of the keys
};

}  // namespace glovebox
