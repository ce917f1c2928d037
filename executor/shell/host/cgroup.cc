#include "shell/host/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "core/base/text.h"
#include "shell/sys/confine.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr const char* kParent = "glovebox";
constexpr std::uint64_t kPeriod =
    100'000;  // microseconds: the kernel's default for cpu.cfs_period_us and cpu.max
// Beside the memory limit, for what waits in TCP sockets on the loopback: v1 counts that apart, and bounds it
// for the whole host only. Buffers shrink as the limit comes near, so that it costs speed, never a
// connection.
constexpr std::uint64_t kTcpMemory = 64ULL << 20U;
constexpr const char* kTcpLimit = "memory.kmem.tcp.limit_in_bytes";
constexpr const char* kNeeded[] = {"memory", "pids", "cpu", "cpuacct"};

bool has_word(const std::string& words, const std::string& word, char separator) {
  const auto parts = split(words, separator);
  return std::find(parts.begin(), parts.end(), word) != parts.end();
}

Status write_value(const std::string& path, const std::string& value) {
  const UniqueFd fd = TRY(open_path(path, O_WRONLY));
  if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return errno_error("write " + value + " to " + path);
  }
  return {};
}

std::string read_text(const std::string& path) {
  const Result<UniqueFd> fd = open_path(path, O_RDONLY);
  if (!fd.ok()) return {};
  const Result<std::string> text = read_all(fd->get(), 1U << 20U);
  return text.ok() ? *text : std::string();
}

std::uint64_t to_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "key value" lines, as in memory.oom_control and pids.events.
std::uint64_t keyed_number(const std::string& text, std::string_view key) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with(key) && line.size() > key.size() && line[key.size()] == ' ')
      return to_number(line.substr(key.size() + 1));
  }
  return 0;
}

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("make the cgroup " + path);
  return {};
}

Status enable_controllers(const std::string& folder) {
  const std::string enabled = read_text(folder + "/cgroup.subtree_control");
  for (const char* controller : {"memory", "pids", "cpu"}) {
    if (!has_word(enabled.substr(0, enabled.find('\n')), controller, ' ')) {
      TRY(write_value(folder + "/cgroup.subtree_control", std::string("+") + controller));
    }
  }
  return {};
}

std::uint64_t rounded_to_page(std::uint64_t bytes) {
  return bytes - bytes % static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void kill_one_by_one(const std::string& folder) {
  const std::string processes = read_text(folder + "/cgroup.procs");
  for (const std::string_view line : split(processes, '\n')) {
    if (const auto pid = static_cast<pid_t>(to_number(line)); pid > 1) ::kill(pid, SIGKILL);
  }
}

}  // namespace

CgroupHost CgroupHost::probe() {
  CgroupHost host;
  std::istringstream mounts(read_text("/proc/self/mounts"));
  std::string line;
  while (std::getline(mounts, line)) {
    std::istringstream fields(line);
    std::string source, target, type, options;
    fields >> source >> target >> type >> options;
    if (type == "cgroup2" && host.unified.empty()) host.unified = target;
    if (type != "cgroup") continue;
    for (const char* controller : {"memory", "pids", "cpu", "cpuacct", "freezer"}) {
      if (has_word(options, controller, ',')) host.v1.emplace(controller, target);
    }
  }
  const std::string controllers = read_text(host.unified + "/cgroup.controllers");
  const std::string first = controllers.substr(0, controllers.find('\n'));
  const bool v2 = !host.unified.empty() && has_word(first, "memory", ' ') && has_word(first, "pids", ' ') &&
                  has_word(first, "cpu", ' ');
  const bool v1 =
      std::all_of(std::begin(kNeeded), std::end(kNeeded), [&](const char* c) { return host.v1.contains(c); });
  host.mode = v2 ? "v2" : !v1 ? "none" : host.unified.empty() ? "v1" : "hybrid";
  if (v2) host.v1.clear();
  return host;
}

std::vector<std::string> CgroupHost::hierarchies() const {
  std::vector<std::string> all;
  if (!unified.empty()) all.push_back(unified);
  for (const auto& [controller, mount] : v1) {
    if (std::find(all.begin(), all.end(), mount) == all.end()) all.push_back(mount);
  }
  return all;
}

std::string Cgroup::folder(const std::string& controller) const {
  const auto found = host_.v1.find(controller);
  return (found == host_.v1.end() ? host_.unified : found->second) + "/" + kParent + "/" + id_;
}

