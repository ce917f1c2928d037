// One step of publishing at a time, each safe to repeat.
#pragma once
#include <map>
#include <string>
#include <utility>

#include "shell/publish/publish.h"

namespace glovebox {

// Could this step be carried out? kRefused where a component of its path is a link or a file, or a folder
// stands where its file goes. Changes nothing.
Status check_place(const PublishTarget& target, const PublishStep& step);

class Placer {
 public:
  Placer(const PublishTarget& target, int staging) : target_(target), staging_(staging) {}
  Status carry_out(const PublishStep& step);
  // Every folder in which something was changed since the last call.
  Status make_durable();

 private:
  // The folder of a step's file, made where missing, and kept open: many files go to few folders.
  Result<int> folder_of(const PublishStep& step);
  Status put(const PublishStep& step, int folder, const std::string& name);
  Status put_copy(const PublishStep& step, int staged, int folder, const std::string& name);
  Status take_away(const PublishStep& step);
  [[nodiscard]] int root_of(Tree tree) const {
    return tree == Tree::kHigh ? target_.high.get() : target_.medium.get();
  }

  const PublishTarget& target_;
  int staging_;
  std::map<std::pair<Tree, std::string>, UniqueFd> folders_;
};

}  // namespace glovebox
