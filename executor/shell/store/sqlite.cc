#include "shell/store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "core/base/text.h"

namespace glovebox {
namespace {

// A record's signature is waited for while the lock is held, a few milliseconds; half a minute means that
// something hangs.
constexpr int kBusyMillis = 30'000;

// The write-ahead log is folded back into the database at this many pages (SQLite's default is 1,000): the
// next command reads it again when it opens the database, so it must stay short.
constexpr const char* kSettings =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=256;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;";

Error error_of(sqlite3* database, const std::string& path) {
  const int code = sqlite3_extended_errcode(database);
  const std::string name = "the state database " + quoted(path);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return integrity(name + " is damaged: " + printable(sqlite3_errmsg(database)),
                       "move it away with its -wal and -shm files: attempts and caches begin anew, the chain "
                       "of records is taken up from the records themselves");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return host_error(name + " is in use by another command", "try again when that has ended");
    case SQLITE_FULL:
      return host_error("cannot write " + name + ": no space left",
                        "make room on that file system, then try again");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return host_error("cannot open " + name + " for writing: " + printable(sqlite3_errmsg(database)),
                        "run as the owner of the state directory, or choose another with --root");
    default:
      return host_error("cannot use " + name + ": " + printable(sqlite3_errmsg(database)));
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement& Statement::bind(int position, std::int64_t value) {
  if (bound_ == SQLITE_OK) bound_ = sqlite3_bind_int64(statement_.get(), position, value);
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  if (bound_ == SQLITE_OK) {
    bound_ = sqlite3_bind_text64(statement_.get(), position, text.data() == nullptr ? "" : text.data(),
                                 text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return *this;
}

Statement& Statement::bind(int position, const Digest& digest) {
  if (bound_ == SQLITE_OK) {
    bound_ = sqlite3_bind_blob64(statement_.get(), position, digest.bytes().data(), digest.bytes().size(),
                                 SQLITE_TRANSIENT);
  }
  return *this;
}

Statement& Statement::bind_null(int position) {
  if (bound_ == SQLITE_OK) bound_ = sqlite3_bind_null(statement_.get(), position);
  return *this;
}

Result<bool> Statement::step() {
  if (bound_ != SQLITE_OK) return host_error("cannot bind a value: " + std::string(sqlite3_errstr(bound_)));
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  Error error = error_of(database_, *path_);
  reset();
  return error;
}

Status Statement::run() {
  while (TRY(step())) {
  }
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  bound_ = SQLITE_OK;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const {
  const unsigned char* bytes = sqlite3_column_text(statement_.get(), column);
  if (bytes == nullptr) return {};
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {reinterpret_cast<const char*>(bytes), size};
}

Result<Digest> Statement::digest(int column) const {
  std::array<std::uint8_t, 32> bytes{};
  const void* blob = sqlite3_column_blob(statement_.get(), column);
  if (blob == nullptr || sqlite3_column_bytes(statement_.get(), column) != static_cast<int>(bytes.size())) {
    return integrity(
        "a digest in the state database " + quoted(*path_) + " is damaged",
        "move the database away with its -wal and -shm files: attempts and caches begin anew, the "
        "chain of records is taken up from the records themselves");
  }
  std::copy_n(static_cast<const std::uint8_t*>(blob), bytes.size(), bytes.begin());
  return Digest(bytes);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Result<Database> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (handle == nullptr) return host_error("cannot open the state database: out of memory");
  Database database(handle, path);
  if (code != SQLITE_OK) return error_of(handle, path);
  sqlite3_busy_timeout(handle, kBusyMillis);
  // A command that ends leaves the log as it is: folding it in and making a new one each time would cost
  // several fsyncs per command.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  TRY(database.execute(kSettings));
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return error_of(database_.get(), *path_);
  }
  return Statement(database_.get(), statement, path_.get());
}

Status Database::execute(const char* sql) const {
  if (sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return error_of(database_.get(), *path_);
  }
  return {};
}

Result<std::int64_t> Database::query_integer(std::string_view sql) const {
  Statement statement = TRY(prepare(sql));
  if (!TRY(statement.step())) return std::int64_t{0};
  return statement.integer(0);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(database_.get());
}

Result<Transaction> Transaction::begin(const Database& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  std::swap(database_, other.database_);
  return *this;
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK").ok();
}

Status Transaction::commit() {
  TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

Result<RelaxedCommits> RelaxedCommits::on(const Database& database) {
  TRY(database.execute("PRAGMA synchronous=NORMAL"));
  return RelaxedCommits(database);
}

RelaxedCommits::RelaxedCommits(RelaxedCommits&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

RelaxedCommits::~RelaxedCommits() {
  if (database_ != nullptr) (void)database_->execute("PRAGMA synchronous=FULL").ok();
}

}  // namespace glovebox
