#include "shell/pipeline/study_run.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/text.h"
#include "core/spec/pattern_index.h"
#include "shell/pipeline/action_cache.h"
#include "shell/pipeline/shown.h"
#include "shell/publish/publish.h"
#include "shell/workspace/commit.h"

namespace glovebox {
namespace {

Request request_for(const OpenedStudy& study, const ActionSpec& spec,
                    const std::map<std::string, std::string>& environment) {
  Request request;
  request.workspace = study.workspace;
  request.action = spec.name.str();
  request.image = spec.image;
  request.args = spec.args;
  request.environment = environment;
  request.outputs = spec.outputs;
  request.database = spec.database;
  request.code = study.code.tree;
  request.commit = study.commit;
  return request;
}

Attempt unrecorded(const std::string& action, Reason reason, std::string message, std::string hint) {
  Attempt attempt;
  attempt.action = action;
  attempt.reason = reason;
  attempt.message = std::move(message);
  attempt.hint = std::move(hint);
  return attempt;
}

// What an action reads, and what the files looked like when their digests were checked.
struct NeededInputs {
  std::vector<InputFile> files;  // sorted by path
  std::vector<FileStamp> stamps;
};

// One run of a study: its actions one after the other.
class StudyRun {
 public:
  StudyRun(Session& session, const OpenedStudy& study, const RunOptions& options, const RunWatch& watch)
      : session_(session), study_(study), options_(options), watch_(watch) {
    place_.study_key = study.key;
    place_.study_path = study.path;
    place_.study = study.study.fd();
    for (const ActionSpec& spec : study.project().actions) place_.project_actions.insert(spec.name.str());
  }

  Result<std::vector<Attempt>> carry_out() {
    std::vector<Attempt> attempts;
    for (const ActionSpec* spec : TRY(study_.project().order(options_.actions))) {
      attempts.push_back(TRY(take(*spec)));
      const Attempt& attempt = attempts.back();
      if (attempt.reason != Reason::kNone)
        unfinished_.emplace(attempt.action, exit_status(attempt.reason, false));
      cancelled_ = cancelled_ || attempt.reason == Reason::kCancelled;
      watch_.done(attempt);
    }
    return attempts;
  }

 private:
  Result<Attempt> take(const ActionSpec& spec) {
    const std::string& name = spec.name.str();
    for (const ActionName& need : spec.needs) {
      if (unfinished_.contains(need.str())) {
        return unrecorded(name, Reason::kDependency,
                          "not run: it needs " + need.str() + ", which did not succeed", "");
      }
    }
    if (cancelled_ || is_readable(watch_.cancel))
      return unrecorded(name, Reason::kCancelled, "cancelled before it began", "");
    Request request = request_for(study_, spec, options_.environment);
    Result<NeededInputs> inputs = needed_inputs(session_, study_, spec);
    if (inputs.ok()) request.inputs = std::move(inputs->files);
    PlannedAttempt planned = inputs.ok()
                                 ? plan_attempt(session_, std::move(request))
                                 : PlannedAttempt{std::move(request), inputs.error(), {}, Reason::kInput};
    if (inputs.ok()) planned.stamps = std::move(inputs->stamps);
    if (planned.plan.ok() && !options_.force) {
      std::optional<Attempt> cached = TRY(look_up(name, planned));
      if (cached) return *std::move(cached);
    }
    return run(name, planned);
  }

  Result<Attempt> run(const std::string& name, const PlannedAttempt& planned) {
    watch_.started(name);
    AttemptWatch watch;
    watch.progress = [&](const Progress& progress) { watch_.progress(name, progress); };
    watch.cancel = watch_.cancel;
    Attempt attempt = TRY(run_attempt(session_, place_, planned, watch));
    if (attempt.reason == Reason::kNone) {
      TRY(remember_action(session_.store(), study_.key, attempt));
    } else if (attempt.plan) {
      TRY(session_.store().forget_action(study_.key, name));
    }
    return attempt;
  }

  // The earlier run of the same work, where there is one and its outputs are still what it made.
  Result<std::optional<Attempt>> look_up(const std::string& name, PlannedAttempt& planned) {
    const std::optional<RememberedAction> known = TRY(remembered_action(session_.store(), study_.key, name));
    if (!known) return std::optional<Attempt>();
    const Status unchanged = check_outputs(name, *known);
    if (!unchanged.ok()) {
      planned.plan = unchanged.error();
      planned.refusal = Reason::kInput;
      return std::optional<Attempt>();
    }
    const ShownPlace shown{session_.root(), study_.study.fd(), session_.manifests(), study_.key};
    const bool same = known->key == repeat_key(*planned.plan) && all_present(*known) &&
                      is_still_shown(shown, *known, session_.digests());
    if (!same) return std::optional<Attempt>();
    return std::optional(repeated(*known, name, *planned.plan));
  }

