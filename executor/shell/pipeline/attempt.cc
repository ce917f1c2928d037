#include "shell/pipeline/attempt.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/outcome/log_text.h"
#include "core/rules/manifest.h"
#include "shell/collect/collect.h"
#include "shell/host/uids.h"
#include "shell/pipeline/recovery.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"
#include "shell/workspace/study.h"

namespace glovebox {
namespace {

constexpr ByteCount kMaxLogFile = 8ULL << 30U;

// One attempt on its way; each member function is one stage of it.
class AttemptRun {
 public:
  AttemptRun(Session& session, const AttemptPlace& place, const PlannedAttempt& planned,
             const AttemptWatch& watch)
      : session_(session), place_(place), planned_(planned), watch_(watch) {}

  Result<Attempt> carry_out() {
    TRY(begin());
    Status done = planned_.plan.ok() ? execute() : Status(planned_.plan.error());
    if (done.ok()) done = write_log();
    if (done.ok()) done = publish_and_record();
    if (!done.ok() && publishing_) {
      // The journal says what is left to do: the next command finishes it, and writes the record.
      if (supervision_) (void)supervision_->finish().ok();
      return std::move(done).error();
    }
    if (!done.ok()) {
      note_error(done.error());
      attempt_.outputs.clear();
      TRY(record_only());
    }
    clean_up();
    return std::move(attempt_);
  }

 private:
  // First the locked run folder with what recovery needs, then what the record consists of, then the entry in
  // the state database: whatever this is cut off at, the next command either finds the entry, and records the
  // attempt, or removes every trace of it.
  Status begin() {
    attempt_.started = utc_now();
    attempt_.action = planned_.request.action;
    if (planned_.plan.ok()) attempt_.plan = planned_.plan.value();
    const AttemptId id = TRY(new_attempt_id(attempt_.started));
    attempt_.id = id.str();
    context_ = TRY(session_.record_context(session_.key().builder_id));
    run_ = TRY(RunFolder::make(session_.runs(), session_.locks(), attempt_.id));
    if (attempt_.plan) make_group();
    TRY(run_->keep_draft({TRY(mark_of(place_.study, place_.study_path)), planned_.request.collect_everything,
                          attempt_.started, lost_statement(attempt_, planned_.request, context_)}));
    record_ = TRY(make_record_folder(session_.root(), id, attempt_.started));
    TRY(put_record_file(*record_, kRequestFile, dump_json(request_parameters(planned_.request))));
    if (attempt_.plan) TRY(put_record_file(*record_, kPlanFile, dump_json(plan_json(*attempt_.plan))));
    AttemptRow row;
    row.id = attempt_.id;
    row.study = place_.study_key;
    row.action = attempt_.action;
    row.started = attempt_.started;
    return session_.store().begin(row);
  }

  // So early that the kernel's wait for the first entry into a group is over when the runtime enters it.
  void make_group() {
    group_ = Cgroup::make(session_.cgroups(), attempt_.id, attempt_.plan->limits);
    if (!group_->ok()) return;
    if (const Result<Child> child = group_->value().warm_up(); child.ok()) warm_up_ = *child;
  }

  void reap_warm_up() {
    if (warm_up_) (void)warm_up_->wait().ok();
    warm_up_.reset();
  }

  Result<SupervisorSpec> supervisor_spec() {
    SupervisorSpec spec;
    spec.plan = &*attempt_.plan;
    spec.id = attempt_.id;
    spec.host_uid = lease_->uid();
    spec.run = run_->fd();
    spec.runs = session_.runs();
    spec.templates = session_.templates();
    spec.sources.image = TRY(session_.images().open_tree(attempt_.plan->image.manifest));
    spec.sources.init = TRY(session_.init_tree());
    spec.sources.code = TRY(open_beneath(session_.code(), attempt_.plan->code.hex(), O_RDONLY | O_DIRECTORY));
    spec.sources.study = TRY(open_beneath(place_.study, ".", O_RDONLY | O_DIRECTORY));
    spec.sources.stamps = planned_.stamps;
    if (!group_->ok()) return group_->error();
    spec.group = &group_->value();
    spec.runtime = session_.host().runtimes.at(attempt_.plan->runtime);
    spec.echo_output = watch_.echo_output;
    spec.echo_errors = watch_.echo_errors;
    spec.close_in_child = {run_->lock(), lease_->fd()};
    spec.collect = [this, code = spec.sources.code.get()](int upper, int cancel, RunFacts& facts) -> Status {
      // Opened anew, in the supervisor's mount namespace: the worker that judges can only be shown a
      // directory of that.
      const std::string path = session_.root() + "/run/" + attempt_.id + "/" + kStaging;
      const UniqueFd staging = TRY(open_path(path, O_RDONLY | O_DIRECTORY));
      CollectSpec collect;
      collect.plan = &*attempt_.plan;
      collect.code = code;
      collect.staging = staging.get();
      collect.owner = lease_->uid();
      collect.worker_uid = lease_->uid();  // its processes are gone: nobody else has it now
      collect.cancel = cancel;
      collect.runs = session_.runs();
      collect.run = attempt_.id;
      return collect_outputs(upper, collect, facts);
    };
    return spec;
  }

