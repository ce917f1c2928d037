#include "core/rules/manifest.h"

#include <doctest/doctest.h>

using namespace glovebox;

namespace {
ManifestOutput output(const std::string& path, Verdict verdict = Verdict::kAccepted) {
  ManifestOutput out;
  out.file.path = path;
  out.file.level = Level::kModeratelySensitive;
  out.file.verdict = verdict;
  out.file.size = 27;
  out.file.digest = Digest::of(path);
  if (verdict != Verdict::kAccepted) out.file.reasons = {{"csv.rows", "has more than 5 rows"}};
  out.modified = 1790000000.25;
  return out;
}
ManifestRun run(std::vector<ManifestOutput> outputs, const std::string& action = "table1") {
  ManifestRun r;
  r.workspace = "ws";
  r.action = action;
  r.job_id = "j1";
  r.user = "alice";
  r.commit = "c";
  r.succeeded = true;
  r.outputs = std::move(outputs);
  return r;
}
Json updated(const Json& old, const ManifestRun& r) {
  return manifest_update(old, r).value();
}
}  // namespace

TEST_CASE("an output's entry has the members that other programs read, in their order") {
  ManifestOutput table = output("output/t.csv");
  table.file.rows = 9;
  table.file.columns = 3;
  const Json manifest = updated(empty_manifest("ws"), run({table}));
  CHECK(
      dump_json_pretty(manifest) ==
      "{\n  \"workspace\": \"ws\",\n  \"repo\": null,\n  \"outputs\": {\n    \"output/t.csv\": {\n"
      "      \"level\": \"moderately_sensitive\",\n      \"job_id\": \"j1\",\n      \"job_request\": null,\n"
      "      \"action\": \"table1\",\n      \"user\": \"alice\",\n      \"repo\": null,\n"
      "      \"commit\": \"c\",\n      \"size\": 27,\n      \"timestamp\": 1790000000.25,\n"
      "      \"content_hash\": \"" +
          Digest::of("output/t.csv").hex() +
          "\",\n      \"excluded\": false,\n      \"message\": null,\n      \"row_count\": 9,\n"
          "      \"col_count\": 3,\n      \"out_of_date_output\": false\n    }\n  }\n}\n");
}

TEST_CASE("a withheld output is excluded with its reasons, a rejected one is not there") {
  const Json manifest = updated(
      empty_manifest("ws"), run({output("a.csv", Verdict::kWithheld), output("b.csv", Verdict::kRejected)}));
  CHECK(manifest["outputs"]["a.csv"]["excluded"] == true);
  CHECK(manifest["outputs"]["a.csv"]["message"] == "csv.rows: has more than 5 rows");
  CHECK_FALSE(manifest["outputs"].contains("b.csv"));
}

TEST_CASE("an earlier output of the action that this run did not make is out of date, and comes back") {
  Json manifest = updated(empty_manifest("ws"), run({output("a.csv"), output("b.csv")}));
  manifest = updated(manifest, run({output("other.csv")}, "other"));
  manifest = updated(manifest, run({output("b.csv")}));
  CHECK(manifest["outputs"]["a.csv"]["out_of_date_output"] == true);
  CHECK(manifest["outputs"]["b.csv"]["out_of_date_output"] == false);
  CHECK(manifest["outputs"]["other.csv"]["out_of_date_output"] == false);
  manifest = updated(manifest, run({output("a.csv")}));
  CHECK(manifest["outputs"]["a.csv"]["out_of_date_output"] == false);
}

TEST_CASE("a failed run changes no entry but marks the action's outputs") {
  const Json before = updated(empty_manifest("ws"), run({output("a.csv")}));
  ManifestRun failed = run({output("a.csv"), output("new.csv")});
  failed.succeeded = false;
  failed.job_id = "j2";
  const Json after = updated(before, failed);
  CHECK(after["outputs"].size() == 1);
  CHECK(after["outputs"]["a.csv"]["job_id"] == "j1");
  CHECK(after["outputs"]["a.csv"]["out_of_date_output"] == true);
}