  [[nodiscard]] bool is_present(const OutputFile& file) const {
    return open_beneath(study_.study.fd(), file.path, O_PATH | O_NOFOLLOW).ok();
  }
  [[nodiscard]] bool all_present(const RememberedAction& known) const {
    const std::vector<OutputFile> files = kept_outputs(known);
    return std::all_of(files.begin(), files.end(), [&](const OutputFile& file) { return is_present(file); });
  }

  // An output that somebody edited is not overwritten. One that is missing is simply made again.
  Status check_outputs(const std::string& name, const RememberedAction& known) {
    std::vector<WantedInput> wanted;
    for (const OutputFile& file : kept_outputs(known)) {
      if (is_present(file))
        wanted.push_back(
            {TRY(RelPath::parse(file.path)), *file.digest, TRY(ActionName::parse(name)), known.id});
    }
    const auto found = find_inputs(study_.study, wanted, session_.digests());
    if (found.ok()) return {};
    for (const WantedInput& output : wanted) {
      const auto same = find_inputs(study_.study, {output}, session_.digests());
      if (same.ok()) continue;
      if (same.error().kind != ErrorKind::kRefused) return same.error();  // it is being written just now
      return refused(quoted(output.path.str()) + " is not what " + name + " made: somebody changed it",
                     "move your version away to keep it, or run with --force to have it overwritten");
    }
    return found.error();
  }

 public:
  static Result<NeededInputs> needed_inputs(Session& session, const OpenedStudy& study,
                                            const ActionSpec& spec) {
    std::vector<WantedInput> wanted;
    for (const ActionName& need : spec.needs) {
      const std::optional<RememberedAction> known =
          TRY(remembered_action(session.store(), study.key, need.str()));
      if (!known)
        return refused("the outputs of " + need.str() + ", which it needs, are not known",
                       "run " + need.str() + " first");
      for (const OutputFile& file : kept_outputs(*known)) {
        wanted.push_back({TRY(RelPath::parse(file.path)), *file.digest, need, known->id});
      }
    }
    std::vector<FoundInput> found = TRY(find_inputs(study.study, wanted, session.digests()));
    std::sort(found.begin(), found.end(),
              [](const auto& a, const auto& b) { return a.file.path < b.file.path; });
    NeededInputs inputs;
    for (FoundInput& input : found) {
      if (!inputs.files.empty() && inputs.files.back().path == input.file.path) continue;
      inputs.files.push_back(std::move(input.file));
      inputs.stamps.push_back(input.stamp);
    }
    return inputs;
  }

