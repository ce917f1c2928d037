#include "shell/supervisor/supervisor.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "core/base/text.h"
#include "core/bundle/bundle.h"
#include "shell/runtime/runtime.h"
#include "shell/supervisor/container.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"
#include "shell/sys/mount.h"
#include "shell/sys/powers.h"

namespace glovebox {
namespace {

constexpr ByteCount kLongestAnswer = 512ULL << 20U;  // 100,000 outputs take about 30 MB

// What the supervisor writes to its caller: lines, each a letter and JSON.
constexpr char kProgressLine = 'P';
constexpr char kAnswerLine = 'A';

Status send_line(int fd, char kind, const Json& json) {
  return write_all(fd, kind + dump_json(json) + "\n");
}

// Where the action's root is put together: the same directory for every action, each with its own mount there
// that nobody else sees. Not below ROOT, for the runtime reaches it as the action's user, who may not be let
// through to ROOT. The uid lease has made the folder above.
constexpr const char* kStage = "/run/glovebox/stage";

Result<std::string> make_stage() {
  if (::mkdir(kStage, 0711) != 0 && errno != EEXIST)
    return errno_error(std::string("make the directory ") + kStage);
  TRY(mount_tmpfs(kStage, "mode=0711,size=64m,nr_inodes=300000", kNoSuid | kNoDev));
  return std::string(kStage);
}

// crun 1.8.1 refuses a host whose cgroup2 hierarchy, beside v1, has any controller, even where it is told to
// leave cgroups alone. In this mount namespace, and only here, that hierarchy moves to where the runtime does
// not look.
Result<std::string> hide_unified(const std::string& unified, const std::string& place) {
  std::string hidden = place + "/cgroup2";
  if (::mkdir(hidden.c_str(), 0700) != 0) return errno_error("make a stage directory");
  TRY(move_mount_to(unified, hidden));
  return hidden;
}

// The parts of one run in the order in which they come to be; whatever was made is unmade in unwind().
class Run {
 public:
  Run(const SupervisorSpec& spec, int answers, int orders)
      : spec_(spec), answers_(answers), orders_(orders) {}

  RunFacts carry_out() {
    RunFacts facts;
    Status done = stage();
    if (done.ok()) done = execute(facts);
    if (done.ok()) done = collect(facts);
    if (Status removed = remove_group(); done.ok()) done = removed;
    if (!done.ok()) {
      facts.end.fault = fault_;
      facts.problem = done.error().message;
      facts.hint = done.error().hint;
      facts.outputs.clear();
      facts.staged.clear();
    }
    return facts;
  }

  // After the answer: nobody waits for this.
  Status tear_down() { return scratch_ ? scratch_->tear_down() : Status(); }

 private:
  Status stage() {
    sources_ = TRY(blamed(detach_sources(*spec_.plan, spec_.sources)));
    const UniqueFd runtime = TRY(detach_runtime(spec_.runtime));
    TRY(unshare_mounts());
    place_ = TRY(make_stage());
    TRY(replace_devices(place_));
    if (const std::string unified = spec_.group->beside_v1(); !unified.empty())
      spec_.group->move_unified(TRY(hide_unified(unified, place_)));
    scratch_ = TRY(Scratch::mount_at(place_, spec_.run, spec_.runs, spec_.templates, spec_.plan->limits,
                                     spec_.host_uid));
    TRY(blamed(assemble_root(*spec_.plan, spec_.host_uid, sources_, place_)));
    runtime_directory_ = place_ + "/runtime";
    return prepare_runtime(runtime_directory_, runtime.get(),
                           dump_json(bundle_config(*spec_.plan, {place_ + "/root", spec_.host_uid})));
  }

  Status execute(RunFacts& facts) {
    Container container = TRY(Container::launch(spec_, runtime_directory_, *spec_.group));
    const auto checked = [&]() -> Status {
      Facts seen = TRY(container.check(spec_));
      seen.limits.merge(TRY(spec_.group->read_back(spec_.plan->limits)));
      seen.limits.merge(TRY(scratch_->read_back(spec_.plan->limits)));
      add_own_limits(seen);
      facts.facts = std::move(seen);
      return {};
    };
    if (Status as_planned = checked(); !as_planned.ok()) {
      (void)container.abandon(*spec_.group).ok();
      return as_planned;
    }
    Status ran = container.run(
        spec_, *spec_.group, orders_, [&](Millis elapsed) { report_progress(elapsed); }, facts);
    if (!ran.ok()) {
      (void)container.abandon(*spec_.group).ok();
      return ran;
    }
    take_counters(facts);
    return {};
  }

  Status collect(RunFacts& facts) {
    if (facts.end.ended_by == EndedBy::kCancelled) return {};  // nothing of it is kept
    TRY(blamed(check_inputs(sources_, place_)));
    facts.end.scratch_full = scratch_->full();
    TRY(scratch_->freeze());
    const UniqueFd upper = TRY(scratch_->upper());
    Status collected = spec_.collect(upper.get(), orders_, facts);
    if (!is_readable(orders_)) return collected;
    facts.end.ended_by = EndedBy::kCancelled;
    facts.outputs.clear();
    facts.staged.clear();
    return {};
  }

  // An input that is not as planned is nobody's failure but its owner's.
  template <class Outcome>
  Outcome blamed(Outcome outcome) {
    if (!outcome.ok() && outcome.error().kind == ErrorKind::kIntegrity) fault_ = Fault::kInput;
    return outcome;
  }

