#include "core/job/watch.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

using namespace glovebox;

namespace {

constexpr Millis kTime = 1000;
constexpr Millis kGrace = 50;

struct Happens {
  WatchEvent event;
  Millis at;
  WatchEffect effect;  // what must be done about it
};
struct Race {
  const char* name;
  std::vector<Happens> story;
  WatchStage stage;
  EndedBy ended_by;
};

constexpr WatchEvent kClock = WatchEvent::kClock;
constexpr WatchEvent kCancel = WatchEvent::kCancel;
constexpr WatchEvent kGone = WatchEvent::kInitEnded;
constexpr WatchEffect kNone = WatchEffect::kNone;
constexpr WatchEffect kTerm = WatchEffect::kTerminate;
constexpr WatchEffect kKill = WatchEffect::kKill;

const std::vector<Race>& races() {
  static const std::vector<Race> all{
      {"it ends by itself", {{kClock, 1, kNone}, {kGone, 2, kKill}}, WatchStage::kOver, EndedBy::kItself},
      {"it ends at the very deadline, seen before the clock",
       {{kGone, 1000, kKill}, {kClock, 1000, kNone}},
       WatchStage::kOver,
       EndedBy::kItself},
      {"the clock is seen first: the deadline it was",
       {{kClock, 1000, kTerm}, {kGone, 1000, kKill}},
       WatchStage::kOver,
       EndedBy::kDeadline},
      {"one millisecond before the deadline nothing is due",
       {{kClock, 999, kNone}},
       WatchStage::kRunning,
       EndedBy::kItself},
      {"a late clock is as good as one in time",
       {{kClock, 5000, kTerm}},
       WatchStage::kEnding,
       EndedBy::kDeadline},
      {"it ends in the grace after the deadline",
       {{kClock, 1000, kTerm}, {kClock, 1049, kNone}, {kGone, 1049, kKill}},
       WatchStage::kOver,
       EndedBy::kDeadline},
      {"it ignores SIGTERM until the grace is over",
       {{kClock, 1000, kTerm}, {kClock, 1049, kNone}, {kClock, 1050, kKill}, {kClock, 9999, kNone}},
       WatchStage::kKilling,
       EndedBy::kDeadline},
      {"the grace counts from when SIGTERM was sent, not from when it was due",
       {{kClock, 3000, kTerm}, {kClock, 3049, kNone}, {kClock, 3050, kKill}, {kGone, 3060, kKill}},
       WatchStage::kOver,
       EndedBy::kDeadline},
      {"cancelled, and it obeys",
       {{kCancel, 10, kTerm}, {kGone, 11, kKill}},
       WatchStage::kOver,
       EndedBy::kCancelled},
      {"cancelled, and it does not obey",
       {{kCancel, 10, kTerm}, {kClock, 59, kNone}, {kClock, 60, kKill}, {kGone, 61, kKill}},
       WatchStage::kOver,
       EndedBy::kCancelled},
      {"cancelled twice: now",
       {{kCancel, 10, kTerm}, {kCancel, 11, kKill}},
       WatchStage::kKilling,
       EndedBy::kCancelled},
      {"cancelled three times",
       {{kCancel, 10, kTerm}, {kCancel, 11, kKill}, {kCancel, 12, kNone}},
       WatchStage::kKilling,
       EndedBy::kCancelled},
      {"cancelled before the deadline, which passes in the grace: cancelled it was",
       {{kCancel, 990, kTerm}, {kClock, 1000, kNone}, {kClock, 1039, kNone}, {kClock, 1040, kKill}},
       WatchStage::kKilling,
       EndedBy::kCancelled},
      {"the deadline came first, cancelled in the grace: killed at once, and the deadline it was",
       {{kClock, 1000, kTerm}, {kCancel, 1001, kKill}},
       WatchStage::kKilling,
       EndedBy::kDeadline},
      {"cancelled at the deadline, seen before the clock",
       {{kCancel, 1000, kTerm}, {kClock, 1000, kNone}},
       WatchStage::kEnding,
       EndedBy::kCancelled},
      {"cancelled when it has ended",
       {{kGone, 10, kKill}, {kCancel, 10, kNone}},
       WatchStage::kOver,
       EndedBy::kItself},
      {"nothing that happens while it is being killed counts",
       {{kCancel, 10, kTerm},
        {kCancel, 10, kKill},
        {kClock, 1000, kNone},
        {kCancel, 1001, kNone},
        {kGone, 1002, kKill}},
       WatchStage::kOver,
       EndedBy::kCancelled},
      {"nothing that happens after its end counts",
       {{kGone, 1, kKill}, {kClock, 1000, kNone}, {kCancel, 1001, kNone}, {kGone, 1002, kNone}},
       WatchStage::kOver,
       EndedBy::kItself},
  };
  return all;
}

}  // namespace

TEST_CASE("of a deadline, a cancellation and an end, the first that was acted on counts") {
  for (const Race& race : races()) {
    CAPTURE(race.name);
    WatchState state = watch_start(kTime);
    for (const Happens& happens : race.story) {
      CAPTURE(happens.at);
      const WatchStep step = watch_step(state, happens.event, happens.at, kGrace);
      CHECK(step.effect == happens.effect);
      CHECK(step.state.stage >= state.stage);  // never back
      state = step.state;
    }
    CHECK(state.stage == race.stage);
    CHECK(state.ended_by == race.ended_by);
  }
}

TEST_CASE("the next deadline is the plan's, then the grace's, then none") {
  WatchState state = watch_start(kTime);
  CHECK(state.next_deadline == 1000);
  state = watch_step(state, kClock, 1003, kGrace).state;
  CHECK(state.next_deadline == 1053);
  state = watch_step(state, kClock, 1053, kGrace).state;
  CHECK(state.next_deadline == 0);
  state = watch_step(state, kGone, 1054, kGrace).state;
  CHECK(state.next_deadline == 0);
}

TEST_CASE("a grace of nothing kills at the next look") {
  const WatchStep told = watch_step(watch_start(kTime), kClock, kTime, 0);
  CHECK(told.effect == kTerm);
  CHECK(watch_step(told.state, kClock, kTime, 0).effect == kKill);
}

TEST_CASE(
    "whatever happens in whatever order, an end is reached, killed once by order, and its cause stays") {
  // Every sequence of six events, each 300 ms after the one before.
  constexpr std::array<WatchEvent, 3> kEvents{kClock, kCancel, kGone};
  for (unsigned code = 0; code < 729; ++code) {
    WatchState state = watch_start(kTime);
    int orders = 0;
    unsigned rest = code;
    for (Millis at = 300; at <= 1800; at += 300, rest /= 3) {
      const WatchEvent event = kEvents.at(rest % 3);
      const WatchStep step = watch_step(state, event, at, kGrace);
      if (step.effect == kTerm) ++orders;
      CHECK(step.state.stage >= state.stage);
      if (state.stage != WatchStage::kRunning) CHECK(step.state.ended_by == state.ended_by);
      if (event == kGone) CHECK(step.state.stage == WatchStage::kOver);
      if (state.stage == WatchStage::kOver) CHECK(step.effect == kNone);
      state = step.state;
    }
    CHECK(orders <= 1);
  }
}
