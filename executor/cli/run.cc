// glovebox run, exec and plan.
#include <fmt/format.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/command_line.h"
#include "cli/terminal.h"
#include "core/base/text.h"
#include "core/outcome/run_end.h"
#include "core/plan/plan_text.h"
#include "shell/pipeline/study_run.h"

namespace glovebox {
namespace {

// Ctrl-C and SIGTERM as a descriptor: the first asks the running action to end, the second kills it.
Result<UniqueFd> stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, number);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return errno_error("block signals");
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd.valid()) return errno_error("watch for signals");
  return fd;
}

struct RunArguments {
  std::string directory;
  std::vector<std::string> actions;
  std::string commit;
  bool force = false;
};

struct ExecArguments {
  std::string image;
  std::vector<std::string> words;
};

int show_invalid(const CliContext& context, const std::vector<Error>& errors) {
  if (context.json) print(dump_json(invalid_json(errors)) + "\n");
  report(errors);
  return 2;
}

int fail(const CliContext& context, const Error& error) {
  if (error.kind == ErrorKind::kInvalid) return show_invalid(context, {error});
  return report(error);
}

int exit_of(const std::vector<Attempt>& attempts) {
  std::vector<int> statuses;
  for (const Attempt& attempt : attempts) {
    // A dependent has the exit status of its cause, which is among the others.
    if (attempt.reason != Reason::kDependency)
      statuses.push_back(exit_status(attempt.reason, anything_withheld(attempt)));
  }
  return combined_exit_status(statuses);
}

RunWatch watch_of(const CliContext& context, const std::string& directory, int cancel) {
  RunWatch watch;
  watch.cancel = cancel;
  watch.started = [](const std::string& action) { show_progress(action + "  starting"); };
  watch.progress = [](const std::string& action, const Progress& progress) {
    show_progress(progress_text(action, progress));
  };
  watch.done = [&context, directory](const Attempt& attempt) {
    print(context.json ? dump_json(attempt_json(attempt)) + "\n"
                       : attempt_text(attempt, ::isatty(1) != 0) + log_end_text(attempt, directory));
  };
  return watch;
}

int run_command(const CliContext& context, const RunArguments& arguments) {
  RunOptions options;
  options.actions = arguments.actions.empty() ? std::vector<std::string>{"run_all"} : arguments.actions;
  options.force = arguments.force;
  Result<std::map<std::string, std::string>> variables = variables_of(context);
  if (!variables.ok()) return fail(context, variables.error());
  options.environment = std::move(variables).value();
  const Result<UniqueFd> cancel = stop_signals();
  if (!cancel.ok()) return report(cancel.error());
  Result<Session> session = open_session(context);
  if (!session.ok()) return fail(context, session.error());
  const Result<OpenedStudy> study = open_study(*session, arguments.directory, arguments.commit);
  if (!study.ok()) return fail(context, study.error());
  if (!study->listing.report.errors.empty()) return show_invalid(context, study->listing.report.errors);
  for (const std::string& warning : study->listing.report.warnings) warn(warning);
  for (const std::string& warning : study->listing.warnings) warn(warning);
  const auto attempts =
      run_study(*session, *study, options, watch_of(context, arguments.directory, cancel->get()));
  if (!attempts.ok()) return fail(context, attempts.error());
  if (!context.json) print(run_summary(*attempts, arguments.directory));
  return exit_of(*attempts);
}

// On stderr, since stdout is the command's. What it printed was shown as it came.
void say_how_it_ended(const Attempt& attempt) {
  if (attempt.reason != Reason::kNone) {
    // The kind would only say which exit status, which here is the reason's.
    (void)report(
        Error{ErrorKind::kHost, attempt.message, {}, attempt.hint == kLogHint ? "" : attempt.hint, {}});
    if (!attempt.log.empty()) say("glovebox: its log is " + attempt.log);
  }
  const std::size_t made = attempt.outputs.size();
  if (made > 0) {
    say(fmt::format("glovebox: {} new or changed {} in {}/", made, made == 1 ? "file is" : "files are",
                    attempt.log.substr(0, attempt.log.find("/metadata/"))));
  }
}

