// One uid, one running action (G4).
#include "shell/host/uids.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <set>
#include <vector>

namespace glovebox {
namespace {

// Not the range of real actions, which may run on the same machine.
constexpr UidRange kRange{611'000, 611'003};

struct Locks {
  Locks() : dir(TempDir::make("/tmp", "gb-uids-").value()), path(dir.path() + "/run/uids") {}
  [[nodiscard]] Result<UidLease> take(const UidRange& range = kRange) const {
    return UidLease::take(range, path);
  }
  TempDir dir;
  std::string path;
};

// A process that does `setup` and stays until killed; returns when it is ready.
pid_t sleeper(const std::function<int()>& setup) {
  const Pipe ready = make_pipe().value();
  const pid_t child = ::fork();
  if (child == 0) {
    const char result = setup() == 0 ? 'y' : 'n';
    if (::write(ready.write.get(), &result, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready.read.get(), &byte, 1) == 1);
  REQUIRE(byte == 'y');
  return child;
}

void end(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("leases differ, go round the range, and a freed uid comes last") {
  const Locks locks;
  auto a = locks.take();
  REQUIRE_MESSAGE(a.ok(), a.error().message);
  CHECK(a->uid() == 611'000);
  { CHECK(locks.take()->uid() == 611'001); }
  CHECK(locks.take()->uid() == 611'002);
  CHECK(locks.take()->uid() == 611'003);
  CHECK(locks.take()->uid() == 611'001);  // 611000 is still held
}

TEST_CASE("an exhausted range says so, and a freed uid can be had again") {
  const Locks locks;
  std::vector<UidLease> held;
  for (int i = 0; i < 4; ++i) held.push_back(locks.take().value());
  const auto fifth = locks.take();
  REQUIRE_FALSE(fifth.ok());
  CHECK(fifth.error().kind == ErrorKind::kHost);
  CHECK(fifth.error().message == "all host uids from 611000 to 611003 are in use");
  CHECK(fifth.error().hint ==
        "wait for running actions to end, or look for processes with such a uid (ps -eo uid,pid,comm)");
  held.pop_back();
  CHECK(locks.take()->uid() == 611'003);
}

TEST_CASE("a uid that any process has is passed over, be it one that only waits to be reaped" *
          doctest::skip(::geteuid() != 0)) {
  const Locks locks;
  const uid_t keep = static_cast<uid_t>(-1);
  const std::vector<pid_t> children = {
      sleeper([&] { return ::setresuid(611'000, keep, keep); }),
      sleeper([&] { return ::setresuid(611'001, 611'001, 611'001); }),
      sleeper([&] { return ::setresuid(611'002, 611'002, 611'002); }),
  };
  CHECK(locks.take()->uid() == 611'003);
  CHECK(locks.take()->uid() == 611'003);
  ::kill(children[1], SIGKILL);
  siginfo_t ended{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(children[1]), &ended, WEXITED | WNOWAIT) == 0);
  CHECK(locks.take()->uid() == 611'003);
  end(children[1]);
  CHECK(locks.take()->uid() == 611'001);
  end(children[0]);
  end(children[2]);
}

TEST_CASE("a uid is in use, too, where only a process in another user and pid namespace has it" *
          doctest::skip(::geteuid() != 0)) {
  const Locks locks;
  const UidRange one{611'030, 611'030};
  const pid_t outside = sleeper([] {
    if (::unshare(CLONE_NEWPID) != 0) return 1;
    const Pipe orders = make_pipe().value();
    const Pipe answers = make_pipe().value();
    char byte = 0;
    const pid_t inside = ::fork();
    if (inside == 0) {
      const bool became = ::unshare(CLONE_NEWUSER) == 0 && ::write(answers.write.get(), "u", 1) == 1 &&
                          ::read(orders.read.get(), &byte, 1) == 1 && ::setresuid(1000, 1000, 1000) == 0 &&
                          ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
                          ::write(answers.write.get(), "y", 1) == 1;
      for (; became;) ::pause();
      ::_exit(1);
    }
    if (::read(answers.read.get(), &byte, 1) != 1) return 1;
    const UniqueFd map = open_path("/proc/" + std::to_string(inside) + "/uid_map", O_WRONLY).value();
    const bool mapped = write_all(map.get(), "1000 611030 1").ok() && write_all(orders.write.get(), "m").ok();
    return mapped && ::read(answers.read.get(), &byte, 1) == 1 && byte == 'y' ? 0 : 1;
  });
  CHECK_FALSE(locks.take(one).ok());
  end(outside);
}

TEST_CASE("a lease outlives a forked helper that kept it, and ends with the last that has it") {
  const Locks locks;
  const UidRange one{611'010, 611'010};
  pid_t child = 0;
  {
    const auto lease = locks.take(one);
    REQUIRE(lease.ok());
    child = sleeper([] { return 0; });
  }
  CHECK_FALSE(locks.take(one).ok());
  end(child);
  CHECK(locks.take(one).ok());
}

TEST_CASE("the lease of a killed process is free at once, and programs do not inherit it") {
  const Locks locks;
  const UidRange one{611'010, 611'010};
  const pid_t child = sleeper([&] {
    static auto lease = locks.take(one);
    return lease.ok() && (::fcntl(lease->fd(), F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1;
  });
  CHECK_FALSE(locks.take(one).ok());
  end(child);
  CHECK(locks.take(one).ok());
}

TEST_CASE("processes that lease at the same time get different uids") {
  const Locks locks;
  const UidRange range{611'020, 611'027};
  Pipe uids = make_pipe().value();
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto lease = locks.take(range);
      const uid_t uid = lease.ok() ? lease->uid() : 0;
      if (::write(uids.write.get(), &uid, sizeof uid) != sizeof uid) ::_exit(1);
      for (;;) ::pause();
    }
    children.push_back(child);
  }
  std::set<uid_t> seen;
  for (int i = 0; i < 8; ++i) {
    uid_t uid = 0;
    REQUIRE(::read(uids.read.get(), &uid, sizeof uid) == sizeof uid);
    CHECK(uid != 0);
    seen.insert(uid);
  }
  CHECK(seen.size() == 8);
  for (const pid_t child : children) end(child);
}

TEST_CASE("an odd counter is no obstacle, an unsafe directory is") {
  const Locks locks;
  { REQUIRE(locks.take().ok()); }
  for (const char* text : {"", "rubbish", "99999999999999999999", "-1", "0"}) {
    REQUIRE(replace_file(locks.dir.fd(), "run/uids/next", text, 0600).ok());
    CHECK(locks.take()->uid() == 611'000);
  }
  REQUIRE(::chmod(locks.path.c_str(), 0777) == 0);
  CHECK(locks.take().error().message == "others may write to \"" + locks.path + "\", where uids are locked");
}

TEST_CASE("root is never leased, nor an empty range") {
  const Locks locks;
  CHECK(locks.take({0, 10}).error().kind == ErrorKind::kInvalid);
  CHECK(locks.take({5, 4}).error().kind == ErrorKind::kInvalid);
}

}  // namespace
}  // namespace glovebox
