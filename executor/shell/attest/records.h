// Records on disk: ROOT/records/YYYY-MM/<attempt id>/ with envelope.json (the signed statement), and the
// files that the statement gives the digests of: plan.json (the bytes of dump_json(plan_json())), log.txt,
// events.jsonl, request.json.
//
// A record is written once. It exists from the moment when the state database has it (store/chain.h), and its
// files are durable by then.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "shell/attest/keys.h"
#include "shell/store/chain.h"

namespace glovebox {

inline constexpr const char* kEnvelopeFile = "envelope.json";
inline constexpr const char* kPlanFile = "plan.json";
inline constexpr const char* kLogFile = "log.txt";
inline constexpr const char* kEventsFile = "events.jsonl";
inline constexpr const char* kRequestFile = "request.json";

// The folder of one attempt's record.
struct RecordFolder {
  AttemptId id;
  std::string path;  // relative to ROOT: "records/2026-11/<id>"
  UniqueFd fd;
};

// Makes it (0700, as all above it but ROOT). `started` is RFC 3339; its month names the folder above. Calling
// it again for the same attempt is fine.
Result<RecordFolder> make_record_folder(const std::string& root, const AttemptId& id,
                                        const std::string& started);

// Writes one of the files that the statement names; write_record() makes it durable.
Status put_record_file(const RecordFolder& folder, const char* name, const std::string& text);

struct WrittenRecord {
  std::uint64_t sequence = 0;
  std::string path;  // of the envelope, absolute where ROOT is
  Digest digest;     // of the envelope's bytes
};

// The statement for the place that the record got in the chain, as the bytes to be signed. Called once, while
// no other process can take a place: it should only compute.
using StatementAt = std::function<Result<std::string>(const ChainPlace& place)>;

// Makes the files in `folder` durable, signs the statement, enters it in the chain and finalizes the attempt
// in the same commit, and writes the envelope. On an error before that commit there is no record; on one
// after it (the envelope could not be written) there is, and settle_records() writes the file later.
Result<WrittenRecord> write_record(Store& store, const SigningKey& key, const RecordFolder& folder,
                                   const StatementAt& statement_at, const AttemptChange& change);

// Writes the envelopes of records whose writer was killed at the last step. Cheap where there are none.
Status settle_records(Store& store);

// One line of `record list`: what the record itself says, not verified.
struct RecordSummary {
  std::uint64_t sequence = 0;
  std::string id;
  std::string path;  // of the envelope, relative to ROOT
  std::string workspace;
  std::string action;
  std::string status;  // "succeeded" …; "unreadable" where the envelope cannot be read
  std::string started;
  std::string finished;
};

// The newest `most` records, newest first.
Result<std::vector<RecordSummary>> list_records(const Store& store, std::size_t most);
Json summary_json(const RecordSummary& summary);

// The record whose id is `text`, or the only one whose id begins with it. kInvalid where there is none or
// more than one.
Result<StoredLink> find_record(const Store& store, const std::string& text);

// The envelope's bytes, and the statement in it, not verified.
Result<std::string> read_envelope(const std::string& root, const StoredLink& link);
Result<Json> read_statement(const std::string& root, const StoredLink& link);

// The places of all envelopes on disk whose signature verifies, in the order of their numbers: the chain as
// the records themselves tell it.
Result<std::vector<StoredLink>> chain_on_disk(const std::string& root, const std::vector<TrustedKey>& keys);

// The attempt ids and relative paths of all record folders on disk.
struct FolderOnDisk {
  std::string id;
  std::string path;
};
Result<std::vector<FolderOnDisk>> record_folders(const std::string& root);

}  // namespace glovebox
