#include "core/plan/plan.h"
#include "core/policy/limit_fields.h"

namespace glovebox {
namespace {

Json image_json(const ImageInfo& image) {
  return {{"name", image.name},
          {"manifest", image.manifest.str()},
          {"config", image.config.str()},
          {"tree", image.tree.str()},
          {"labels", Json(image.labels)}};
}

Json limits_json(const Limits& limits) {
  Json json = Json::object();
  const auto put = [&](const char* name, const auto& value) { json[name] = value; };
  for_each_chosen_limit(put, limits);
  for_each_fixed_limit(put, limits);
  json["scratch_on"] = limits.scratch_on == ScratchKind::kDisk ? "disk" : "tmpfs";
  return json;
}

Json inputs_json(const std::vector<InputFile>& inputs) {
  Json list = Json::array();
  for (const InputFile& input : inputs) {
    list.push_back({{"path", input.path.str()},
                    {"digest", input.digest.str()},
                    {"size", input.size},
                    {"produced_by", input.produced_by}});
  }
  return list;
}

Json outputs_json(const std::vector<OutputSpec>& outputs) {
  Json list = Json::array();
  for (const OutputSpec& output : outputs) {
    list.push_back(
        {{"level", to_string(output.level)}, {"name", output.name}, {"pattern", output.pattern.str()}});
  }
  return list;
}

Json rules_json(const OutputRules& rules) {
  return {
      {"extensions", Json(rules.extensions)}, {"file_bytes", rules.file_bytes}, {"csv_rows", rules.csv_rows}};
}

}  // namespace

Json plan_json(const Plan& plan) {
  Json json = Json::object();
  json["schema"] = "glovebox.plan/1";
  json["workspace"] = plan.workspace;
  json["action"] = plan.action;
  json["image"] = image_json(plan.image);
  json["argv"] = plan.argv;
  json["environment"] = Json(plan.environment);
  json["secrets"] = plan.secrets;
  json["network"] = plan.network == Network::kNone ? "none" : "loopback";
  json["limits"] = limits_json(plan.limits);
  json["code"] = {{"digest", plan.code.str()}, {"repository", plan.repository}, {"commit", plan.commit}};
  json["inputs"] = inputs_json(plan.inputs);
  json["outputs"] = outputs_json(plan.outputs);
  json["collect_everything"] = plan.collect_everything;
  json["output_rules"] = rules_json(plan.output_rules);
  json["runtime"] = plan.runtime;
  json["policy"] = {{"name", plan.policy}, {"digest", plan.policy_digest.str()}};
  json["waived"] = plan.waived;
  json["masked_paths"] = plan.masked_paths;
  json["readonly_paths"] = plan.readonly_paths;
  json["seccomp"] = plan.seccomp;
  json["reasons"] = Json(plan.reasons);
  return json;
}

Digest plan_digest(const Plan& plan) {
  return Digest::of(dump_json(plan_json(plan)));
}

}  // namespace glovebox
