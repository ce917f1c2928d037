#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "core/base/text.h"
#include "shell/runtime/runtime.h"
#include "shell/sys/file.h"
#include "shell/sys/mount.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

constexpr const char* kRuntimeName = "crun";

std::vector<std::string> command(const CreateSpec& spec, std::vector<std::string> rest) {
  std::vector<std::string> words{spec.directory + "/" + kRuntimeName, "--root", spec.directory + "/state",
                                 "--cgroup-manager=disabled",         "--log",  spec.directory + "/log"};
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

Result<UniqueFd> detach_runtime(const std::string& program) {
  const UniqueFd binary = TRY(open_path(program, O_PATH));
  UniqueFd mount = TRY(clone_mount(binary.get(), ""));
  TRY(restrict_mount(mount.get(), kReadOnly | kNoSuid | kNoDev, -1));
  return mount;
}

Status prepare_runtime(const std::string& directory, int runtime, const std::string& config) {
  if (::mkdir(directory.c_str(), 0700) != 0) return errno_error("make the runtime's directory");
  const UniqueFd folder = TRY(open_path(directory, O_RDONLY | O_DIRECTORY));
  const UniqueFd file = TRY(open_beneath(folder.get(), "config.json", O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY(write_all(file.get(), config));
  // So that no container can reach its binary, crun copies that and executes the copy; it sees that a binary
  // on a read-only mount needs none.
  TRY(open_beneath(folder.get(), kRuntimeName, O_WRONLY | O_CREAT | O_EXCL, 0700));
  return attach_mount(runtime, folder.get(), kRuntimeName);
}

Result<pid_t> create_container(const CreateSpec& spec) {
  SpawnSpec spawned = spawn_spec(command(spec, {"create", "--bundle", spec.directory, "--preserve-fds=1",
                                                "--pid-file", spec.directory + "/pid", spec.id}));
  spawned.stdout_fd = spec.output;
  spawned.stderr_fd = spec.errors;
  spawned.third_fd = spec.channel;
  spawned.cgroups = spec.cgroups;
  TRY(run_to_end(spawned, spec.directory + "/log", "create"));
  const std::string text = TRY(read_file(spec.directory + "/pid", 64));
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  if (pid <= 1) return host_error("the runtime gave no pid for the container");
  return pid;
}

Status start_container(const CreateSpec& spec) {
  // `crun start` writes one byte into this fifo and does nothing else that we need; doing it ourselves saves
  // a process. Where a version of crun has no such fifo, crun is asked.
  const std::string fifo = spec.directory + "/state/" + spec.id + "/exec.fifo";
  const int fd = ::open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  if (fd >= 0) {
    const UniqueFd owned(fd);
    return write_all(fd, "0");
  }
  return run_to_end(spawn_spec(command(spec, {"start", spec.id})), spec.directory + "/log", "start");
}

}  // namespace glovebox
