// The control group of one action: made, filled, read back, killed and removed by us, on cgroup v1, hybrid
// and v2 hosts.
//
// Ours are the groups <hierarchy>/glovebox/<id> and nothing else; no other group of the host is touched. (On
// a pure v2 host the controllers we need are enabled for the root's children where they are not yet, since
// the kernel offers no other way.)
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/types.h"
#include "core/outcome/outcome.h"
#include "core/plan/plan.h"
#include "shell/sys/fd.h"
#include "shell/sys/spawn.h"

namespace glovebox {

// Where this host mounts what.
struct CgroupHost {
  std::string mode;                       // "v1", "hybrid", "v2" or "none"
  std::map<std::string, std::string> v1;  // controller -> mount point
  std::string unified;                    // mount point of cgroup2, or empty
  static CgroupHost probe();
  // Every hierarchy that a group of ours has a directory in; that of cgroup2 first: what has entered it alone
  // can be killed as a group.
  [[nodiscard]] std::vector<std::string> hierarchies() const;
};

class Cgroup {
 public:
  // Makes the group and sets memory (with swap), CPUs and processes; one process more than asked for, which
  // is our init.
  static Result<Cgroup> make(const CgroupHost& host, const std::string& id, const Limits& limits);

  Cgroup(Cgroup&&) = default;
  Cgroup& operator=(Cgroup&&) = default;

  // After a pause the kernel lets the first process that enters any group wait for a grace period (9 ms, on
  // an idle host). The child that this starts only enters this group and ends: it takes that wait while the
  // caller goes on.
  [[nodiscard]] Result<Child> warm_up() const;

  // Where cgroup2 is mounted beside v1; empty where it is not, or alone.
  [[nodiscard]] std::string beside_v1() const { return host_.mode == "hybrid" ? host_.unified : ""; }
  // From here on it is mounted there.
  void move_unified(std::string mount) { host_.unified = std::move(mount); }

  // For SpawnSpec::cgroups: open cgroup.procs files.
  [[nodiscard]] std::vector<int> entries() const;

  // What the kernel has in force, "memory", "cpus", "processes", in the plan's units. A value that differs
  // from what was asked for (memory rounded down to a page) is an error: a limit that is not in force means
  // that nothing starts (G6).
  Result<std::map<std::string, LimitFact>> read_back(const Limits& limits) const;

  // Kills every process in the group and waits until it is empty or gone; kHost after `patience`, and where
  // the group cannot be read.
  Status kill_and_wait(Millis patience) const;

  struct Counters {
    std::uint64_t oom_kills = 0;
    std::uint64_t forks_refused = 0;
    std::uint64_t memory_peak = 0;
    std::uint64_t memory_now = 0;
    std::uint64_t pids_peak = 0;
    std::uint64_t cpu_user_ms = 0;
    std::uint64_t cpu_system_ms = 0;
  };
  [[nodiscard]] Counters counters() const;

  // Removes the empty group.
  Status remove() const;

 private:
  [[nodiscard]] Result<bool> empty_in(const std::string& mount) const;
  [[nodiscard]] Status kill_in(const std::string& mount) const;
  friend Status clear_cgroup(const CgroupHost& host, const std::string& id);
  Cgroup(CgroupHost host, std::string id) : host_(std::move(host)), id_(std::move(id)) {}
  [[nodiscard]] std::string folder(const std::string& controller) const;
  [[nodiscard]] std::uint64_t number(const std::string& controller, const char* file,
                                     const char* key = nullptr) const;
  Status set(const std::string& controller, const char* file, const std::string& value) const;
  Status apply(const Limits& limits) const;

  CgroupHost host_;
  std::string id_;
  std::vector<UniqueFd> entries_;
};

// Kills and removes the group of an attempt that nobody supervises any more. A missing one is fine.
Status clear_cgroup(const CgroupHost& host, const std::string& id);

}  // namespace glovebox
