// Writing records, and finding them again after crashes.
#include "shell/attest/records.h"

#include <doctest/doctest.h>

#include "shell/sys/spawn.h"
#include "tests/unit/shell/attest/record_fixture.h"

namespace glovebox {
namespace {

TEST_CASE("a record is private, in its place, verifies, and its attempt is over") {
  RecordRoot root;
  const auto first = root.write("a1");
  REQUIRE_MESSAGE(first.ok(), first.error().message);
  CHECK(first->sequence == 1);
  CHECK(first->path == root.folder("a1") + "/envelope.json");
  const auto second = root.write("a2");
  CHECK(second->sequence == 2);
  struct stat info {};
  REQUIRE(::stat(first->path.c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0600);
  REQUIRE(::stat((root.root + "/records").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0700);
  CHECK(Digest::of(read_file(first->path, kMaxEnvelope).value()) == first->digest);
  CHECK((*root.store.attempt("a1"))->state == JobState::kFinalized);
  const VerifyReport report = root.verify();
  CHECK(verify_text(report) == "2 records verified\n");
  CHECK(report.status().ok());
  CHECK(dump_json(verify_json(report)) == R"({"verified":true,"records":2,"problems":[]})");
}

TEST_CASE("the openssl program verifies the signature of an envelope") {
  const auto openssl = find_program("openssl", "");
  if (!openssl.ok()) {
    MESSAGE("SKIPPED: the openssl program is not installed");
    return;
  }
  RecordRoot root;
  const auto written = root.write("a1");
  REQUIRE(written.ok());
  const auto envelope = parse_envelope(read_file(written->path, kMaxEnvelope).value(), "envelope");
  const int dir = root.dir.fd();
  const std::string at = root.dir.path();
  REQUIRE(replace_file(dir, "pae", dsse_pae(envelope->payload_type, envelope->payload), 0600).ok());
  REQUIRE(replace_file(dir, "sig", envelope->signatures[0].signature, 0600).ok());
  const std::vector<std::string> check = {
      *openssl, "pkeyutl", "-verify",   "-pubin",   "-inkey",   root.key.path + "/public.pem",
      "-rawin", "-in",     at + "/pae", "-sigfile", at + "/sig"};
  const Status good = run_program(check);
  CHECK_MESSAGE(good.ok(), good.error().message);
  REQUIRE(replace_file(dir, "pae", dsse_pae(envelope->payload_type, envelope->payload + " "), 0600).ok());
  CHECK_FALSE(run_program(check).ok());
}

TEST_CASE("a statement that cannot be made leaves no record, no number and no open transaction") {
  RecordRoot root;
  REQUIRE(root.store.begin(row_named("a1")).ok());
  const auto files =
      make_record_folder(root.root, AttemptId::parse("a1").value(), "2026-11-22T04:28:01.000Z");
  REQUIRE(files.ok());
  const auto failed =
      write_record(root.store, root.key, *files,
                   [](const ChainPlace&) { return Result<std::string>(host_error("no")); }, {});
  CHECK(failed.error().message == "no");
  CHECK(stored_links(root.store)->empty());
  CHECK((*root.store.attempt("a1"))->state == JobState::kPreparing);
  CHECK(root.write("a2")->sequence == 1);
}

TEST_CASE("a record that could never be read again takes no place in the chain") {
  RecordRoot root;
  REQUIRE(root.store.begin(row_named("a1")).ok());
  const auto files =
      make_record_folder(root.root, AttemptId::parse("a1").value(), "2026-11-22T04:28:01.000Z");
  REQUIRE(files.ok());
  const auto failed = write_record(
      root.store, root.key, *files,
      [](const ChainPlace&) { return Result<std::string>(std::string(kMaxEnvelope / 4 * 3, 'x')); }, {});
  CHECK(failed.error().message == "the record is larger than 64 MiB");
  CHECK(stored_links(root.store)->empty());
  CHECK(root.write("a2")->sequence == 1);
}

TEST_CASE("one attempt gets one record") {
  RecordRoot root;
  REQUIRE(root.write("a1").ok());
  const auto files =
      make_record_folder(root.root, AttemptId::parse("a1").value(), "2026-11-22T04:28:01.000Z");
  const auto again = write_record(
      root.store, root.key, *files,
      [](const ChainPlace& place) {
        return Result<std::string>(RecordRoot::statement("a1", place, std::string(kLocalBuilder)));
      },
      {});
  CHECK(again.error().message == "the attempt \"a1\" already has a record");
  CHECK(verify_text(root.verify()) == "1 record verified\n");
}

TEST_CASE("a process killed between the commit and the file loses nothing: the next one writes it") {
  RecordRoot root;
  REQUIRE(root.write("a1").ok());
  std::string envelope;
  const auto files =
      make_record_folder(root.root, AttemptId::parse("a2").value(), "2026-11-22T04:28:01.000Z");
  REQUIRE(put_record_file(*files, kRequestFile, dump_json(request_parameters(RecordRoot::asked()))).ok());
  REQUIRE(replace_file(files->fd.get(), kPlanFile, dump_json(plan_json(Plan())), 0600).ok());
  REQUIRE(replace_file(files->fd.get(), kLogFile, "log of a2", 0600).ok());
  REQUIRE(replace_file(files->fd.get(), kEventsFile, "events of a2", 0600).ok());
  {  // what write_record() does up to there
    auto reservation = next_link(root.store);
    const std::string payload = RecordRoot::statement("a2", reservation->place(), std::string(kLocalBuilder));
    Envelope made;
    made.payload_type = kInTotoType;
    made.payload = payload;
    const Signature signature = sign(root.key, dsse_pae(kInTotoType, payload)).value();
    made.signatures.push_back({std::string(signature.begin(), signature.end()), ""});
    envelope = envelope_text(made);
    REQUIRE(reservation->commit({"a2", "records/2026-11/a2/envelope.json", envelope}, {}).ok());
  }
  CHECK(verify_text(root.verify()) ==
        "record 2: records/2026-11/a2/envelope.json: it is missing\n2 records checked, 1 problem\n");
  SUBCASE("by settling") {
    REQUIRE(settle_records(root.store).ok());
  }
  SUBCASE("by the next record") {
    REQUIRE(root.write("a3")->sequence == 3);
  }
  CHECK(read_file(root.folder("a2") + "/envelope.json", kMaxEnvelope).value() == envelope);
  CHECK(root.verify().problems.empty());
}

TEST_CASE("processes killed at random while they write records leave only records that verify") {
  RecordRoot root;
  for (int round = 0; round < 5; ++round) {
    std::vector<pid_t> children;
    for (int p = 0; p < 2; ++p) {
      children.push_back(in_child([&] {
        auto own = Store::open(root.root);
        if (!own.ok()) return 1;
        root.store = std::move(*own);  // a store is not used on both sides of a fork
        for (int i = 0;; ++i) {
          if (!root.write(std::to_string(::getpid()) + "-" + std::to_string(i)).ok()) return 2;
        }
      }));
    }
    ::usleep(static_cast<useconds_t>(60'000 + 9'100 * round));
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) CHECK(exit_of(child) == 128 + SIGKILL);
  }
  REQUIRE(settle_records(root.store).ok());
  const VerifyReport report = root.verify();
  CHECK_MESSAGE(report.problems.empty(), verify_text(report));
  CHECK(report.checked > 0);
}

TEST_CASE("with a lost database the chain goes on where the records end") {
  RecordRoot root;
  for (const char* id : {"a1", "a2", "a3"}) REQUIRE(root.write(id).ok());
  for (const char* name : {"/state.sqlite", "/state.sqlite-wal", "/state.sqlite-shm"}) {
    REQUIRE(::unlink((root.root + name).c_str()) == 0);
  }
  root.store = root.open();
  CHECK(verify_text(root.verify()) == "3 records verified\n");
  CHECK(root.write("a4")->sequence == 4);
  CHECK(verify_text(root.verify()) == "4 records verified\n");
}

TEST_CASE("records are listed newest first, found by what their id begins with, and read") {
  RecordRoot root;
  for (const char* id : {"abc1", "abc2", "xyz"}) REQUIRE(root.write(id).ok());
  const auto list = list_records(root.store, 2);
  REQUIRE(list->size() == 2);
  CHECK(list->at(0).id == "xyz");
  CHECK(list->at(0).status == "succeeded");
  CHECK(list->at(0).workspace == "demo");
  CHECK(list->at(0).started == "2026-11-22T04:28:01.000Z");
  CHECK(list->at(1).sequence == 2);
  CHECK(find_record(root.store, "x")->id == "xyz");
  CHECK(find_record(root.store, "abc1")->sequence == 1);
  CHECK(find_record(root.store, "abc").error().message == "2 records begin with \"abc\"");
  CHECK(find_record(root.store, "q").error().message == "there is no record \"q\"");
  CHECK_FALSE(find_record(root.store, "").ok());
  REQUIRE(root.store.begin(row_named("running")).ok());
  CHECK(find_record(root.store, "running").error().message == "the attempt \"running\" has no record yet");
  const auto statement = read_statement(root.root, find_record(root.store, "xyz").value());
  CHECK((*statement)["predicate"]["runDetails"]["glovebox_seq"] == 3);
}

TEST_CASE("an odd start time makes no folder anywhere") {
  RecordRoot root;
  for (const char* time : {"", "2026", "../../../x-11-", "2026/11/22T", "20261122T04"}) {
    CHECK(make_record_folder(root.root, AttemptId::parse("a").value(), time).error().kind ==
          ErrorKind::kInvalid);
  }
}

}  // namespace
}  // namespace glovebox
