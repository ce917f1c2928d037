#include "core/provenance/statement.h"

#include <doctest/doctest.h>

#include "core/provenance/envelope.h"

using namespace glovebox;

namespace {

Request asked() {
  Request request;
  request.workspace = "ws";
  request.action = "table1";
  request.image = ImageName::parse("python:v2").value();
  request.args = {"python", "table1.py"};
  request.environment = {{"OPENSAFELY_BACKEND", "the-secret-value"}};
  request.code = Digest::of("code");
  request.repository = "https://host.example/study";
  request.commit = std::string(40, 'a');
  request.outputs = {{Level::kModeratelySensitive, "t", Pattern::parse("output/*.csv").value()}};
  request.memory = 4ULL << 30U;
  return request;
}

OutputFile output(const std::string& path, Verdict verdict) {
  OutputFile file;
  file.path = path;
  file.verdict = verdict;
  file.size = 27;
  if (verdict != Verdict::kRejected) file.digest = Digest::of(path);
  if (verdict != Verdict::kAccepted) file.reasons = {{"csv.rows", "has more than 5 rows"}};
  return file;
}

Attempt attempt_of(Reason reason) {
  Attempt attempt;
  attempt.id = "a1";
  attempt.action = "table1";
  attempt.reason = reason;
  attempt.message = "free text of ours";
  attempt.exit_code = 0;
  attempt.started = "2026-11-22T10:00:00.000Z";
  attempt.finished = "2026-11-22T10:00:01.000Z";
  attempt.plan.emplace();
  attempt.plan->environment = {{"HOME", "/tmp"}, {"OPENSAFELY_BACKEND", "the-secret-value"}};
  attempt.plan->image.name = "python:v2";
  attempt.plan->runtime = "crun";
  attempt.plan->waived = {"unsafe_no_cpu_limit"};
  attempt.plan->inputs = {{RelPath::parse("output/in.csv").value(), Digest::of("in"), 3, "a0"}};
  attempt.facts.emplace();
  attempt.facts->limits["memory"] = {4, 4, 3};
  attempt.facts->namespaces["user"] = 4026531837;
  attempt.outputs = {output("output/ok.csv", Verdict::kAccepted),
                     output("output/big.csv", Verdict::kWithheld),
                     output("output/link.csv", Verdict::kRejected)};
  attempt.unmatched_files = {"cache/whatever"};
  return attempt;
}

RecordContext context() {
  RecordContext c;
  c.builder = std::string(kLocalBuilder);
  c.version = "0.1.0";
  c.kernel = "6.1";
  c.runtime_version = "1.8.1";
  c.nonce = std::string(32, '5');
  c.log_name = "metadata/table1.log";
  c.log = Digest::of("log");
  c.log_size = 10;
  return c;
}

// At its place in the chain, as it is signed.
Json placed(const Attempt& attempt) {
  Json statement = statement_json(attempt, asked(), context());
  place_in_chain(statement, 7, Digest::of("before"));
  return statement;
}

std::vector<std::string> names(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list) out.push_back(item["name"].get<std::string>());
  return out;
}
using Names = std::vector<std::string>;

// Every number in `json` is an integer below 2^53.
bool numbers_are_exact(const Json& json) {
  if (json.is_number_float()) return false;
  if (json.is_number_integer() && json.get<std::int64_t>() >= (1LL << 53)) return false;
  if (!json.is_structured()) return true;
  for (const auto& item : json) {
    if (!numbers_are_exact(item)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a successful attempt's subjects are its accepted outputs and its log, the rest are byproducts") {
  const Json statement = statement_json(attempt_of(Reason::kNone), asked(), context());
  CHECK(names(statement["subject"]) == Names{"output/ok.csv", "metadata/table1.log"});
  const Json& details = statement["predicate"]["runDetails"];
  CHECK(names(details["byproducts"]) == Names{"output/big.csv"});
  CHECK(details["byproducts"][0]["annotations"]["disposition"] == "withheld");
  CHECK(details["byproducts"][0]["annotations"]["rules"] == Json::array({"csv.rows"}));
  CHECK(details["glovebox_result"]["outputs"]["rejectedFiles"][0]["name"] == "output/link.csv");
  CHECK(details["glovebox_result"]["reason"] == nullptr);
}

TEST_CASE("no attempt that did not succeed has a product as its subject") {
  for (int r = 1; r <= static_cast<int>(Reason::kLost); ++r) {
    const Json statement = statement_json(attempt_of(static_cast<Reason>(r)), asked(), context());
    CAPTURE(r);
    CHECK(names(statement["subject"]) == Names{"metadata/table1.log"});
    const Json& details = statement["predicate"]["runDetails"];
    CHECK(details["byproducts"].size() == 2);
    for (const Json& file : details["byproducts"]) CHECK(file["annotations"]["disposition"] == "unreleased");
  }
}

TEST_CASE("a subject's digests are an object, as other verifiers read them") {
  const Json statement = statement_json(attempt_of(Reason::kNone), asked(), context());
  CHECK(dump_json(statement["subject"][1]) == R"({"name":"metadata/table1.log","digest":{"sha256":")" +
                                                  Digest::of("log").hex() +
                                                  R"("},"annotations":{"size":10,"disposition":"log"}})");
}

