#include "shell/sys/confine.h"

#include <grp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string>

#include "core/base/text.h"
#include "shell/sys/mount.h"

namespace glovebox {
namespace {

Status limit(__rlimit_resource resource, rlim_t value, const char* what) {
  const rlimit both{value, value};
  if (::setrlimit(resource, &both) != 0) return errno_error(std::string("limit ") + what);
  return {};
}

// Enough for the C and C++ run-time libraries and for work on descriptors that are already open.
constexpr const char* kParseCalls[] = {
    "read",          "pread64",      "readv",        "write",          "writev",
    "pwrite64",      "lseek",        "fstat",        "newfstatat",     "close",
    "mmap",          "munmap",       "mremap",       "mprotect",       "madvise",
    "brk",           "futex",        "getrandom",    "getpid",         "gettid",
    "clock_gettime", "gettimeofday", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "exit",          "exit_group",   "fcntl",        "sched_yield",    "getuid",
    "geteuid",       "getgid",       "getegid",      "restart_syscall"};
constexpr const char* kReadCalls[] = {"open",       "openat",     "openat2",   "stat",       "lstat",
                                      "statx",      "access",     "faccessat", "faccessat2", "readlink",
                                      "readlinkat", "getdents64", "getcwd",    "fstatfs",    "statfs",
                                      "fadvise64",  "sysinfo",    "uname",     "dup",        "umask"};
constexpr const char* kWriteCalls[] = {
    "mkdir", "mkdirat",   "unlink",  "unlinkat",  "rmdir",           "rename",    "renameat", "renameat2",
    "link",  "linkat",    "symlink", "symlinkat", "ftruncate",       "fallocate", "fchmod",   "fchmodat",
    "chmod", "utimensat", "fsync",   "fdatasync", "copy_file_range", "chdir",     "fchdir",   "truncate"};
// What a program of the host's (skopeo, a Go program) needs on top: to be executed and to run threads.
constexpr const char* kProgramCalls[] = {"execve",
                                         "arch_prctl",
                                         "set_tid_address",
                                         "set_robust_list",
                                         "rseq",
                                         "prlimit64",
                                         "getrlimit",
                                         "clone",
                                         "clone3",
                                         "wait4",
                                         "waitid",
                                         "pipe2",
                                         "dup2",
                                         "dup3",
                                         "epoll_create1",
                                         "epoll_ctl",
                                         "epoll_pwait",
                                         "epoll_wait",
                                         "eventfd2",
                                         "nanosleep",
                                         "clock_nanosleep",
                                         "sigaltstack",
                                         "sched_getaffinity",
                                         "tgkill",
                                         "ioctl",
                                         "poll",
                                         "ppoll",
                                         "pselect6",
                                         "getppid",
                                         "flock",
                                         "prctl",
                                         "timer_create",
                                         "timer_settime",
                                         "timer_delete",
                                         "setitimer",
                                         "getrusage",
                                         "times",
                                         "clock_getres",
                                         "splice",
                                         "sendfile",
                                         "fchown",
                                         "fchownat",
                                         "lchown",
                                         "chown",
                                         "getxattr",
                                         "lgetxattr",
                                         "llistxattr",
                                         "listxattr",
                                         "pidfd_send_signal",
                                         "pidfd_open",
                                         "getpgrp",
                                         "getgroups",
                                         "capget",
                                         "memfd_create",
                                         "kill"};

Status allow(scmp_filter_ctx filter, const char* name) {
  const int number = seccomp_syscall_resolve_name(name);
  if (number == __NR_SCMP_ERROR) return host_error(std::string("libseccomp does not know ") + name);
  if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0) != 0)
    return host_error(std::string("cannot allow ") + name);
  return {};
}

template <std::size_t N>
Status allow_all(scmp_filter_ctx filter, const char* const (&names)[N]) {
  for (const char* name : names) TRY(allow(filter, name));
  return {};
}

}  // namespace

Status close_all_but(std::vector<int> keep) {
  const UniqueFd null = TRY(open_path("/dev/null", O_RDWR));
  for (int standard = 0; standard < 3; ++standard) {
    if (std::find(keep.begin(), keep.end(), standard) != keep.end()) continue;
    if (::dup2(null.get(), standard) < 0) return errno_error("redirect a standard stream");
    keep.push_back(standard);
  }
  std::sort(keep.begin(), keep.end());
  unsigned next = 0;
  for (const int fd : keep) {
    const auto number = static_cast<unsigned>(fd);
    if (number > next && ::syscall(SYS_close_range, next, number - 1, 0) != 0)
      return errno_error("close descriptors");
    next = std::max(next, number + 1);
  }
  if (::syscall(SYS_close_range, next, ~0U, 0) != 0) return errno_error("close descriptors");
  return {};
}