Result<Cgroup> Cgroup::make(const CgroupHost& host, const std::string& id, const Limits& limits) {
  if (host.mode == "none") {
    return host_error("this host has no usable control groups",
                      "memory, pids and cpu controllers are needed (cgroup v1 or v2)");
  }
  Cgroup group(host, id);
  std::vector<std::string> made;
  const auto build = [&]() -> Status {
    for (const std::string& mount : host.hierarchies()) {
      const std::string path = mount + "/" + kParent + "/" + id;
      for (int tries = 0;; ++tries) {
        TRY(make_folder(mount + "/" + kParent));
        if (::mkdir(path.c_str(), 0755) == 0) break;
        // Another action's end may have removed the empty parent in between.
        if (errno != ENOENT || tries > 100) return errno_error("make the cgroup " + path);
      }
      made.push_back(path);
      if (host.mode == "v2") {
        TRY(enable_controllers(mount));
        TRY(enable_controllers(mount + "/" + kParent));
      }
      group.entries_.push_back(TRY(open_path(path + "/cgroup.procs", O_WRONLY)));
    }
    return group.apply(limits);
  };
  Status built = build();
  if (built.ok()) return group;
  // Only what this call made: where the id was taken, the group is somebody else's.
  for (const std::string& path : made) {
    ::rmdir(path.c_str());
    ::rmdir(path.substr(0, path.rfind('/')).c_str());
  }
  return std::move(built).error();
}

Status Cgroup::set(const std::string& controller, const char* file, const std::string& value) const {
  return write_value(folder(controller) + "/" + file, value);
}

Status Cgroup::apply(const Limits& limits) const {
  const std::string memory = std::to_string(limits.memory);
  const std::string quota = std::to_string(std::max<std::uint64_t>(1000, limits.cpus * kPeriod / 1000));
  if (host_.mode == "v2") {
    TRY(set("memory", "memory.max", memory));
    // Absent on kernels without swap accounting, where nothing of the action could be swapped out beyond the
    // limit either.
    if (::access((folder("memory") + "/memory.swap.max").c_str(), F_OK) == 0)
      TRY(set("memory", "memory.swap.max", "0"));
    TRY(set("cpu", "cpu.max", quota + " " + std::to_string(kPeriod)));
  } else {
    TRY(set("memory", "memory.limit_in_bytes", memory));
    if (::access((folder("memory") + "/memory.memsw.limit_in_bytes").c_str(), F_OK) == 0) {
      TRY(set("memory", "memory.memsw.limit_in_bytes", memory));
    }
    TRY(set("memory", kTcpLimit, std::to_string(kTcpMemory)));
    TRY(set("cpu", "cpu.cfs_period_us", std::to_string(kPeriod)));
    TRY(set("cpu", "cpu.cfs_quota_us", quota));
  }
  return set("pids", "pids.max", std::to_string(limits.processes + 1));
}

Result<Child> Cgroup::warm_up() const {
  const pid_t child = ::fork();
  if (child < 0) return errno_error("start a process");
  if (child > 0) return Child(child);
  // It must hold nothing that stands for the life of its parent: neither locks nor ends of pipes.
  if (!close_all_but(entries()).ok()) ::_exit(1);
  for (const UniqueFd& entry : entries_) (void)!::write(entry.get(), "0", 1);
  ::_exit(0);
}

std::vector<int> Cgroup::entries() const {
  std::vector<int> fds;
  fds.reserve(entries_.size());
  for (const UniqueFd& fd : entries_) fds.push_back(fd.get());
  return fds;
}

std::uint64_t Cgroup::number(const std::string& controller, const char* file, const char* key) const {
  const std::string text = read_text(folder(controller) + "/" + file);
  return key == nullptr ? to_number(text) : keyed_number(text, key);
}

