#include "shell/pipeline/action_cache.h"

#include "shell/pipeline/attempt.h"

namespace glovebox {

Result<std::optional<RememberedAction>> remembered_action(const Store& store, const std::string& study,
                                                          const std::string& action) {
  const std::optional<std::string> text = TRY(store.cached_action(study, action));
  if (!text) return std::optional<RememberedAction>();
  const Json json = TRY(parse_json(*text, "action cache"));
  JsonObject object = TRY(JsonObject::of(json, "action cache"));
  RememberedAction remembered;
  remembered.key = TRY(Digest::parse(TRY(object.string("key"))));
  remembered.id = TRY(object.string("id"));
  remembered.record = TRY(object.string("record"));
  remembered.log = TRY(object.string_or("log", ""));
  remembered.message = TRY(object.string_or("message", ""));
  remembered.facts = TRY(run_facts_from_json(*TRY(object.required("facts"))));
  return std::optional(std::move(remembered));
}

Status remember_action(Store& store, const std::string& study, const Attempt& attempt) {
  RunFacts facts;
  facts.started = attempt.started;
  facts.finished = attempt.finished;
  facts.facts = attempt.facts;
  facts.usage = attempt.usage;
  facts.outputs = attempt.outputs;
  facts.unmatched_files = attempt.unmatched_files;
  if (attempt.exit_code) facts.end.report = {InitReport::Kind::kExited, *attempt.exit_code};
  const Json json{{"key", repeat_key(*attempt.plan).hex()},
                  {"id", attempt.id},
                  {"record", attempt.record},
                  {"log", attempt.log},
                  {"message", attempt.message},
                  {"facts", run_facts_json(facts)}};
  return store.cache_action(study, attempt.action, dump_json(json));
}

std::vector<OutputFile> kept_outputs(const RememberedAction& remembered) {
  std::vector<OutputFile> kept;
  for (const OutputFile& file : remembered.facts.outputs) {
    if (file.verdict != Verdict::kRejected && file.digest) kept.push_back(file);
  }
  return kept;
}

Attempt repeated(const RememberedAction& remembered, const std::string& action, const Plan& plan) {
  Attempt attempt;
  attempt.id = remembered.id;
  attempt.action = action;
  attempt.cached = true;
  attempt.message = remembered.message;
  attempt.exit_code = remembered.facts.end.report.value;
  attempt.started = remembered.facts.started;
  attempt.finished = remembered.facts.finished;
  attempt.plan = plan;
  attempt.facts = remembered.facts.facts;
  attempt.usage = remembered.facts.usage;
  attempt.outputs = remembered.facts.outputs;
  attempt.unmatched_files = remembered.facts.unmatched_files;
  attempt.record = remembered.record;
  attempt.log = remembered.log;
  return attempt;
}

}  // namespace glovebox
