#include "core/rules/manifest.h"

#include "core/base/text.h"
#include "core/rules/message_file.h"

namespace glovebox {
namespace {

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json entry_of(const ManifestOutput& output, const ManifestRun& run) {
  const OutputFile& file = output.file;
  const bool excluded = file.verdict == Verdict::kWithheld;
  Json entry;
  entry["level"] = to_string(file.level);
  entry["job_id"] = run.job_id;
  entry["job_request"] = text_or_null(run.job_request);
  entry["action"] = run.action;
  entry["user"] = text_or_null(run.user);
  entry["repo"] = text_or_null(run.repo);
  entry["commit"] = text_or_null(run.commit);
  entry["size"] = file.size;
  entry["timestamp"] = output.modified;
  entry["content_hash"] = file.digest ? Json(file.digest->hex()) : Json(nullptr);
  entry["excluded"] = excluded;
  entry["message"] = excluded ? Json(reasons_line(file)) : Json(nullptr);
  entry["row_count"] = file.rows ? Json(*file.rows) : Json(nullptr);
  entry["col_count"] = file.columns ? Json(*file.columns) : Json(nullptr);
  return entry;
}

Error damaged() {
  return integrity("the list of the workspace's outputs is damaged",
                   "remove it from manifests/ of the state directory: the next run begins a new one");
}

std::string action_of(const Json& entry) {
  const auto found = entry.find("action");
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

using Entries = std::map<std::string, Json>;

Result<Entries> entries_of(const Json& manifest) {
  if (!manifest.is_object()) return damaged();
  const auto outputs = manifest.find("outputs");
  if (outputs == manifest.end() || !outputs->is_object()) return damaged();
  Entries entries;
  for (const auto& [path, entry] : outputs->items()) {
    if (!entry.is_object()) return damaged();
    entries.emplace(path, entry);
  }
  return entries;
}

bool too_long(const Json& manifest) {
  return dump_json_pretty(manifest).size() > kMaxManifest;
}

bool is_true(const Json& entry, const char* key) {
  const auto found = entry.find(key);
  return found != entry.end() && *found == true;
}

Json without_old(Json& outputs) {
  Json kept = Json::object();
  for (auto& [path, entry] : outputs.get_ref<Json::object_t&>()) {
    if (is_true(entry, "out_of_date_output") || is_true(entry, "out_of_date_action")) continue;
    kept.get_ref<Json::object_t&>().push_back(Json::object_t::value_type(path, std::move(entry)));
  }
  return kept;
}

}  // namespace

Json empty_manifest(const std::string& workspace) {
  Json manifest;
  manifest["workspace"] = workspace;
  manifest["repo"] = nullptr;
  manifest["outputs"] = Json::object();
  return manifest;
}

Result<std::map<std::string, std::string>> manifest_paths(const Json& manifest) {
  std::map<std::string, std::string> paths;
  for (const auto& [path, entry] : TRY(entries_of(manifest))) paths.emplace(path, action_of(entry));
  return paths;
}

Result<Json> manifest_update(const Json& old, const ManifestRun& run) {
  Entries entries = TRY(entries_of(old));
  std::set<std::string> produced;
  if (run.succeeded) {
    for (const ManifestOutput& output : run.outputs) {
      if (output.file.verdict == Verdict::kRejected) continue;
      produced.insert(output.file.path);
      entries[output.file.path] = entry_of(output, run);
    }
  }
  Json outputs = Json::object();
  auto& members = outputs.get_ref<Json::object_t&>();
  for (auto& [path, entry] : entries) {
    const std::string action = action_of(entry);
    if (run.project_actions) entry["out_of_date_action"] = !run.project_actions->contains(action);
    if (action == run.action) entry["out_of_date_output"] = !produced.contains(path);
    // The map is sorted and unique already: push_back spares the search that operator[] makes per key.
    members.push_back(Json::object_t::value_type(path, std::move(entry)));
  }
  Json manifest = old;
  manifest["workspace"] = run.workspace;
  if (!manifest.contains("repo")) manifest["repo"] = nullptr;
  manifest["outputs"] = std::move(outputs);
  if (!too_long(manifest)) return manifest;
  manifest["outputs"] = without_old(manifest["outputs"]);
  if (!produced.empty() && too_long(manifest)) {
    return refused("with this action's outputs, the list of all the study's outputs is longer than " +
                       format_bytes(kMaxManifest),
                   "write fewer files, or shorter names");
  }
  return manifest;
}

}  // namespace glovebox
