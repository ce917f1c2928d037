#include "core/plan/plan_text.h"

#include <utility>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kLabelWidth = 14;
constexpr std::size_t kValueWidth = 30;
constexpr std::size_t kNamesWidth = 80;
constexpr std::size_t kShown = 20;        // inputs and patterns listed one by one; more are counted
constexpr std::size_t kShownBytes = 200;  // of one value that others wrote

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

// A word of a command line, in quotes where a reader could not tell where it ends.
std::string word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\n\"'\\") == std::string::npos;
  return plain ? printable(text, kShownBytes) : quoted(text, kShownBytes);
}

class PlanPage {
 public:
  explicit PlanPage(const Plan& plan) : plan_(plan) {}

  void title(const std::string& text) { text_ += "\n" + text + "\n"; }
  void line(const std::string& text) { text_ += "  " + text + "\n"; }
  // "  memory        4 GiB                         default of policies/base.yaml:31", the reason being that
  // of `field`.
  void entry(const std::string& label, const std::string& value, const std::string& field) {
    const auto reason = plan_.reasons.find(field);
    std::string row = padded(label, kLabelWidth) + "  " + value;
    if (reason != plan_.reasons.end())
      row = padded(std::move(row), kLabelWidth + 2 + kValueWidth) + "  " + printable(reason->second, 400);
    line(row);
  }
  void limit(const std::string& label, const std::string& value, const std::string& name) {
    entry(label, value, "limits." + name);
  }
  // Names beside `label`, in as many lines as it takes.
  void names(const std::string& label, const std::set<std::string>& names) {
    std::string row;
    std::string start = label;
    for (const std::string& name : names) {
      if (row.size() + name.size() > kNamesWidth) {
        line(padded(std::exchange(start, ""), kLabelWidth) + " " + std::exchange(row, ""));
      }
      row += " " + name;
    }
    if (!row.empty()) line(padded(start, kLabelWidth) + " " + row);
  }
  void and_more(std::size_t count, const char* what) {
    if (count > kShown) line("and " + std::to_string(count - kShown) + " more " + what);
  }
  std::string take() { return std::move(text_); }

 private:
  const Plan& plan_;
  std::string text_;
};

std::string code_name(const Plan& plan) {
  return plan.commit.empty() ? "the working tree" : "commit " + printable(plan.commit, 64);
}

void add_what(const Plan& plan, PlanPage& page) {
  std::vector<std::string> words;
  for (const std::string& argument : plan.argv) words.push_back(word(argument));
  page.line(padded("command", kLabelWidth) + "  " + join(words, " "));
  page.entry("image", printable(plan.image.name, kShownBytes), "image");
  page.line(padded("", kLabelWidth) + "  " + plan.image.manifest.str());
  page.line(padded("code", kLabelWidth) + "  " + code_name(plan));
  page.line(padded("", kLabelWidth) + "  " + plan.code.str());
  page.entry("policy", plan.policy, "policy");
  page.entry("network", plan.network == Network::kNone ? "none" : "loopback alone", "network");
  page.entry("runtime", plan.runtime, "runtime");
  for (const std::string& token : plan.waived) page.entry("waived", token, "waived." + token);
}

void add_limits(const Plan& plan, PlanPage& page) {
  const Limits& limits = plan.limits;
  page.title("limits");
  page.limit("memory", format_bytes(limits.memory), "memory");
  page.limit("CPUs", format_cpus(limits.cpus), "cpus");
  page.limit("processes", std::to_string(limits.processes), "processes");
  page.limit("time", format_duration(limits.time), "time");
  page.limit("  then grace", format_duration(limits.grace), "grace");
  page.limit("scratch", format_bytes(limits.scratch), "scratch");
  page.limit("  its files", std::to_string(limits.scratch_inodes), "scratch_inodes");
  page.limit("  kept", limits.scratch_on == ScratchKind::kDisk ? "on disk" : "in memory", "scratch_on");
  page.limit("log", format_bytes(limits.log), "log");
  page.limit("outputs", format_bytes(limits.output_bytes), "output_bytes");
  page.limit("  their files", std::to_string(limits.output_files), "output_files");
  page.limit("open files", std::to_string(limits.open_files), "open_files");
  page.limit("one file", format_bytes(limits.file_size), "file_size");
}

