// Does what is on disk still say what was signed? Read-only; everything found is told, precisely.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/provenance/envelope.h"
#include "shell/store/store.h"

namespace glovebox {

// One thing that does not verify.
struct RecordProblem {
  std::uint64_t sequence = 0;  // 0 where it has none
  std::string id;              // of the attempt; empty where the record itself is gone
  std::string file;            // relative to ROOT, or empty where it is about the chain
  std::string message;
};

struct VerifyReport {
  std::size_t checked = 0;  // records
  std::vector<RecordProblem> problems;
  // kIntegrity (exit 7) where there is a problem: "2 things do not verify".
  [[nodiscard]] Status status() const;
};

// Verifies the records called `ids` (each complete), or all of them where that is empty, against `keys`:
//  - the signature, by a key that speaks for the builder.id in the statement; strictly parsed;
//  - that it is the record of this attempt, at its place: number, and digest of the record before it;
//  - the digests of plan.json, log.txt, events.jsonl and request.json;
//  - for all: that no number is missing or used twice, and that nothing lies in ROOT/records that is not in
//  the
//    chain. Where the state database has no chain (it was lost), the records' own numbers are the chain.
// An Error only where it could not be found out.
Result<VerifyReport> verify_records(const Store& store, const std::vector<TrustedKey>& keys,
                                    const std::vector<std::string>& ids);

Json verify_json(const VerifyReport& report);
// One line per problem, and one that sums up.
std::string verify_text(const VerifyReport& report);

}  // namespace glovebox
