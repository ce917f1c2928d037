#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "core/base/text.h"
#include "shell/runtime/runtime.h"
#include "shell/sys/file.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

std::vector<std::string> command(const CreateSpec& spec, std::vector<std::string> rest) {
  std::vector<std::string> words{spec.program,
                                 "--root",
                                 spec.run_path + "/runtime",
                                 "--cgroup-manager=disabled",
                                 "--log",
                                 spec.run_path + "/runtime.log"};
  words.insert(words.end(), rest.begin(), rest.end());
  return words;
}

SpawnSpec spawn_spec(std::vector<std::string> words) {
  SpawnSpec spawned;
  spawned.argv = std::move(words);
  spawned.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  return spawned;
}

Status run_to_end(const SpawnSpec& spawned, const std::string& log, const char* verb) {
  const Child child = TRY(spawn(spawned));
  const int status = TRY(child.wait());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const auto said = read_file(log, 1U << 20U);
  const std::string why =
      said.ok() && !said->empty() ? *said : "it ended with wait status " + std::to_string(status);
  return host_error(std::string("the runtime cannot ") + verb + " the container: " + printable(why, 800));
}

}  // namespace

Result<pid_t> create_container(const CreateSpec& spec) {
  SpawnSpec spawned = spawn_spec(command(spec, {"create", "--bundle", spec.run_path, "--preserve-fds=1",
                                                "--pid-file", spec.run_path + "/pid", spec.id}));
  spawned.stdout_fd = spec.output;
  spawned.stderr_fd = spec.errors;
  spawned.third_fd = spec.channel;
  spawned.cgroups = spec.cgroups;
  TRY(run_to_end(spawned, spec.run_path + "/runtime.log", "create"));
  const std::string text = TRY(read_file(spec.run_path + "/pid", 64));
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 1) return host_error("the runtime gave no pid for the container");
  return pid;
}

Status start_container(const CreateSpec& spec) {
  // `crun start` writes one byte into this fifo and does nothing else that we need; doing it ourselves saves
  // a process. Where a version of crun has no such fifo, crun is asked.
  const std::string fifo = spec.run_path + "/runtime/" + spec.id + "/exec.fifo";
  const int fd = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    const UniqueFd owned(fd);
    return write_all(fd, "0");
  }
  return run_to_end(spawn_spec(command(spec, {"start", spec.id})), spec.run_path + "/runtime.log", "start");
}

}  // namespace glovebox
