#include "core/outcome/run_facts.h"

#include <doctest/doctest.h>

#include <functional>

using namespace glovebox;

namespace {

// Every field has a value of its own that is not the default.
RunFacts full() {
  RunFacts facts;
  facts.end.ended_by = EndedBy::kCancelled;
  facts.end.fault = Fault::kInput;
  facts.end.report = {InitReport::Kind::kSignalled, 11};
  facts.end.oom_kills = 3;
  facts.end.forks_refused = 4;
  facts.end.scratch_full = true;
  facts.end.outputs_over = true;
  facts.end.missing = {"output/*.csv", "output/\xC3\xA9.txt"};
  facts.problem = "no room";
  facts.hint = "make room";
  facts.started = "2026-01-02T03:04:05.678Z";
  facts.finished = "2026-01-02T03:04:06.789Z";
  Facts seen;
  seen.seccomp_mode = 2;
  seen.no_new_privileges = true;
  seen.capabilities = "0,0,0,0,0";
  seen.uid_map = "1000 600001 1";
  seen.gid_map = "1000 600002 1";
  seen.namespaces = {{"user", 4026531837}, {"net", 4026531840}};
  seen.mounts = 17;
  seen.limits["memory"] = {4096, 4095, 12};
  seen.limits["time"] = {60, 61, {}};
  facts.facts = seen;
  facts.usage = {1, 2, 3, 4, 5, 6, 7};
  OutputFile accepted;
  accepted.path = "output/table.csv";
  accepted.level = Level::kModeratelySensitive;
  accepted.verdict = Verdict::kWithheld;
  accepted.reasons = {{"csv.rows", "more than 5000 rows"}, {"csv.patient-id", "a column of ids"}};
  accepted.size = 27;
  accepted.digest = Digest::of("x");
  accepted.rows = 9;
  accepted.columns = 3;
  OutputFile rejected;
  rejected.path = "output/a\\x1Bb";
  rejected.verdict = Verdict::kRejected;
  facts.outputs = {accepted, rejected};
  facts.staged = {"0", ""};
  facts.unmatched_patterns = {"never/*"};
  facts.unmatched_files = {"left.txt"};
  return facts;
}

Result<RunFacts> read(const Json& json) {
  return run_facts_from_json(json);
}

struct Damage {
  const char* what;
  std::function<void(Json&)> done;
  const char* where;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all{
      {"an unknown cause", [](Json& j) { j["end"]["ended_by"] = 3; }, "end.ended_by"},
      {"a negative cause", [](Json& j) { j["end"]["ended_by"] = -1; }, "end.ended_by"},
      {"an unknown kind of report", [](Json& j) { j["end"]["report"] = 3; }, "end.report"},
      {"a signal that is none", [](Json& j) { j["end"]["report_value"] = 65; }, "end.report_value"},
      {"signal 0", [](Json& j) { j["end"]["report_value"] = 0; }, "end.report_value"},
      {"an exit status that is none",
       [](Json& j) {
         j["end"]["report"] = 1;
         j["end"]["report_value"] = 256;
       },
       "end.report_value"},
      {"a value where there is no report", [](Json& j) { j["end"]["report"] = 0; }, "end.report_value"},
      {"a count that is negative", [](Json& j) { j["end"]["oom_kills"] = -1; }, "end.oom_kills"},
      {"a count that is no number", [](Json& j) { j["end"]["forks_refused"] = "4"; }, "end.forks_refused"},
      {"a count with a fraction", [](Json& j) { j["usage"]["wall_ms"] = 1.5; }, "usage.wall_ms"},
      {"a count past what fits", [](Json& j) { j["usage"]["io_read"] = UINT64_MAX; }, "usage.io_read"},
      {"a flag that is a number", [](Json& j) { j["end"]["scratch_full"] = 1; }, "end.scratch_full"},
      {"a list of something else", [](Json& j) { j["end"]["missing"] = Json::array({1}); }, "end.missing"},
      {"a list that is an object", [](Json& j) { j["unmatched_files"] = Json::object(); },
       "run facts.unmatched_files"},
      {"an unknown verdict", [](Json& j) { j["outputs"][0]["verdict"] = 3; }, "outputs.verdict"},
      {"reasons that are a text", [](Json& j) { j["outputs"][0]["reasons"] = "none"; }, "outputs.reasons"},
      {"a seccomp mode that the kernel has not", [](Json& j) { j["facts"]["seccomp"] = 3; }, "facts.seccomp"},
      {"a namespace that is a text", [](Json& j) { j["facts"]["namespaces"]["user"] = "1"; },
       "namespaces.user"},
      {"limits that are a list", [](Json& j) { j["facts"]["limits"] = Json::array(); }, "facts.limits"},
      {"a peak that is a text", [](Json& j) { j["facts"]["limits"]["memory"]["peak"] = "1"; },
       "limits.memory.peak"},
      {"a member that nobody writes", [](Json& j) { j["end"]["exit"] = 0; }, "end"},
      {"another one at the top", [](Json& j) { j["verdict"] = 0; }, "run facts"},
  };
  return all;
}

}  // namespace

