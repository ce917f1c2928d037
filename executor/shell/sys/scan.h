// Directories whose entries somebody else chose: names with their kinds, attributes of many files at little
// cost. Nothing here follows a link.
#pragma once
#include <string>
#include <vector>

#include "core/base/types.h"
#include "shell/sys/fd.h"

namespace glovebox {

enum class EntryKind { kFile, kDirectory, kLink, kOther };  // other: FIFO, socket, device

struct Entry {
  std::string name;  // any bytes but '/' and NUL
  EntryKind kind = EntryKind::kOther;
};

// What is in `directory`, open for reading, sorted by name, without "." and "..". More than `most` entries:
// kRefused.
Result<std::vector<Entry>> scan_directory(UniqueFd directory, std::size_t most);

EntryKind kind_of(mode_t mode);

// Attributes of many paths beneath one directory. Keeps the directory of the last path open, so that sorted
// paths cost one system call each.
class BeneathStat {
 public:
  explicit BeneathStat(int root) : root_(root) {}
  // Of the path itself, links not followed. kHost where a component is missing, a link, or on another file
  // system.
  Result<struct stat> of(const RelPath& path);
  // The directory of `path`, open; valid until the next call.
  Result<int> parent_of(const RelPath& path);

 private:
  int root_;
  UniqueFd directory_;
  std::string directory_path_;
};

}  // namespace glovebox