 private:
  Session& session_;
  const OpenedStudy& study_;
  const RunOptions& options_;
  const RunWatch& watch_;
  AttemptPlace place_;
  bool cancelled_ = false;                 // whoever stops one action wants no other to begin
  std::map<std::string, int> unfinished_;  // actions that did not succeed, and their exit status
};

// The name of a directory in the state database: where it is, and which one.
Result<std::string> study_key(const Study& study, const std::string& path) {
  const auto info = TRY(stat_of(study.fd()));
  return Digest::of(path + "\n" + std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino))
      .hex()
      .substr(0, 32);
}

std::string absolute(const std::string& path) {
  char* resolved = ::realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string text(resolved);
  std::free(resolved);  // NOLINT: realpath allocates with malloc
  return text;
}

Result<OpenedStudy> opened(Session&, const std::string& path, Study::Use use) {
  Study study = TRY(Study::open(path, use));
  const std::string whole = absolute(path);
  const std::string key = TRY(study_key(study, whole));
  const std::string name = printable(whole.substr(whole.rfind('/') + 1), 200);
  return OpenedStudy{std::move(study), whole, key, name, {}, {}, {}};
}

// Outputs are never written through a link: better said before an action runs for days than after it.
Status check_output_folders(const OpenedStudy& study) {
  for (const ActionSpec& action : study.project().actions) {
    for (const OutputSpec& output : action.outputs) {
      const std::string top = output.pattern.str().substr(0, output.pattern.str().find('/'));
      struct stat info {};
      const bool nested = top.size() < output.pattern.str().size() && top.find('*') == std::string::npos;
      if (!nested || ::fstatat(study.study.fd(), top.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(info.st_mode)) continue;
      return invalid("the output folder " + quoted(top) + " of the study is a link or a file", {},
                     "move it away: outputs are never written through links");
    }
  }
  return {};
}

// The code of a commit, with the project file in it.
Status take_commit(Session& session, OpenedStudy& study, const std::string& commit, uid_t worker) {
  study.code = TRY(stage_commit(session.code(), study.study.fd(), {commit, ""}, worker));
  study.commit = commit;
  study.listing.warnings = study.code.warnings;
  const UniqueFd tree = TRY(open_beneath(session.code(), study.code.tree.hex(), O_RDONLY | O_DIRECTORY));
  const Result<UniqueFd> file = open_beneath(tree.get(), kProjectFile, O_RDONLY | O_NONBLOCK);
  if (!file.ok()) return invalid("there is no project.yaml in commit " + commit);
  study.listing.report = TRY(parse_project(file->get(), kProjectFile, worker));
  if (!study.listing.report.project) return {};
  TRY(check_output_folders(study));
  const PatternIndex outputs(*study.listing.report.project);
  for (const CodeFile& code : study.code.files) {
    const PatternIndex::Match match = outputs.find(code.path);
    if (match.action == nullptr) continue;
    return invalid("the output pattern " + quoted(match.pattern->str()) + " of " + match.action->name.str() +
                       " matches " + quoted(code.path.str()) + ", which the commit holds",
                   kProjectFile,
                   "outputs are no code: remove the file from the repository, or change the pattern");
  }
  return {};
}

// What an action of this study made is data, whatever the project says of it by now: a changed pattern must
// not make code of it, which every action sees.
Status leave_out_published(const Session& session, OpenedStudy& study) {
  const auto published = TRY(ever_published({-1, -1, session.manifests(), study.key}));
  std::string first;
  const std::size_t left = std::erase_if(study.listing.code, [&](const RelPath& path) {
    if (!published.contains(path.str())) return false;
    if (first.empty()) first = path.str();
    return true;
  });
  if (left == 0) return {};
  study.listing.warnings.push_back(
      quoted(first) + (left > 1 ? " and " + std::to_string(left - 1) + " more" : "") +
      " came from an action that the project no longer declares so: no action sees it; remove it, or move it "
      "away if it is to be code");
  return {};
}

}  // namespace

Result<OpenedStudy> open_study(Session& session, const std::string& path, const std::string& commit) {
  OpenedStudy study = TRY(opened(session, path, Study::Use::kRun));
  const UidLease worker = TRY(UidLease::take());
  if (!commit.empty()) {
    TRY(take_commit(session, study, commit, worker.uid()));
    return study;
  }
  study.listing = TRY(read_study(study.study, worker.uid()));
  if (!study.listing.report.errors.empty()) return study;
  TRY(check_output_folders(study));
  TRY(leave_out_published(session, study));
  study.code = TRY(stage_code(session.code(), study.study, study.listing.code, session.digests()));
  return study;
}

Result<std::vector<Attempt>> run_study(Session& session, const OpenedStudy& study, const RunOptions& options,
                                       const RunWatch& watch) {
  return StudyRun(session, study, options, watch).carry_out();
}

Result<Plan> plan_action(Session& session, const OpenedStudy& study, const std::string& action,
                         const std::map<std::string, std::string>& environment) {
  TRY(study.project().order({action}));  // a kind error for an unknown name
  const ActionSpec* spec = study.project().find(action);
  if (spec == nullptr) return invalid("name one action", {}, "run_all has no plan of its own");
  Request request = request_for(study, *spec, environment);
  request.inputs = TRY(StudyRun::needed_inputs(session, study, *spec)).files;
  return plan_attempt(session, std::move(request)).plan;
}

Result<Attempt> exec_command(Session& session, const std::string& directory, const ExecOptions& options,
                             const AttemptWatch& watch) {
  OpenedStudy study = TRY(opened(session, directory, Study::Use::kExec));
  const std::vector<RelPath> files = TRY(list_everything(study.study));
  study.code = TRY(stage_code(session.code(), study.study, files, session.digests()));
  Request request;
  request.workspace = study.workspace;
  request.action = "exec";
  request.image = options.image;
  request.args = options.args;
  request.environment = options.environment;
  request.collect_everything = true;
  request.code = study.code.tree;
  AttemptPlace place;
  place.study_key = study.key;
  place.study_path = study.path;
  place.study = study.study.fd();
  return run_attempt(session, place, plan_attempt(session, std::move(request)), watch);
}

}  // namespace glovebox