void add_files(const Plan& plan, PlanPage& page) {
  page.title("files that it sees");
  page.line(padded("/", kLabelWidth) + "  the image, read-only");
  page.line(padded(kWorkspace, kLabelWidth) + "  the code; what it writes goes to its scratch");
  page.entry("/tmp", "its own, " + format_bytes(plan.limits.tmp), "limits.tmp");
  page.entry("/dev/shm", "its own, " + format_bytes(plan.limits.shm), "limits.shm");
  page.line(padded("/proc, /dev", kLabelWidth) + "  its own; " + std::to_string(plan.masked_paths.size()) +
            " paths masked, " + std::to_string(plan.readonly_paths.size()) + " read-only");
  page.line(padded("inputs", kLabelWidth) + "  " +
            (plan.inputs.empty() ? "none" : std::to_string(plan.inputs.size()) + ", read-only"));
  for (std::size_t i = 0; i < plan.inputs.size() && i < kShown; ++i) {
    const InputFile& input = plan.inputs[i];
    page.line("  " + printable(input.path.str(), kShownBytes) + "  (" + format_bytes(input.size) +
              (input.produced_by.empty() ? "" : ", made by " + printable(input.produced_by, 64)) + ")");
  }
  page.and_more(plan.inputs.size(), "inputs");
}

void add_environment(const Plan& plan, PlanPage& page) {
  page.title("environment");
  for (const auto& [name, value] : plan.environment)
    page.entry(printable(name, kShownBytes) + "=" + printable(value, kShownBytes), "", "environment." + name);
  for (const std::string& name : plan.secrets) page.line(printable(name, kShownBytes) + "  (secret)");
  if (plan.environment.empty() && plan.secrets.empty()) page.line("empty");
}

// The linux.seccomp object of the bundle (core/seccomp): a name may stand in several entries, one for each
// alternative of its arguments.
void add_system_calls(const Plan& plan, PlanPage& page) {
  std::set<std::string> always;
  std::set<std::string> conditional;
  for (const Json& rule : plan.seccomp.value("syscalls", Json::array())) {
    if (rule.value("action", "") != "SCMP_ACT_ALLOW") continue;
    for (const Json& name : rule.value("names", Json::array()))
      (rule.contains("args") ? conditional : always).insert(name.get<std::string>());
  }
  page.title("system calls");
  page.entry("allowed", std::to_string(always.size()), "seccomp");
  page.names("in part", conditional);
  page.line("all others are refused; \"in part\" means for some arguments only");
}

void add_outputs(const Plan& plan, PlanPage& page) {
  page.title("outputs");
  if (plan.collect_everything) page.line("every new or changed file, not judged");
  for (std::size_t i = 0; i < plan.outputs.size() && i < kShown; ++i) {
    const OutputSpec& output = plan.outputs[i];
    page.line(padded(std::string(to_string(output.level)), 21) + "  " +
              printable(output.pattern.str(), kShownBytes));
  }
  page.and_more(plan.outputs.size(), "patterns");
  if (plan.collect_everything) return;
  const OutputRules& rules = plan.output_rules;
  page.title("what a moderately sensitive file may be");
  const std::vector<std::string> extensions(rules.extensions.begin(), rules.extensions.end());
  page.entry("types", join(extensions, " "), "output_rules.extensions");
  page.entry("size", "at most " + format_bytes(rules.file_bytes), "output_rules.file_bytes");
  page.entry("rows of CSV", "at most " + std::to_string(rules.csv_rows), "output_rules.csv_rows");
}

}  // namespace

std::string plan_text(const Plan& plan) {
  PlanPage page(plan);
  add_what(plan, page);
  add_limits(plan, page);
  add_files(plan, page);
  add_environment(plan, page);
  add_system_calls(plan, page);
  add_outputs(plan, page);
  return printable(plan.action, kShownBytes) + " of " + printable(plan.workspace, kShownBytes) + "\n\n" +
         page.take() + "\nthe plan is " + plan_digest(plan).str() + "; --json prints all of it\n";
}

}  // namespace glovebox