TEST_CASE("every field of what came of a run survives the way through JSON") {
  const RunFacts before = full();
  const auto text = dump_json(run_facts_json(before));
  const auto after = read(parse_json(text, "test").value());
  REQUIRE(after.ok());
  CHECK(after->end.ended_by == EndedBy::kCancelled);
  CHECK(after->end.fault == Fault::kInput);
  CHECK(after->end.report.kind == InitReport::Kind::kSignalled);
  CHECK(after->end.report.value == 11);
  CHECK(after->end.oom_kills == 3);
  CHECK(after->end.forks_refused == 4);
  CHECK(after->end.scratch_full);
  CHECK(after->end.outputs_over);
  CHECK(after->end.missing == before.end.missing);
  CHECK(after->problem == "no room");
  CHECK(after->hint == "make room");
  CHECK(after->started == before.started);
  CHECK(after->finished == before.finished);
  REQUIRE(after->facts);
  CHECK(after->facts->seccomp_mode == 2);
  CHECK(after->facts->no_new_privileges);
  CHECK(after->facts->capabilities == before.facts->capabilities);
  CHECK(after->facts->uid_map == before.facts->uid_map);
  CHECK(after->facts->gid_map == before.facts->gid_map);
  CHECK(after->facts->namespaces == before.facts->namespaces);
  CHECK(after->facts->mounts == 17);
  CHECK(after->facts->limits.at("memory").peak == 12);
  CHECK(after->facts->limits.at("memory").in_force == 4095);
  CHECK_FALSE(after->facts->limits.at("time").peak);
  CHECK(after->usage.wall_ms == 1);
  CHECK(after->usage.cpu_user_ms == 2);
  CHECK(after->usage.cpu_system_ms == 3);
  CHECK(after->usage.memory_peak == 4);
  CHECK(after->usage.io_read == 5);
  CHECK(after->usage.io_write == 6);
  CHECK(after->usage.pids_peak == 7);
  REQUIRE(after->outputs.size() == 2);
  CHECK(after->outputs[0].digest == Digest::of("x"));
  CHECK(after->outputs[0].rows == 9);
  CHECK(after->outputs[0].columns == 3);
  CHECK(after->outputs[0].reasons.at(1).rule == "csv.patient-id");
  CHECK(after->outputs[0].verdict == Verdict::kWithheld);
  CHECK(after->outputs[1].verdict == Verdict::kRejected);
  CHECK_FALSE(after->outputs[1].digest);
  CHECK_FALSE(after->outputs[1].rows);
  CHECK(after->staged == before.staged);
  CHECK(after->unmatched_patterns == before.unmatched_patterns);
  CHECK(after->unmatched_files == before.unmatched_files);
  // Whatever the checks above forgot.
  CHECK(dump_json(run_facts_json(*after)) == text);
}

TEST_CASE("what came of a run that never started survives too") {
  const RunFacts before;
  const auto after = read(run_facts_json(before));
  REQUIRE(after.ok());
  CHECK_FALSE(after->facts);
  CHECK(after->outputs.empty());
  CHECK(run_facts_json(*after) == run_facts_json(before));
}

TEST_CASE("every exit status and every signal that a process can have is read, and no other") {
  Json json = run_facts_json(full());
  json["end"]["report"] = 1;
  for (int value = -2; value < 300; ++value) {
    CAPTURE(value);
    json["end"]["report_value"] = value;
    CHECK(read(json).ok() == (value >= 0 && value <= 255));
  }
  json["end"]["report"] = 2;
  for (int value = -2; value < 300; ++value) {
    CAPTURE(value);
    json["end"]["report_value"] = value;
    CHECK(read(json).ok() == (value >= 1 && value <= 64));
  }
}

TEST_CASE("an answer out of range or of the wrong type is refused, and where it is wrong is said") {
  for (const Damage& damage : damages()) {
    CAPTURE(damage.what);
    Json json = run_facts_json(full());
    damage.done(json);
    const auto after = read(json);
    REQUIRE_FALSE(after.ok());
    CHECK(after.error().kind == ErrorKind::kInvalid);
    CHECK(after.error().where == damage.where);
  }
}

TEST_CASE("an answer with any member missing is refused") {
  const Json whole = run_facts_json(full());
  for (const char* key : {"end", "problem", "hint", "started", "finished", "usage", "outputs",
                          "unmatched_patterns", "unmatched_files"}) {
    CAPTURE(key);
    Json json = whole;
    json.erase(key);
    CHECK_FALSE(read(json).ok());
  }
  for (const char* part : {"end", "facts", "usage"}) {
    for (const auto& item : whole[part].items()) {
      CAPTURE(item.key());
      Json json = whole;
      json[part].erase(item.key());
      CHECK_FALSE(read(json).ok());
    }
  }
  for (const char* key : {"path", "level", "verdict", "reasons", "size", "staged"}) {
    CAPTURE(key);
    Json json = whole;
    json["outputs"][0].erase(key);
    CHECK_FALSE(read(json).ok());
  }
}

TEST_CASE("garbage in place of an answer is refused") {
  for (const char* text : {"null", "[]", "1", "\"x\"", "{}", "{\"end\":{}}", "{\"end\":[],\"usage\":{}}"}) {
    CAPTURE(text);
    CHECK_FALSE(read(parse_json(text, "test").value()).ok());
  }
}