Status enter_root(const WorkerSpec& spec) {
  const UniqueFd tree =
      TRY(clone_mount(spec.root, ""));  // before unshare: a mount is copied within its own namespace
  const bool reads = spec.power == WorkerPower::kRead;
  UniqueFd map;
  if (reads) map = TRY(idmap_namespace(spec.owner, spec.group, spec.uid, spec.uid));
  const unsigned flags = kNoSuid | kNoDev | kNoExec | (reads ? kReadOnly : 0U);
  TRY(restrict_mount(tree.get(), flags, map.get()));
  TRY(unshare_mounts());
  // Attached over a directory that every host has, in this namespace only; then the host's own tree is let go
  // altogether.
  const UniqueFd place = TRY(open_path("/tmp", O_PATH | O_DIRECTORY));
  TRY(attach_mount(tree.get(), place.get(), ""));
  const bool entered =
      ::chdir("/tmp") == 0 && ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0;
  if (!entered || ::chdir("/") != 0) return errno_error("enter a worker's root");
  if (::close(spec.root) != 0) return errno_error("let go of a worker's root");
  return {};
}

Status enter_read_only_host(const std::string& writable) {
  if (::unshare(CLONE_NEWNET | CLONE_NEWIPC) != 0) return errno_error("make a network namespace");
  TRY(unshare_mounts());
  // After unshare: a mount is copied within its own namespace.
  const UniqueFd source = TRY(open_path(writable, O_PATH | O_DIRECTORY));
  const UniqueFd copy = TRY(clone_mount(source.get(), ""));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  if (::syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) != 0) {
    return errno_error("make the host's files read-only");
  }
  // At a path that every uid can reach: the directory's own may lead through private ones.
  const UniqueFd place = TRY(open_path("/tmp", O_PATH | O_DIRECTORY));
  TRY(attach_mount(copy.get(), place.get(), ""));
  if (::chdir("/tmp") != 0) return errno_error("enter the worker's directory");
  return {};
}

Status drop_powers(const WorkerSpec& spec, bool program) {
  if (::geteuid() == 0) {
    for (int capability = 0; CAP_IS_SUPPORTED(capability); ++capability) {
      if (cap_drop_bound(capability) != 0) return errno_error("drop a capability from the bounding set");
    }
    if (::setgroups(0, nullptr) != 0 || ::setresgid(spec.uid, spec.uid, spec.uid) != 0 ||
        ::setresuid(spec.uid, spec.uid, spec.uid) != 0) {
      return errno_error("take a worker's uid");
    }
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("set no_new_privs");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno_error("become undumpable");
  // The death of our parent must not leave us behind. (Changing the uid cleared an earlier setting.)
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno_error("bind a worker to its parent");
  if (!program) {
#if !defined(__SANITIZE_ADDRESS__)  // AddressSanitizer reserves terabytes of address space
    TRY(limit(RLIMIT_AS, spec.memory, "a worker's memory"));
#endif
    TRY(limit(RLIMIT_NPROC, 0, "a worker's processes"));
  }
  TRY(limit(RLIMIT_CPU, std::max<rlim_t>(1, spec.time / 1000), "a worker's CPU time"));
  TRY(limit(RLIMIT_CORE, 0, "a worker's core files"));
  if (spec.file_size != ~0ULL) TRY(limit(RLIMIT_FSIZE, spec.file_size, "what a worker writes"));
  return {};
}

Status install_worker_filter(WorkerPower power, bool program) {
  // A call that is not named kills the worker: loudly, and before it has any effect.
  const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return host_error("cannot make a seccomp filter");
  const auto fill = [&]() -> Status {
    TRY(allow_all(filter, kParseCalls));
    if (power != WorkerPower::kParse) TRY(allow_all(filter, kReadCalls));
    if (power == WorkerPower::kWrite) TRY(allow_all(filter, kWriteCalls));
    if (program) {
      TRY(allow_all(filter, kProgramCalls));
      // Programs look for a network and for root's calls and carry on without: these fail instead of killing.
      for (const char* name :
           {"socket", "connect", "setns", "unshare", "mount", "chroot", "setxattr", "lsetxattr", "mknodat"}) {
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(name), 0) != 0) {
          return host_error(std::string("cannot refuse ") + name);
        }
      }
    }
    if (seccomp_load(filter) != 0) return host_error("cannot install a worker's seccomp filter");
    return {};
  };
  Status filled = fill();
  seccomp_release(filter);
  return filled;
}

}  // namespace glovebox
