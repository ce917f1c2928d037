#include "shell/store/schema.h"

#include <array>
#include <string>

#include "core/base/text.h"

namespace glovebox {
namespace {

// "gbox": says whose database this is (SQLite's application_id).
constexpr std::int64_t kApplicationId = 0x67626f78;

// One step per version; a released step is never changed, only followed by another.
constexpr std::array<const char*, 1> kSteps = {
    // attempts:  one row per attempt, from before anything is done for it.
    // cache:     the newest successful attempt of each action of a study, as JSON.
    // digests:   of files by identity; numbers grow with every entry, so the lowest is the oldest.
    // links:     the chain of records. `envelope` is kept until the record's file is known to be durable.
    R"sql(
      CREATE TABLE attempts (
        id TEXT PRIMARY KEY, study TEXT NOT NULL, action TEXT NOT NULL, state TEXT NOT NULL,
        reason TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL
      ) STRICT;
      CREATE INDEX attempts_unfinished ON attempts (started) WHERE state <> 'finalized';
      CREATE TABLE cache (
        study TEXT NOT NULL, action TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (study, action)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE digests (
        device INTEGER NOT NULL, inode INTEGER NOT NULL, size INTEGER NOT NULL, mtime INTEGER NOT NULL,
        ctime INTEGER NOT NULL, digest BLOB NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (device, inode)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX digests_by_age ON digests (number);
      CREATE TABLE links (
        sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL, digest BLOB NOT NULL,
        envelope TEXT
      ) STRICT;
      CREATE INDEX links_unsettled ON links (sequence) WHERE envelope IS NOT NULL;
      PRAGMA application_id = 1734504312;
    )sql",
};
static_assert(kApplicationId == 1734504312, "the number in the schema");

Status check_owner(const Database& database) {
  const std::int64_t application = TRY(database.query_integer("PRAGMA application_id"));
  const std::int64_t tables = TRY(database.query_integer("SELECT count(*) FROM sqlite_schema"));
  if (application == kApplicationId || (application == 0 && tables == 0)) return {};
  return integrity(quoted(database.path()) + " is another program's database",
                   "move it away, or choose another state directory with --root");
}

}  // namespace

std::int64_t schema_version() {
  return static_cast<std::int64_t>(kSteps.size());
}

Status migrate(const Database& database) {
  TRY(check_owner(database));
  const std::int64_t present = TRY(database.query_integer("PRAGMA user_version"));
  if (present > schema_version() || present < 0) {
    return host_error("the state database " + quoted(database.path()) + " has schema " +
                          std::to_string(present) + ", this Glovebox knows up to " +
                          std::to_string(schema_version()),
                      "use the newer Glovebox that wrote it, or another state directory (--root)");
  }
  for (std::int64_t version = present; version < schema_version(); ++version) {
    Transaction step = TRY(Transaction::begin(database));
    TRY(database.execute(kSteps[static_cast<std::size_t>(version)]));
    TRY(database.execute(("PRAGMA user_version = " + std::to_string(version + 1)).c_str()));
    TRY(step.commit());
  }
  return {};
}

}  // namespace glovebox
