#include "shell/host/facts.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shell/host/cgroup.h"
#include "shell/sys/spawn.h"

namespace glovebox {

HostFacts probe_host() {
  HostFacts facts;
  facts.root = ::geteuid() == 0;
  utsname name{};
  if (::uname(&name) == 0) facts.kernel = name.release;
  facts.cgroup = CgroupHost::probe().mode;
  if (const auto crun = find_program("crun", ""); crun.ok()) facts.runtimes["crun"] = *crun;
  facts.cpus = static_cast<unsigned>(get_nprocs_conf());
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) facts.memory = memory.totalram * memory.mem_unit;
  return facts;
}

}  // namespace glovebox