Result<std::map<std::string, LimitFact>> Cgroup::read_back(const Limits& limits) const {
  const bool v2 = host_.mode == "v2";
  const std::uint64_t memory = number("memory", v2 ? "memory.max" : "memory.limit_in_bytes");
  const std::uint64_t processes = number("pids", "pids.max");
  const std::uint64_t quota = number("cpu", v2 ? "cpu.max" : "cpu.cfs_quota_us");
  std::map<std::string, LimitFact> facts;
  facts["memory"] = {limits.memory, memory, {}};
  facts["processes"] = {limits.processes, processes == 0 ? 0 : processes - 1, {}};
  facts["cpus"] = {limits.cpus, quota * 1000 / kPeriod, {}};
  const bool swap_held = [&] {
    const std::string file = folder("memory") + (v2 ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes");
    if (::access(file.c_str(), F_OK) != 0) return true;
    return to_number(read_text(file)) == (v2 ? 0 : memory);
  }();
  const bool cpus_held = quota == std::max<std::uint64_t>(1000, limits.cpus * kPeriod / 1000);
  const auto fail = [&](const char* what) {
    return host_error(std::string("the limit of ") + what + " is not in force",
                      "see what else manages the cgroups of this host");
  };
  if (memory != rounded_to_page(limits.memory) || !swap_held) return fail("memory");
  if (!v2 && number("memory", kTcpLimit) != kTcpMemory) return fail("memory in TCP sockets");
  if (processes != limits.processes + 1) return fail("processes");
  if (!cpus_held) return fail("CPUs");
  return facts;
}

// What cannot be read does not count as empty: only a group that is gone does.
Result<bool> Cgroup::empty_in(const std::string& mount) const {
  const bool unified = mount == host_.unified;
  const std::string group = mount + "/" + kParent + "/" + id_;
  if (::access(group.c_str(), F_OK) != 0) {
    if (errno == ENOENT) return true;
    return errno_error("look for the cgroup " + group);
  }
  const Result<std::string> text =
      read_file(group + (unified ? "/cgroup.events" : "/cgroup.procs"), 1U << 20U);
  if (text.ok() && unified && has_word(*text, "populated 1", '\n')) return false;
  if (text.ok() && unified && has_word(*text, "populated 0", '\n')) return true;
  if (text.ok() && !unified) return text->empty();
  if (::access(group.c_str(), F_OK) != 0 && errno == ENOENT) return true;
  return host_error("cannot tell whether the cgroup " + group +
                    " is empty: " + (text.ok() ? "cgroup.events does not say" : text.error().message));
}

Status Cgroup::kill_and_wait(Millis patience) const {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::milliseconds(patience);
  for (;;) {
    // All are asked: a process that was stopped on its way in is in the first of them alone.
    std::string occupied;
    for (const std::string& mount : host_.hierarchies()) {
      if (occupied.empty() && !TRY(empty_in(mount))) occupied = mount;
    }
    if (occupied.empty()) return {};
    TRY(kill_in(occupied));
    if (Clock::now() > deadline)
      return host_error("processes of " + id_ + " do not end", "look for processes in state D");
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
}

Status Cgroup::kill_in(const std::string& mount) const {
  const std::string group = mount + "/" + kParent + "/" + id_;
  if (::access((group + "/cgroup.kill").c_str(), F_OK) == 0) return write_value(group + "/cgroup.kill", "1");
  const auto freezer = host_.v1.find("freezer");
  if (freezer == host_.v1.end() || TRY(empty_in(freezer->second))) {
    kill_one_by_one(group);
    return {};
  }
  // A frozen group cannot fork while it is being killed.
  TRY(set("freezer", "freezer.state", "FROZEN"));
  kill_one_by_one(group);
  return set("freezer", "freezer.state", "THAWED");
}

Cgroup::Counters Cgroup::counters() const {
  const bool v2 = host_.mode == "v2";
  Counters c;
  c.oom_kills =
      v2 ? number("memory", "memory.events", "oom_kill") : number("memory", "memory.oom_control", "oom_kill");
  c.memory_peak = number("memory", v2 ? "memory.peak" : "memory.max_usage_in_bytes");
  c.memory_now = number("memory", v2 ? "memory.current" : "memory.usage_in_bytes");
  c.forks_refused = number("pids", "pids.events", "max");
  c.pids_peak = number("pids", "pids.peak");
  c.cpu_user_ms = v2 ? number("cpu", "cpu.stat", "user_usec") / 1000
                     : number("cpuacct", "cpuacct.usage_user") / 1'000'000;
  c.cpu_system_ms = v2 ? number("cpu", "cpu.stat", "system_usec") / 1000
                       : number("cpuacct", "cpuacct.usage_sys") / 1'000'000;
  return c;
}

Status Cgroup::remove() const {
  Status result;
  for (const std::string& mount : host_.hierarchies()) {
    const std::string path = mount + "/" + kParent + "/" + id_;
    for (int tries = 0;; ++tries) {
      if (::rmdir(path.c_str()) == 0 || errno == ENOENT) break;
      if (errno != EBUSY || tries > 2000) {
        result = errno_error("remove the cgroup " + path);
        break;
      }
      std::this_thread::sleep_for(
          std::chrono::microseconds(500));  // the last process has gone, its accounting not yet
    }
    ::rmdir((mount + "/" + kParent).c_str());  // the last one out; others still in use keep it there
  }
  return result;
}

Status clear_cgroup(const CgroupHost& host, const std::string& id) {
  if (host.mode == "none") return {};
  const Cgroup group(host, id);
  TRY(group.kill_and_wait(10'000));
  return group.remove();
}

}  // namespace glovebox
