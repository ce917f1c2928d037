#include "core/outcome/run_facts.h"

#include <array>

namespace glovebox {
namespace {

constexpr std::int64_t kMost = INT64_MAX;
constexpr std::size_t kLongestText = 1U << 20U;
constexpr std::int64_t kLastExitStatus = 255;  // wait(2)
constexpr std::int64_t kLastSignal = 64;       // signal(7): SIGRTMAX
constexpr std::int64_t kSeccompFilter = 2;     // proc(5), Seccomp: disabled, strict, filter

Json end_json(const RunEnd& end) {
  return {{"ended_by", static_cast<int>(end.ended_by)},
          {"fault", static_cast<int>(end.fault)},
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

// Reads the supervisor's answer: everything that run_facts_json writes must be there and in range, and
// nothing else. The first failure is kept, and everything after it is skipped.
class Reader {
 public:
  explicit Reader(JsonObject object) : object_(std::move(object)) {}
  std::uint64_t number(const char* key, std::int64_t least = 0, std::int64_t most = kMost) {
    return static_cast<std::uint64_t>(take(object_.integer(key, least, most)));
  }
  std::optional<std::uint64_t> optional_number(const char* key) {
    if (object_.optional(key) == nullptr) return std::nullopt;
    return number(key);
  }
  // One of an enumeration's values, the last of which is `last`.
  template <class Enum>
  Enum one_of(const char* key, Enum last) {
    return static_cast<Enum>(number(key, 0, static_cast<std::int64_t>(last)));
  }
  bool flag(const char* key) {
    take(object_.required(key));
    return take(object_.boolean_or(key, false));
  }
  std::string text(const char* key) { return take(object_.string(key, kLongestText)); }
  std::string optional_text(const char* key) { return take(object_.string_or(key, "", kLongestText)); }
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> all;
    for (const Json& item : list(key)) {
      if (!item.is_string()) {
        fail(invalid("must be strings", object_.path_of(key)));
        return {};
      }
      all.push_back(item.get<std::string>());
    }
    return all;
  }
  const Json& list(const char* key) {
    static const Json none = Json::array();
    return member(key, none, "must be a list");
  }
  const Json& object(const char* key) {
    static const Json none = Json::object();
    return member(key, none, "must be an object");
  }
  const Json* optional(const char* key) { return object_.optional(key); }
  [[nodiscard]] Status status() const { return failed_ ? Status(*failed_) : object_.done(); }

 private:
  template <class T>
  T take(Result<T> result) {
    if (result.ok()) return std::move(result).value();
    fail(result.error());
    return T{};
  }
  void fail(const Error& error) {
    if (!failed_) failed_ = error;
  }
  // The member, which must be of the same type as `none`, or `none`.
  const Json& member(const char* key, const Json& none, const char* problem) {
    const Json* found = take(object_.required(key));
    if (found != nullptr && found->type() == none.type()) return *found;
    fail(invalid(problem, object_.path_of(key)));
    return none;
  }
  JsonObject object_;
  std::optional<Error> failed_;
};

Result<InitReport> report_from(Reader& in) {
  InitReport report;
  report.kind = in.one_of("report", InitReport::Kind::kSignalled);
  switch (report.kind) {
    case InitReport::Kind::kNone:
      report.value = static_cast<int>(in.number("report_value", 0, 0));
      break;
    case InitReport::Kind::kExited:
      report.value = static_cast<int>(in.number("report_value", 0, kLastExitStatus));
      break;
    case InitReport::Kind::kSignalled:
      report.value = static_cast<int>(in.number("report_value", 1, kLastSignal));
      break;
  }
  return report;
}

Result<RunEnd> end_from(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "end")));
  RunEnd end;
  end.ended_by = in.one_of("ended_by", EndedBy::kCancelled);
  end.fault = in.one_of("fault", Fault::kInput);
  end.report = TRY(report_from(in));
  end.oom_kills = in.number("oom_kills");
  end.forks_refused = in.number("forks_refused");
  end.scratch_full = in.flag("scratch_full");
  end.outputs_over = in.flag("outputs_over");
  end.missing = in.texts("missing");
  TRY(in.status());
  return end;
}

