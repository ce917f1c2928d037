#include "core/outcome/run_end.h"

#include <array>

namespace glovebox {
namespace {

struct SignalName {
  int number;
  const char* name;
};
// Linux numbers on x86-64 and arm64; spelled out since the core includes no system headers.
constexpr std::array<SignalName, 18> kSignals{{{1, "SIGHUP"},
                                               {2, "SIGINT"},
                                               {3, "SIGQUIT"},
                                               {4, "SIGILL"},
                                               {5, "SIGTRAP"},
                                               {6, "SIGABRT"},
                                               {7, "SIGBUS"},
                                               {8, "SIGFPE"},
                                               {9, "SIGKILL"},
                                               {10, "SIGUSR1"},
                                               {11, "SIGSEGV"},
                                               {12, "SIGUSR2"},
                                               {13, "SIGPIPE"},
                                               {14, "SIGALRM"},
                                               {15, "SIGTERM"},
                                               {24, "SIGXCPU"},
                                               {25, "SIGXFSZ"},
                                               {31, "SIGSYS"}}};
constexpr int kFileSizeSignal = 25;
constexpr int kBadCallSignal = 31;
constexpr std::size_t kMostNamed = 20;  // file names in a detail; the rest is counted

bool failed(const InitReport& report) {
  return report.kind == InitReport::Kind::kSignalled ||
         (report.kind == InitReport::Kind::kExited && report.value != 0);
}

Reason failure_reason(const RunEnd& end) {
  if (end.forks_refused > 0) return Reason::kProcesses;
  if (end.scratch_full) return Reason::kScratch;
  return end.report.kind == InitReport::Kind::kSignalled ? Reason::kSignal : Reason::kExit;
}

std::string list_of(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return {};
  std::string text = std::string(title) + "\n";
  for (std::size_t i = 0; i < names.size() && i < kMostNamed; ++i) text += "  " + names[i] + "\n";
  if (names.size() > kMostNamed) text += "  and " + std::to_string(names.size() - kMostNamed) + " more\n";
  return text;
}

Explanation signal_ended(int signal, const Limits& limits) {
  Explanation said{"the action was ended by " + signal_name(signal), "", ""};
  if (signal == kFileSizeSignal) {
    said.hint = "a file grew past the limit of " + format_bytes(limits.file_size) + " for one file";
  } else if (signal == kBadCallSignal) {
    said.hint = "a program made a system call of another architecture, which no policy allows";
  } else {
    said.hint = kLogHint;
  }
  return said;
}

Explanation memory_stopped(const RunEnd& end, const Limits& limits, const Usage& usage) {
  Explanation said;
  said.message = "the action ran out of memory: its limit is " + format_bytes(limits.memory);
  said.hint =
      "use less: fewer rows or columns at once, fewer parallel workers; or have limits.memory raised in the "
      "policy";
  said.detail = "the kernel killed " + std::to_string(end.oom_kills) + " of its processes; the peak was " +
                format_bytes(usage.memory_peak) + "\n";
  if (!failed(end.report) && end.report.kind == InitReport::Kind::kExited) {
    said.detail += "its first process still exited with 0: what it wrote may be incomplete\n";
  }
  return said;
}

Explanation processes_stopped(const RunEnd& end, const Limits& limits, const Usage& usage) {
  return {"the action failed after it reached its limit of " + std::to_string(limits.processes) +
              " processes and threads",
          "start fewer at once (workers of a cluster, threads of a library), or have limits.processes raised "
          "in the policy",
          std::to_string(end.forks_refused) + " were refused; the peak was " +
              std::to_string(usage.pids_peak) + "\n"};
}

Explanation missing_outputs(const RunEnd& end, const std::vector<std::string>& unmatched_files) {
  Explanation said;
  said.message = "the action ended well, but an output that it declares is missing";
  said.hint = unmatched_files.empty()
                  ? "compare the patterns under outputs with what the action writes; its log names them"
                  : "it made new files that no pattern matches; its log names both: is one of them meant?";
  said.detail = list_of("nothing matches these patterns:", end.missing) +
                list_of("new files that no pattern matches (is one of these meant?):", unmatched_files);
  return said;
}

Explanation plain_success(const std::vector<std::string>& unmatched_files) {
  return {"the action succeeded", "", list_of("new files that no pattern matches:", unmatched_files)};
}

Explanation exited(const RunEnd& end) {
  return {"the action failed with exit status " + std::to_string(end.report.value), kLogHint, ""};
}

Explanation outputs_stopped(const Limits& limits) {
  return {"the action's outputs exceed the limit of " + std::to_string(limits.output_files) + " files or " +
              format_bytes(limits.output_bytes) + ": none was kept",
          "declare fewer files, or write less", ""};
}

// Words for the reasons that are decided before or around a run, where its facts say nothing more.
Explanation without_facts(Reason reason) {
  switch (reason) {
    case Reason::kCancelled:
      return {"the action was cancelled", "", ""};
    case Reason::kLost:
      return {"the action was cut off: Glovebox or the host went down while it ran", "run it again", ""};
    case Reason::kDependency:
      return {"not run: an action that it needs did not succeed", "mend that one first", ""};
    case Reason::kPolicy:
      return {"refused by policy", "", ""};
    case Reason::kInput:
      return {"refused: an input is missing or was changed", "", ""};
    case Reason::kImage:
      return {"refused: the image is missing or damaged", "", ""};
    default:
      return {"Glovebox or this host failed", "run it again", ""};
  }
}

}  // namespace

Reason decide_reason(const RunEnd& end) {
  if (end.ended_by == EndedBy::kCancelled) return Reason::kCancelled;
  if (end.fault != Fault::kNone) return end.fault == Fault::kInput ? Reason::kInput : Reason::kHost;
  if (end.ended_by == EndedBy::kDeadline) return Reason::kTime;
  if (end.oom_kills > 0) return Reason::kMemory;
  if (end.report.kind == InitReport::Kind::kNone) return Reason::kHost;
  if (failed(end.report)) return failure_reason(end);
  if (end.outputs_over) return Reason::kOutput;
  if (!end.missing.empty()) return Reason::kMissing;
  return Reason::kNone;
}

Explanation explain(Reason reason, const RunEnd& end, const Limits& limits, const Usage& usage,
                    const std::vector<std::string>& unmatched_files) {
  switch (reason) {
    case Reason::kNone:
      return plain_success(unmatched_files);
    case Reason::kExit:
      return exited(end);
    case Reason::kSignal:
      return signal_ended(end.report.value, limits);
    case Reason::kMissing:
      return missing_outputs(end, unmatched_files);
    case Reason::kMemory:
      return memory_stopped(end, limits, usage);
    case Reason::kTime:
      return {"the action was stopped at its time limit of " + format_duration(limits.time),
              "split the work into several actions, or have limits.time raised in the policy",
              end.oom_kills > 0 ? "the kernel had also killed processes of it for memory\n" : ""};
    case Reason::kProcesses:
      return processes_stopped(end, limits, usage);
    case Reason::kScratch:
      return {"the action failed with its scratch space full: " + format_bytes(limits.scratch) + " and " +
                  std::to_string(limits.scratch_inodes) + " files are allowed",
              "remove intermediate files as it goes, or have limits.scratch raised in the policy", ""};
    case Reason::kOutput:
      return outputs_stopped(limits);
    default:
      return without_facts(reason);
  }
}

std::string signal_name(int signal) {
  for (const SignalName& known : kSignals) {
    if (known.number == signal) return known.name;
  }
  return "signal " + std::to_string(signal);
}

}  // namespace glovebox