TEST_CASE("an attempt refused before anything was written still has a subject") {
  Attempt attempt = attempt_of(Reason::kPolicy);
  attempt.plan.reset();
  attempt.facts.reset();
  attempt.outputs.clear();
  RecordContext bare = context();
  bare.log.reset();
  const Json statement = statement_json(attempt, asked(), bare);
  CHECK(names(statement["subject"]) == Names{"request.json"});
  CHECK(statement["subject"][0]["digest"]["sha256"] ==
        Digest::of(dump_json(request_parameters(asked()))).hex());
  CHECK_FALSE(statement["predicate"]["buildDefinition"].contains("internalParameters"));
  CHECK(statement["predicate"]["runDetails"]["glovebox_facts"] == nullptr);
}

TEST_CASE("values of the environment and free text never enter the record") {
  const std::string text = dump_json(statement_json(attempt_of(Reason::kExit), asked(), context()));
  CHECK(text.find("the-secret-value") == std::string::npos);
  CHECK(text.find("free text") == std::string::npos);
  CHECK(text.find("cache/whatever") == std::string::npos);
  CHECK(text.find("OPENSAFELY_BACKEND") != std::string::npos);
}

TEST_CASE("the record says what was in force, in words of its own") {
  const Json statement = placed(attempt_of(Reason::kNone));
  const Json& definition = statement["predicate"]["buildDefinition"];
  CHECK(definition["buildType"] == "tag:glovebox,2026:action-run/v1");
  CHECK(definition["internalParameters"]["glovebox_waived"] == Json::array({"unsafe_no_cpu_limit"}));
  CHECK(names(definition["resolvedDependencies"]) ==
        Names{"image", "code", "input:output/in.csv", "policy", "seccomp"});
  CHECK(definition["resolvedDependencies"][1]["uri"] ==
        "git+https://host.example/study@" + std::string(40, 'a'));
  CHECK(definition["resolvedDependencies"][1]["digest"]["gitCommit"] == std::string(40, 'a'));
  const Json& details = statement["predicate"]["runDetails"];
  CHECK(details["builder"]["id"] == "tag:glovebox,2026:local");
  CHECK(details["builder"]["version"]["crun"] == "1.8.1");
  CHECK(details["glovebox_denials"] == nullptr);
  CHECK(details["glovebox_nonce"] == std::string(32, '5'));
  CHECK(details["glovebox_seq"] == 7);
  CHECK(details["glovebox_previous"] == Digest::of("before").hex());
  CHECK(details["glovebox_facts"]["limits"]["memory"]["inForce"] == 4);
  CHECK(details["glovebox_truncated"] == false);
}

TEST_CASE("numbers beyond what JSON holds exactly are cut to it") {
  Attempt attempt = attempt_of(Reason::kNone);
  attempt.usage.io_read = ~0ULL;
  attempt.facts->limits["memory"].asked = ~0ULL;
  const Json statement = statement_json(attempt, asked(), context());
  CHECK(numbers_are_exact(statement));
  CHECK(statement["predicate"]["runDetails"]["glovebox_result"]["usage"]["ioReadBytes"] == (1LL << 53) - 1);
}

TEST_CASE("long lists are cut and say so") {
  Attempt attempt = attempt_of(Reason::kNone);
  attempt.outputs.assign(1500, output("x", Verdict::kRejected));
  const Json statement = statement_json(attempt, asked(), context());
  const Json& details = statement["predicate"]["runDetails"];
  CHECK(details["glovebox_truncated"] == true);
  CHECK(details["glovebox_result"]["outputs"]["rejectedFiles"].size() == 1000);
  CHECK(details["glovebox_result"]["outputs"]["rejected"] == 1500);
}

