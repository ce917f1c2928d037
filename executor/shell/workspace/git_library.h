// libgit2, started without any configuration of the host's. Only ever used in workers.
#pragma once
#include <string>

#include "core/base/result.h"

namespace glovebox {

class GitLibrary {
 public:
  static Result<GitLibrary> start();
  GitLibrary(GitLibrary&& other) noexcept;
  GitLibrary& operator=(GitLibrary&&) = delete;
  GitLibrary(const GitLibrary&) = delete;
  GitLibrary& operator=(const GitLibrary&) = delete;
  ~GitLibrary();

  // kInvalid, with what libgit2 says of its last failure, escaped: it quotes hostile bytes.
  [[nodiscard]] Error error(const std::string& what, const std::string& hint = {}) const;

 private:
  GitLibrary() = default;
  bool started_ = true;
};

}  // namespace glovebox