  Status execute() {
    lease_ = TRY(UidLease::take());
    event("prepared");
    TRY(session_.store().advance(attempt_.id, JobEvent::kStarted));
    supervision_ = TRY(Supervision::start(TRY(supervisor_spec())));
    reap_warm_up();  // it ends before the action can begin
    RunFacts facts = TRY(supervision_->wait(watch_.progress, watch_.cancel));
    event("started", facts.started);
    event("ended", facts.finished);
    const bool input = facts.end.fault == Fault::kInput;
    if (input) blamed_ = Reason::kInput;
    // Of a run that was made from another input than planned, what was observed is as true as ever.
    const bool observed = input && !facts.started.empty();
    if (facts.end.fault != Fault::kNone && !observed)
      return Error{ErrorKind::kHost, facts.problem, {}, facts.hint, {}};
    take(std::move(facts));
    return {};
  }

  void take(RunFacts facts) {
    attempt_.reason = decide_reason(facts.end);
    attempt_.facts = std::move(facts.facts);
    attempt_.usage = facts.usage;
    if (facts.end.report.kind == InitReport::Kind::kExited) attempt_.exit_code = facts.end.report.value;
    if (facts.end.report.kind == InitReport::Kind::kSignalled) attempt_.signal = facts.end.report.value;
    attempt_.unmatched_patterns = std::move(facts.unmatched_patterns);
    attempt_.unmatched_files = std::move(facts.unmatched_files);
    if (keeps_outputs(attempt_.reason)) {
      attempt_.outputs = std::move(facts.outputs);
      staged_ = std::move(facts.staged);
    }
    Explanation said =
        explain(attempt_.reason, facts.end, attempt_.plan->limits, attempt_.usage, attempt_.unmatched_files);
    attempt_.message = std::move(said.message);
    attempt_.hint = std::move(said.hint);
    attempt_.detail = std::move(said.detail);
    if (attempt_.reason == Reason::kInput) {
      attempt_.message = std::move(facts.problem);
      attempt_.hint = std::move(facts.hint);
    }
  }

