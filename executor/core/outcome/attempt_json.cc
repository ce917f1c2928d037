// The JSON object of DESIGN.md §6 for `run --json`.
#include "core/outcome/outcome.h"

namespace glovebox {
namespace {

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json output_json(const OutputFile& file) {
  Json reasons = Json::array();
  for (const RuleHit& hit : file.reasons) reasons.push_back({{"rule", hit.rule}, {"message", hit.message}});
  Json json;
  json["path"] = file.path;
  json["level"] = to_string(file.level);
  json["verdict"] = to_string(file.verdict);
  json["reasons"] = std::move(reasons);
  json["size"] = file.size;
  json["sha256"] = file.digest ? Json(file.digest->hex()) : Json(nullptr);
  json["rows"] = or_null(file.rows);
  json["columns"] = or_null(file.columns);
  return json;
}

Json limits_json(const std::optional<Facts>& facts) {
  Json json = Json::object();
  if (!facts) return json;
  for (const auto& [name, fact] : facts->limits) {
    json[name] = {{"asked", fact.asked}, {"in_force", fact.in_force}, {"peak", or_null(fact.peak)}};
  }
  return json;
}

Json usage_json(const Usage& usage) {
  Json json;
  json["wall_ms"] = usage.wall_ms;
  json["cpu_user_ms"] = usage.cpu_user_ms;
  json["cpu_system_ms"] = usage.cpu_system_ms;
  json["memory_peak_bytes"] = usage.memory_peak;
  json["io_read_bytes"] = usage.io_read;
  json["io_write_bytes"] = usage.io_write;
  json["pids_peak"] = usage.pids_peak;
  return json;
}

}  // namespace

Json attempt_json(const Attempt& attempt) {
  Json json;
  json["id"] = attempt.id;
  json["action"] = attempt.action;
  json["status"] = status_of(attempt.reason);
  json["reason"] = attempt.reason == Reason::kNone ? Json(nullptr) : Json(to_string(attempt.reason));
  json["message"] = attempt.message;
  json["hint"] = text_or_null(attempt.hint);
  json["exit_code"] = or_null(attempt.exit_code);
  json["signal"] = or_null(attempt.signal);
  json["cached"] = attempt.cached;
  json["started"] = text_or_null(attempt.started);
  json["finished"] = text_or_null(attempt.finished);
  json["outputs"] = Json::array();
  for (const OutputFile& file : attempt.outputs) json["outputs"].push_back(output_json(file));
  json["unmatched_patterns"] = attempt.unmatched_patterns;
  json["unmatched_files"] = attempt.unmatched_files;
  json["denials"] = nullptr;  // not observed yet, which is not the same as none
  json["limits"] = limits_json(attempt.facts);
  json["usage"] = usage_json(attempt.usage);
  const auto& plan = attempt.plan;
  json["image_digest"] = plan ? Json(plan->image.manifest.str()) : Json(nullptr);
  json["policy_digest"] = plan ? Json(plan->policy_digest.str()) : Json(nullptr);
  json["plan_digest"] = plan ? Json(plan_digest(*plan).str()) : Json(nullptr);
  json["record"] = text_or_null(attempt.record);
  json["log"] = text_or_null(attempt.log);
  return json;
}

}  // namespace glovebox
