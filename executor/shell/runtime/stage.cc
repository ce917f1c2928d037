#include "shell/runtime/stage.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "core/base/text.h"
#include "shell/sys/mount.h"

namespace glovebox {
namespace {

Status make_folder(const std::string& name) {
  if (::mkdir(name.c_str(), 0755) != 0) return errno_error("make a stage directory");
  return {};
}

// A restricted copy of `tree` at ./<name>; `map`: an idmap's user namespace, or -1.
Status show(int tree, const std::string& name, int map) {
  TRY(make_folder(name));
  const UniqueFd copy = TRY(clone_mount(tree, ""));
  TRY(restrict_mount(copy.get(), kReadOnly | kNoSuid | kNoDev, map));
  const UniqueFd place = TRY(open_path(name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return attach_mount(copy.get(), place.get(), "");
}

struct Owner {
  uid_t uid;
  gid_t gid;
  auto operator<=>(const Owner&) const = default;
};

// The inputs by who owns them on the host: an idmapped mount shows the files of one owner as the action's
// own.
Result<std::map<Owner, std::vector<const InputFile*>>> inputs_by_owner(const Plan& plan, int study) {
  std::map<Owner, std::vector<const InputFile*>> groups;
  for (const InputFile& input : plan.inputs) {
    const UniqueFd file = TRY(open_beneath(study, input.path.str(), O_PATH | O_NOFOLLOW));
    const auto info = TRY(stat_of(file.get()));
    if (!S_ISREG(info.st_mode) || static_cast<ByteCount>(info.st_size) != input.size) {
      return refused("input " + quoted(input.path.str()) + " has changed since it was checked",
                     "run the action again");
    }
    groups[{info.st_uid, info.st_gid}].push_back(&input);
  }
  return groups;
}

// An empty file, with its directories, for each input to be mounted on: the action's layers stay as they are.
Status make_mount_points(const Plan& plan, uid_t host_uid) {
  TRY(make_folder("places"));
  const UniqueFd places = TRY(open_path("places", O_RDONLY | O_DIRECTORY));
  for (const InputFile& input : plan.inputs) {
    const std::string parent(input.path.parent());
    const UniqueFd folder = parent.empty()
                                ? TRY(open_beneath(places.get(), ".", O_RDONLY | O_DIRECTORY))
                                : TRY(make_directories(places.get(), parent, 0755, host_uid, host_uid));
    TRY(open_beneath(folder.get(), std::string(input.path.name()), O_WRONLY | O_CREAT | O_EXCL, 0444));
  }
  return {};
}

// A plain bind would show its host path in mountinfo; a file bound out of an overlay with relative layers
// shows only its path there.
Status show_inputs(const Plan& plan, uid_t host_uid, int study, int workspace) {
  int number = 0;
  for (const auto& [owner, inputs] : TRY(inputs_by_owner(plan, study))) {
    const std::string suffix = std::to_string(number++);
    const UniqueFd map = TRY(idmap_namespace(owner.uid, owner.gid, host_uid, host_uid));
    TRY(show(study, "in" + suffix, map.get()));
    TRY(make_folder("inputs" + suffix));
    TRY(mount_overlay("inputs" + suffix, "lowerdir=in" + suffix + ":empty", kReadOnly | kNoSuid | kNoDev));
    const UniqueFd seen = TRY(open_path("inputs" + suffix, O_PATH | O_DIRECTORY));
    for (const InputFile* input : inputs) {
      const UniqueFd file = TRY(clone_mount(seen.get(), input->path.str()));
      TRY(attach_mount(file.get(), workspace, input->path.str()));
    }
  }
  return {};
}

}  // namespace

Status assemble_root(const Plan& plan, uid_t host_uid, const StageSources& sources,
                     const std::string& place) {
  if (::chdir(place.c_str()) != 0) return errno_error("enter the stage");
  const UniqueFd code_map = TRY(idmap_namespace(0, 0, host_uid, host_uid));
  TRY(show(sources.image.get(), "image", -1));
  TRY(show(sources.init.get(), "init", -1));
  TRY(show(sources.code.get(), "code", code_map.get()));
  TRY(make_folder("empty"));
  TRY(make_mount_points(plan, host_uid));
  TRY(make_folder("root"));
  TRY(mount_overlay("root", "lowerdir=init:image", kReadOnly | kNoSuid | kNoDev));
  TRY(mount_overlay("root/workspace",
                    "lowerdir=places:code,upperdir=scratch/upper,workdir=scratch/work,"
                    "redirect_dir=nofollow,index=off,metacopy=off,xino=off",
                    kNoSuid | kNoDev));
  if (plan.inputs.empty()) return {};
  const UniqueFd workspace = TRY(open_path("root/workspace", O_PATH | O_DIRECTORY));
  return show_inputs(plan, host_uid, sources.study.get(), workspace.get());
}

}  // namespace glovebox
