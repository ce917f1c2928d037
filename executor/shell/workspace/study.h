// A study on disk: a directory that may be hostile. Everything in it is reached from its descriptor, without
// following any link.
#pragma once
#include <sys/types.h>

#include <string>

#include "core/base/result.h"
#include "shell/sys/fd.h"

namespace glovebox {

class Study {
 public:
  // What the directory is opened for.
  enum class Use {
    kRun,   // a project's actions: `.glovebox` and `metadata` are ours to write to
    kExec,  // one command: `.glovebox` is ours
  };

  // `path` is the operator's; its parents may be links, the directory itself must not be one. kInvalid, with
  // a hint, where it is missing, a link or not a directory, or where what is ours in it is a link or not a
  // directory.
  static Result<Study> open(const std::string& path, Use use = Use::kRun);

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& path() const { return path_; }  // as given, for messages only
  [[nodiscard]] uid_t owner() const { return owner_; }
  [[nodiscard]] gid_t group() const { return group_; }

 private:
  Study(UniqueFd fd, std::string path, uid_t owner, gid_t group)
      : fd_(std::move(fd)), path_(std::move(path)), owner_(owner), group_(group) {}
  UniqueFd fd_;
  std::string path_;
  uid_t owner_;
  gid_t group_;
};

inline constexpr const char* kOwnFolder = ".glovebox";  // local mode's stand-in for the medium-privacy tree
inline constexpr const char* kMetadataFolder = "metadata";  // logs and manifest, as OpenSAFELY has them
inline constexpr const char* kProjectFile = "project.yaml";

}  // namespace glovebox