Result<LimitFact> limit_from(const Json& json, const std::string& name) {
  Reader in(TRY(JsonObject::of(json, "limits." + name)));
  LimitFact limit{in.number("asked"), in.number("in_force"), in.optional_number("peak")};
  TRY(in.status());
  return limit;
}

Result<Facts> facts_part_from(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "facts")));
  Facts facts;
  facts.seccomp_mode = static_cast<int>(in.number("seccomp", 0, kSeccompFilter));
  facts.no_new_privileges = in.flag("no_new_privileges");
  facts.capabilities = in.text("capabilities");
  facts.uid_map = in.text("uid_map");
  facts.gid_map = in.text("gid_map");
  facts.mounts = in.number("mounts");
  const Json& namespaces = in.object("namespaces");
  const Json& limits = in.object("limits");
  TRY(in.status());
  Reader inodes(TRY(JsonObject::of(namespaces, "namespaces")));
  for (const auto& item : namespaces.items())
    facts.namespaces[item.key()] = inodes.number(item.key().c_str());
  TRY(inodes.status());
  for (const auto& item : limits.items())
    facts.limits[item.key()] = TRY(limit_from(item.value(), item.key()));
  return facts;
}

Result<OutputFile> output_from(const Json& json, std::string& staged) {
  Reader in(TRY(JsonObject::of(json, "outputs")));
  OutputFile file;
  file.path = in.text("path");
  file.level = TRY(parse_level(in.text("level")));
  file.verdict = in.one_of("verdict", Verdict::kRejected);
  file.size = in.number("size");
  file.rows = in.optional_number("rows");
  file.columns = in.optional_number("columns");
  staged = in.text("staged");
  if (const std::string digest = in.optional_text("digest"); !digest.empty())
    file.digest = TRY(Digest::parse(digest));
  for (const Json& reason : in.list("reasons")) {
    Reader hit(TRY(JsonObject::of(reason, "reasons")));
    file.reasons.push_back({hit.text("rule"), hit.text("message")});
    TRY(hit.status());
  }
  TRY(in.status());
  return file;
}

Result<Usage> usage_from(const Json& json) {
  Reader in(TRY(JsonObject::of(json, "usage")));
  Usage usage{in.number("wall_ms"),     in.number("cpu_user_ms"), in.number("cpu_system_ms"),
              in.number("memory_peak"), in.number("io_read"),     in.number("io_write"),
              in.number("pids_peak")};
  TRY(in.status());
  return usage;
}

}  // namespace

Json run_facts_json(const RunFacts& facts) {
  Json outputs = Json::array();
  for (std::size_t i = 0; i < facts.outputs.size(); ++i) {
    outputs.push_back(
        output_json(facts.outputs[i], i < facts.staged.size() ? facts.staged[i] : std::string()));
  }
  Json json{{"end", end_json(facts.end)}, {"problem", facts.problem},
            {"hint", facts.hint},         {"started", facts.started},
            {"finished", facts.finished}, {"facts", facts.facts ? facts_part_json(*facts.facts) : Json()}};
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
  facts.end = TRY(end_from(in.object("end")));
  facts.usage = TRY(usage_from(in.object("usage")));
  facts.problem = in.text("problem");
  facts.hint = in.text("hint");
  facts.started = in.text("started");
  facts.finished = in.text("finished");
  if (const Json* part = in.optional("facts"); part != nullptr) facts.facts = TRY(facts_part_from(*part));
  for (const Json& output : in.list("outputs")) {
    std::string staged;
    facts.outputs.push_back(TRY(output_from(output, staged)));
    facts.staged.push_back(std::move(staged));
  }
  facts.unmatched_patterns = in.texts("unmatched_patterns");
  facts.unmatched_files = in.texts("unmatched_files");
  TRY(in.status());
  return facts;
}

}  // namespace glovebox
