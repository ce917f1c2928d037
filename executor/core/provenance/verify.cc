// Believing a record: signature first, then what it claims to be.
#include <algorithm>

#include "core/base/text.h"
#include "core/provenance/envelope.h"
#include "core/provenance/statement.h"

namespace glovebox {
namespace {

const Json* member(const Json* json, const char* key) {
  if (json == nullptr || !json->is_object()) return nullptr;
  const auto found = json->find(key);
  return found == json->end() ? nullptr : &*found;
}
std::string text_at(const Json* json) {
  return json != nullptr && json->is_string() ? json->get<std::string>() : std::string();
}
const Json* run_details(const Json& statement) {
  return member(member(&statement, "predicate"), "runDetails");
}

const TrustedKey* key_that_signed(const Envelope& envelope, const std::vector<TrustedKey>& keys) {
  const std::string message = dsse_pae(envelope.payload_type, envelope.payload);
  for (const TrustedKey& trusted : keys) {
    for (const EnvelopeSignature& signature : envelope.signatures) {
      if (ed25519_verify(trusted.key, message, signature.signature)) return &trusted;
    }
  }
  return nullptr;
}

Error unsound(const char* what) {
  return integrity(std::string("the record is signed, but ") + what);
}

Status check_types(const Json& statement) {
  if (text_at(member(&statement, "_type")) != kStatementType)
    return unsound("it is not an in-toto statement v1");
  if (text_at(member(&statement, "predicateType")) != kPredicateType)
    return unsound("its predicate is not SLSA provenance v1");
  const Json* definition = member(member(&statement, "predicate"), "buildDefinition");
  if (text_at(member(definition, "buildType")) != kBuildType)
    return unsound("its build type is not that of Glovebox");
  const Json* subject = member(&statement, "subject");
  if (subject == nullptr || !subject->is_array() || subject->empty()) return unsound("it has no subject");
  return {};
}

Result<RecordedFile> file_of(const Json& json) {
  const std::string hex = text_at(member(member(&json, "digest"), "sha256"));
  const auto digest = Digest::parse(hex);
  if (!digest || hex.size() != 64) return unsound("a file in it has no SHA-256 digest");
  RecordedFile file;
  file.name = text_at(member(&json, "name"));
  file.digest = *digest;
  file.disposition = text_at(member(member(&json, "annotations"), "disposition"));
  return file;
}

}  // namespace

Result<VerifiedRecord> verify_envelope(const Envelope& envelope, const std::vector<TrustedKey>& keys) {
  if (envelope.payload_type != kInTotoType) {
    return integrity("the envelope holds " + quoted(envelope.payload_type, 100) + ", not a record");
  }
  const TrustedKey* trusted = key_that_signed(envelope, keys);
  if (trusted == nullptr) {
    return integrity("no trusted key has signed this record",
                     "it was changed, or its key is not among those given");
  }
  auto statement = parse_json(envelope.payload, "statement");
  if (!statement) return unsound("its statement is not JSON");
  TRY(check_types(*statement));
  VerifiedRecord record;
  record.builder_id = text_at(member(member(run_details(*statement), "builder"), "id"));
  if (record.builder_id.empty() || record.builder_id != trusted->builder_id) {
    return unsound("by a key that does not speak for the builder it names");
  }
  record.statement = std::move(statement).value();
  record.keyid = key_id(trusted->key);
  return record;
}

Result<ChainLink> chain_link(const VerifiedRecord& record, std::string_view envelope_bytes) {
  const Json* details = run_details(record.statement);
  const Json* seq = member(details, "glovebox_seq");
  const Json* previous = member(details, "glovebox_previous");
  if (seq == nullptr || !seq->is_number_unsigned() || previous == nullptr) {
    return unsound("it has no place in a sequence");
  }
  ChainLink link;
  link.seq = seq->get<std::uint64_t>();
  link.envelope = Digest::of(envelope_bytes);
  if (previous->is_null()) return link;
  const auto digest = Digest::parse(text_at(previous));
  if (!digest) return unsound("it does not name the record before it");
  link.previous = *digest;
  return link;
}

Status check_chain(const std::vector<ChainLink>& links) {
  for (std::size_t i = 1; i < links.size(); ++i) {
    const std::string number = std::to_string(links[i].seq);
    if (links[i].seq == links[i - 1].seq) return integrity("two records have the number " + number);
    if (links[i].seq != links[i - 1].seq + 1) {
      return integrity("records are missing between the numbers " + std::to_string(links[i - 1].seq) +
                       " and " + number);
    }
    if (links[i].previous != links[i - 1].envelope) {
      return integrity("record " + number + " does not follow the one before it");
    }
  }
  return {};
}

Result<std::vector<RecordedFile>> recorded_files(const VerifiedRecord& record) {
  std::vector<RecordedFile> files;
  const Json* byproducts = member(run_details(record.statement), "byproducts");
  for (const Json* list : {member(&record.statement, "subject"), byproducts}) {
    if (list == nullptr) continue;
    if (!list->is_array()) return unsound("a list of files in it is not a list");
    for (const Json& json : *list) files.push_back(TRY(file_of(json)));
  }
  return files;
}

}  // namespace glovebox
