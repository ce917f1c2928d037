#include "shell/host/cgroup.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "shell/sys/file.h"

using namespace glovebox;

namespace {

Limits small() {
  Limits limits;
  limits.memory = 64ULL << 20U;
  limits.cpus = 250;
  limits.processes = 20;
  return limits;
}

bool usable(const CgroupHost& host) {
  if (::geteuid() == 0 && host.mode != "none") return true;
  MESSAGE("skipped: needs root and control groups");
  return false;
}

std::string fresh_id(const char* what) {
  return std::string("unit-test-") + what + "-" + std::to_string(::getpid());
}

// Folders of this id that exist, in whichever hierarchy.
std::vector<std::string> folders(const CgroupHost& host, const std::string& id) {
  std::vector<std::string> found;
  for (const std::string& mount : host.hierarchies()) {
    const std::string path = mount + "/glovebox/" + id;
    if (::access(path.c_str(), F_OK) == 0) found.push_back(path);
  }
  return found;
}

// A process that enters the group and then does `work`.
template <class Work>
pid_t inside(const Cgroup& group, Work work) {
  const std::vector<int> entries = group.entries();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  for (const int fd : entries) {
    if (::write(fd, "0", 1) != 1) ::_exit(99);
  }
  work();
  ::_exit(0);
}

// Forks without end, and so do its children; every one that there is not room for is refused.
[[noreturn]] void fork_without_end() {
  ::signal(SIGTERM, SIG_IGN);
  ::signal(SIGCHLD, SIG_IGN);
  for (;;) {
    if (::fork() < 0) ::usleep(1000);
  }
}

bool wait_until(const std::function<bool()>& done) {
  for (int tries = 0; tries < 2000; ++tries) {
    if (done()) return true;
    ::usleep(5000);
  }
  return false;
}

std::size_t processes_in(const CgroupHost& host, const std::string& id) {
  const std::string folder = folders(host, id).front();
  const std::string text = read_file(folder + "/cgroup.procs", 1U << 20U).value();
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("what was asked for is what the kernel has in force, and another wish is not met by it") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("read");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  const auto facts = group.read_back(small());
  REQUIRE(facts.ok());
  CHECK(facts->at("memory").in_force == small().memory);
  CHECK(facts->at("processes").in_force == 20);
  CHECK(facts->at("cpus").in_force == 250);
  for (const char* what : {"memory", "processes", "CPUs"}) {
    CAPTURE(what);
    Limits other = small();
    if (std::strcmp(what, "memory") == 0) other.memory += 1U << 20U;
    if (std::strcmp(what, "processes") == 0) other.processes += 1;
    if (std::strcmp(what, "CPUs") == 0) other.cpus += 250;
    const auto refused = group.read_back(other);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message == std::string("the limit of ") + what + " is not in force");
  }
  CHECK(group.remove().ok());
  CHECK(folders(host, id).empty());
}

TEST_CASE("memory that is no whole number of pages is rounded down, and that is in force") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  Limits limits = small();
  limits.memory += 4095;
  const std::string id = fresh_id("page");
  const Cgroup group = Cgroup::make(host, id, limits).value();
  const auto facts = group.read_back(limits);
  REQUIRE(facts.ok());
  CHECK(facts->at("memory").asked == limits.memory);
  CHECK(facts->at("memory").in_force == small().memory);
  CHECK(group.remove().ok());
}

TEST_CASE("a group is made once: an id that is taken is an error, and its owner keeps what it has") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("twice");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  Limits other = small();
  other.processes = 5;
  CHECK_FALSE(Cgroup::make(host, id, other).ok());
  CHECK(folders(host, id).size() == host.hierarchies().size());
  CHECK(group.read_back(small()).ok());
  CHECK(group.remove().ok());
  CHECK(folders(host, id).empty());
}

