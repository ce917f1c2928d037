#include "core/outcome/run_facts.h"

#include <array>

namespace glovebox {
namespace {

constexpr std::int64_t kMost = INT64_MAX;

Json end_json(const RunEnd& end) {
  return {{"ended_by", static_cast<int>(end.ended_by)},
          {"host_failed", end.host_failed},
          {"report", static_cast<int>(end.report.kind)},
          {"report_value", end.report.value},
          {"oom_kills", end.oom_kills},
          {"forks_refused", end.forks_refused},
          {"scratch_full", end.scratch_full},
          {"outputs_over", end.outputs_over},
          {"missing", end.missing}};
}

Json limit_json(const LimitFact& limit) {
  Json json{{"asked", limit.asked}, {"in_force", limit.in_force}};
  if (limit.peak) json["peak"] = *limit.peak;
  return json;
}

Json facts_part_json(const Facts& facts) {
  Json limits = Json::object();
  for (const auto& [name, limit] : facts.limits) limits[name] = limit_json(limit);
  return {{"seccomp", facts.seccomp_mode},
          {"no_new_privileges", facts.no_new_privileges},
          {"capabilities", facts.capabilities},
          {"uid_map", facts.uid_map},
          {"gid_map", facts.gid_map},
          {"namespaces", facts.namespaces},
          {"mounts", facts.mounts},
          {"limits", std::move(limits)}};
}

Json output_json(const OutputFile& file, const std::string& staged) {
  Json reasons = Json::array();
  for (const RuleHit& hit : file.reasons) reasons.push_back({{"rule", hit.rule}, {"message", hit.message}});
  Json json{{"path", file.path},
            {"level", std::string(to_string(file.level))},
            {"verdict", static_cast<int>(file.verdict)},
            {"reasons", std::move(reasons)},
            {"size", file.size},
            {"staged", staged}};
  if (file.digest) json["digest"] = file.digest->hex();
  if (file.rows) json["rows"] = *file.rows;
  if (file.columns) json["columns"] = *file.columns;
  return json;
}

// Reads numbers and lists out of the supervisor's answer; the first failure is kept and everything after it
// is skipped.
class Reader {
 public:
  explicit Reader(JsonObject object) : object_(std::move(object)) {}
  std::uint64_t number(const char* key) {
    return static_cast<std::uint64_t>(take(object_.integer(key, 0, kMost)));
  }
  std::optional<std::uint64_t> optional_number(const char* key) {
    if (object_.optional(key) == nullptr) return std::nullopt;
    return number(key);
  }
  bool flag(const char* key) { return take(object_.boolean_or(key, false)); }
  std::string text(const char* key) { return take(object_.string_or(key, "", 1U << 20U)); }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> all;
    const Json* list = object_.optional(key);
    if (list == nullptr) return all;
    for (const Json& item : *list) {
      if (item.is_string()) all.push_back(item.get<std::string>());
    }
    return all;
  }
  const Json* member(const char* key) { return object_.optional(key); }
  [[nodiscard]] Status status() const { return failed_ ? Status(*failed_) : Status(); }

 private:
  template <class T>
  T take(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    if (!failed_) failed_ = result.error();
    return T{};
  }
  JsonObject object_;
  std::optional<Error> failed_;
};

Result<RunEnd> end_from(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "end")));
  RunEnd end;
  end.ended_by = static_cast<EndedBy>(in.number("ended_by"));
  end.host_failed = in.flag("host_failed");
  end.report.kind = static_cast<InitReport::Kind>(in.number("report"));
  end.report.value = static_cast<int>(in.number("report_value"));
  end.oom_kills = in.number("oom_kills");
  end.forks_refused = in.number("forks_refused");
  end.scratch_full = in.flag("scratch_full");
  end.outputs_over = in.flag("outputs_over");
  end.missing = in.texts("missing");
  TRY(in.status());
  return end;
}

