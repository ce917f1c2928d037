#include "shell/workspace/listing.h"

#include <algorithm>
#include <cerrno>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/spec/pattern_index.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"
#include "shell/sys/worker.h"
#include "shell/workspace/git_index.h"
#include "shell/workspace/walk.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxProjectBytes = 16U << 20U;

Error tracked_output(const PatternIndex::Match& match, const std::string& path) {
  return invalid("output pattern " + glovebox::quoted(match.pattern->str()) + " of action " +
                     glovebox::quoted(match.action->name.str()) + " matches " + glovebox::quoted(path) +
                     ", which git tracks",
                 {}, "change the pattern, or take the file out of git (git rm --cached)");
}

Error tracked_folder(const char* folder) {
  return invalid("git tracks " + glovebox::quoted(folder) + " in the study, which is Glovebox's to write", {},
                 std::string("take it out of git (git rm -r --cached ") + folder + ")");
}

// --- in the worker
// -------------------------------------------------------------------------------------------

Status check_tracked(const TrackedFiles& tracked, const PatternIndex& outputs) {
  for (const char* folder : {kOwnFolder, kMetadataFolder}) {
    if (tracked.folders.contains(folder) || tracked.files.contains(folder) ||
        tracked.submodules.contains(folder)) {
      return tracked_folder(folder);
    }
  }
  for (const std::string& file : tracked.files) {
    const Result<RelPath> path = RelPath::parse(file);
    if (!path.ok()) continue;  // no pattern can match it
    const PatternIndex::Match match = outputs.find(*path);
    if (match.pattern != nullptr) return tracked_output(match, file);
  }
  return {};
}

Json path_array(const std::vector<RelPath>& paths) {
  Json array = Json::array();
  for (const RelPath& path : paths) array.push_back(path.str());
  return array;
}

Result<ProjectReport> parse_project_in(int root) {
  const std::string text = TRY(read_beneath(root, kProjectFile, kMaxProjectBytes));
  return check_project(text, kProjectFile);
}

Result<std::string> look_around(int root, const std::string& root_path) {
  const ProjectReport report = TRY(parse_project_in(root));
  Json answer{{"report", report_json(report)}};
  if (report.project) {
    const PatternIndex outputs(*report.project);
    const std::optional<TrackedFiles> tracked = TRY(tracked_files(root, root_path));
    if (tracked) TRY(check_tracked(*tracked, outputs));
    const WalkRules rules{{kOwnFolder, kMetadataFolder}, tracked ? &*tracked : nullptr, &outputs};
    const WalkedTree tree = TRY(walk_tree(root, rules));
    answer["tracked"] = path_array(tree.tracked);
    answer["others"] = path_array(tree.others);
    answer["warnings"] = tree.warnings;
  }
  return dump_json(answer);
}

// --- what it answered is hostile
// -----------------------------------------------------------------------------

Error nonsense(const char* what) {
  return refused(std::string("the reader of the study answered nonsense: ") + what);
}

Result<std::vector<RelPath>> paths_from(const Json& array, std::size_t most) {
  if (!array.is_array() || array.size() > most) return nonsense("no list of paths");
  std::vector<RelPath> paths;
  paths.reserve(array.size());
  for (const Json& item : array) {
    if (!item.is_string()) return nonsense("a path that is no string");
    paths.push_back(TRY(RelPath::parse(item.get_ref<const std::string&>())));
    const std::string_view top = std::string_view(paths.back().str()).substr(0, paths.back().str().find('/'));
    if (top == ".git" || top == kOwnFolder || top == kMetadataFolder)
      return nonsense("a path that is no code");
  }
  return paths;
}

Result<std::vector<std::string>> warnings_from(const Json& array) {
  if (!array.is_array() || array.size() > kMaxWarnings) return nonsense("no list of warnings");
  std::vector<std::string> warnings;
  for (const Json& item : array) {
    if (!item.is_string()) return nonsense("a warning that is no string");
    warnings.push_back(printable(item.get_ref<const std::string&>(), 1500));
  }
  return warnings;
}

