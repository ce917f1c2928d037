#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <sstream>

#include "core/base/text.h"
#include "core/bundle/bundle.h"
#include "core/plan/paths.h"
#include "shell/runtime/runtime.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

// Bytes. The largest is mountinfo: each input's path stands there twice, four bytes for one that is escaped;
// as much again is room for the rest of up to 40,000 lines.
constexpr std::size_t kMaxProc = kMaxInputPaths * 2 * 4 * 2;

Result<std::string> read_proc(int process, const char* file) {
  const UniqueFd fd = TRY(open_beneath(process, file, O_RDONLY));
  return read_all(fd.get(), kMaxProc);
}

std::string field_of(const std::string& status, std::string_view name) {
  for (const std::string_view line : split(status, '\n')) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    const std::size_t from = line.find_first_not_of(" \t", name.size() + 1);
    return from == std::string_view::npos ? std::string() : std::string(line.substr(from));
  }
  return {};
}

std::string squeezed(const std::string& text) {
  std::istringstream words(text);
  std::string out, word;
  while (words >> word) out += (out.empty() ? "" : " ") + word;
  return out;
}

Error differs(const std::string& what, const std::string& is) {
  return host_error(
      "the sandbox is not as planned: " + what + (is.empty() ? "" : " is " + printable(is, 100)),
      "nothing was started; see glovebox plan for what should be in force");
}

Status check_privileges(const std::string& status, Facts& facts) {
  facts.seccomp_mode = field_of(status, "Seccomp") == "2" ? 2 : 0;
  if (facts.seccomp_mode != 2) return differs("seccomp mode", field_of(status, "Seccomp"));
  facts.no_new_privileges = field_of(status, "NoNewPrivs") == "1";
  if (!facts.no_new_privileges) return differs("no_new_privs", field_of(status, "NoNewPrivs"));
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    const std::string value = field_of(status, set);
    if (value.empty() || value.find_first_not_of('0') != std::string::npos) return differs(set, value);
    facts.capabilities += (facts.capabilities.empty() ? "" : ",") + value;
  }
  return {};
}

Status check_ids(int process, const std::string& status, uid_t host_uid, Facts& facts) {
  const std::string id = std::to_string(host_uid);
  const std::string four = id + " " + id + " " + id + " " + id;
  if (squeezed(field_of(status, "Uid")) != four) return differs("the uid", field_of(status, "Uid"));
  if (squeezed(field_of(status, "Gid")) != four) return differs("the gid", field_of(status, "Gid"));
  if (!squeezed(field_of(status, "Groups")).empty())
    return differs("the list of groups", field_of(status, "Groups"));
  facts.uid_map = squeezed(TRY(read_proc(process, "uid_map")));
  facts.gid_map = squeezed(TRY(read_proc(process, "gid_map")));
  const std::string wanted = std::to_string(kActionUid) + " " + id + " 1";
  if (facts.uid_map != wanted) return differs("the uid map", facts.uid_map);
  if (facts.gid_map != wanted) return differs("the gid map", facts.gid_map);
  return {};
}

Status check_namespaces(int process, Facts& facts) {
  const UniqueFd own = TRY(open_path("/proc/self", O_RDONLY | O_DIRECTORY));
  for (const char* kind : {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"}) {
    const std::string path = std::string("ns/") + kind;
    struct stat theirs {
    }, ours{};
    if (::fstatat(process, path.c_str(), &theirs, 0) != 0) return errno_error("read the namespaces of init");
    if (::fstatat(own.get(), path.c_str(), &ours, 0) != 0) return errno_error("read our namespaces");
    if (theirs.st_ino == ours.st_ino) return differs(std::string("its ") + kind + " namespace", "ours");
    facts.namespaces[kind] = theirs.st_ino;
  }
  return {};
}

struct SeenMount {
  std::string type;
  bool read_only = false;
};

// /proc/PID/mountinfo by mount point (the last one wins, as it is the visible one). Escapes (\040) stand for
// blanks.
std::map<std::string, SeenMount> parse_mounts(const std::string& text) {
  std::map<std::string, SeenMount> mounts;
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 7 || dash == words.end() || dash + 1 == words.end()) continue;
    std::string target;
    for (std::size_t i = 0; i < words[4].size(); ++i) {
      unsigned code = 0;
      if (words[4][i] == '\\' && i + 3 < words[4].size() &&
          std::from_chars(words[4].data() + i + 1, words[4].data() + i + 4, code, 8).ec == std::errc()) {
        target += static_cast<char>(code);
        i += 3;
      } else {
        target += words[4][i];
      }
    }
    const auto options = split(words[5], ',');
    mounts[target] = {std::string(*(dash + 1)),
                      std::find(options.begin(), options.end(), "ro") != options.end()};
  }
  return mounts;
}

