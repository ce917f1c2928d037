#include "core/outcome/outcome.h"

#include <doctest/doctest.h>

#include <tuple>

using namespace glovebox;

TEST_CASE("one table fixes status, reason and exit status") {
  const std::vector<std::tuple<Reason, std::string, std::string, int>> expected{
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
  };
  for (const auto& [reason, word, status, exit] : expected) {
    CAPTURE(word);
    CHECK(to_string(reason) == word);
    CHECK(status_of(reason) == status);
    CHECK(exit_status(reason, false) == exit);
    CHECK(exit_status(reason, true) == (reason == Reason::kNone ? 5 : exit));
  }
}

TEST_CASE("of several actions the first of 6, 3, 8, 4, 1, 5, 0 is the exit status") {
  CHECK(combined_exit_status({}) == 0);
  CHECK(combined_exit_status({0, 5, 0}) == 5);
  CHECK(combined_exit_status({5, 1}) == 1);
  CHECK(combined_exit_status({1, 4}) == 4);
  CHECK(combined_exit_status({4, 8}) == 8);
  CHECK(combined_exit_status({8, 3}) == 3);
  CHECK(combined_exit_status({3, 6, 0}) == 6);
}

TEST_CASE("an exit status that no action has is our own failure") {
  CHECK(combined_exit_status({0, 2}) == 6);
  CHECK(combined_exit_status({-1}) == 6);
}

TEST_CASE("what depends on a failed action never hides the cause's exit status") {
  for (const int cause : {6, 3, 8, 4, 1}) {
    CHECK(combined_exit_status({cause, exit_status(Reason::kDependency, false)}) == cause);
  }
}

TEST_CASE("a rejected file counts as withheld, an accepted one does not") {
  Attempt attempt;
  attempt.outputs.emplace_back();
  CHECK_FALSE(anything_withheld(attempt));
  attempt.outputs.back().verdict = Verdict::kRejected;
  CHECK(anything_withheld(attempt));
}

namespace {
Attempt whole_attempt() {
  Attempt attempt;
  attempt.id = "a1";
  attempt.action = "table1";
  attempt.message = "the action succeeded";
  attempt.exit_code = 0;
  attempt.started = "2026-11-22T10:00:00.000Z";
  attempt.finished = "2026-11-22T10:00:01.000Z";
  OutputFile file;
  file.path = "output/table1.csv";
  file.level = Level::kModeratelySensitive;
  file.verdict = Verdict::kWithheld;
  file.reasons = {{"csv.patient-id", "has a column called patient_id"}};
  file.size = 27;
  file.digest = Digest::of("x");
  file.rows = 9;
  file.columns = 3;
  attempt.outputs.push_back(file);
  attempt.unmatched_files = {"scratch.rds"};
  attempt.facts.emplace();
  attempt.facts->limits["memory"] = {4294967296, 4294967296, 1000};
  attempt.facts->limits["time"] = {60000, 60000, std::nullopt};
  attempt.usage.wall_ms = 1000;
  attempt.record = "/records/a1";
  attempt.log = "metadata/table1.log";
  attempt.detail = "only for the log";
  return attempt;
}
}  // namespace

TEST_CASE("the JSON of an attempt has every member of the contract in its order") {
  const std::string expected =
      R"({"id":"a1","action":"table1","status":"succeeded","reason":null,"message":"the action succeeded",)"
      R"("hint":null,"exit_code":0,"signal":null,"cached":false,"started":"2026-11-22T10:00:00.000Z",)"
      R"("finished":"2026-11-22T10:00:01.000Z","outputs":[{"path":"output/table1.csv",)"
      R"("level":"moderately_sensitive","verdict":"withheld","reasons":[{"rule":"csv.patient-id",)"
      R"("message":"has a column called patient_id"}],"size":27,"sha256":)"
      R"("2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","rows":9,"columns":3}],)"
      R"("unmatched_patterns":[],"unmatched_files":["scratch.rds"],"denials":null,"limits":{"memory":)"
      R"({"asked":4294967296,"in_force":4294967296,"peak":1000},"time":{"asked":60000,"in_force":60000,)"
      R"("peak":null}},"usage":{"wall_ms":1000,"cpu_user_ms":0,"cpu_system_ms":0,"memory_peak_bytes":0,)"
      R"("io_read_bytes":0,"io_write_bytes":0,"pids_peak":0},"image_digest":null,"policy_digest":null,)"
      R"("plan_digest":null,"record":"/records/a1","log":"metadata/table1.log"})";
  CHECK(dump_json(attempt_json(whole_attempt())) == expected);
}

TEST_CASE("an attempt with a plan shows the digests of what was in force") {
  Attempt attempt = whole_attempt();
  attempt.plan.emplace();
  attempt.plan->image.manifest = Digest::of("image");
  attempt.plan->policy_digest = Digest::of("policy");
  const Json json = attempt_json(attempt);
  CHECK(json["image_digest"] == Digest::of("image").str());
  CHECK(json["policy_digest"] == Digest::of("policy").str());
  CHECK(json["plan_digest"] == plan_digest(*attempt.plan).str());
}
