// A state directory with a key, and records written into it as `run` writes them.
#pragma once
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/provenance/statement.h"
#include "shell/attest/records.h"
#include "shell/attest/signer.h"
#include "shell/attest/verify.h"
#include "tests/unit/shell/store/store_fixture.h"

namespace glovebox {

struct RecordRoot : StateDir {
  RecordRoot() : store(open()), key(local_key(root).value()) {}

  [[nodiscard]] std::string folder(const std::string& id) const { return root + "/records/2026-11/" + id; }

  [[nodiscard]] static Request asked() {
    Request request;
    request.workspace = "demo";
    request.action = "table1";
    return request;
  }

  // The statement of an attempt with a plan, a log and events, whose files lie in its folder.
  [[nodiscard]] static std::string statement(const std::string& id, const ChainPlace& place,
                                             const std::string& builder) {
    Attempt attempt;
    attempt.id = id;
    attempt.action = "table1";
    attempt.started = "2026-11-22T04:28:01.000Z";
    attempt.finished = "2026-11-22T04:30:11.000Z";
    attempt.plan = Plan();
    RecordContext context;
    context.builder = builder;
    context.nonce = "5f1d3e0a9c7b42d8b6e4a1c09f2d7e33";
    context.log_name = "metadata/table1.log";
    context.log = Digest::of("log of " + id);
    context.events = Digest::of("events of " + id);
    Json json = statement_json(attempt, asked(), context);
    place_in_chain(json, place.sequence, place.previous);
    return dump_json(json);
  }

  Result<WrittenRecord> write(const std::string& id,
                              const std::string& builder = std::string(kLocalBuilder)) {
    TRY(store.begin(row_named(id)));
    const RecordFolder files =
        TRY(make_record_folder(root, TRY(AttemptId::parse(id)), "2026-11-22T04:28:01.000Z"));
    TRY(put_record_file(files, kRequestFile, dump_json(request_parameters(asked()))));
    TRY(replace_file(files.fd.get(), kPlanFile, dump_json(plan_json(Plan())), 0600));
    TRY(replace_file(files.fd.get(), kLogFile, "log of " + id, 0600));
    TRY(replace_file(files.fd.get(), kEventsFile, "events of " + id, 0600));
    AttemptChange change;
    change.finished = "2026-11-22T04:30:11.000Z";
    return write_record(
        store, key, files,
        [&](const ChainPlace& place) { return Result<std::string>(statement(id, place, builder)); }, change);
  }

  [[nodiscard]] VerifyReport verify(const std::vector<std::string>& ids = {}) const {
    auto report = verify_records(store, trusted(all_keys(root).value()), ids);
    REQUIRE_MESSAGE(report.ok(), report.error().message);
    return std::move(report).value();
  }

  Store store;
  SigningKey key;
};

}  // namespace glovebox
