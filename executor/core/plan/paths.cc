#include "core/plan/paths.h"

namespace glovebox {

// Not masked, although they count for the whole host: /proc/stat, meminfo, cpuinfo, loadavg, uptime, version
// and vmstat. Ordinary programs read them (detectCores, psutil, OpenBLAS), and sysinfo, uname and the CPU
// itself tell the same. What belongs to a process (/proc/self, /proc/net, /proc/sysvipc) is the action's own
// by its namespaces.
std::vector<std::string> masked_paths() {
  return {
      // ways into the kernel and the hardware
      "/proc/kcore",
      "/proc/kmsg",
      "/proc/kallsyms",
      "/proc/sysrq-trigger",
      "/proc/dynamic_debug",
      "/proc/acpi",
      "/proc/scsi",
      "/proc/asound",
      "/proc/bus",
      "/proc/irq",
      "/proc/driver",
      "/proc/tty",
      "/proc/mtrr",
      // what else runs here, and when
      "/proc/keys",
      "/proc/key-users",
      "/proc/sched_debug",
      "/proc/schedstat",
      "/proc/timer_list",
      "/proc/timer_stats",
      "/proc/latency_stats",
      "/proc/latency",
      "/proc/locks",
      "/proc/pressure",
      "/proc/interrupts",
      "/proc/softirqs",
      "/proc/cgroups",
      // memory of the whole host
      "/proc/slabinfo",
      "/proc/vmallocinfo",
      "/proc/pagetypeinfo",
      "/proc/buddyinfo",
      "/proc/zoneinfo",
      "/proc/kpagecount",
      "/proc/kpageflags",
      "/proc/kpagecgroup",
      "/proc/iomem",
      "/proc/ioports",
      // which host this is, its disks and how it was started
      "/proc/cmdline",
      "/proc/bootconfig",
      "/proc/config.gz",
      "/proc/modules",
      "/proc/devices",
      "/proc/misc",
      "/proc/consoles",
      "/proc/dma",
      "/proc/fb",
      "/proc/crypto",
      "/proc/execdomains",
      "/proc/diskstats",
      "/proc/partitions",
      "/proc/swaps",
      "/proc/mdstat",
      "/proc/fs",
      "/proc/device-tree",
      "/proc/sys/kernel/random/boot_id",
  };
}

std::vector<std::string> readonly_paths() {
  return {"/proc/sys"};
}

}  // namespace glovebox
