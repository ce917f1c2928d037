// A linux.seccomp object compiled as the runtimes compile it, and run in user space.
#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/json.h"

namespace glovebox::test {

// What the kernel would do: one of the SECCOMP_RET_ actions, with its data.
struct Answer {
  std::uint32_t action = 0;
  int error = 0;
  [[nodiscard]] bool allowed() const { return action == SECCOMP_RET_ALLOW; }
  [[nodiscard]] bool kills() const {
    return action == SECCOMP_RET_KILL_PROCESS || action == SECCOMP_RET_KILL_THREAD;
  }
};

class CompiledFilter {
 public:
  // As crun 1.8.1 does it: one libseccomp rule for each name of each entry; an entry whose action is the
  // default action is skipped without a word, and so is a name that libseccomp does not know.
  static Result<CompiledFilter> compile(const Json& seccomp);
  [[nodiscard]] Answer run(std::uint32_t architecture, std::uint32_t number,
                           const std::array<std::uint64_t, 6>& arguments) const;
  [[nodiscard]] std::size_t size() const { return program_.size(); }

 private:
  std::vector<sock_filter> program_;
};

}  // namespace glovebox::test