Result<StudyListing> listing_from(const std::string& text) {
  const Json answer = TRY(parse_json(text, "study"));
  JsonObject object = TRY(JsonObject::of(answer, ""));
  StudyListing listing;
  const Json* report = TRY(object.required("report"));
  listing.report = TRY(report_from_json(*report));
  if (!listing.report.project) return listing;
  const Json* others = TRY(object.required("others"));
  const Json* in_git = TRY(object.required("tracked"));
  const Json* warnings = TRY(object.required("warnings"));
  TRY(object.done());
  listing.code = TRY(paths_from(*others, kMaxCodeFiles));
  const std::vector<RelPath> tracked = TRY(paths_from(*in_git, kMaxCodeFiles));
  listing.warnings = TRY(warnings_from(*warnings));

  const PatternIndex outputs(*listing.report.project);
  for (const RelPath& path : tracked) {
    const PatternIndex::Match match = outputs.find(path);
    if (match.pattern != nullptr) return tracked_output(match, path.str());
  }
  std::erase_if(listing.code, [&](const RelPath& path) { return outputs.find(path).pattern != nullptr; });
  listing.code.insert(listing.code.end(), tracked.begin(), tracked.end());
  if (listing.code.size() > kMaxCodeFiles) return nonsense("too many files");
  std::sort(listing.code.begin(), listing.code.end());
  if (std::adjacent_find(listing.code.begin(), listing.code.end()) != listing.code.end())
    return nonsense("a path twice");
  return listing;
}

// Clearer, and earlier, than what a worker could say.
Status check_project_file(const Study& study) {
  struct stat info {};
  if (::fstatat(study.fd(), kProjectFile, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return errno_error("read the attributes of project.yaml");
    return invalid("no project.yaml in " + glovebox::quoted(study.path()), {},
                   "give the directory of a study; its project.yaml lists its actions");
  }
  if (S_ISREG(info.st_mode)) return {};
  return invalid("project.yaml in " + glovebox::quoted(study.path()) + " is not a regular file");
}

}  // namespace

Result<StudyListing> read_study(const Study& study, uid_t worker_uid) {
  TRY(check_project_file(study));
  WorkerSpec spec;
  spec.name = "the reader of the study";
  spec.power = WorkerPower::kRead;
  spec.uid = worker_uid;
  const UniqueFd root = TRY(open_beneath(study.fd(), ".", O_RDONLY | O_DIRECTORY));
  spec.root = root.get();
  spec.owner = study.owner();
  spec.group = study.group();
  const Result<std::string> answer = run_in_worker(spec, []() -> Result<std::string> {
    const UniqueFd top = TRY(open_path("/", O_RDONLY | O_DIRECTORY));
    return look_around(top.get(), "");
  });
  if (!answer.ok()) return answer.error();
  return listing_from(*answer);
}

Result<ProjectReport> parse_project(int file, const std::string& name, uid_t worker_uid) {
  WorkerSpec spec;
  spec.name = "the reader of " + quoted(name);
  spec.power = WorkerPower::kParse;
  spec.uid = worker_uid;
  spec.keep = {file};
  const Result<std::string> answer = run_in_worker(spec, [&]() -> Result<std::string> {
    const std::string text = TRY(read_all(file, kMaxProjectBytes));
    return dump_json(report_json(check_project(text, name)));
  });
  if (!answer.ok()) return answer.error();
  return report_from_json(TRY(parse_json(*answer, "project")));
}

Result<ProjectReport> read_project(const Study& study, uid_t worker_uid) {
  TRY(check_project_file(study));
  const UniqueFd file = TRY(open_beneath(study.fd(), kProjectFile, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  return parse_project(file.get(), kProjectFile, worker_uid);
}

Result<std::vector<RelPath>> list_everything(const Study& study) {
  WalkRules rules;
  rules.leave_out = {kOwnFolder};
  rules.links = false;
  WalkedTree tree = TRY(walk_tree(study.fd(), rules));
  return std::move(tree.others);
}

}  // namespace glovebox
