#include "core/outcome/outcome.h"

#include <algorithm>
#include <array>

namespace glovebox {
namespace {

// DESIGN.md §6: "one table fixes status, reason and exit status".
struct Row {
  Reason reason;
  std::string_view word;
  std::string_view status;
  int exit;
};
constexpr std::array<Row, 16> kTable{{
    {Reason::kNone, "none", "succeeded", 0},
    {Reason::kExit, "exit", "failed", 1},
    {Reason::kSignal, "signal", "failed", 1},
    {Reason::kMissing, "missing", "failed", 1},
    {Reason::kMemory, "memory", "stopped", 4},
    {Reason::kTime, "time", "stopped", 4},
    {Reason::kProcesses, "processes", "stopped", 4},
    {Reason::kScratch, "scratch", "stopped", 4},
    {Reason::kOutput, "output", "stopped", 4},
    {Reason::kPolicy, "policy", "refused", 3},
    {Reason::kInput, "input", "refused", 3},
    {Reason::kImage, "image", "refused", 3},
    {Reason::kDependency, "dependency", "not_run", 1},
    {Reason::kCancelled, "cancelled", "cancelled", 8},
    {Reason::kHost, "host", "error", 6},
    {Reason::kLost, "lost", "error", 6},
}};
constexpr int kWithheldExit = 5;
constexpr int kHostExit = 6;

const Row& row_of(Reason reason) {
  const auto* found =
      std::find_if(kTable.begin(), kTable.end(), [&](const Row& row) { return row.reason == reason; });
  return found == kTable.end() ? kTable[14] : *found;  // a value outside the enumeration is our own failure
}

}  // namespace

std::string_view to_string(Reason reason) {
  return row_of(reason).word;
}
std::string_view status_of(Reason reason) {
  return row_of(reason).status;
}

int exit_status(Reason reason, bool withheld) {
  return reason == Reason::kNone && withheld ? kWithheldExit : row_of(reason).exit;
}

int combined_exit_status(const std::vector<int>& statuses) {
  static constexpr std::array<int, 7> kOrder{6, 3, 8, 4, 1, 5, 0};
  std::size_t first = kOrder.size() - 1;
  for (const int status : statuses) {
    const auto* place = std::find(kOrder.begin(), kOrder.end(), status);
    if (place == kOrder.end()) return kHostExit;  // no action ends with it: something of ours is broken
    first = std::min(first, static_cast<std::size_t>(place - kOrder.begin()));
  }
  return kOrder.at(first);
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccepted:
      return "accepted";
    case Verdict::kWithheld:
      return "withheld";
    case Verdict::kRejected:
      return "rejected";
  }
  return "rejected";
}

bool anything_withheld(const Attempt& attempt) {
  return std::any_of(attempt.outputs.begin(), attempt.outputs.end(),
                     [](const OutputFile& file) { return file.verdict != Verdict::kAccepted; });
}

}  // namespace glovebox
