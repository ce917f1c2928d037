// Every way of changing history is seen, and named.
#include "shell/attest/verify.h"

#include <doctest/doctest.h>

#include "shell/store/sqlite.h"
#include "tests/unit/shell/attest/record_fixture.h"

namespace glovebox {
namespace {

struct ThreeRecords : RecordRoot {
  ThreeRecords() {
    for (const char* id : {"a1", "a2", "a3"}) REQUIRE(write(id).ok());
  }
  void replace(const std::string& id, const char* file, const std::string& text) const {
    const UniqueFd fd = open_path(folder(id), O_RDONLY | O_DIRECTORY).value();
    REQUIRE(replace_file(fd.get(), file, text, 0600).ok());
  }
  [[nodiscard]] std::string read(const std::string& id, const char* file) const {
    return read_file(folder(id) + "/" + file, kMaxEnvelope).value();
  }
  [[nodiscard]] std::vector<std::string> messages() const {
    std::vector<std::string> out;
    for (const RecordProblem& problem : verify().problems) {
      out.push_back(std::to_string(problem.sequence) + " " + problem.file + ": " + problem.message);
    }
    return out;
  }
};

TEST_CASE("a flipped byte in any file of a record is found and named") {
  const ThreeRecords root;
  for (const char* file : {"plan.json", "log.txt", "events.jsonl"}) {
    const std::string good = root.read("a2", file);
    std::string bad = good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
    root.replace("a2", file, bad);
    CHECK(root.messages() ==
          std::vector<std::string>{std::string("2 records/2026-11/a2/") + file + ": it was changed (" +
                                   Digest::of(bad).hex() + " instead of " + Digest::of(good).hex() + ")"});
    REQUIRE(::unlink((root.folder("a2") + "/" + file).c_str()) == 0);
    CHECK(root.messages() ==
          std::vector<std::string>{std::string("2 records/2026-11/a2/") + file + ": it is missing"});
    root.replace("a2", file, good);
    CHECK(root.messages().empty());
  }
}

TEST_CASE("a flipped byte anywhere in an envelope is found") {
  const ThreeRecords root;
  const std::string good = root.read("a2", kEnvelopeFile);
  for (std::size_t at = 0; at < good.size(); at += good.size() / 40 + 1) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    root.replace("a2", kEnvelopeFile, bad);
    const VerifyReport report = root.verify();
    REQUIRE_FALSE(report.problems.empty());
    for (const RecordProblem& problem : report.problems) CHECK(problem.sequence == 2);
    CHECK(report.status().error().kind == ErrorKind::kIntegrity);
  }
}

TEST_CASE("a record taken away is missed, with or without its line in the database") {
  const ThreeRecords root;
  const UniqueFd month = open_path(root.root + "/records/2026-11", O_RDONLY | O_DIRECTORY).value();
  REQUIRE(remove_tree(month.get(), "a2").ok());
  CHECK(root.messages() == std::vector<std::string>{"2 records/2026-11/a2/envelope.json: it is missing"});
  REQUIRE(root.store.database().execute("DELETE FROM links WHERE sequence = 2").ok());
  CHECK(root.messages() == std::vector<std::string>{"2 : record 2 is missing from the chain"});
  REQUIRE(root.store.database().execute("UPDATE links SET sequence = 2 WHERE sequence = 3").ok());
  CHECK(root.messages() ==
        std::vector<std::string>{
            "2 records/2026-11/a3/envelope.json: it is record 3 and stands in the place of record 2",
            "2 records/2026-11/a3/envelope.json: it does not follow the record before it"});
  REQUIRE(root.store.database().execute("DELETE FROM links").ok());  // now the records speak for themselves
  CHECK(root.messages() == std::vector<std::string>{"2 : record 2 is missing from the chain"});
}

TEST_CASE("the newest record taken away is missed while the database has it") {
  const ThreeRecords root;
  const UniqueFd month = open_path(root.root + "/records/2026-11", O_RDONLY | O_DIRECTORY).value();
  REQUIRE(remove_tree(month.get(), "a3").ok());
  CHECK(root.messages() == std::vector<std::string>{"3 records/2026-11/a3/envelope.json: it is missing"});
}

TEST_CASE("two records exchanged are both found") {
  const ThreeRecords root;
  const std::string second = root.read("a2", kEnvelopeFile);
  const std::string third = root.read("a3", kEnvelopeFile);
  root.replace("a2", kEnvelopeFile, third);
  root.replace("a3", kEnvelopeFile, second);
  const auto messages = root.messages();
  const auto has = [&](const std::string& text) {
    for (const std::string& message : messages) {
      if (message.find(text) != std::string::npos) return true;
    }
    return false;
  };
  CHECK(has("2 records/2026-11/a2/envelope.json: it is not the envelope that stands in the chain ("));
  CHECK(has("2 records/2026-11/a2/envelope.json: it is record 3 and stands in the place of record 2"));
  CHECK(has("2 records/2026-11/a2/envelope.json: it is the record of another attempt, \"a3\""));
  CHECK(has("3 records/2026-11/a3/envelope.json: it is record 2 and stands in the place of record 3"));
}

TEST_CASE("a record signed anew by another key is not believed, even where the database was made to fit") {
  const ThreeRecords root;
  const RecordRoot forger;
  const std::string payload = [&] {
    auto envelope = parse_envelope(root.read("a2", kEnvelopeFile), "e").value();
    const std::size_t at = envelope.payload.find("succeeded");
    return envelope.payload.replace(at, 9, "failed");
  }();
  Envelope forged;
  forged.payload_type = kInTotoType;
  forged.payload = payload;
  const Signature signature = sign(forger.key, dsse_pae(kInTotoType, payload)).value();
  forged.signatures.push_back(
      {std::string(signature.begin(), signature.end()), key_id(root.key.public_key)});  // the keyid is a lie
  root.replace("a2", kEnvelopeFile, envelope_text(forged));
  Statement update = root.store.database().prepare("UPDATE links SET digest = ?1 WHERE sequence = 2").value();
  REQUIRE(update.bind(1, Digest::of(envelope_text(forged))).run().ok());
  CHECK(root.messages() ==
        std::vector<std::string>{
            "2 records/2026-11/a2/envelope.json: no trusted key has signed this record",
            "3 records/2026-11/a3/envelope.json: it does not follow the record before it"});
}

TEST_CASE("the local key does not speak for production, nor the other way round") {
  RecordRoot root;
  REQUIRE(make_record_key(root.root, "backend-a").ok());
  REQUIRE(root.write("a1", "tag:glovebox,2026:executor/backend-a").ok());
  CHECK(root.verify().problems.at(0).message ==
        "the record is signed, but by a key that does not speak for the builder it names");
  root.key = load_key(root.root, kRecordKey).value();
  REQUIRE(root.write("a2", "tag:glovebox,2026:executor/backend-a").ok());
  CHECK(root.verify({"a2"}).problems.empty());
  REQUIRE(root.write("a3").ok());
  CHECK(root.verify({"a3"}).problems.size() == 1);
}

TEST_CASE("with the public keys of two folders exchanged nothing verifies") {
  RecordRoot root;
  REQUIRE(root.write("a1").ok());
  const auto production = make_record_key(root.root, "backend-a");
  REQUIRE(production.ok());
  const std::string local_pem = root.key.path + "/public.pem";
  const std::string record_pem = production->path + "/public.pem";
  REQUIRE(::rename(local_pem.c_str(), (root.root + "/kept").c_str()) == 0);
  REQUIRE(::rename(record_pem.c_str(), local_pem.c_str()) == 0);
  REQUIRE(::rename((root.root + "/kept").c_str(), record_pem.c_str()) == 0);
  CHECK(root.verify().problems.at(0).message ==
        "the record is signed, but by a key that does not speak for the builder it names");
  CHECK(sign(local_key(root.root).value(), "m").error().message ==
        "the private key \"" + root.key.path + "/private.pem\" does not belong to the public key beside it");
}

TEST_CASE("what lies among the records and is none of them is told, an attempt under way is not") {
  ThreeRecords root;
  REQUIRE(root.store.begin(row_named("running")).ok());
  REQUIRE(
      make_record_folder(root.root, AttemptId::parse("running").value(), "2026-11-22T04:28:01.000Z").ok());
  CHECK(root.messages().empty());
  REQUIRE(make_record_folder(root.root, AttemptId::parse("empty").value(), "2026-12-22T04:28:01.000Z").ok());
  REQUIRE(make_record_folder(root.root, AttemptId::parse("copy").value(), "2026-12-22T04:28:01.000Z").ok());
  const UniqueFd records = open_path(root.root + "/records", O_RDONLY | O_DIRECTORY).value();
  REQUIRE(
      replace_file(records.get(), "2026-12/copy/envelope.json", root.read("a1", kEnvelopeFile), 0600).ok());
  REQUIRE(replace_file(records.get(), "stray\n", "x", 0600).ok());
  CHECK(root.messages() ==
        std::vector<std::string>{"0 records/2026-12/copy/envelope.json: it is not in the chain",
                                 "0 records/2026-12/empty: it has no envelope",
                                 "0 records/stray\\n: it has no envelope"});
}

TEST_CASE("a file of a record that became a link or a pipe is not followed, and does not hang us") {
  const ThreeRecords root;
  const std::string log = root.folder("a1") + "/log.txt";
  REQUIRE(::rename(log.c_str(), (log + ".real").c_str()) == 0);
  REQUIRE(::symlink("log.txt.real", log.c_str()) == 0);
  CHECK(root.verify().problems.size() == 1);
  REQUIRE(::unlink(log.c_str()) == 0);
  REQUIRE(::mkfifo(log.c_str(), 0600) == 0);
  CHECK(root.verify().problems.at(0).message == "it is not a file");
}

TEST_CASE("only what was asked for is verified, and the report says so") {
  const ThreeRecords root;
  root.replace("a1", kLogFile, "other");
  CHECK(root.verify({"a2", "a3"}).problems.empty());
  CHECK(root.verify({"a2", "a3"}).checked == 2);
  const VerifyReport report = root.verify({"a1"});
  CHECK(report.status().error().message == "1 thing does not verify");
  const Json json = verify_json(report);
  CHECK(json["verified"] == false);
  CHECK(json["problems"][0]["seq"] == 1);
  CHECK(json["problems"][0]["file"] == "records/2026-11/a1/log.txt");
}

}  // namespace
}  // namespace glovebox
