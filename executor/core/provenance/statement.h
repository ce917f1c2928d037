// The record of one attempt: an in-toto Statement v1 with the SLSA provenance v1 predicate.
//
// What readers may rely on:
//  - `subject` names products only for an attempt that succeeded: its accepted outputs and its log.
//  Everything
//    else (withheld files, whatever a failed attempt made) stands in `byproducts`. Who ignores our extensions
//    is never led to trust a file that they would warn about.
//  - numbers are integers below 2^53; lists are capped and say so (`glovebox_truncated`, with true counts),
//    by number and by bytes, so that an envelope is never larger than kMaxEnvelope.
//  - of the environment only names; nothing that the action printed or wrote but file names, which are
//  escaped.
#pragma once
#include <string>

#include "core/base/json.h"
#include "core/outcome/outcome.h"
#include "core/plan/plan.h"

namespace glovebox {

// DESIGN.md §9a.
inline constexpr std::string_view kBuildType = "tag:glovebox,2026:action-run/v1";
inline constexpr std::string_view kLocalBuilder = "tag:glovebox,2026:local";
inline constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
inline constexpr std::string_view kPredicateType = "https://slsa.dev/provenance/v1";
std::string builder_id(std::string_view host);  // "tag:glovebox,2026:executor/<host>"

// At most this many outputs, and this many inputs, one by one.
inline constexpr std::size_t kMaxRecordedFiles = 100'000;
inline constexpr std::size_t kMaxRecordedWords = 1'000;  // arguments, names of variables, rejected files

// What the record says beyond the attempt and what was asked for.
struct RecordContext {
  std::string builder;  // builder_id() or kLocalBuilder
  std::string version;  // of Glovebox
  std::string kernel;
  std::string runtime_version;
  Digest binary;              // of the running glovebox
  std::string nonce;          // 32 hex digits, random: a record cannot be guessed from its contents' digests
  std::string log_name;       // "metadata/table1.log"
  std::optional<Digest> log;  // none where there is no log (refused before anything was written)
  ByteCount log_size = 0;
  std::optional<Digest> events;  // of events.jsonl
};

// The statement, at no place in the chain yet; its signed form is dump_json() of it, once it has one. `asked`
// is the request that the attempt was made for. Its subjects are never empty: where there is neither log nor
// events, the request itself is the subject.
Json statement_json(const Attempt& attempt, const Request& asked, const RecordContext& context);

// Puts a finished statement at its place in the chain, which is only known when it is signed.
void place_in_chain(Json& statement, std::uint64_t seq, const std::optional<Digest>& previous);

// What was asked for, completely, as `externalParameters` say it.
Json request_parameters(const Request& asked);

}  // namespace glovebox
