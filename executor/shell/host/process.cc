#include "shell/host/process.h"

#include <unistd.h>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMostStat = 4096;  // /proc/<pid>/stat is a few hundred bytes

Result<std::string> boot_id() {
  std::string text = TRY(read_file("/proc/sys/kernel/random/boot_id", 64));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// The fields of /proc/<pid>/stat after the name, which may hold anything: proc(5)'s third field is [0].
Result<std::vector<std::string_view>> stat_fields(const std::string& text) {
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 > text.size()) return host_error("odd /proc/<pid>/stat");
  return split(std::string_view(text).substr(name_end + 2), ' ');
}

constexpr std::size_t kState = 0;       // field 3
constexpr std::size_t kStartTime = 19;  // field 22

}  // namespace

Result<ProcessIdentity> this_process() {
  const std::string text = TRY(read_file("/proc/self/stat", kMostStat));
  const auto fields = TRY(stat_fields(text));
  if (fields.size() <= kStartTime) return host_error("odd /proc/self/stat");
  return ProcessIdentity{::getpid(), TRY(boot_id()) + "/" + std::string(fields[kStartTime])};
}

bool is_alive(const ProcessIdentity& process) {
  const auto boot = boot_id();
  const auto text = read_file("/proc/" + std::to_string(process.pid) + "/stat", kMostStat);
  if (!boot.ok() || !text.ok()) return false;
  const auto fields = stat_fields(*text);
  if (!fields.ok() || fields->size() <= kStartTime) return false;
  const std::string_view state = (*fields)[kState];
  const bool ended = state == "Z" || state == "X";
  return !ended && *boot + "/" + std::string((*fields)[kStartTime]) == process.start;
}

}  // namespace glovebox
