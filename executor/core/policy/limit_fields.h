// The names of the limits, once: LimitPolicy and Limits (core/plan) have the same members.
#pragma once

namespace glovebox {

// Calls visit(name, a.member, b.member, …) for every limit, always in this order. The limits that a request
// may choose come first.
template <class Visit, class... Sets>
void for_each_chosen_limit(Visit&& visit, Sets&&... sets) {
  visit("memory", sets.memory...);
  visit("cpus", sets.cpus...);
  visit("processes", sets.processes...);
  visit("time", sets.time...);
  visit("scratch", sets.scratch...);
}

template <class Visit, class... Sets>
void for_each_fixed_limit(Visit&& visit, Sets&&... sets) {
  visit("grace", sets.grace...);
  visit("scratch_inodes", sets.scratch_inodes...);
  visit("tmp", sets.tmp...);
  visit("shm", sets.shm...);
  visit("log", sets.log...);
  visit("output_files", sets.output_files...);
  visit("output_bytes", sets.output_bytes...);
  visit("open_files", sets.open_files...);
  visit("file_size", sets.file_size...);
}

}  // namespace glovebox
