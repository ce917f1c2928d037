#include "core/provenance/statement.h"

#include <algorithm>

#include "core/base/text.h"
#include "core/provenance/envelope.h"

namespace glovebox {
namespace {

constexpr std::uint64_t kMostExact = (1ULL << 53U) - 1;  // I-JSON, RFC 7493
constexpr std::size_t kMaxText = 4096;

// Bytes of JSON that the lists of a record may take, whatever a study names its files: what was asked for has
// its own, since it stands in request.json too, by the same digest. All that is in no list (texts of kMaxText
// bytes, digests, facts, what a policy says) is far below a mebibyte. Base64 makes four bytes of three; type,
// signature and punctuation of the envelope are below 64 KiB.
constexpr std::size_t kRequestBudget = 8U << 20U;
constexpr std::size_t kListsBudget = 32U << 20U;
constexpr std::size_t kMostBesides = 1U << 20U;
static_assert((kRequestBudget + kListsBudget + kMostBesides) / 3 * 4 + (64U << 10U) < kMaxEnvelope);

struct Budget {
  std::size_t left;  // bytes
  bool truncated = false;
};

Json number(std::uint64_t value) {
  return std::min(value, kMostExact);
}
template <class T>
Json number_or_null(const std::optional<T>& value) {
  return value ? number(static_cast<std::uint64_t>(*value)) : Json(nullptr);
}
Json digest_set(const Digest& digest) {
  return {{"sha256", digest.hex()}};
}
std::string safe_text(std::string_view text) {
  return printable(text, kMaxText);
}

// One more item for `list`, unless it has `most` already or the budget is spent.
bool add(Json& list, Json item, std::size_t most, Budget& budget) {
  const std::size_t size = dump_json(item).size() + 1;  // and its comma
  if (list.size() >= most || size > budget.left) {
    budget.truncated = true;
    return false;
  }
  budget.left -= size;
  list.push_back(std::move(item));
  return true;
}

// A list that is cut where add() says so; the budget remembers.
template <class List, class Make>
Json capped(const List& list, std::size_t most, Budget& budget, const Make& make) {
  Json out = Json::array();
  for (const auto& item : list) {
    if (!add(out, make(item), most, budget)) break;
  }
  return out;
}

std::string disposition_of(const Attempt& attempt, const OutputFile& file) {
  if (attempt.reason != Reason::kNone) return "unreleased";
  return std::string(to_string(file.verdict));
}

Json file_json(const Attempt& attempt, const OutputFile& file) {
  Json annotations;
  annotations["level"] = to_string(file.level);
  annotations["size"] = number(file.size);
  annotations["disposition"] = disposition_of(attempt, file);
  if (!file.reasons.empty()) {
    annotations["rules"] = Json::array();
    for (const RuleHit& hit : file.reasons) annotations["rules"].push_back(hit.rule);
  }
  Json json;
  json["name"] = safe_text(file.path);
  json["digest"] = digest_set(*file.digest);
  json["annotations"] = std::move(annotations);
  return json;
}

Json log_json(const RecordContext& context) {
  Json json;
  json["name"] = context.log_name;
  json["digest"] = digest_set(*context.log);
  json["annotations"] = {{"size", number(context.log_size)}, {"disposition", "log"}};
  return json;
}

bool is_product(const Attempt& attempt, const OutputFile& file) {
  return attempt.reason == Reason::kNone && file.verdict == Verdict::kAccepted && file.digest.has_value();
}

Json subjects(const Attempt& attempt, const Request& asked, const RecordContext& context, Budget& budget) {
  std::vector<const OutputFile*> products;
  for (const OutputFile& file : attempt.outputs) {
    if (is_product(attempt, file)) products.push_back(&file);
  }
  Json list = capped(products, kMaxRecordedFiles, budget,
                     [&](const OutputFile* file) { return file_json(attempt, *file); });
  if (context.log) list.push_back(log_json(context));
  if (context.events) list.push_back({{"name", "events.jsonl"}, {"digest", digest_set(*context.events)}});
  if (list.empty()) {
    const Digest digest = Digest::of(dump_json(request_parameters(asked)));
    list.push_back({{"name", "request.json"}, {"digest", digest_set(digest)}});
  }
  return list;
}

Json byproducts(const Attempt& attempt, Budget& budget) {
  std::vector<const OutputFile*> others;
  for (const OutputFile& file : attempt.outputs) {
    if (file.digest && !is_product(attempt, file)) others.push_back(&file);
  }
  return capped(others, kMaxRecordedFiles, budget,
                [&](const OutputFile* file) { return file_json(attempt, *file); });
}

Json limits_json(const Limits& limits) {
  Json json;
  json["memoryBytes"] = number(limits.memory);
  json["milliCpus"] = number(limits.cpus);
  json["processes"] = number(limits.processes);
  json["timeMillis"] = number(limits.time);
  json["graceMillis"] = number(limits.grace);
  json["scratchBytes"] = number(limits.scratch);
  json["scratchInodes"] = number(limits.scratch_inodes);
  json["scratchOn"] = limits.scratch_on == ScratchKind::kDisk ? "disk" : "tmpfs";
  json["tmpBytes"] = number(limits.tmp);
  json["shmBytes"] = number(limits.shm);
  json["logBytes"] = number(limits.log);
  json["outputFiles"] = number(limits.output_files);
  json["outputBytes"] = number(limits.output_bytes);
  json["openFiles"] = number(limits.open_files);
  json["fileBytes"] = number(limits.file_size);
  return json;
}

Json internal_parameters(const Plan& plan, Budget& budget) {
  Json json;
  json["glovebox_plan"] = plan_digest(plan).hex();
  json["glovebox_policy"] = plan.policy;
  json["glovebox_runtime"] = plan.runtime;
  json["glovebox_network"] = plan.network == Network::kNone ? "none" : "loopback";
  json["glovebox_limits"] = limits_json(plan.limits);
  json["glovebox_environment"] = capped(plan.environment, kMaxRecordedWords, budget,
                                        [](const auto& entry) { return Json(safe_text(entry.first)); });
  json["glovebox_secrets"] = capped(plan.secrets, kMaxRecordedWords, budget,
                                    [](const std::string& name) { return Json(safe_text(name)); });
  json["glovebox_waived"] = plan.waived;
  return json;
}

Json code_dependency(const Request& asked) {
  Json json;
  json["name"] = "code";
  if (!asked.repository.empty()) {
    json["uri"] = "git+" + safe_text(asked.repository) + (asked.commit.empty() ? "" : "@" + asked.commit);
  }
  Json digests = digest_set(asked.code);
  if (!asked.commit.empty()) digests["gitCommit"] = asked.commit;
  json["digest"] = std::move(digests);
  return json;
}

Json image_dependency(const ImageInfo& image) {
  Json json;
  json["name"] = "image";
  json["digest"] = digest_set(image.manifest);
  json["annotations"] = {
      {"imageName", image.name}, {"configDigest", image.config.str()}, {"treeDigest", image.tree.str()}};
  return json;
}

Json dependencies(const Attempt& attempt, const Request& asked, Budget& budget) {
  Json list = Json::array();
  if (attempt.plan) list.push_back(image_dependency(attempt.plan->image));
  list.push_back(code_dependency(asked));
  const auto& inputs = attempt.plan ? attempt.plan->inputs : asked.inputs;
  Json files = capped(inputs, kMaxRecordedFiles, budget, [](const InputFile& input) {
    Json json;
    json["name"] = "input:" + input.path.str();
    json["digest"] = digest_set(input.digest);
    if (!input.produced_by.empty()) json["annotations"] = {{"producedBy", input.produced_by}};
    return json;
  });
  for (Json& file : files) list.push_back(std::move(file));
  if (attempt.plan) {
    list.push_back({{"name", "policy"}, {"digest", digest_set(attempt.plan->policy_digest)}});
    list.push_back(
        {{"name", "seccomp"}, {"digest", digest_set(Digest::of(dump_json(attempt.plan->seccomp)))}});
  }
  return list;
}

Json facts_json(const Facts& facts) {
  Json json;
  json["seccompMode"] = facts.seccomp_mode;
  json["noNewPrivileges"] = facts.no_new_privileges;
  json["capabilities"] = safe_text(facts.capabilities);
  json["uidMap"] = safe_text(facts.uid_map);
  json["gidMap"] = safe_text(facts.gid_map);
  json["namespaces"] = Json::object();
  for (const auto& [name, inode] : facts.namespaces) json["namespaces"][name] = number(inode);
  json["mounts"] = number(facts.mounts);
  json["limits"] = Json::object();
  for (const auto& [name, fact] : facts.limits) {
    json["limits"][name] = {{"asked", number(fact.asked)},
                            {"inForce", number(fact.in_force)},
                            {"peak", number_or_null(fact.peak)}};
  }
  return json;
}

Json usage_json(const Usage& usage) {
  Json json;
  json["wallMillis"] = number(usage.wall_ms);
  json["cpuUserMillis"] = number(usage.cpu_user_ms);
  json["cpuSystemMillis"] = number(usage.cpu_system_ms);
  json["memoryPeakBytes"] = number(usage.memory_peak);
  json["ioReadBytes"] = number(usage.io_read);
  json["ioWriteBytes"] = number(usage.io_write);
  json["pidsPeak"] = number(usage.pids_peak);
  return json;
}

Json verdict_counts(const Attempt& attempt, Budget& budget) {
  std::uint64_t accepted = 0;
  std::uint64_t withheld = 0;
  std::vector<const OutputFile*> rejected;
  for (const OutputFile& file : attempt.outputs) {
    accepted += file.verdict == Verdict::kAccepted ? 1 : 0;
    withheld += file.verdict == Verdict::kWithheld ? 1 : 0;
    if (file.verdict == Verdict::kRejected) rejected.push_back(&file);
  }
  Json json;
  json["accepted"] = accepted;
  json["withheld"] = withheld;
  json["rejected"] = rejected.size();
  json["rejectedFiles"] = capped(rejected, kMaxRecordedWords, budget, [](const OutputFile* file) {
    Json rules = Json::array();
    for (const RuleHit& hit : file->reasons) rules.push_back(hit.rule);
    return Json{{"name", safe_text(file->path)}, {"level", to_string(file->level)}, {"rules", rules}};
  });
  json["unmatchedPatterns"] = capped(attempt.unmatched_patterns, kMaxRecordedWords, budget,
                                     [](const std::string& pattern) { return Json(safe_text(pattern)); });
  return json;
}

Json result_json(const Attempt& attempt, Budget& budget) {
  Json json;
  json["status"] = status_of(attempt.reason);
  json["reason"] = attempt.reason == Reason::kNone ? Json(nullptr) : Json(to_string(attempt.reason));
  json["exitCode"] = number_or_null(attempt.exit_code);
  json["signal"] = number_or_null(attempt.signal);
  json["usage"] = usage_json(attempt.usage);
  json["outputs"] = verdict_counts(attempt, budget);
  return json;
}

Json run_details(const Attempt& attempt, const RecordContext& context, Budget& budget) {
  Json builder;
  builder["id"] = context.builder;
  builder["version"] = {{"glovebox", context.version}, {"kernel", safe_text(context.kernel)}};
  if (attempt.plan) builder["version"][attempt.plan->runtime] = safe_text(context.runtime_version);
  builder["builderDependencies"] =
      Json::array({{{"name", "glovebox"}, {"digest", digest_set(context.binary)}}});
  Json json;
  json["builder"] = std::move(builder);
  json["metadata"] = {{"invocationId", attempt.id}};
  if (!attempt.started.empty()) json["metadata"]["startedOn"] = attempt.started;
  if (!attempt.finished.empty()) json["metadata"]["finishedOn"] = attempt.finished;
  json["byproducts"] = byproducts(attempt, budget);
  json["glovebox_result"] = result_json(attempt, budget);
  json["glovebox_facts"] = attempt.facts ? facts_json(*attempt.facts) : Json(nullptr);
  json["glovebox_denials"] = nullptr;  // not observed, which is not the same as none
  json["glovebox_nonce"] = context.nonce;
  json["glovebox_seq"] = nullptr;  // place_in_chain()
  json["glovebox_previous"] = nullptr;
  return json;
}

}  // namespace

std::string builder_id(std::string_view host) {
  return "tag:glovebox,2026:executor/" + std::string(host);
}

Json request_parameters(const Request& asked) {
  Budget budget{kRequestBudget};
  Json json;
  json["workspace"] = safe_text(asked.workspace);
  json["action"] = safe_text(asked.action);
  json["repository"] = safe_text(asked.repository);
  json["ref"] = asked.commit;
  json["image"] = asked.image.str();
  json["args"] = capped(asked.args, kMaxRecordedWords, budget,
                        [](const std::string& word) { return Json(safe_text(word)); });
  json["environment"] = capped(asked.environment, kMaxRecordedWords, budget,
                               [](const auto& entry) { return Json(safe_text(entry.first)); });
  Json outputs = Json::object();
  for (const OutputSpec& spec : asked.outputs) {
    Json& list = outputs[std::string(to_string(spec.level))];
    if (list.is_null()) list = Json::array();
    add(list, safe_text(spec.pattern.str()), kMaxRecordedWords, budget);
  }
  json["outputs"] = std::move(outputs);
  json["collectEverything"] = asked.collect_everything;
  json["database"] = asked.database;
  Json resources = Json::object();
  if (asked.memory) resources["memoryBytes"] = number(*asked.memory);
  if (asked.cpus) resources["milliCpus"] = number(*asked.cpus);
  if (asked.time) resources["timeMillis"] = number(*asked.time);
  if (asked.scratch) resources["scratchBytes"] = number(*asked.scratch);
  if (asked.output_file_bytes) resources["outputFileBytes"] = number(*asked.output_file_bytes);
  if (asked.output_csv_rows) resources["outputCsvRows"] = number(*asked.output_csv_rows);
  json["resources"] = std::move(resources);
  json["truncated"] = budget.truncated;
  return json;
}

Json statement_json(const Attempt& attempt, const Request& asked, const RecordContext& context) {
  // What the attempt made comes first: its inputs also stand in plan.json, whose digest is never cut.
  Budget budget{kListsBudget};
  Json subject = subjects(attempt, asked, context, budget);
  Json details = run_details(attempt, context, budget);
  Json definition;
  definition["buildType"] = kBuildType;
  definition["externalParameters"] = request_parameters(asked);
  if (attempt.plan) definition["internalParameters"] = internal_parameters(*attempt.plan, budget);
  definition["resolvedDependencies"] = dependencies(attempt, asked, budget);
  details["glovebox_truncated"] = budget.truncated;
  Json statement;
  statement["_type"] = kStatementType;
  statement["subject"] = std::move(subject);
  statement["predicateType"] = kPredicateType;
  Json& predicate = statement["predicate"];
  predicate["buildDefinition"] = std::move(definition);
  predicate["runDetails"] = std::move(details);
  return statement;
}

void place_in_chain(Json& statement, std::uint64_t seq, const std::optional<Digest>& previous) {
  Json& details = statement["predicate"]["runDetails"];
  details["glovebox_seq"] = seq;
  details["glovebox_previous"] = previous ? Json(previous->hex()) : Json(nullptr);
}

}  // namespace glovebox
