// What a supervisor does next, as a pure function of what it has done and what has happened. Races are rows
// in a table of tests.
#pragma once
#include "core/base/types.h"
#include "core/outcome/run_end.h"

namespace glovebox {

// The stages that a running action goes through; each only moves forward.
enum class WatchStage {
  kRunning,
  kEnding,   // SIGTERM has been sent; the grace runs
  kKilling,  // everything is being killed; nothing but its end is waited for
  kOver,     // init is gone
};

struct WatchState {
  WatchStage stage = WatchStage::kRunning;
  EndedBy ended_by = EndedBy::kItself;
  Millis next_deadline = 0;  // milliseconds since the start at which kClock has something to do; 0: nothing
};

enum class WatchEvent {
  kClock,   // time has passed: look at the deadline
  kCancel,  // somebody asked to stop; a second time means: now
  kInitEnded,
};

enum class WatchEffect { kNone, kTerminate, kKill };

struct WatchStep {
  WatchState state;
  WatchEffect effect = WatchEffect::kNone;
};

// `elapsed`: milliseconds since the gate was opened. `time`, `grace`: the plan's limits.
WatchState watch_start(Millis time);
WatchStep watch_step(const WatchState& state, WatchEvent event, Millis elapsed, Millis grace);

}  // namespace glovebox
