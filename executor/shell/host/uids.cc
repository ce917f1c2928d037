#include "shell/host/uids.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <vector>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr const char* kNextName = "next";

Result<UniqueFd> open_locks(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0755) != 0 && errno != EEXIST) {
      return errno_error("make the directory " + quoted(part));
    }
    if (slash == std::string::npos) break;
  }
  UniqueFd directory = TRY(open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const auto info = TRY(stat_of(directory.get()));
  if (info.st_uid != ::geteuid() || (info.st_mode & 022) != 0) {
    return host_error("others may write to " + quoted(path) + ", where uids are locked",
                      "remove it; it is made again");
  }
  return directory;
}

std::optional<uid_t> parse_uid(std::string_view text) {
  uid_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// The four numbers of the line "Uid:\treal\teffective\tsaved\tfs" of /proc/<pid>/status.
void add_uids(std::string_view status, const UidRange& range, std::vector<bool>& used) {
  const std::size_t label = status.find("\nUid:\t");
  if (label == std::string_view::npos) return;
  std::string_view line = status.substr(label + 6);
  line = line.substr(0, line.find('\n'));
  for (const std::string_view field : split(line, '\t')) {
    const std::optional<uid_t> uid = parse_uid(field);
    if (uid && *uid >= range.first && *uid <= range.last) used[*uid - range.first] = true;
  }
}

bool is_number(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// For each uid of the range whether a process has it. The threads of a process that could make theirs differ
// would have to be privileged, which no action is.
Result<std::vector<bool>> uids_in_use(const UidRange& range) {
  std::vector<bool> used(range.last - range.first + 1, false);
  const UniqueFd proc = TRY(open_path("/proc", O_RDONLY | O_DIRECTORY));
  std::array<char, 1024> buffer{};  // the line is within the first 300 bytes
  for (const std::string& name : TRY(list_directory(proc.get(), 10'000'000))) {
    if (!is_number(name)) continue;
    const UniqueFd status(::openat(proc.get(), (name + "/status").c_str(), O_RDONLY | O_CLOEXEC));
    if (!status.valid()) {
      if (errno == ENOENT || errno == ESRCH) continue;  // it has ended meanwhile
      return errno_error("look at the process " + name);
    }
    const ssize_t n = ::read(status.get(), buffer.data(), buffer.size());
    if (n < 0 && errno != ESRCH) return errno_error("look at the process " + name);
    if (n > 0) add_uids(std::string_view(buffer.data(), static_cast<std::size_t>(n)), range, used);
  }
  return used;
}

// Where the search begins: behind the uid that was leased last. Anything odd in the file means the beginning.
uid_t next_of(int directory, const UidRange& range) {
  const auto text = read_beneath(directory, kNextName, 64);
  const std::optional<uid_t> uid = text.ok() ? parse_uid(*text) : std::nullopt;
  return uid && *uid >= range.first && *uid <= range.last ? *uid : range.first;
}

Status remember_next(int directory, uid_t uid) {
  const UniqueFd fd = TRY(open_beneath(directory, kNextName, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return write_all(fd.get(), std::to_string(uid) + "\n");  // not worth an fsync: no lease survives a restart
}

}  // namespace

Result<UidLease> UidLease::take(const UidRange& range, const std::string& locks) {
  if (range.first == 0 || range.first > range.last)
    return invalid("the range of host uids is empty or has root");
  const UniqueFd directory = TRY(open_locks(locks));
  const FileLock choosing = TRY(FileLock::take(directory.get(), ".choosing"));
  const uid_t count = range.last - range.first + 1;
  const uid_t start = next_of(directory.get(), range) - range.first;
  std::vector<bool> used(count, false);
  for (uid_t i = 0; i < count; ++i) {
    const uid_t offset = (start + i) % count;
    if (used[offset]) continue;
    const uid_t uid = range.first + offset;
    FileLock lock = TRY(FileLock::attempt(directory.get(), std::to_string(uid)));
    if (!lock.held()) continue;
    // Only now: a process that its last holder left behind when it was killed a moment ago must be seen.
    used = TRY(uids_in_use(range));
    if (used[offset]) continue;
    TRY(remember_next(directory.get(), range.first + (offset + 1) % count));
    return UidLease(uid, std::move(lock));
  }
  return host_error(
      "all host uids from " + std::to_string(range.first) + " to " + std::to_string(range.last) +
          " are in use",
      "wait for running actions to end, or look for processes with such a uid (ps -eo uid,pid,comm)");
}

}  // namespace glovebox