TEST_CASE("whatever a study names its files, its record can be read again, and its counts are true") {
  // 'i' with a character in front of it that JSON writes as two.
  const auto name = [](int i, std::size_t bytes) {
    const std::string number = std::to_string(i);
    std::string text;
    while (text.size() + number.size() < bytes) text += text.size() % 200 == 199 ? '/' : '"';
    return text + number;
  };
  Request worst = asked();
  worst.workspace = worst.action = worst.repository = std::string(131'071, '"');
  worst.args.assign(1'500, std::string(131'071, '\\'));
  for (int i = 0; i < 1'500; ++i) worst.environment[name(i, 5'000)] = "v";
  for (int i = 0; i < 1'500; ++i)
    worst.outputs.push_back(
        {Level::kHighlySensitive, "t",
         Pattern::parse("output/" + std::string(200, 'p') + std::to_string(i) + ".csv").value()});
  Attempt attempt = attempt_of(Reason::kNone);
  attempt.plan->environment = worst.environment;
  for (int i = 0; i < 10'000; ++i) {
    attempt.outputs.push_back(output(name(i, 1'020), Verdict::kAccepted));
    attempt.outputs.push_back(output(name(i, 1'019), Verdict::kWithheld));
    attempt.outputs.push_back(output(name(i, 5'000), Verdict::kRejected));
    attempt.plan->inputs.push_back({RelPath::parse(name(i, 1'020)).value(), Digest::of("in"), 3, "a0"});
  }
  attempt.unmatched_patterns.assign(1'500, std::string(5'000, '"'));
  Json statement = statement_json(attempt, worst, context());
  place_in_chain(statement, 7, Digest::of("before"));
  const PrivateKey key(std::array<std::uint8_t, 32>{1, 2, 3});
  const std::string text = envelope_text(seal(dump_json(statement), key).value());
  CHECK(text.size() > kMaxEnvelope / 2);  // the budget is used, too
  CHECK(text.size() < kMaxEnvelope);
  const Json& definition = statement["predicate"]["buildDefinition"];
  CHECK(dump_json(definition["externalParameters"]) == dump_json(request_parameters(worst)));
  CHECK(definition["externalParameters"]["truncated"] == true);
  CHECK(definition["internalParameters"]["glovebox_plan"] == plan_digest(*attempt.plan).hex());
  CHECK(statement["subject"].back()["name"] == "metadata/table1.log");
  CHECK(statement["subject"].size() == 10'002);  // products come first
  const Json& details = statement["predicate"]["runDetails"];
  CHECK(details["glovebox_truncated"] == true);
  CHECK(details["glovebox_facts"]["limits"]["memory"]["inForce"] == 4);
  const Json& counts = details["glovebox_result"]["outputs"];
  CHECK(counts["accepted"] == 10'001);
  CHECK(counts["withheld"] == 10'001);
  CHECK(counts["rejected"] == 10'001);
  const TrustedKey local{public_key_of(key).value(), std::string(kLocalBuilder)};
  CHECK(verify_envelope(parse_envelope(text, "e").value(), {local}).ok());
}

TEST_CASE("hostile names in a record are escaped") {
  Attempt attempt = attempt_of(Reason::kNone);
  attempt.outputs[2].path = "a\x1b[2J\n\xFF";
  const Json statement = statement_json(attempt, asked(), context());
  CHECK(statement["predicate"]["runDetails"]["glovebox_result"]["outputs"]["rejectedFiles"][0]["name"] ==
        "a\\x1B[2J\\n\\xFF");
}

TEST_CASE("equal attempts give equal bytes, and the sealed record verifies and lists its files") {
  const Json statement = placed(attempt_of(Reason::kNone));
  CHECK(dump_json(statement) == dump_json(placed(attempt_of(Reason::kNone))));
  const PrivateKey key(std::array<std::uint8_t, 32>{1, 2, 3});
  const Envelope envelope = seal(dump_json(statement), key).value();
  const TrustedKey local{public_key_of(key).value(), std::string(kLocalBuilder)};
  const auto record = verify_envelope(parse_envelope(envelope_text(envelope), "e").value(), {local});
  REQUIRE(record.ok());
  CHECK(chain_link(*record, "x").value().seq == 7);
  const auto files = recorded_files(*record).value();
  REQUIRE(files.size() == 3);
  CHECK(files[0].name == "output/ok.csv");
  CHECK(files[0].digest == Digest::of("output/ok.csv"));
  CHECK(files[1].disposition == "log");
  CHECK(files[2].disposition == "withheld");
}
