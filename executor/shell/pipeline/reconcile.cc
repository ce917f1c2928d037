#include "shell/pipeline/reconcile.h"

#include <unistd.h>

#include <optional>

#include "core/base/text.h"
#include "core/provenance/statement.h"
#include "shell/attest/keys.h"
#include "shell/attest/records.h"
#include "shell/pipeline/installation.h"
#include "shell/pipeline/recovery.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

// What remains of one attempt whose process is gone.
struct Remains {
  AttemptRow row;
  Draft draft;
  std::optional<Decision> decision;
};

// Of an attempt whose draft a power cut took, only the state database knows.
Result<Draft> unknown_draft(const Installation& home, const SigningKey& key, const AttemptRow& row,
                            const RecordFolder& record) {
  Attempt begun;
  begun.id = row.id;
  begun.action = row.action;
  begun.started = row.started;
  begun.finished = row.started;
  Request asked;
  asked.action = row.action;
  TRY(put_record_file(record, kRequestFile, dump_json(request_parameters(asked))));
  Draft draft;
  draft.started = row.started;
  draft.statement = lost_statement(begun, asked, TRY(home.record_context(key.builder_id)));
  return draft;
}

Result<Remains> read_remains(const Installation& home, const SigningKey& key, const AttemptRow& row, int run,
                             const RecordFolder& record) {
  Result<Draft> draft = run >= 0 ? read_draft(run) : Result<Draft>(invalid("there is no run folder"));
  if (!draft.ok()) return Remains{row, TRY(unknown_draft(home, key, row, record)), {}};
  return Remains{row, std::move(draft).value(), TRY(read_decision(run))};
}

// Finishes a publish that has its journal. True: what was decided stands.
Result<bool> finish_publish(const Installation& home, const Remains& remains, int run) {
  const Result<UniqueFd> staging = open_beneath(run, kStaging, O_RDONLY | O_DIRECTORY);
  if (!staging.ok()) return false;
  const StudyMark& mark = remains.draft.study;
  // The path was resolved when the attempt began. Moved away, a link on the way to it, or another directory
  // by that name: then nothing more is published, least of all there.
  const Result<UniqueFd> study = open_resolved(mark.path, O_RDONLY | O_DIRECTORY);
  if (!study.ok() || TRY(mark_of(study->get(), mark.path)) != mark) return false;
  const FileLock lock = TRY(FileLock::take(home.locks(), remains.row.study));
  const PublishTarget target = TRY(publish_target(study->get(), remains.draft.exec, remains.row.id));
  const PublishSource source{run, staging->get(), home.manifests(), remains.row.study};
  if (TRY(roll_forward(target, source))) return true;
  // No journal: either nothing was published yet (the log still waits in staging), or everything was.
  return ::faccessat(staging->get(), "log", F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

Status settle_attempt(Installation& home, const SigningKey& key, const AttemptRow& row, int run) {
  TRY(clear_cgroup(home.cgroups(), row.id));
  const RecordFolder record =
      TRY(make_record_folder(home.root(), TRY(AttemptId::parse(row.id)), row.started));
  const Remains remains = TRY(read_remains(home, key, row, run, record));
  // A publish that cannot be finished (the study's owner has changed what stands there) must not keep others
  // from working.
  const Result<bool> finished = remains.decision ? finish_publish(home, remains, run) : Result<bool>(false);
  const bool stands = finished.ok() && *finished;
  const Decision lost{std::string(to_string(Reason::kLost)), remains.draft.statement};
  TRY(write_decided(home.store(), key, record, stands ? *remains.decision : lost, utc_now()));
  return run >= 0 ? remove_tree(home.runs(), row.id) : Status();
}

// The record folder of an attempt that was cut off before the state database had it.
Status remove_unbegun_record(const Installation& home, const std::string& id, int run) {
  const Result<Draft> draft = read_draft(run);
  if (!draft.ok()) return {};  // it did not come so far as to make one
  const RecordFolder record = TRY(make_record_folder(home.root(), TRY(AttemptId::parse(id)), draft->started));
  // Signed: the state database was lost since, the record was not.
  if (open_beneath(record.fd.get(), kEnvelopeFile, O_PATH).ok()) return {};
  const std::size_t slash = record.path.rfind('/');
  const UniqueFd month =
      TRY(open_beneath(home.folder(), record.path.substr(0, slash), O_RDONLY | O_DIRECTORY));
  return remove_tree(month.get(), id);
}

// Folders of attempts that the database has as finished, or does not know: their process died while cleaning
// up.
Status remove_leftovers(Installation& home) {
  for (const std::string& name : TRY(list_directory(home.runs(), 1'000'000))) {
    if (!AttemptId::parse(name).ok()) continue;
    std::optional<FileLock> making = TRY(FileLock::take(home.locks(), kMakingRuns));
    const Result<UniqueFd> run = open_beneath(home.runs(), name, O_RDONLY | O_DIRECTORY);
    if (!run.ok()) continue;
    const FileLock lock = TRY(FileLock::attempt(run->get(), kRunLock));
    making.reset();
    if (!lock.held()) continue;
    // Looked up again, now that nobody works there: it may have begun, and ended, in between.
    const auto row = TRY(home.store().attempt(name));
    if (row && row->state != JobState::kFinalized) continue;
    if (!clear_cgroup(home.cgroups(), name).ok()) continue;  // the next command tries again
    if (!row) TRY(remove_unbegun_record(home, name, run->get()));
    TRY(remove_tree(home.runs(), name));
  }
  return {};
}

}  // namespace

Status reconcile(Installation& home) {
  TRY(settle_records(home.store()));
  const std::vector<AttemptRow> unfinished = TRY(home.store().unfinished());
  std::optional<SigningKey> key;
  if (!unfinished.empty()) key = TRY(local_key(home.root()));
  for (const AttemptRow& row : unfinished) {
    const Result<UniqueFd> run = open_beneath(home.runs(), row.id, O_RDONLY | O_DIRECTORY);
    std::optional<FileLock> lock;
    if (run.ok()) lock = TRY(FileLock::attempt(run->get(), kRunLock));
    if (lock && !lock->held()) continue;
    // Looked up again, now that nobody works at it: it may have ended in between.
    const auto now = TRY(home.store().attempt(row.id));
    if (!now || now->state == JobState::kFinalized) continue;
    // One that cannot be settled now (a process that does not end, a full disk) is tried again by the next
    // command.
    (void)settle_attempt(home, *key, row, run.ok() ? run->get() : -1).ok();
  }
  return remove_leftovers(home);
}

}  // namespace glovebox
