// The two caches of the store. Both may be emptied at any time at no other cost than time.
#include <algorithm>
#include <numeric>

#include "shell/store/sqlite.h"
#include "shell/store/store.h"

namespace glovebox {
namespace {

// SQLite's integers are signed; device and inode numbers use all 64 bits.
std::int64_t as_signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

void bind_stamp(Statement& statement, const FileStamp& stamp) {
  statement.bind(1, as_signed(stamp.device)).bind(2, as_signed(stamp.inode)).bind(3, as_signed(stamp.size));
  statement.bind(4, stamp.mtime_ns).bind(5, stamp.ctime_ns);
}

bool is_racy(const FileStamp& stamp, std::int64_t hashed_at_ns) {
  // Times of the future (a clock set back, a forged mtime) count as racy too.
  return std::max(stamp.mtime_ns, stamp.ctime_ns) > hashed_at_ns - kRacyNanoseconds;
}

}  // namespace

Result<std::optional<std::string>> Store::cached_action(const std::string& study,
                                                        const std::string& action) const {
  Statement statement = TRY(database_->prepare("SELECT entry FROM cache WHERE study = ?1 AND action = ?2"));
  statement.bind(1, study).bind(2, action);
  if (!TRY(statement.step())) return std::optional<std::string>();
  return std::optional<std::string>(statement.text(0));
}

Status Store::cache_action(const std::string& study, const std::string& action, const std::string& entry) {
  const RelaxedCommits relaxed = TRY(RelaxedCommits::on(*database_));
  Statement statement = TRY(database_->prepare("INSERT OR REPLACE INTO cache VALUES (?1, ?2, ?3)"));
  statement.bind(1, study).bind(2, action).bind(3, entry);
  return statement.run();
}

Status Store::forget_action(const std::string& study, const std::string& action) {
  const RelaxedCommits relaxed = TRY(RelaxedCommits::on(*database_));
  Statement statement = TRY(database_->prepare("DELETE FROM cache WHERE study = ?1 AND action = ?2"));
  statement.bind(1, study).bind(2, action);
  return statement.run();
}

Result<std::vector<std::optional<Digest>>> Store::file_digests(const std::vector<FileStamp>& stamps) const {
  std::vector<std::optional<Digest>> found(stamps.size());
  std::vector<std::size_t> order(stamps.size());  // of the index, so that neighbours are on the same page
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(as_signed(stamps[a].device), as_signed(stamps[a].inode)) <
           std::pair(as_signed(stamps[b].device), as_signed(stamps[b].inode));
  });
  TRY(database_->execute("BEGIN"));  // one snapshot and one lock for all
  const auto look_up = [&]() -> Status {
    Statement statement = TRY(database_->prepare(
        "SELECT digest FROM digests WHERE device = ?1 AND inode = ?2 AND size = ?3 AND mtime = "
        "?4 AND ctime = ?5"));
    for (const std::size_t i : order) {
      bind_stamp(statement, stamps[i]);
      if (TRY(statement.step())) found[i] = TRY(statement.digest(0));
      statement.reset();
    }
    return {};
  };
  const Status looked = look_up();
  TRY(database_->execute("COMMIT"));
  if (!looked.ok()) return looked.error();
  return found;
}

Result<std::size_t> Store::keep_file_digests(const std::vector<FileDigest>& digests,
                                             std::int64_t hashed_at_ns, std::int64_t most) {
  const RelaxedCommits relaxed = TRY(RelaxedCommits::on(*database_));
  Transaction transaction = TRY(Transaction::begin(*database_));
  std::int64_t number = TRY(database_->query_integer("SELECT max(number) FROM digests"));
  Statement insert =
      TRY(database_->prepare("INSERT OR REPLACE INTO digests (device, inode, size, mtime, ctime, digest, "
                             "number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  std::size_t kept = 0;
  for (const FileDigest& entry : digests) {
    if (is_racy(entry.stamp, hashed_at_ns)) continue;
    bind_stamp(insert, entry.stamp);
    insert.bind(6, entry.digest).bind(7, ++number);
    TRY(insert.run());
    ++kept;
  }
  // Numbers only grow, and a replaced entry gets a new one, so this never leaves more than `most`.
  Statement prune = TRY(database_->prepare("DELETE FROM digests WHERE number <= ?1"));
  prune.bind(1, number - most);
  TRY(prune.run());
  TRY(transaction.commit());
  return kept;
}

}  // namespace glovebox
