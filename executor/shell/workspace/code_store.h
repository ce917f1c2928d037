// ROOT/code: trees of code, each under its digest, whole or not there.
#pragma once
#include <string>
#include <string_view>

#include "core/base/types.h"
#include "shell/sys/fd.h"
#include "shell/workspace/stage.h"

namespace glovebox {

Result<bool> has_tree(int store, const Digest& tree);

// A tree in the making, under a name that nobody looks for; removed again unless it is published. Locked
// while its maker lives, so that another process can tell an abandoned one.
class NewTree {
 public:
  static Result<NewTree> begin(int store);
  NewTree(NewTree&& other) noexcept;
  NewTree& operator=(NewTree&&) = delete;
  ~NewTree();

  // Copies `file.size` bytes from `from`, at its present offset. kInvalid where the content is not what
  // `file` says.
  Status add_file(const CodeFile& file, int from);
  Status add_content(const CodeFile& file, std::string_view content);
  Status add_link(const CodeFile& file);
  // Makes it durable and puts it in place; fine where another process was faster.
  Status publish(const Digest& tree);

 private:
  NewTree(int store, std::string name, UniqueFd fd)
      : store_(store), name_(std::move(name)), fd_(std::move(fd)) {}
  Result<int> folder_of(const RelPath& path);
  Result<UniqueFd> create(const RelPath& path);
  int store_;
  std::string name_;  // empty once published
  UniqueFd fd_;       // holds the lock
  UniqueFd folder_;   // the one last added to
  std::string folder_path_;
};

// Removes trees whose makers died.
Status remove_abandoned_trees(int store);

}  // namespace glovebox