Status check_mounts(const std::string& mountinfo, const Plan& plan, Facts& facts) {
  std::map<std::string, SeenMount> seen = parse_mounts(mountinfo);
  facts.mounts = seen.size();
  for (const ExpectedMount& expected : expected_mounts(plan)) {
    const auto found = seen.find(expected.target);
    if (found == seen.end()) return differs("the mount " + quoted(expected.target, 200), "missing");
    if (!expected.type.empty() && found->second.type != expected.type)
      return differs("the mount " + expected.target, found->second.type);
    if (expected.read_only && !found->second.read_only)
      return differs("the mount " + quoted(expected.target, 200), "writable");
    seen.erase(found);
  }
  // What is left may only be masks and read-only binds below /proc.
  for (const auto& [target, mount] : seen) {
    const bool masked =
        std::find(plan.masked_paths.begin(), plan.masked_paths.end(), target) != plan.masked_paths.end();
    const bool read_only = std::find(plan.readonly_paths.begin(), plan.readonly_paths.end(), target) !=
                           plan.readonly_paths.end();
    if (!masked && !(read_only && mount.read_only)) return differs("an extra mount", target);
  }
  return {};
}

// The sizes of the tmpfs mounts, as the kernel has them for init.
Status check_tmpfs(int process, const Plan& plan, Facts& facts) {
  const auto read_size = [&](const char* target, const char* name, ByteCount asked) -> Status {
    const std::string path = "/proc/self/fd/" + std::to_string(process) + "/root" + target;
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) return errno_error(std::string("read the size of ") + target);
    const ByteCount size = static_cast<ByteCount>(disk.f_blocks) * disk.f_frsize;
    facts.limits[name] = {asked, size, {}};
    const ByteCount page = disk.f_frsize;
    if (size > (asked + page - 1) / page * page || size == 0)
      return differs(std::string("the size of ") + target, std::to_string(size));
    return {};
  };
  TRY(read_size("/tmp", "tmp", plan.limits.tmp));
  return read_size("/dev/shm", "shm", plan.limits.shm);
}

Status check_limits(const std::string& text, const Plan& plan, Facts& facts) {
  const auto soft_limit = [&](std::string_view name) -> std::uint64_t {
    for (const std::string_view line : split(text, '\n')) {
      if (!line.starts_with(name)) continue;
      const std::string rest = squeezed(std::string(line.substr(name.size())));
      std::uint64_t soft = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), soft);
      const std::string same = std::to_string(soft) + " " + std::to_string(soft);
      return rest.starts_with(same) ? soft : ~0ULL;
    }
    return ~0ULL;
  };
  facts.limits["open_files"] = {plan.limits.open_files, soft_limit("Max open files"), {}};
  facts.limits["file_size"] = {plan.limits.file_size, soft_limit("Max file size"), {}};
  for (const char* name : {"open_files", "file_size"}) {
    const LimitFact& fact = facts.limits.at(name);
    if (fact.asked != fact.in_force)
      return differs(std::string("the limit ") + name, std::to_string(fact.in_force));
  }
  if (soft_limit("Max core file size") != 0) return differs("the limit of core files", "not zero");
  return {};
}

}  // namespace

Result<Facts> check_confinement(pid_t init, const Plan& plan, uid_t host_uid) {
  const UniqueFd process = TRY(open_path("/proc/" + std::to_string(init), O_RDONLY | O_DIRECTORY));
  Facts facts;
  const std::string status = TRY(read_proc(process.get(), "status"));
  TRY(check_privileges(status, facts));
  TRY(check_ids(process.get(), status, host_uid, facts));
  TRY(check_namespaces(process.get(), facts));
  TRY(check_mounts(TRY(read_proc(process.get(), "mountinfo")), plan, facts));
  TRY(check_limits(TRY(read_proc(process.get(), "limits")), plan, facts));
  TRY(check_tmpfs(process.get(), plan, facts));
  return facts;
}

}  // namespace glovebox
