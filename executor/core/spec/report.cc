// The object of `project check --json`, and back.
#include <set>

#include "core/base/text.h"
#include "core/spec/rules.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxText = 8192;  // of a message, a place or an excerpt
constexpr std::size_t kMaxArgumentBytes = 1U << 20U;

Json outputs_json(const std::vector<OutputSpec>& outputs) {
  Json levels = Json::object();
  for (const OutputSpec& output : outputs) {
    Json& level = levels[std::string(to_string(output.level))];
    if (level.is_null()) level = Json::object();
    level.get_ref<Json::object_t&>().emplace_back(output.name, output.pattern.str());
  }
  return levels;
}

Json action_json(const ActionSpec& action) {
  Json needs = Json::array();
  for (const ActionName& need : action.needs) needs.push_back(need.str());
  Json json = Json::object();
  json["name"] = action.name.str();
  json["image"] = action.image.str();
  json["args"] = action.args;
  json["needs"] = std::move(needs);
  json["outputs"] = outputs_json(action.outputs);
  const auto config = action.config.has_value() ? parse_json(*action.config, "config") : Result<Json>(Json());
  json["config"] = config.ok() ? *config : Json();
  json["database"] = action.database;
  json["source"] = action.source;
  return json;
}

Json error_json(const Error& error) {
  Json json = Json::object();
  json["where"] = error.where;
  json["message"] = error.message;
  if (!error.hint.empty()) json["hint"] = error.hint;
  if (!error.excerpt.empty()) json["excerpt"] = error.excerpt;
  return json;
}

Json images_json(const std::optional<Project>& project) {
  std::set<std::string> images;
  if (project.has_value()) {
    for (const ActionSpec& action : project->actions) images.insert(action.image.str());
  }
  return images;
}

// Text that will be shown to people: a worker that a hostile file has taken over may not drive their
// terminal.
Result<std::string> shown_text(const Json& value, const std::string& path) {
  if (!value.is_string()) return invalid("must be a string", path);
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() > kMaxText) return invalid("is longer than 8192 bytes", path);
  if (!is_utf8(text) || has_unprintable(text)) return invalid("has control or invisible characters", path);
  return text;
}

// The line and the caret below it.
Result<std::string> excerpt_from_json(const Json& value, const std::string& path) {
  if (!value.is_string()) return invalid("must be a string", path);
  const auto lines = split(value.get_ref<const std::string&>(), '\n');
  if (lines.size() != 2) return invalid("must be two lines", path);
  for (const std::string_view line : lines) TRY(shown_text(std::string(line), path));
  return value.get_ref<const std::string&>();
}

Result<const Json*> array_of(JsonObject& object, const char* key) {
  const Json* array = TRY(object.required(key));
  if (!array->is_array()) return invalid("must be an array", object.path_of(key));
  return array;
}

