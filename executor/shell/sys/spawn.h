// Starting the programs we drive (the OCI runtime, mkfs): the only user of Boost.Process.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/base/result.h"
#include "shell/sys/fd.h"

namespace glovebox {

struct SpawnSpec {
  std::vector<std::string> argv;         // argv[0] is an absolute path
  std::vector<std::string> environment;  // all of it, "NAME=value"
  int stdout_fd = -1;                    // -1: /dev/null, as stdin always is
  int stderr_fd = -1;
  int third_fd = -1;         // becomes descriptor 3; nothing else is inherited
  std::vector<int> cgroups;  // open cgroup.procs files: the child enters each before it executes
};

// A started program; not waited for by the destructor.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  [[nodiscard]] pid_t pid() const { return pid_; }
  // The wait status as waitpid gives it.
  Result<int> wait() const;

 private:
  pid_t pid_;
};

Result<Child> spawn(const SpawnSpec& spec);

// Runs to the end and gives its stderr (cut at 4 KiB, escaped) in the error where it fails.
Status run_program(const std::vector<std::string>& argv);

// The absolute path of `program` on the fixed path /usr/sbin:/usr/bin:/sbin:/bin; kHost with a hint where it
// is missing.
Result<std::string> find_program(const std::string& program, const std::string& hint);

}  // namespace glovebox