TEST_CASE("an output whose action is gone from the project is marked, and unmarked when it is back") {
  ManifestRun first = run({output("a.csv")});
  first.project_actions = std::set<std::string>{"table1"};
  Json manifest = updated(empty_manifest("ws"), first);
  CHECK(manifest["outputs"]["a.csv"]["out_of_date_action"] == false);
  ManifestRun second = run({output("b.csv")}, "other");
  second.project_actions = std::set<std::string>{"other"};
  manifest = updated(manifest, second);
  CHECK(manifest["outputs"]["a.csv"]["out_of_date_action"] == true);
  CHECK(manifest["outputs"]["b.csv"]["out_of_date_action"] == false);
}

TEST_CASE("entries are sorted, and what other programs wrote stays") {
  Json old = empty_manifest("ws");
  old["airlock"] = 1;
  old["outputs"]["z.csv"] = {{"action", "other"}, {"extra", "kept"}};
  const Json manifest = updated(old, run({output("a.csv")}));
  CHECK(manifest["airlock"] == 1);
  CHECK(manifest["outputs"]["z.csv"]["extra"] == "kept");
  CHECK(manifest["outputs"].begin().key() == "a.csv");
  CHECK(manifest_paths(manifest).value().at("z.csv") == "other");
}

TEST_CASE("a damaged manifest is an error, never overwritten") {
  for (const char* text : {"[]", "{}", R"({"outputs":[]})", R"({"outputs":{"a":1}})"}) {
    const auto result = manifest_update(parse_json(text, "m").value(), run({}));
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::kIntegrity);
  }
}

TEST_CASE("ten thousand outputs take no quadratic time") {
  std::vector<ManifestOutput> outputs;
  for (int i = 0; i < 10'000; ++i) outputs.push_back(output("output/" + std::to_string(i) + ".csv"));
  const Json manifest = updated(empty_manifest("ws"), run(outputs));
  CHECK(manifest["outputs"].size() == 10'000);
  CHECK(updated(manifest, run(outputs))["outputs"].size() == 10'000);
}

TEST_CASE("a study whose list of outputs is full can run on, and only who overfills it is refused") {
  const auto outputs = [](const std::string& folder, int count) {
    std::vector<ManifestOutput> list;
    for (int i = 0; i < count; ++i)
      list.push_back(output(folder + "/" + std::string(200, '"') + "/" + std::string(200, '"') + "/" +
                            std::string(200, '"') + std::to_string(i)));
    return list;
  };
  const auto size = [](const Json& manifest) { return dump_json_pretty(manifest).size(); };
  constexpr int kHalf = 20'000;  // a little more than half of what there is room for
  const Json first = updated(empty_manifest("ws"), run(outputs("a", kHalf), "one"));
  REQUIRE(size(first) > kMaxManifest / 2);
  REQUIRE(size(first) < kMaxManifest);
  const auto over = manifest_update(first, run(outputs("b", kHalf), "two"));
  REQUIRE_FALSE(over.ok());
  CHECK(over.error().kind == ErrorKind::kRefused);
  CHECK(over.error().message ==
        "with this action's outputs, the list of all the study's outputs is longer than 56 MiB");
  // Another action, and one that fails, are none the worse for it.
  const Json third = updated(first, run({output("c.csv")}, "three"));
  CHECK(third["outputs"].size() == kHalf + 1);
  ManifestRun failed = run({}, "two");
  failed.succeeded = false;
  CHECK(updated(third, failed)["outputs"].size() == kHalf + 1);
  // What is out of date makes room: of the same action, or of one that is gone.
  const Json again = updated(third, run(outputs("b", kHalf), "one"));
  CHECK(again["outputs"].size() == kHalf + 1);
  CHECK(again["outputs"].contains("c.csv"));
  CHECK(size(again) < kMaxManifest);
  ManifestRun other = run(outputs("b", kHalf), "two");
  other.project_actions = std::set<std::string>{"two", "three"};
  const Json renamed = updated(third, other);
  CHECK(renamed["outputs"].size() == kHalf + 1);
  CHECK(size(renamed) < kMaxManifest);
}
