#include "core/outcome/run_end.h"

#include <doctest/doctest.h>

using namespace glovebox;

namespace {
RunEnd exited(int code) {
  RunEnd end;
  end.report = {InitReport::Kind::kExited, code};
  return end;
}
RunEnd signalled(int signal) {
  RunEnd end;
  end.report = {InitReport::Kind::kSignalled, signal};
  return end;
}
Limits limits() {
  Limits l;
  l.memory = 4ULL << 30U;
  l.time = 60'000;
  l.processes = 512;
  l.scratch = 1ULL << 30U;
  l.scratch_inodes = 1000;
  l.output_files = 10;
  l.output_bytes = 1ULL << 20U;
  l.file_size = 1ULL << 30U;
  return l;
}
}  // namespace

TEST_CASE("a run that ends with 0 and everything there succeeded") {
  CHECK(decide_reason(exited(0)) == Reason::kNone);
}

TEST_CASE("an exit status above 128 is an exit, a signal is a signal") {
  CHECK(decide_reason(exited(137)) == Reason::kExit);
  CHECK(decide_reason(signalled(9)) == Reason::kSignal);
}

TEST_CASE("a process killed for memory stops the action even where its first process exits with 0") {
  RunEnd end = exited(0);
  end.oom_kills = 1;
  CHECK(decide_reason(end) == Reason::kMemory);
  end.report = {InitReport::Kind::kSignalled, 9};
  CHECK(decide_reason(end) == Reason::kMemory);
  end.report = {};
  CHECK(decide_reason(end) == Reason::kMemory);
}

TEST_CASE("an init that says nothing, with nothing to explain it, is the host's failure") {
  CHECK(decide_reason(RunEnd{}) == Reason::kHost);
}

TEST_CASE("a limit on processes or scratch counts only where the action failed") {
  RunEnd end = exited(0);
  end.forks_refused = 7;
  end.scratch_full = true;
  CHECK(decide_reason(end) == Reason::kNone);
  end.report.value = 1;
  CHECK(decide_reason(end) == Reason::kProcesses);
  end.forks_refused = 0;
  CHECK(decide_reason(end) == Reason::kScratch);
  end.report = {InitReport::Kind::kSignalled, 6};
  CHECK(decide_reason(end) == Reason::kScratch);
}

TEST_CASE("the first cause wins, in the documented order") {
  RunEnd end = exited(3);
  end.missing = {"output/*.csv"};
  CHECK(decide_reason(end) == Reason::kExit);
  end.report.value = 0;
  CHECK(decide_reason(end) == Reason::kMissing);
  end.outputs_over = true;
  CHECK(decide_reason(end) == Reason::kOutput);
  end.oom_kills = 2;
  CHECK(decide_reason(end) == Reason::kMemory);
  end.ended_by = EndedBy::kDeadline;
  CHECK(decide_reason(end) == Reason::kTime);
  end.fault = Fault::kHost;
  CHECK(decide_reason(end) == Reason::kHost);
  end.fault = Fault::kInput;
  CHECK(decide_reason(end) == Reason::kInput);
  end.ended_by = EndedBy::kCancelled;
  CHECK(decide_reason(end) == Reason::kCancelled);
}

TEST_CASE("a limit's message names the limit and the hint says what to change") {
  RunEnd end = exited(0);
  end.oom_kills = 2;
  Usage usage;
  usage.memory_peak = 4ULL << 30U;
  const Explanation memory = explain(Reason::kMemory, end, limits(), usage, {});
  CHECK(memory.message == "the action ran out of memory: its limit is 4 GiB");
  CHECK(memory.hint ==
        "use less: fewer rows or columns at once, fewer parallel workers; or have limits.memory raised in "
        "the policy");
  CHECK(memory.detail ==
        "the kernel killed 2 of its processes; the peak was 4 GiB\n"
        "its first process still exited with 0: what it wrote may be incomplete\n");
  CHECK(explain(Reason::kTime, end, limits(), usage, {}).message ==
        "the action was stopped at its time limit of 60 s");
  CHECK(explain(Reason::kProcesses, end, limits(), usage, {}).message ==
        "the action failed after it reached its limit of 512 processes and threads");
  CHECK(explain(Reason::kScratch, end, limits(), usage, {}).message ==
        "the action failed with its scratch space full: 1 GiB and 1000 files are allowed");
  CHECK(explain(Reason::kOutput, end, limits(), usage, {}).message ==
        "the action's outputs exceed the limit of 10 files or 1 MiB: none was kept");
}

TEST_CASE("signals have their names") {
  CHECK(explain(Reason::kSignal, signalled(11), limits(), {}, {}).message ==
        "the action was ended by SIGSEGV");
  CHECK(explain(Reason::kSignal, signalled(25), limits(), {}, {}).hint ==
        "a file grew past the limit of 1 GiB for one file");
  CHECK(signal_name(42) == "signal 42");
}

TEST_CASE("what a controller outside reads never names a file or a pattern") {
  RunEnd end = exited(0);
  end.missing = {"output/secret-*.csv"};
  const std::vector<std::string> files{"output/Secret-1.csv"};
  for (int r = 0; r <= static_cast<int>(Reason::kLost); ++r) {
    const Explanation said = explain(static_cast<Reason>(r), end, limits(), {}, files);
    CAPTURE(r);
    CHECK_FALSE(said.message.empty());
    CHECK((said.message + said.hint).find("ecret") == std::string::npos);
  }
  const Explanation missing = explain(Reason::kMissing, end, limits(), {}, files);
  CHECK(missing.detail ==
        "nothing matches these patterns:\n  output/secret-*.csv\n"
        "new files that no pattern matches (is one of these meant?):\n  output/Secret-1.csv\n");
}

TEST_CASE("a long list of files is cut with its count") {
  const std::vector<std::string> files(25, "x");
  const std::string detail = explain(Reason::kNone, exited(0), limits(), {}, files).detail;
  CHECK(detail.ends_with("  and 5 more\n"));
}
