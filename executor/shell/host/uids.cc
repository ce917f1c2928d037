#include "shell/host/uids.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>

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

// Whether any process of this host, one that has ended and was not waited for included, has this real uid.
Result<bool> in_use(uid_t uid) {
  errno = 0;
  if (::getpriority(PRIO_USER, uid) != -1 || errno == 0) return true;
  if (errno == ESRCH) return false;
  return errno_error("look for processes of uid " + std::to_string(uid));
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
  for (uid_t i = 0; i < count; ++i) {
    const uid_t offset = (start + i) % count;
    const uid_t uid = range.first + offset;
    FileLock lock = TRY(FileLock::attempt(directory.get(), std::to_string(uid)));
    if (!lock.held()) continue;
    // Only now: a process that its last holder left behind when it was killed a moment ago must be seen.
    if (TRY(in_use(uid))) continue;
    TRY(remember_next(directory.get(), range.first + (offset + 1) % count));
    return UidLease(uid, std::move(lock));
  }
  return host_error(
      "all host uids from " + std::to_string(range.first) + " to " + std::to_string(range.last) +
          " are in use",
      "wait for running actions to end, or look for processes with such a uid (ps -eo uid,pid,comm)");
}

}  // namespace glovebox
