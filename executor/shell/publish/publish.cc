#include "shell/publish/publish.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/text.h"
#include "core/rules/manifest.h"
#include "shell/publish/place.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxJournal = 256U << 20U;
constexpr std::size_t kMaxKeptManifest = 64U << 20U;
constexpr std::size_t kMaxPaths = 64U
                                  << 20U;  // bytes: 100,000 outputs of one action have up to 16 MiB of paths
static_assert(kMaxKeptManifest > kMaxManifest);

bool exists(int directory, const char* name) {
  struct stat info {};
  return ::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

std::string kept_name(const PublishSource& source) {
  return source.study_key + ".json";
}

std::string paths_name(const PublishSource& source) {
  return source.study_key + ".paths";
}

// The study has its copy of the manifest; ours must follow before the journal goes.
Status keep_manifest(const PublishSource& source) {
  if (source.manifests < 0) return {};
  if (::renameat(source.staging, kStagedManifest, source.manifests, kept_name(source).c_str()) != 0) {
    if (errno == ENOENT) return {};  // none was published, or it is kept already
    return errno_error("keep the manifest");
  }
  return sync_fd(source.manifests);
}

Status write_staged(const PublishSource& source, const Publication& publication) {
  for (const StagedText& text : publication.texts) {
    const UniqueFd fd =
        TRY(open_beneath(source.staging, text.staged, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    TRY(write_all(fd.get(), text.text));
  }
  return {};
}

// What the journal promises must be there after a power cut. One call for the file system is cheaper than one
// per file from a handful of files on.
Status make_staged_durable(const PublishSource& source, const std::vector<PublishStep>& steps) {
  constexpr std::size_t kFewFiles = 8;
  if (steps.size() > kFewFiles) {
    if (::syncfs(source.staging) != 0) return errno_error("make the outputs durable");
    return {};
  }
  for (const PublishStep& step : steps) {
    if (step.kind == PublishStep::Kind::kRemove) continue;
    const UniqueFd fd = TRY(open_beneath(source.staging, step.staged, O_RDONLY | O_NOFOLLOW));
    TRY(sync_fd(fd.get()));
  }
  return sync_fd(source.staging);
}

Status carry_out(const PublishTarget& target, const PublishSource& source,
                 const std::vector<PublishStep>& steps, const StepHook& hook) {
  Placer placer(target, source.staging);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (hook) hook(i);
    if (i + 1 == steps.size()) TRY(placer.make_durable());  // before the commit point
    TRY(placer.carry_out(steps[i]));
  }
  TRY(placer.make_durable());
  if (hook) hook(steps.size());
  TRY(keep_manifest(source));
  if (::unlinkat(source.run, kJournalName, 0) != 0 && errno != ENOENT)
    return errno_error("remove the journal");
  return sync_fd(source.run);
}

}  // namespace

Status keep_from_git(int study, const char* folder, const PublishTarget& target) {
  const UniqueFd place = TRY(make_directories(study, folder, target.folder_mode, target.owner, target.group));
  if (exists(place.get(), ".gitignore")) return {};
  const UniqueFd file = TRY(
      open_beneath(place.get(), ".gitignore", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, target.file_mode));
  if (::fchown(file.get(), target.owner, target.group) != 0) return errno_error("give .gitignore its owner");
  return write_all(file.get(), "*\n");
}

Result<PublishTarget> local_target(int study) {
  const auto own = TRY(stat_of(study));
  PublishTarget target;
  target.owner = own.st_uid;
  target.group = own.st_gid;
  for (const char* name : {".glovebox", "metadata"}) {
    struct stat info {};
    if (::fstatat(study, name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISDIR(info.st_mode)) {
      return refused(std::string(name) + " in the study is a link or a file, where Glovebox keeps a folder",
                     "move it away");
    }
  }
  target.high = TRY(open_beneath(study, ".", O_RDONLY | O_DIRECTORY));
  target.medium = TRY(make_directories(study, kLocalMedium, target.folder_mode, target.owner, target.group));
  for (const char* name : {".glovebox", "metadata"}) TRY(keep_from_git(study, name, target));
  return target;
}

Status publish(const PublishTarget& target, const PublishSource& source, const Publication& publication,
               const StepHook& hook) {
  for (const PublishStep& step : publication.steps) TRY(check_place(target, step));
  TRY(write_staged(source, publication));
  TRY(make_staged_durable(source, publication.steps));
  TRY(replace_file(source.run, kJournalName, dump_json(journal_json(publication.steps)), 0600));
  return carry_out(target, source, publication.steps, hook);
}

Result<bool> roll_forward(const PublishTarget& target, const PublishSource& source, const StepHook& hook) {
  if (!exists(source.run, kJournalName)) return false;
  const std::string text = TRY(read_beneath(source.run, kJournalName, kMaxJournal));
  const Json json = TRY(parse_json(text, kJournalName));
  const std::vector<PublishStep> steps = TRY(journal_from_json(json));
  for (const PublishStep& step : steps) TRY(check_place(target, step));
  TRY(carry_out(target, source, steps, hook));
  return true;
}

Result<std::set<std::string>> ever_published(const PublishSource& source) {
  const std::string name = paths_name(source);
  if (!exists(source.manifests, name.c_str())) return std::set<std::string>();
  const std::string text = TRY(read_beneath(source.manifests, name, kMaxPaths));
  const Json json = TRY(parse_json(text, "manifests/" + name));
  std::set<std::string> paths;
  for (const Json& path : json) {
    if (!path.is_string()) {
      return integrity("the list of the study's outputs, manifests/" + name + ", is damaged",
                       "take it back from a backup; without it, former outputs would count as code");
    }
    paths.insert(path.get<std::string>());
  }
  return paths;
}

Status remember_published(const PublishSource& source, int study, const std::vector<OutputFile>& outputs) {
  std::set<std::string> paths = TRY(ever_published(source));
  const std::size_t before = paths.size();
  for (const OutputFile& output : outputs) {
    if (output.verdict != Verdict::kRejected) paths.insert(output.path);
  }
  if (paths.size() == before) return {};
  Json kept = Json::array();
  std::set<std::string> fresh;
  for (const OutputFile& output : outputs) fresh.insert(output.path);
  for (const std::string& path : paths) {
    const bool there = ::faccessat(study, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    if (there || fresh.contains(path)) kept.push_back(path);
  }
  const std::string text = dump_json(kept);
  if (text.size() > kMaxPaths) {
    return refused("the study holds more than " + format_bytes(kMaxPaths) + " of names of outputs",
                   "remove old ones");
  }
  return replace_file(source.manifests, paths_name(source), text, 0600);
}

Result<Json> last_manifest(const PublishSource& source, const std::string& workspace) {
  const std::string name = kept_name(source);
  if (!exists(source.manifests, name.c_str())) return empty_manifest(workspace);
  Result<std::string> text = read_beneath(source.manifests, name, kMaxKeptManifest);
  if (!text.ok()) {
    return invalid("the list of all the study's outputs cannot be read: " + text.error().message,
                   "manifests/" + name, "remove it from the state directory: the next run begins a new one");
  }
  return parse_json(*text, "manifests/" + name);
}

}  // namespace glovebox