  // The action's lines, our notes and the summary: once into the record's folder, and once into staging for
  // the workspace.
  Status write_log() {
    attempt_.finished = utc_now();
    LogSummary summary;
    summary.job_definition_id = attempt_.id;
    summary.commit = planned_.request.commit;
    summary.docker_image_id = attempt_.plan->image.manifest.str();
    if (attempt_.exit_code) summary.exit_code = std::to_string(*attempt_.exit_code);
    summary.created_at = attempt_.started;
    summary.completed_at = attempt_.finished;
    summary.status_message = attempt_.message;
    summary.hint = attempt_.hint;
    const std::string tail =
        log_notes(attempt_) + log_summary(summary, attempt_.outputs, keeps_outputs(attempt_.reason));
    if (::renameat(run_->fd(), "log.txt", run_->staging(), "log") != 0) return errno_error("take the log");
    const UniqueFd whole = TRY(open_beneath(run_->staging(), "log", O_RDWR | O_APPEND));
    TRY(write_all(whole.get(), tail));
    if (::lseek(whole.get(), 0, SEEK_SET) < 0) return errno_error("read the log");
    const UniqueFd copy = TRY(open_beneath(record_->fd.get(), kLogFile, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    const Copied copied = TRY(copy_and_hash(whole.get(), copy.get(), kMaxLogFile));
    log_ = {"log", copied.digest, copied.size};
    context_.log = log_.digest;
    context_.log_size = log_.size;
    context_.log_name = std::string(kMetadataFolder) + "/" + attempt_.action + ".log";
    // Told as seen from the study, or the directory that exec works in.
    attempt_.log = planned_.request.collect_everything ? exec_folder(attempt_.id) + "/" + context_.log_name
                                                       : context_.log_name;
    return {};
  }

  Result<std::string> new_manifest(const Json& old) const {
    ManifestRun run;
    run.workspace = planned_.request.workspace;
    run.action = attempt_.action;
    run.job_id = attempt_.id;
    run.repo = planned_.request.repository;
    run.commit = planned_.request.commit;
    run.succeeded = attempt_.reason == Reason::kNone;
    run.project_actions = place_.project_actions;
    for (std::size_t i = 0; i < attempt_.outputs.size(); ++i) {
      struct stat info {};
      if (!staged_[i].empty() &&
          ::fstatat(run_->staging(), staged_[i].c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno_error("read a collected file's time");
      }
      const double modified =
          static_cast<double>(info.st_mtim.tv_sec) + static_cast<double>(info.st_mtim.tv_nsec) / 1e9;
      run.outputs.push_back({attempt_.outputs[i], modified});
    }
    return dump_json_pretty(TRY(manifest_update(old, run)));
  }

  Status publish_and_record() {
    const PublishTarget target =
        TRY(publish_target(place_.study, planned_.request.collect_everything, attempt_.id));
    event("decided", attempt_.finished);
    TRY(write_events());
    const Decision decision{std::string(to_string(attempt_.reason)),
                            statement_json(attempt_, planned_.request, context_)};
    TRY(run_->keep_decision(decision));
    TRY(session_.store().advance(attempt_.id, JobEvent::kPublishing));
    {
      // Held until the manifest stands: two actions of one study must not lose each other's entries.
      const FileLock lock = TRY(FileLock::take(session_.locks(), place_.study_key));
      const PublishSource source{run_->fd(), run_->staging(), session_.manifests(), place_.study_key};
      PublicationRequest request;
      request.action = attempt_.action;
      request.reason = attempt_.reason;
      request.outputs = &attempt_.outputs;
      request.staged = &staged_;
      request.log = log_;
      if (!planned_.request.collect_everything) {
        TRY(remember_published(source, place_.study, attempt_.outputs));
        const Json old = TRY(last_manifest(source, planned_.request.workspace));
        request.earlier = TRY(manifest_paths(old));
        Result<std::string> manifest = new_manifest(old);
        // Too many outputs for the list of all: the action's doing, not ours.
        if (!manifest.ok() && manifest.error().kind == ErrorKind::kRefused) blamed_ = Reason::kOutput;
        request.manifest = TRY(std::move(manifest));
      }
      const Publication publication = TRY(plan_publication(request));
      const Status published = publish(target, source, publication);
      publishing_ = !published.ok() && open_beneath(run_->fd(), kJournalName, O_PATH).ok();
      TRY(published);
    }
    return record(decision);
  }

  Status write_events() {
    TRY(put_record_file(*record_, kEventsFile, events_));
    context_.events = Digest::of(events_);
    return {};
  }

  Status record(const Decision& decision) {
    attempt_.record =
        TRY(write_decided(session_.store(), session_.key(), *record_, decision, attempt_.finished)).path;
    return {};
  }

  // For an attempt that has nothing to publish: refused, or failed by our fault.
  Status record_only() {
    if (attempt_.finished.empty()) attempt_.finished = utc_now();
    if (!context_.log) ::unlinkat(record_->fd.get(), kLogFile, 0);
    event("ended", attempt_.finished);
    TRY(write_events());
    return record(
        {std::string(to_string(attempt_.reason)), statement_json(attempt_, planned_.request, context_)});
  }

  void note_error(const Error& error) {
    const bool forbidden = error.kind == ErrorKind::kRefused || error.kind == ErrorKind::kInvalid;
    attempt_.reason = forbidden && !supervision_ ? planned_.refusal : blamed_;
    attempt_.message = error.message;
    attempt_.hint = error.hint;
  }

  void event(const char* what, const std::string& when = {}) {
    const std::string time = when.empty() ? utc_now() : when;
    events_ += dump_json(Json{{"time", time}, {"event", what}}) + "\n";
  }

  // Whatever cannot be removed now is removed by the next command's reconcile().
  void clean_up() {
    if (supervision_) (void)supervision_->finish().ok();
    reap_warm_up();
    // The supervisor has removed the group, unless something killed it.
    if (run_ && !clear_cgroup(session_.cgroups(), attempt_.id).ok()) return;
    run_.reset();
    (void)remove_tree(session_.runs(), attempt_.id).ok();
  }

  Session& session_;
  const AttemptPlace& place_;
  const PlannedAttempt& planned_;
  const AttemptWatch& watch_;
  Attempt attempt_;
  RecordContext context_;
  std::optional<RecordFolder> record_;
  std::optional<UidLease> lease_;
  std::optional<RunFolder> run_;
  std::optional<Result<Cgroup>> group_;
  std::optional<Child> warm_up_;
  std::optional<Supervision> supervision_;
  std::vector<std::string> staged_;
  StagedFile log_;
  std::string events_;
  Reason blamed_ = Reason::kHost;  // for an error after the start
  bool publishing_ = false;        // publishing began and could not be finished
};

}  // namespace

PlannedAttempt plan_attempt(const Session& session, Request request) {
  // First: where no policy is for an image, having it would not help.
  const Result<const Policy*> policy = policy_for_image(session.policies(), request.image.name);
  if (!policy.ok()) return {std::move(request), policy.error(), {}, Reason::kPolicy};
  const Result<ImageInfo> image = session.images().resolve(request.image);
  if (!image.ok()) return {std::move(request), image.error(), {}, Reason::kImage};
  Result<Plan> plan = make_plan(request, **policy, session.site(), *image, session.host());
  return {std::move(request), std::move(plan), {}, Reason::kPolicy};
}

Result<Attempt> run_attempt(Session& session, const AttemptPlace& place, const PlannedAttempt& planned,
                            const AttemptWatch& watch) {
  return AttemptRun(session, place, planned, watch).carry_out();
}

Digest repeat_key(const Plan& plan) {
  Plan same = plan;
  for (InputFile& input : same.inputs) input.produced_by.clear();
  return plan_digest(same);
}

}  // namespace glovebox