std::string item_path(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

Result<std::string> shown_member(JsonObject& object, const char* key) {
  const Json* member = TRY(object.required(key));
  return shown_text(*member, object.path_of(key));
}

Status error_from_json(const Json& json, const std::string& path, Error& error) {
  auto object = TRY(JsonObject::of(json, path));
  error.kind = ErrorKind::kInvalid;
  error.where = TRY(shown_member(object, "where"));
  error.message = TRY(shown_member(object, "message"));
  if (object.optional("hint") != nullptr) error.hint = TRY(shown_member(object, "hint"));
  if (const Json* excerpt = object.optional("excerpt"))
    error.excerpt = TRY(excerpt_from_json(*excerpt, object.path_of("excerpt")));
  return object.done();
}

// A value's own error, at its place in the document.
template <class T>
Result<T> at(Result<T> result, const std::string& path) {
  if (result.ok()) return result;
  Error error = result.error();
  error.where = path;
  return error;
}

Status problem_at(const std::optional<detail::Problem>& problem, const std::string& path) {
  if (problem.has_value()) return invalid(problem->message, path, problem->hint);
  return {};
}

Result<std::vector<OutputSpec>> outputs_from_json(const Json& json, const std::string& path) {
  std::vector<OutputSpec> outputs;
  if (!json.is_object()) return invalid("must be an object", path);
  for (const auto& [level_name, members] : json.items()) {
    const Level level = TRY(at(parse_level(level_name), path));
    const std::string level_path = path + "." + level_name;
    if (!members.is_object() || members.empty()) return invalid("must be an object with members", level_path);
    for (const auto& [name, value] : members.items()) {
      TRY(problem_at(detail::check_output_name(name), level_path));
      if (!value.is_string()) return invalid("must be a string", level_path);
      Pattern pattern = TRY(at(Pattern::parse(value.get_ref<const std::string&>()), level_path));
      TRY(problem_at(detail::check_level(level, pattern), level_path));
      outputs.push_back({level, name, std::move(pattern)});
    }
  }
  if (outputs.empty()) return invalid("must name an output", path);
  if (outputs.size() > detail::kMaxOutputs) return invalid("has too many outputs", path);
  return outputs;
}

Result<std::vector<std::string>> strings_of(JsonObject& object, const char* key, std::size_t max_bytes) {
  const Json* array = TRY(array_of(object, key));
  std::vector<std::string> strings;
  for (const Json& item : *array) {
    if (!item.is_string() || item.get_ref<const std::string&>().size() > max_bytes)
      return invalid("must be an array of strings of bounded length", object.path_of(key));
    strings.push_back(item.get_ref<const std::string&>());
  }
  return strings;
}

// `config` stands twice: as itself, and in the last two arguments.
Status take_config(const Json& json, const std::string& path, ActionSpec& action) {
  if (!json.is_object()) return invalid("must be an object", path);
  action.config = dump_json(json);
  const std::size_t count = action.args.size();
  if (count < 2 || action.args[count - 2] != "--config" || action.args[count - 1] != *action.config)
    return invalid("is not what the arguments end with", path);
  return {};
}

Result<ActionSpec> action_from_json(const Json& json, const std::string& path) {
  auto object = TRY(JsonObject::of(json, path));
  const std::string name_text = TRY(object.string("name"));
  const std::string image_text = TRY(object.string("image"));
  ActionName name = TRY(at(ActionName::parse(name_text), object.path_of("name")));
  ImageName image = TRY(at(ImageName::parse(image_text), object.path_of("image")));
  ActionSpec action{std::move(name), std::move(image), {}, {}, {}, {}, false, {}};
  if (action.name.str() == detail::kRunAll) return invalid("is a reserved name", object.path_of("name"));
  action.args = TRY(strings_of(object, "args", kMaxArgumentBytes));
  TRY(problem_at(detail::check_arguments(action.args), object.path_of("args")));
  const std::vector<std::string> needs = TRY(strings_of(object, "needs", kMaxText));
  for (const std::string& need : needs)
    action.needs.push_back(TRY(at(ActionName::parse(need), object.path_of("needs"))));
  const Json* outputs = TRY(object.required("outputs"));
  action.outputs = TRY(outputs_from_json(*outputs, object.path_of("outputs")));
  if (const Json* config = object.optional("config"))
    TRY(take_config(*config, object.path_of("config"), action));
  action.database = TRY(object.boolean_or("database", false));
  if (action.database != detail::is_database_command(action.image, action.args))
    return invalid("does not follow from the command", object.path_of("database"));
  action.source = TRY(shown_member(object, "source"));
  TRY(object.done());
  TRY(problem_at(
      detail::check_outputs_of_command(action.name.str(), action.image, action.args, action.outputs), path));
  return action;
}

// The rules between actions.
Status check_together(const Project& project) {
  const detail::Features features = detail::features_of(project.version);
  std::map<std::string_view, std::size_t> index;
  std::vector<std::string> names;
  std::set<std::string_view> patterns;
  for (const ActionSpec& action : project.actions) {
    if (!index.emplace(action.name.str(), names.size()).second)
      return invalid("two actions have the same name", "actions");
    names.push_back(action.name.str());
    if (!features.cohortextractor && action.image.name.starts_with("cohortextractor"))
      return invalid("an action uses cohortextractor", "actions");
    for (const OutputSpec& output : action.outputs) {
      if (!patterns.insert(output.pattern.str()).second && features.unique_outputs)
        return invalid("two outputs have the same pattern", "actions");
    }
  }
  detail::Graph graph(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (const ActionName& need : project.actions[i].needs) {
      const auto found = index.find(need.str());
      if (found == index.end()) return invalid("an action needs one that is not there", "actions");
      graph[i].push_back(found->second);
    }
  }
  if (!detail::find_cycles(graph).empty()) return invalid("actions need each other in a circle", "actions");
  return {};
}

Result<Project> project_from_json(JsonObject& object) {
  Project project;
  project.version =
      static_cast<int>(TRY(object.integer("version", detail::kOldestVersion, detail::kNewestVersion)));
  const Json* actions = TRY(array_of(object, "actions"));
  for (std::size_t i = 0; i < actions->size(); ++i)
    project.actions.push_back(TRY(action_from_json((*actions)[i], item_path("actions", i))));
  TRY(check_together(project));
  return project;
}

}  // namespace

Json report_json(const ProjectReport& report) {
  Json errors = Json::array();
  for (const Error& error : report.errors) errors.push_back(error_json(error));
  Json actions = Json::array();
  if (report.project.has_value()) {
    for (const ActionSpec& action : report.project->actions) actions.push_back(action_json(action));
  }
  Json json = Json::object();
  json["verdict"] = report.project.has_value() ? "valid" : "invalid";
  json["errors"] = std::move(errors);
  json["warnings"] = report.warnings;
  json["version"] = report.project.has_value() ? Json(report.project->version) : Json();
  json["images"] = images_json(report.project);
  json["actions"] = std::move(actions);
  return json;
}

Result<ProjectReport> report_from_json(const Json& json) {
  auto object = TRY(JsonObject::of(json, ""));
  ProjectReport report;
  const std::string verdict = TRY(object.string("verdict"));
  const Json* errors = TRY(array_of(object, "errors"));
  for (std::size_t i = 0; i < errors->size(); ++i)
    TRY(error_from_json((*errors)[i], item_path("errors", i), report.errors.emplace_back()));
  const Json* warnings = TRY(array_of(object, "warnings"));
  for (std::size_t i = 0; i < warnings->size(); ++i)
    report.warnings.push_back(TRY(shown_text((*warnings)[i], item_path("warnings", i))));
  const Json* images = TRY(array_of(object, "images"));
  const Json* actions = TRY(array_of(object, "actions"));
  if (verdict == "valid") {
    report.project = TRY(project_from_json(object));
  } else if (verdict != "invalid") {
    return invalid("must be valid or invalid", "verdict");
  } else if (object.optional("version") != nullptr || !actions->empty()) {
    return invalid("an invalid project has no actions", "verdict");
  }
  if (report.errors.empty() != report.project.has_value())
    return invalid("does not agree with the errors", "verdict");
  if (*images != images_json(report.project)) return invalid("are not those of the actions", "images");
  TRY(object.done());
  return report;
}

}  // namespace glovebox
