#include "core/job/watch.h"

namespace glovebox {
namespace {

WatchStep terminate(WatchState state, EndedBy cause, Millis elapsed, Millis grace) {
  state.stage = WatchStage::kEnding;
  state.ended_by = cause;
  state.next_deadline = elapsed + grace;
  return {state, WatchEffect::kTerminate};
}

WatchStep kill(WatchState state) {
  state.stage = WatchStage::kKilling;
  state.next_deadline = 0;
  return {state, WatchEffect::kKill};
}

}  // namespace

WatchState watch_start(Millis time) {
  return {WatchStage::kRunning, EndedBy::kItself, time};
}

WatchStep watch_step(const WatchState& state, WatchEvent event, Millis elapsed, Millis grace) {
  if (state.stage == WatchStage::kOver) return {state, WatchEffect::kNone};
  if (event == WatchEvent::kInitEnded) {
    WatchState over = state;
    over.stage = WatchStage::kOver;
    over.next_deadline = 0;
    return {over, WatchEffect::kKill};  // what it left behind
  }
  const bool due = event == WatchEvent::kClock && state.next_deadline != 0 && elapsed >= state.next_deadline;
  if (state.stage == WatchStage::kRunning) {
    if (event == WatchEvent::kCancel) return terminate(state, EndedBy::kCancelled, elapsed, grace);
    if (due) return terminate(state, EndedBy::kDeadline, elapsed, grace);
  }
  if (state.stage == WatchStage::kEnding && (due || event == WatchEvent::kCancel)) return kill(state);
  return {state, WatchEffect::kNone};
}

}  // namespace glovebox