Result<Facts> facts_part_from(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "facts")));
  Facts facts;
  facts.seccomp_mode = static_cast<int>(in.number("seccomp"));
  facts.no_new_privileges = in.flag("no_new_privileges");
  facts.capabilities = in.text("capabilities");
  facts.uid_map = in.text("uid_map");
  facts.gid_map = in.text("gid_map");
  facts.mounts = in.number("mounts");
  const Json* namespaces = in.member("namespaces");
  const Json* limits = in.member("limits");
  TRY(in.status());
  if (namespaces == nullptr || limits == nullptr) return invalid("is incomplete", "facts");
  for (const auto& [name, inode] : namespaces->items()) facts.namespaces[name] = inode.get<std::uint64_t>();
  for (const auto& [name, value] : limits->items()) {
    Reader limit(TRY(JsonObject::of(value, "limits." + name)));
    facts.limits[name] = {limit.number("asked"), limit.number("in_force"), limit.optional_number("peak")};
    TRY(limit.status());
  }
  return facts;
}

Result<OutputFile> output_from(const Json& json, std::string& staged) {
  Reader in(TRY(JsonObject::of(json, "outputs")));
  OutputFile file;
  file.path = in.text("path");
  file.level = TRY(parse_level(in.text("level")));
  file.verdict = static_cast<Verdict>(in.number("verdict"));
  file.size = in.number("size");
  file.rows = in.optional_number("rows");
  file.columns = in.optional_number("columns");
  staged = in.text("staged");
  if (const std::string digest = in.text("digest"); !digest.empty()) file.digest = TRY(Digest::parse(digest));
  if (const Json* reasons = in.member("reasons"); reasons != nullptr) {
    for (const Json& reason : *reasons) {
      Reader hit(TRY(JsonObject::of(reason, "reasons")));
      file.reasons.push_back({hit.text("rule"), hit.text("message")});
      TRY(hit.status());
    }
  }
  TRY(in.status());
  return file;
}

}  // namespace

Json run_facts_json(const RunFacts& facts) {
  Json outputs = Json::array();
  for (std::size_t i = 0; i < facts.outputs.size(); ++i) {
    outputs.push_back(
        output_json(facts.outputs[i], i < facts.staged.size() ? facts.staged[i] : std::string()));
  }
  Json json{{"end", end_json(facts.end)},   {"host_problem", facts.host_problem},
            {"host_hint", facts.host_hint}, {"started", facts.started},
            {"finished", facts.finished},   {"facts", facts.facts ? facts_part_json(*facts.facts) : Json()}};
  json["usage"] = {{"wall_ms", facts.usage.wall_ms},
                   {"cpu_user_ms", facts.usage.cpu_user_ms},
                   {"cpu_system_ms", facts.usage.cpu_system_ms},
                   {"memory_peak", facts.usage.memory_peak},
                   {"io_read", facts.usage.io_read},
                   {"io_write", facts.usage.io_write},
                   {"pids_peak", facts.usage.pids_peak}};
  json["outputs"] = std::move(outputs);
  json["unmatched_patterns"] = facts.unmatched_patterns;
  json["unmatched_files"] = facts.unmatched_files;
  return json;
}

Result<RunFacts> run_facts_from_json(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "run facts")));
  RunFacts facts;
  const Json* end = in.member("end");
  const Json* usage = in.member("usage");
  if (end == nullptr || usage == nullptr) return invalid("is incomplete", "run facts");
  facts.end = TRY(end_from(*end));
  facts.host_problem = in.text("host_problem");
  facts.host_hint = in.text("host_hint");
  facts.started = in.text("started");
  facts.finished = in.text("finished");
  if (const Json* part = in.member("facts"); part != nullptr) facts.facts = TRY(facts_part_from(*part));
  Reader used(TRY(JsonObject::of(*usage, "usage")));
  facts.usage = {used.number("wall_ms"),     used.number("cpu_user_ms"), used.number("cpu_system_ms"),
                 used.number("memory_peak"), used.number("io_read"),     used.number("io_write"),
                 used.number("pids_peak")};
  TRY(used.status());
  if (const Json* outputs = in.member("outputs"); outputs != nullptr) {
    for (const Json& output : *outputs) {
      std::string staged;
      facts.outputs.push_back(TRY(output_from(output, staged)));
      facts.staged.push_back(std::move(staged));
    }
  }
  facts.unmatched_patterns = in.texts("unmatched_patterns");
  facts.unmatched_files = in.texts("unmatched_files");
  TRY(in.status());
  return facts;
}

}  // namespace glovebox
