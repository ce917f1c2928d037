// A state directory of a test's own, and processes to attack it with.
#pragma once
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "shell/store/store.h"
#include "shell/sys/file.h"

namespace glovebox {

struct StateDir {
  StateDir() : dir(TempDir::make("/tmp", "gb-store-").value()), root(dir.path() + "/root") {}
  [[nodiscard]] Store open() const {
    auto store = Store::open(root);
    REQUIRE_MESSAGE(store.ok(), store.error().message);
    return std::move(store).value();
  }
  TempDir dir;
  std::string root;
};

// Runs `body` in a forked process, which ends with what it returns.
inline pid_t in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  return child;
}

inline int exit_of(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline AttemptRow row_named(const std::string& id) {
  AttemptRow row;
  row.id = id;
  row.study = "study";
  row.action = "table1";
  row.started = "2026-11-22T04:28:01.000Z";
  return row;
}

}  // namespace glovebox