namespace {

void bomb_is_killed(const CgroupHost& host) {
  const std::string id = fresh_id("bomb");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  const pid_t bomb = inside(group, [] { fork_without_end(); });
  REQUIRE(bomb > 0);
  REQUIRE(wait_until([&] { return group.counters().forks_refused > 3; }));
  CHECK(processes_in(host, id) <= 21);
  CHECK(processes_in(host, id) > 10);
  REQUIRE(group.kill_and_wait(10'000).ok());
  int status = 0;
  REQUIRE(::waitpid(bomb, &status, 0) == bomb);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(processes_in(host, id) == 0);
  CHECK(group.remove().ok());
  CHECK(folders(host, id).empty());
  CHECK(group.remove().ok());  // again: there is nothing to do
}

}  // namespace

TEST_CASE("a fork bomb stays within its group, is counted, and is killed to the last process") {
  const CgroupHost host = CgroupHost::probe();
  if (usable(host)) bomb_is_killed(host);
}

TEST_CASE("it is killed, too, by a host that has cgroup v1 alone, whose kernel kills no groups") {
  CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  if (host.v1.empty()) {
    MESSAGE("skipped: this host has no cgroup v1");
    return;
  }
  host.mode = "v1";
  host.unified.clear();
  bomb_is_killed(host);
}

TEST_CASE(
    "a process that wants more memory than the group has is killed by the kernel, and that is counted") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("memory");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  const pid_t glutton = inside(group, [] {
    constexpr std::size_t kWanted = 200U << 20U;
    void* memory = ::mmap(nullptr, kWanted, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) ::_exit(98);
    ::memset(memory, 1, kWanted);
  });
  int status = 0;
  REQUIRE(::waitpid(glutton, &status, 0) == glutton);
  CHECK(WIFSIGNALED(status));
  CHECK(group.counters().oom_kills >= 1);
  CHECK(group.counters().memory_peak <= small().memory);
  CHECK(group.counters().memory_peak > small().memory / 2);
  CHECK(group.kill_and_wait(10'000).ok());
  CHECK(group.remove().ok());
  CHECK(folders(host, id).empty());
}

TEST_CASE(
    "the group of an attempt that nobody supervises is cleared by its name, and a missing one is fine") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("left");
  pid_t left = 0;
  {
    const Cgroup group = Cgroup::make(host, id, small()).value();
    left = inside(group, [] { fork_without_end(); });
    REQUIRE(wait_until([&] { return processes_in(host, id) > 5; }));
  }
  CHECK(folders(host, id).size() == host.hierarchies().size());  // the object went, the group did not
  CHECK(clear_cgroup(host, id).ok());
  REQUIRE(::waitpid(left, nullptr, 0) == left);
  CHECK(folders(host, id).empty());
  CHECK(clear_cgroup(host, id).ok());
}

TEST_CASE("a process that has entered some hierarchies alone is killed with the rest") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("half");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  for (const int entry : group.entries()) {
    const pid_t half = ::fork();
    if (half == 0) {
      if (::write(entry, "0", 1) != 1) ::_exit(99);
      for (;;) ::pause();
    }
    REQUIRE(wait_until([&] {
      for (const std::string& folder : folders(host, id)) {
        if (!read_file(folder + "/cgroup.procs", 1U << 20U).value().empty()) return true;
      }
      return false;
    }));
    CHECK(group.kill_and_wait(10'000).ok());
    int status = 0;
    REQUIRE(::waitpid(half, &status, 0) == half);
    CHECK(WIFSIGNALED(status));
  }
  CHECK(group.remove().ok());
  CHECK(folders(host, id).empty());
}

TEST_CASE("a group that still has a process is not removed") {
  const CgroupHost host = CgroupHost::probe();
  if (!usable(host)) return;
  const std::string id = fresh_id("busy");
  const Cgroup group = Cgroup::make(host, id, small()).value();
  const pid_t sleeper = inside(group, [] { ::pause(); });
  REQUIRE(wait_until([&] { return processes_in(host, id) == 1; }));
  CHECK_FALSE(group.remove().ok());
  CHECK_FALSE(folders(host, id).empty());
  ::kill(sleeper, SIGKILL);
  ::waitpid(sleeper, nullptr, 0);
  CHECK(clear_cgroup(host, id).ok());
  CHECK(folders(host, id).empty());
}

TEST_CASE("a host without control groups is refused with what it needs") {
  CgroupHost none;
  none.mode = "none";
  const auto group = Cgroup::make(none, "x", small());
  REQUIRE_FALSE(group.ok());
  CHECK(group.error().message == "this host has no usable control groups");
  CHECK(group.error().hint == "memory, pids and cpu controllers are needed (cgroup v1 or v2)");
  CHECK(clear_cgroup(none, "x").ok());
}