int exec_command_line(const CliContext& context, const ExecArguments& arguments) {
  ExecOptions options;
  const Result<ImageName> image = ImageName::parse(arguments.image);
  if (!image.ok()) return fail(context, image.error());
  options.image = *image;
  options.args = arguments.words;
  Result<std::map<std::string, std::string>> variables = variables_of(context);
  if (!variables.ok()) return fail(context, variables.error());
  options.environment = std::move(variables).value();
  const Result<UniqueFd> cancel = stop_signals();
  if (!cancel.ok()) return report(cancel.error());
  Result<Session> session = open_session(context);
  if (!session.ok()) return fail(context, session.error());
  AttemptWatch watch;
  watch.cancel = cancel->get();
  // With --json stdout is ours: the action's own output then goes to stderr.
  watch.echo_output = context.json ? 2 : 1;
  watch.echo_errors = 2;
  const Result<Attempt> attempt = exec_command(*session, ".", options, watch);
  if (!attempt.ok()) return fail(context, attempt.error());
  if (context.json) print(dump_json(attempt_json(*attempt)) + "\n");
  say_how_it_ended(*attempt);
  return exit_status(attempt->reason, anything_withheld(*attempt));
}

int plan_command(const CliContext& context, const RunArguments& arguments) {
  Result<std::map<std::string, std::string>> variables = variables_of(context);
  if (!variables.ok()) return fail(context, variables.error());
  Result<Session> session = open_session(context);
  if (!session.ok()) return fail(context, session.error());
  const Result<OpenedStudy> study = open_study(*session, arguments.directory, arguments.commit);
  if (!study.ok()) return fail(context, study.error());
  if (!study->listing.report.errors.empty()) return show_invalid(context, study->listing.report.errors);
  const Result<Plan> plan = plan_action(*session, *study, arguments.actions.at(0), *variables);
  if (!plan.ok()) return fail(context, plan.error());
  return print(context.json ? dump_json(plan_json(*plan)) + "\n" : plan_text(*plan));
}

// IMAGE and the command's own words, which the parser does not know of.
class ExecFormatter : public CLI::Formatter {
 public:
  explicit ExecFormatter(const CLI::Formatter& style) : CLI::Formatter(style) {}
  std::string make_usage(const CLI::App*, std::string name) const override {
    return "Usage: " + name +
           " [OPTION…] IMAGE [ARG…]\n\n"
           "Options stand before IMAGE (python:v2); what follows it is the command and its arguments.\n";
  }
};

}  // namespace

void add_run_commands(CLI::App& app, CliContext& context) {
  const auto arguments = std::make_shared<RunArguments>();
  CLI::App* run = app.add_subcommand("run", "Run a study's actions in the sandbox, dependencies first");
  run->add_option("DIR", arguments->directory, "the study: a directory with a project.yaml")->required();
  run->add_option("ACTION", arguments->actions, "actions to run; run_all (or none named) means every action");
  run->add_flag("--force", arguments->force,
                "run actions again that have not changed, and overwrite edited outputs");
  run->add_option("--commit", arguments->commit,
                  "take project file and code from this commit (40 hex digits) instead of the working tree")
      ->type_name("HEX");
  run->footer("Example: glovebox run ./my-study run_all");
  run->callback([&context, arguments] { context.exit = run_command(context, *arguments); });

  const auto planned = std::make_shared<RunArguments>();
  CLI::App* plan =
      app.add_subcommand("plan", "Print what would be done for an action, and why; runs nothing");
  plan->add_option("DIR", planned->directory, "the study")->required();
  plan->add_option("ACTION", planned->actions, "the action")->required()->expected(1);
  plan->add_option("--commit", planned->commit,
                   "the plan for this commit (40 hex digits) instead of the working tree")
      ->type_name("HEX");
  plan->footer("Example: glovebox plan ./my-study table1");
  plan->callback([&context, planned] { context.exit = plan_command(context, *planned); });

  const auto executed = std::make_shared<ExecArguments>();
  CLI::App* exec =
      app.add_subcommand("exec", "Run one command in an image, with this directory as its workspace");
  // IMAGE is no argument that the parser knows of: it would look for options of ours behind it, and what
  // follows is the command's, options too.
  exec->fallthrough(false);
  exec->prefix_command();
  add_common_options(*exec, context);
  if (const auto style = std::dynamic_pointer_cast<CLI::Formatter>(app.get_formatter()))
    exec->formatter(std::make_shared<ExecFormatter>(*style));
  exec->footer("Example: glovebox exec python:v2 analysis/table1.py");
  exec->callback([&context, executed, exec] {
    std::vector<std::string> words = exec->remaining();
    if (words.empty() || words.front().starts_with('-')) {
      context.exit =
          words.empty() ? report_missing(*exec, "IMAGE") : report_unknown_option(*exec, words.front());
      return;
    }
    executed->image = words.front();
    words.erase(words.begin());
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    executed->words = std::move(words);
    context.exit = exec_command_line(context, *executed);
  });
}

}  // namespace glovebox
