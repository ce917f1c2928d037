#include "shell/sys/spawn.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <cerrno>
#include <csignal>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

namespace bp = boost::process;

// Runs in the child between fork and exec: only system calls. Boost.Process closes no inherited descriptors
// by itself in this version, hence the close_range at the end; Boost's own error pipe is close-on-exec and so
// may be marked like the rest.
struct ChildSetup : bp::extend::handler {
  explicit ChildSetup(const SpawnSpec& spec) : spec_(&spec) {}

  template <class Executor>
  void on_exec_setup(Executor& executor) {
    // Boost tells the parent of an error and would execute the program all the same.
    const auto give_up = [&](const char* what) {
      executor.set_error(std::error_code(errno, std::system_category()), what);
      ::_exit(127);
    };
    for (const int group : spec_->cgroups) {
      if (::write(group, "0", 1) != 1) give_up("enter cgroup");
    }
    if (spec_->third_fd == 3) {
      if (::fcntl(3, F_SETFD, 0) != 0) give_up("pass a descriptor");
    } else if (spec_->third_fd >= 0) {
      if (::dup2(spec_->third_fd, 3) != 3) give_up("pass a descriptor");
    }
    const unsigned first = spec_->third_fd >= 0 ? 4U : 3U;
    if (::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) != 0) give_up("close descriptors");
    // Dispositions and masks survive an exec: the program, and what it starts, gets the system's own.
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

 private:
  const SpawnSpec* spec_;
};

}  // namespace

Result<int> Child::wait() const {
  int status = 0;
  for (;;) {
    if (::waitpid(pid_, &status, 0) == pid_) return status;
    if (errno != EINTR) return errno_error("wait for a program");
  }
}

Result<Child> spawn(const SpawnSpec& spec) {
  const UniqueFd null = TRY(open_path("/dev/null", O_RDWR));
  const auto stream = [&](int fd) { return fd >= 0 ? fd : null.get(); };
  bp::environment environment;
  for (const std::string& pair : spec.environment) {
    const std::size_t equals = pair.find('=');
    environment[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  std::error_code failed;
  try {
    bp::child child(bp::exe = spec.argv.at(0),
                    bp::args = std::vector<std::string>(spec.argv.begin() + 1, spec.argv.end()), environment,
                    bp::posix::fd.bind(0, null.get()), bp::posix::fd.bind(1, stream(spec.stdout_fd)),
                    bp::posix::fd.bind(2, stream(spec.stderr_fd)), ChildSetup(spec), failed);
    if (failed) return host_error("cannot start " + quoted(spec.argv[0]) + ": " + failed.message());
    const pid_t pid = child.id();
    child.detach();  // Boost's own waiting would race with a supervisor that reaps every child
    return Child(pid);
  } catch (const std::exception& e) {
    return host_error("cannot start " + quoted(spec.argv.at(0)) + ": " + printable(e.what()));
  }
}

Status run_program(const std::vector<std::string>& argv) {
  Pipe errors = TRY(make_pipe());
  SpawnSpec spec;
  spec.argv = argv;
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"};
  spec.stderr_fd = errors.write.get();
  const Child child = TRY(spawn(spec));
  errors.write.reset();
  const Result<std::string> said = read_all(errors.read.get(), 1U << 20U);
  const int status = TRY(child.wait());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return host_error(quoted(argv[0]) +
                    " failed: " + (said.ok() ? printable(*said, 4096) : said.error().message));
}

Result<std::string> find_program(const std::string& program, const std::string& hint) {
  for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    std::string path = folder + program;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return host_error("the program " + program + " is not installed", hint);
}

}  // namespace glovebox
