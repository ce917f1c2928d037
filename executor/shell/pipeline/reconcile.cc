#include "shell/pipeline/reconcile.h"

#include <unistd.h>

#include "core/base/text.h"
#include "core/provenance/statement.h"
#include "shell/attest/records.h"
#include "shell/pipeline/recovery.h"
#include "shell/pipeline/session.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxStatement = 512U << 20U;

// What remains of one attempt whose process is gone.
struct Remains {
  AttemptRow row;
  Json statement;  // the draft of a lost one, or the decided one
  StudyMark study;
  bool exec = false;
  bool decided = false;
};

Result<Remains> read_remains(const AttemptRow& row, int run) {
  Remains remains;
  remains.row = row;
  const Json draft = TRY(parse_json(TRY(read_beneath(run, kDraft, kMaxStatement)), kDraft));
  JsonObject object = TRY(JsonObject::of(draft, kDraft));
  remains.study.path = TRY(object.string("study"));
  remains.study.device = static_cast<std::uint64_t>(TRY(object.integer("device", 0, INT64_MAX)));
  remains.study.inode = static_cast<std::uint64_t>(TRY(object.integer("inode", 0, INT64_MAX)));
  remains.study.born_ns = TRY(object.integer("born", INT64_MIN, INT64_MAX));
  remains.exec = TRY(object.boolean_or("exec", false));
  remains.statement = *TRY(object.required("statement"));
  if (const auto decided = read_beneath(run, kDecided, kMaxStatement); decided.ok()) {
    remains.statement = TRY(parse_json(*decided, kDecided));
    remains.decided = true;
  }
  return remains;
}

// Of an attempt that did not come as far as to leave a draft, only the state database knows.
Remains unknown_remains(const Session& session, const AttemptRow& row) {
  Attempt lost;
  lost.id = row.id;
  lost.action = row.action;
  lost.started = row.started;
  lost.finished = row.started;
  lost.reason = Reason::kLost;
  lost.message = "glovebox was stopped before the action began";
  Request asked;
  asked.action = row.action;
  RecordContext context;
  context.builder = session.key().builder_id;
  context.version = GLOVEBOX_VERSION;
  context.kernel = session.host().kernel;
  context.runtime_version = session.runtime_version();
  context.binary = session.binary();
  context.nonce = Digest::of(row.id + row.started).hex().substr(0, 32);
  Remains remains;
  remains.row = row;
  remains.statement = statement_json(lost, asked, context);
  return remains;
}

// Finishes a publish that has its journal. True: what was decided stands.
Result<bool> finish_publish(const Session& session, const Remains& remains, int run) {
  if (!remains.decided) return false;
  const Result<UniqueFd> staging = open_beneath(run, kStaging, O_RDONLY | O_DIRECTORY);
  if (!staging.ok()) return false;
  // The path was resolved when the attempt began. Moved away, a link on the way to it, or another directory
  // by that name: then nothing more is published, least of all there.
  const Result<UniqueFd> study = open_resolved(remains.study.path, O_RDONLY | O_DIRECTORY);
  if (!study.ok() || TRY(mark_of(study->get(), remains.study.path)) != remains.study) return false;
  const FileLock lock = TRY(FileLock::take(session.runs(), study_lock(remains.row.study)));
  const PublishTarget target = TRY(publish_target(study->get(), remains.exec, remains.row.id));
  const PublishSource source{run, staging->get(), session.manifests(), remains.row.study};
  if (TRY(roll_forward(target, source))) return true;
  // No journal: either nothing was published yet (the log still waits in staging), or everything was.
  return ::faccessat(staging->get(), "log", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

Status write_late_record(Session& session, const Remains& remains) {
  const AttemptId id = TRY(AttemptId::parse(remains.row.id));
  const RecordFolder folder = TRY(make_record_folder(session.root(), id, remains.row.started));
  AttemptChange change;
  change.finished = utc_now();
  if (!remains.decided) change.reason = std::string(to_string(Reason::kLost));
  const auto statement_at = [&](const ChainPlace& at) -> Result<std::string> {
    Json statement = remains.statement;
    place_in_chain(statement, at.sequence, at.previous);
    return dump_json(statement);
  };
  TRY(write_record(session.store(), session.key(), folder, statement_at, change));
  return {};
}

Status settle_attempt(Session& session, const AttemptRow& row, int run) {
  TRY(clear_cgroup(session.cgroups(), row.id));
  Result<Remains> remains =
      run >= 0 ? read_remains(row, run) : Result<Remains>(unknown_remains(session, row));
  if (!remains.ok()) remains = unknown_remains(session, row);
  // A publish that cannot be finished (the study's owner has changed what stands there) must not keep others
  // from working.
  if (const Result<bool> finished =
          remains->decided ? finish_publish(session, *remains, run) : Result<bool>(true);
      !finished.ok() || !*finished) {
    const Json draft = TRY(parse_json(TRY(read_beneath(run, kDraft, kMaxStatement)), kDraft));
    remains->statement = draft.at("statement");
    remains->decided = false;
  }
  TRY(write_late_record(session, *remains));
  return run >= 0 ? remove_tree(session.runs(), row.id) : Status();
}

// Folders of attempts that the database has as finished, or does not know: their process died while cleaning
// up.
Status remove_leftovers(Session& session) {
  for (const std::string& name : TRY(list_directory(session.runs(), 1'000'000))) {
    if (!AttemptId::parse(name).ok()) continue;
    const auto row = TRY(session.store().attempt(name));
    if (row && row->state != JobState::kFinalized) continue;
    const Result<UniqueFd> run = open_beneath(session.runs(), name, O_RDONLY | O_DIRECTORY);
    if (!run.ok()) continue;
    const FileLock lock = TRY(FileLock::attempt(run->get(), kRunLock));
    if (!lock.held()) continue;
    TRY(clear_cgroup(session.cgroups(), name));
    TRY(remove_tree(session.runs(), name));
  }
  return {};
}

}  // namespace

Status reconcile(Session& session) {
  TRY(settle_records(session.store()));
  for (const AttemptRow& row : TRY(session.store().unfinished())) {
    const Result<UniqueFd> run = open_beneath(session.runs(), row.id, O_RDONLY | O_DIRECTORY);
    if (!run.ok()) {
      (void)settle_attempt(session, row, -1).ok();
      continue;
    }
    const FileLock lock = TRY(FileLock::attempt(run->get(), kRunLock));
    // One that cannot be settled now (a process that does not end, a full disk) is tried again by the next
    // command.
    if (lock.held()) (void)settle_attempt(session, row, run->get()).ok();
  }
  return remove_leftovers(session);
}

}  // namespace glovebox
