#include "shell/store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/text.h"
#include "shell/store/schema.h"
#include "shell/store/sqlite.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr const char* kDatabaseName = "state.sqlite";

// ROOT itself may be searched by everybody: images and code below it are mounted for actions.
Result<UniqueFd> open_root(const std::string& root) {
  for (std::size_t slash = root.find('/', 1); slash != std::string::npos; slash = root.find('/', slash + 1)) {
    const std::string parent = root.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
      return errno_error("make the directory " + quoted(parent));
    }
  }
  if (::mkdir(root.c_str(), 0711) == 0) {
    if (::chmod(root.c_str(), 0711) != 0) return errno_error("set the mode of " + quoted(root));
  } else if (errno != EEXIST) {
    return errno_error("make the state directory " + quoted(root));
  }
  return open_path(root, O_RDONLY | O_DIRECTORY);
}

// SQLite would make the file with the umask's mode; -wal and -shm take the mode of the database.
Status make_private_file(int root, const std::string& path) {
  const UniqueFd fd = TRY(open_beneath(root, kDatabaseName, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  const auto info = TRY(stat_of(fd.get()));
  if (!S_ISREG(info.st_mode)) return integrity("the state database " + quoted(path) + " is not a file");
  if (info.st_uid != ::geteuid()) {
    return host_error("the state database " + quoted(path) + " belongs to uid " + std::to_string(info.st_uid),
                      "run as that user, or choose another state directory with --root");
  }
  if ((info.st_mode & 077) != 0) {
    return host_error("others may reach into the state database " + quoted(path),
                      "chmod 600 " + quoted(path));
  }
  return {};
}

AttemptRow row_of(const Statement& statement, JobState state) {
  AttemptRow row;
  row.id = statement.text(0);
  row.study = statement.text(1);
  row.action = statement.text(2);
  row.state = state;
  row.reason = statement.text(4);
  row.started = statement.text(5);
  row.finished = statement.text(6);
  return row;
}

constexpr const char* kSelectAttempt =
    "SELECT id, study, action, state, reason, started, finished FROM attempts ";

Result<std::vector<AttemptRow>> attempts_of(Statement& statement) {
  std::vector<AttemptRow> rows;
  while (TRY(statement.step())) {
    rows.push_back(row_of(statement, TRY(parse_job_state(statement.text(3)))));
  }
  return rows;
}

Result<std::optional<AttemptRow>> find_attempt(const Database& database, const std::string& id) {
  Statement statement = TRY(database.prepare(std::string(kSelectAttempt) + "WHERE id = ?1"));
  statement.bind(1, id);
  std::vector<AttemptRow> rows = TRY(attempts_of(statement));
  if (rows.empty()) return std::optional<AttemptRow>();
  return std::optional<AttemptRow>(std::move(rows[0]));
}

Status write_attempt(const Database& database, const char* sql, const AttemptRow& row) {
  Statement statement = TRY(database.prepare(sql));
  statement.bind(1, row.id).bind(2, row.study).bind(3, row.action).bind(4, to_string(row.state));
  statement.bind(5, row.reason).bind(6, row.started).bind(7, row.finished);
  return statement.run();
}

}  // namespace

Store::Store(std::string root, std::unique_ptr<Database> database)
    : root_(std::move(root)), database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::string& root) {
  const UniqueFd directory = TRY(open_root(root));
  const std::string path = root + "/" + kDatabaseName;
  // Two first commands at once: turning WAL on and making tables are not for two.
  const FileLock opening = TRY(FileLock::take(directory.get(), ".state.lock"));
  TRY(make_private_file(directory.get(), path));
  auto database = std::make_unique<Database>(TRY(Database::open(path)));
  TRY(migrate(*database));
  return Store(root, std::move(database));
}

Status Store::begin(const AttemptRow& row) {
  Transaction transaction = TRY(Transaction::begin(*database_));
  if (TRY(find_attempt(*database_, row.id))) {
    return invalid("there is already an attempt with the id " + quoted(row.id));
  }
  AttemptRow fresh = row;
  fresh.state = JobState::kPreparing;
  TRY(write_attempt(*database_, "INSERT INTO attempts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", fresh));
  return transaction.commit();
}

Result<JobState> advance_within(const Database& database, const std::string& id, JobEvent event,
                                const AttemptChange& change) {
  std::optional<AttemptRow> row = TRY(find_attempt(database, id));
  if (!row) return invalid("there is no attempt with the id " + quoted(id));
  row->state = TRY(next(row->state, event));
  if (change.reason) row->reason = *change.reason;
  if (change.finished) row->finished = *change.finished;
  TRY(write_attempt(database,
                    "UPDATE attempts SET study = ?2, action = ?3, state = ?4, reason = ?5, started = ?6, "
                    "finished = ?7 WHERE id = ?1",
                    *row));
  return row->state;
}

Result<JobState> Store::advance(const std::string& id, JobEvent event, const AttemptChange& change) {
  const RelaxedCommits relaxed = TRY(RelaxedCommits::on(*database_));
  Transaction transaction = TRY(Transaction::begin(*database_));
  const JobState state = TRY(advance_within(*database_, id, event, change));
  TRY(transaction.commit());
  return state;
}

Result<std::optional<AttemptRow>> Store::attempt(const std::string& id) const {
  return find_attempt(*database_, id);
}

Result<std::vector<AttemptRow>> Store::unfinished() const {
  Statement statement = TRY(
      database_->prepare(std::string(kSelectAttempt) + "WHERE state <> 'finalized' ORDER BY started, id"));
  return attempts_of(statement);
}

}  // namespace glovebox
