#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/rules/judge.h"

namespace glovebox {
namespace {

constexpr std::array<std::string_view, 8> kRules{"size",           "type.ext",       "type.content",
                                                 "csv.rows",       "csv.patient-id", "csv.control",
                                                 "csv.unparsable", "unreadable"};
constexpr std::size_t kMaxHits = 16;
constexpr std::size_t kMaxMessage = 300;
constexpr std::int64_t kMaxCount = 1LL << 53;

Result<RuleHit> hit_from_json(const Json& json) {
  auto object = TRY(JsonObject::of(json, "hits"));
  RuleHit hit;
  hit.rule = TRY(object.string("rule"));
  hit.message = TRY(object.string("message", kMaxMessage));
  TRY(object.done());
  if (std::find(kRules.begin(), kRules.end(), hit.rule) == kRules.end()) {
    return invalid("is not a rule", object.path_of("rule"));
  }
  if (has_unprintable(hit.message)) return invalid("is not printable", object.path_of("message"));
  return hit;
}

Result<std::optional<std::uint64_t>> count_from_json(JsonObject& object, const char* key) {
  if (object.optional(key) == nullptr) return std::optional<std::uint64_t>();
  return std::optional(static_cast<std::uint64_t>(TRY(object.integer(key, 0, kMaxCount))));
}

}  // namespace

Json judgement_json(const Judgement& judgement) {
  Json json;
  json["hits"] = Json::array();
  for (const RuleHit& hit : judgement.hits) {
    json["hits"].push_back({{"rule", hit.rule}, {"message", hit.message}});
  }
  json["rows"] = judgement.rows ? Json(*judgement.rows) : Json(nullptr);
  json["columns"] = judgement.columns ? Json(*judgement.columns) : Json(nullptr);
  return json;
}

Result<Judgement> judgement_from_json(const Json& json) {
  auto object = TRY(JsonObject::of(json, "judgement"));
  Judgement judgement;
  const Json* hits = TRY(object.required("hits"));
  if (!hits->is_array() || hits->size() > kMaxHits) return invalid("must be a short list", "hits");
  for (const Json& hit : *hits) judgement.hits.push_back(TRY(hit_from_json(hit)));
  judgement.rows = TRY(count_from_json(object, "rows"));
  judgement.columns = TRY(count_from_json(object, "columns"));
  TRY(object.done());
  return judgement;
}

}  // namespace glovebox
