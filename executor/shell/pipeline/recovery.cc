#include "shell/pipeline/recovery.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "shell/workspace/study.h"

namespace glovebox {

Result<StudyMark> mark_of(int study, std::string path) {
  const auto info = TRY(stat_of(study));
  struct statx more {};
  if (::statx(study, "", AT_EMPTY_PATH, STATX_BTIME, &more) != 0) return errno_error("look at the study");
  const bool told = (more.stx_mask & STATX_BTIME) != 0;
  const std::int64_t born = told ? more.stx_btime.tv_sec * 1'000'000'000 + more.stx_btime.tv_nsec : 0;
  return StudyMark{std::move(path), info.st_dev, info.st_ino, born};
}

Result<RunFolder> RunFolder::make(int runs, int locks, const std::string& id) {
  const FileLock making = TRY(FileLock::take(locks, kMakingRuns));
  UniqueFd folder = TRY(make_directories(runs, id, 0700));
  FileLock lock = TRY(FileLock::attempt(folder.get(), kRunLock));
  if (!lock.held()) return host_error("another process works in run/" + id);
  UniqueFd staging = TRY(make_directories(folder.get(), kStaging, 0700));
  return RunFolder(std::move(folder), std::move(staging), std::move(lock));
}

Status RunFolder::keep_draft(const Draft& draft) const {
  const Json json{{"study", draft.study.path},   {"device", draft.study.device}, {"inode", draft.study.inode},
                  {"born", draft.study.born_ns}, {"exec", draft.exec},           {"started", draft.started},
                  {"statement", draft.statement}};
  const UniqueFd file = TRY(open_beneath(fd(), kDraft, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return write_all(file.get(), dump_json(json));
}

Result<Draft> read_draft(int run) {
  const Json json = TRY(parse_json(TRY(read_beneath(run, kDraft, kMaxStatement)), kDraft));
  JsonObject object = TRY(JsonObject::of(json, kDraft));
  Draft draft;
  draft.study.path = TRY(object.string("study"));
  draft.study.device = static_cast<std::uint64_t>(TRY(object.integer("device", 0, INT64_MAX)));
  draft.study.inode = static_cast<std::uint64_t>(TRY(object.integer("inode", 0, INT64_MAX)));
  draft.study.born_ns = TRY(object.integer("born", INT64_MIN, INT64_MAX));
  draft.exec = TRY(object.boolean_or("exec", false));
  draft.started = TRY(object.string("started"));
  draft.statement = *TRY(object.required("statement"));
  return draft;
}

Json lost_statement(const Attempt& begun, const Request& asked, const RecordContext& context) {
  Attempt lost = begun;
  lost.reason = Reason::kLost;
  return statement_json(lost, asked, context);
}

Status RunFolder::keep_decision(const Decision& decision) const {
  // Without its draft nobody could tell where what was decided goes.
  const UniqueFd draft = TRY(open_beneath(fd(), kDraft, O_RDONLY));
  TRY(sync_fd(draft.get()));
  const Json json{{"reason", decision.reason}, {"statement", decision.statement}};
  return replace_file(fd(), kDecision, dump_json(json), 0600);
}

Result<std::optional<Decision>> read_decision(int run) {
  const Result<std::string> text = read_beneath(run, kDecision, kMaxStatement);
  if (!text.ok()) return std::optional<Decision>();
  const Json json = TRY(parse_json(*text, kDecision));
  JsonObject object = TRY(JsonObject::of(json, kDecision));
  return std::optional(Decision{TRY(object.string("reason")), *TRY(object.required("statement"))});
}

Result<WrittenRecord> write_decided(Store& store, const SigningKey& key, const RecordFolder& record,
                                    const Decision& decision, const std::string& finished) {
  const auto statement_at = [&](const ChainPlace& at) -> Result<std::string> {
    Json placed = decision.statement;
    place_in_chain(placed, at.sequence, at.previous);
    return dump_json(placed);
  };
  return write_record(store, key, record, statement_at, {decision.reason, finished});
}

std::string exec_folder(const std::string& id) {
  return std::string(kOwnFolder) + "/exec/" + id;
}

Result<PublishTarget> publish_target(int study, bool exec, const std::string& id) {
  if (!exec) return local_target(study);
  const auto owner = TRY(stat_of(study));
  PublishTarget target;
  target.owner = owner.st_uid;
  target.group = owner.st_gid;
  TRY(keep_from_git(study, kOwnFolder, target));
  target.high = TRY(make_directories(study, exec_folder(id), 0755, owner.st_uid, owner.st_gid));
  target.medium =
      TRY(open_beneath(target.high.get(), ".", O_RDONLY | O_DIRECTORY));  // one tree: nothing is judged
  return target;
}

}  // namespace glovebox