  Status remove_group() {
    TRY(spec_.group->kill_and_wait(60'000));
    return spec_.group->remove();
  }

  // What the supervisor itself holds to: in force because this very process keeps them.
  void add_own_limits(Facts& facts) const {
    const Limits& limits = spec_.plan->limits;
    facts.limits["time"] = {limits.time, limits.time, {}};
    facts.limits["grace"] = {limits.grace, limits.grace, {}};
    facts.limits["log"] = {limits.log, limits.log, {}};
    facts.limits["output_files"] = {limits.output_files, limits.output_files, {}};
    facts.limits["output_bytes"] = {limits.output_bytes, limits.output_bytes, {}};
  }

  void take_counters(RunFacts& facts) const {
    const Cgroup::Counters counters = spec_.group->counters();
    facts.end.oom_kills = counters.oom_kills;
    facts.end.forks_refused = counters.forks_refused;
    facts.usage.cpu_user_ms = counters.cpu_user_ms;
    facts.usage.cpu_system_ms = counters.cpu_system_ms;
    facts.usage.memory_peak = counters.memory_peak;
    facts.usage.pids_peak = counters.pids_peak > 0 ? counters.pids_peak - 1 : 0;  // less our init
    if (!facts.facts) return;
    facts.facts->limits["memory"].peak = facts.usage.memory_peak;
    facts.facts->limits["processes"].peak = facts.usage.pids_peak;
    facts.facts->limits["time"].peak = facts.usage.wall_ms;
  }

  void report_progress(Millis elapsed) {
    if (elapsed < next_progress_) return;
    next_progress_ = elapsed + 200;
    const Cgroup::Counters now = spec_.group->counters();
    (void)send_line(
        answers_, kProgressLine,
        Json{{"elapsed", elapsed}, {"memory", now.memory_now}, {"cpu", now.cpu_user_ms + now.cpu_system_ms}})
        .ok();
  }

  const SupervisorSpec& spec_;
  int answers_;
  int orders_;
  std::string place_;
  std::string runtime_directory_;
  DetachedSources sources_;
  std::optional<Scratch> scratch_;
  Millis next_progress_ = 200;
  Fault fault_ = Fault::kHost;  // what an error is
};

[[noreturn]] void supervisor_main(const SupervisorSpec& spec, int answers, int orders, pid_t parent) {
  ::setpgid(0, 0);  // Ctrl-C on the terminal is for our caller, who tells us by `orders`
  ::signal(SIGPIPE, SIG_IGN);
  const bool bound = ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
                     ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 && ::getppid() == parent;
  RunFacts facts;
  Run run(spec, answers, orders);
  const Status lessened = drop_unneeded_capabilities();
  if (bound && lessened.ok()) {
    facts = run.carry_out();
  } else {
    facts.end.fault = Fault::kHost;
    facts.problem = lessened.ok() ? "the supervisor's caller is gone" : lessened.error().message;
  }
  const bool answered = send_line(answers, kAnswerLine, run_facts_json(facts)).ok();
  ::close(answers);
  const bool torn_down = run.tear_down().ok();
  ::_exit(answered && torn_down ? 0 : 1);
}

Result<Progress> progress_from(const Json& json) {
  JsonObject object = TRY(JsonObject::of(json, "progress"));
  constexpr std::int64_t kMost = 1LL << 53U;
  Progress progress;
  progress.elapsed = static_cast<Millis>(TRY(object.integer("elapsed", 0, kMost)));
  progress.memory = static_cast<ByteCount>(TRY(object.integer("memory", 0, kMost)));
  progress.cpu = static_cast<Millis>(TRY(object.integer("cpu", 0, kMost)));
  return progress;
}

}  // namespace

Result<Supervision> Supervision::start(SupervisorSpec spec) {
  Pipe answers = TRY(make_pipe());
  Pipe orders = TRY(make_pipe());
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("start a supervisor");
  if (pid == 0) {
    answers.read.reset();
    orders.write.reset();
    for (const int fd : spec.close_in_child) ::close(fd);
    supervisor_main(spec, answers.write.release(), orders.read.get(), parent);
  }
  return Supervision(pid, std::move(answers.read), std::move(orders.write));
}

Result<RunFacts> Supervision::wait(const std::function<void(const Progress&)>& on_progress, int cancel) {
  std::string text;
  bool cancelled = false;
  std::array<char, 65536> buffer;  // NOLINT: filled by read
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{answers_.get(), POLLIN, 0}, pollfd{cancel, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR)
      return errno_error("wait for the supervisor");
    if ((ready[1].revents & POLLIN) != 0) {
      std::array<char, 128>
          signal;  // NOLINT: filled by read; a signalfd gives its 128 bytes whole or not at all
      if (::read(cancel, signal.data(), signal.size()) > 0) {
        cancelled = true;
        (void)write_all(orders_.get(), "C").ok();
      }
    }
    if (ready[0].revents == 0) continue;
    const ssize_t n = ::read(answers_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return host_error("the supervisor ended without an answer", "see the kernel's log for what killed it");
    text.append(buffer.data(), static_cast<std::size_t>(n));
    if (text.size() > kLongestAnswer) return host_error("the supervisor's answer is too long");
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
      const Json json = TRY(parse_json(std::string_view(text).substr(1, end - 1), "supervisor"));
      if (text[0] == kAnswerLine) {
        RunFacts facts = TRY(run_facts_from_json(json));
        if (cancelled) facts.end.ended_by = EndedBy::kCancelled;
        return facts;
      }
      on_progress(TRY(progress_from(json)));
      text.erase(0, end + 1);
    }
  }
}

Status Supervision::finish() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return errno_error("wait for the supervisor to end");
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return host_error("the supervisor did not clean up", "the next command does");
}

}  // namespace glovebox
