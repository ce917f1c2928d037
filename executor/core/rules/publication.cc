#include "core/rules/publication.h"

#include <array>
#include <set>

#include "core/base/text.h"
#include "core/rules/message_file.h"

namespace glovebox {
namespace {

using Kind = PublishStep::Kind;

struct Word {
  Kind kind;
  std::string_view text;
};
constexpr std::array<Word, 3> kKinds{
    {{Kind::kMove, "move"}, {Kind::kCopy, "copy"}, {Kind::kRemove, "remove"}}};
constexpr std::string_view kSchema = "glovebox.publish/1";

class Planner {
 public:
  explicit Planner(const PublicationRequest& request) : request_(request) {}

  Result<Publication> run() {
    if (keeps_outputs(request_.reason)) {
      for (const OutputFile& file : *request_.outputs) {
        if (file.verdict != Verdict::kRejected) ours_.insert(file.path);
      }
      for (std::size_t i = 0; i < request_.outputs->size(); ++i) {
        TRY(add_output(request_.outputs->at(i), request_.staged->at(i)));
      }
    }
    const std::string log = "metadata/" + request_.action + ".log";
    TRY(put(Kind::kCopy, Tree::kMedium, log, request_.log));
    TRY(put(Kind::kMove, Tree::kHigh, log, request_.log));
    if (request_.manifest) TRY(put_text(Kind::kCopy, kManifestPath, kStagedManifest, *request_.manifest));
    return std::move(plan_);
  }

 private:
  // Also true for a folder that an output lies in: no message can have its name.
  [[nodiscard]] bool is_output(const std::string& path) const {
    const std::string below = path + "/";
    const auto ours = ours_.lower_bound(below);
    const auto earlier = request_.earlier.lower_bound(below);
    return ours_.contains(path) || request_.earlier.contains(path) ||
           (ours != ours_.end() && ours->starts_with(below)) ||
           (earlier != request_.earlier.end() && earlier->first.starts_with(below));
  }

  Status add_output(const OutputFile& file, const std::string& staged) {
    if (file.verdict == Verdict::kRejected) return {};
    if (!file.digest || staged.empty()) return host_error("an output that is to be published has no copy");
    const StagedFile copy{staged, *file.digest, file.size};
    if (request_.reason == Reason::kNone) TRY(show(file, copy));
    return put(Kind::kMove, Tree::kHigh, file.path, copy);
  }

  // What output checkers see of it.
  Status show(const OutputFile& file, const StagedFile& copy) {
    const bool shown = file.level == Level::kModeratelySensitive && file.verdict == Verdict::kAccepted;
    const std::optional<std::string> message =
        file.verdict == Verdict::kWithheld
            ? message_path(file.path, [&](const std::string& path) { return is_output(path); })
            : std::nullopt;
    for (const std::string& old : message_paths(file.path)) {
      if (!is_output(old) && old != message) TRY(remove(old));
    }
    if (shown) return put(Kind::kCopy, Tree::kMedium, file.path, copy);
    TRY(remove(file.path));
    if (!message) return {};
    return put_text(Kind::kMove, *message, "message-" + std::to_string(plan_.texts.size()),
                    message_text(file));
  }

  Status put(Kind kind, Tree tree, const std::string& path, const StagedFile& file) {
    plan_.steps.push_back({kind, tree, TRY(RelPath::parse(path)), file.staged, file.digest, file.size});
    return {};
  }

  Status put_text(Kind kind, const std::string& path, const std::string& staged, std::string text) {
    TRY(put(kind, Tree::kMedium, path, {staged, Digest::of(text), text.size()}));
    plan_.texts.push_back({staged, std::move(text)});
    return {};
  }

  Status remove(const std::string& path) {
    plan_.steps.push_back({Kind::kRemove, Tree::kMedium, TRY(RelPath::parse(path)), "", Digest(), 0});
    return {};
  }

  const PublicationRequest& request_;
  std::set<std::string> ours_;
  Publication plan_;
};

Result<PublishStep> step_from_json(const Json& json) {
  auto object = TRY(JsonObject::of(json, "steps"));
  const std::string word = TRY(object.string("kind"));
  const std::string tree = TRY(object.string("tree"));
  PublishStep step{Kind::kMove, Tree::kHigh, TRY(RelPath::parse(TRY(object.string("path")))),
                   "",          Digest(),    0};
  bool known = tree == "high" || tree == "medium";
  step.tree = tree == "high" ? Tree::kHigh : Tree::kMedium;
  bool found = false;
  for (const Word& kind : kKinds) {
    if (kind.text != word) continue;
    step.kind = kind.kind;
    found = true;
  }
  known = known && found;
  if (step.kind != Kind::kRemove) {
    step.staged = TRY(RelPath::parse(TRY(object.string("staged")))).str();
    step.digest = TRY(Digest::parse(TRY(object.string("sha256"))));
    step.size = static_cast<ByteCount>(TRY(object.integer("size", 0, 1LL << 53)));
  }
  TRY(object.done());
  if (!known) return invalid("is not a step of publishing", "steps");
  return step;
}

}  // namespace

bool keeps_outputs(Reason reason) {
  switch (reason) {
    case Reason::kNone:
    case Reason::kExit:
    case Reason::kSignal:
    case Reason::kMissing:
    case Reason::kMemory:
    case Reason::kTime:
    case Reason::kProcesses:
    case Reason::kScratch:
      return true;
    default:
      return false;
  }
}

Result<Publication> plan_publication(const PublicationRequest& request) {
  if (request.outputs->size() != request.staged->size()) {
    return host_error("outputs and their copies do not agree");
  }
  return Planner(request).run();
}

Json journal_json(const std::vector<PublishStep>& steps) {
  Json json;
  json["schema"] = kSchema;
  json["steps"] = Json::array();
  for (const PublishStep& step : steps) {
    Json one;
    for (const Word& kind : kKinds) {
      if (kind.kind == step.kind) one["kind"] = kind.text;
    }
    one["tree"] = step.tree == Tree::kHigh ? "high" : "medium";
    one["path"] = step.path.str();
    if (step.kind != Kind::kRemove) {
      one["staged"] = step.staged;
      one["sha256"] = step.digest.hex();
      one["size"] = step.size;
    }
    json["steps"].push_back(std::move(one));
  }
  return json;
}

Result<std::vector<PublishStep>> journal_from_json(const Json& json) {
  auto object = TRY(JsonObject::of(json, ""));
  if (TRY(object.string("schema")) != kSchema) return invalid("is not a journal of publishing", "schema");
  const Json* list = TRY(object.required("steps"));
  TRY(object.done());
  if (!list->is_array()) return invalid("must be a list", "steps");
  std::vector<PublishStep> steps;
  for (const Json& step : *list) steps.push_back(TRY(step_from_json(step)));
  return steps;
}

}  // namespace glovebox
