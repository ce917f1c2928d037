#include "shell/runtime/stage.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "core/base/text.h"
#include "core/bundle/bundle.h"
#include "shell/sys/mount.h"

namespace glovebox {
namespace {

Status make_folder(const std::string& name) {
  if (::mkdir(name.c_str(), 0755) != 0) return errno_error("make a stage directory");
  return {};
}

// Shows a detached tree at ./<name>, restricted; `map`: an idmap's user namespace, or -1.
Status show(int tree, const std::string& name, int map) {
  TRY(make_folder(name));
  TRY(restrict_mount(tree, kReadOnly | kNoSuid | kNoDev, map));
  const UniqueFd place = TRY(open_path(name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  return attach_mount(tree, place.get(), "");
}

struct OpenInput {
  UniqueFd file;
  struct stat info;
};

// `tree` is the study, or an overlay of it, which has a device number of its own. A path never leaves the
// mount that `tree` is of, so that the inode says enough.
Result<OpenInput> open_input(int tree, const StampedInput& input) {
  const std::string& path = input.file->path.str();
  Result<UniqueFd> file = open_beneath(tree, path, O_PATH | O_NOFOLLOW);
  if (!file.ok()) {
    const bool ours = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO;
    if (ours) return std::move(file).error();
    return integrity(file.error().message, "run the action again");
  }
  const auto info = TRY(stat_of(file->get()));
  FileStamp stamp = stamp_of(info);
  stamp.device = input.stamp.device;
  if (S_ISREG(info.st_mode) && stamp == input.stamp) return OpenInput{std::move(*file), info};
  return integrity("input " + quoted(path) + " has changed since its digest was checked",
                   "run the action again");
}

Result<std::vector<InputGroup>> group_inputs(const Plan& plan, const StageSources& sources) {
  std::map<std::pair<uid_t, gid_t>, std::vector<StampedInput>> groups;
  for (std::size_t i = 0; i < plan.inputs.size(); ++i) {
    const StampedInput input{&plan.inputs[i], sources.stamps.at(i)};
    const OpenInput found = TRY(open_input(sources.study.get(), input));
    groups[{found.info.st_uid, found.info.st_gid}].push_back(input);
  }
  std::vector<InputGroup> result;
  for (auto& [owner, inputs] : groups) {
    result.push_back(
        {owner.first, owner.second, std::move(inputs), TRY(clone_mount(sources.study.get(), ""))});
  }
  return result;
}

// The folders that an output pattern names before its first '*'. Git tracks no empty folder, so a study
// cannot bring `output/` itself.
std::string output_folder(const Pattern& pattern) {
  const std::string fixed = pattern.str().substr(0, pattern.str().find('*'));
  const std::size_t slash = fixed.rfind('/');
  return slash == std::string::npos ? std::string() : fixed.substr(0, slash);
}

// The topmost layer below the action's own: folders for outputs, and an empty file for each input to be
// mounted on.
Status make_places(const Plan& plan, uid_t host_uid) {
  TRY(make_folder("places"));
  const UniqueFd places = TRY(open_path("places", O_RDONLY | O_DIRECTORY));
  for (const OutputSpec& output : plan.outputs) {
    const std::string folder = output_folder(output.pattern);
    if (!folder.empty()) TRY(make_directories(places.get(), folder, 0755, host_uid, host_uid));
  }
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
Status show_inputs(const InputGroup& group, uid_t host_uid, const std::string& suffix, int workspace) {
  const UniqueFd map = TRY(idmap_namespace(group.uid, group.gid, host_uid, host_uid));
  TRY(show(group.tree.get(), "in" + suffix, map.get()));
  TRY(make_folder("inputs" + suffix));
  TRY(mount_overlay("inputs" + suffix,
                    "lowerdir=empty:in" + suffix + ",redirect_dir=nofollow,index=off,metacopy=off,xino=off",
                    kReadOnly | kNoSuid | kNoDev));
  const UniqueFd seen = TRY(open_path("inputs" + suffix, O_PATH | O_DIRECTORY));
  for (const StampedInput& input : group.inputs) {
    const OpenInput found = TRY(open_input(seen.get(), input));
    const UniqueFd mount = TRY(clone_mount(found.file.get(), ""));
    TRY(attach_mount(mount.get(), workspace, input.file->path.str()));
  }
  return {};
}

}  // namespace

Status replace_devices(const std::string& place) {
  const std::string nodes = place + "/dev";
  TRY(make_folder(nodes));
  TRY(mount_tmpfs(nodes, "mode=0755,size=4k,nr_inodes=16", kNoSuid | kNoExec));
  const UniqueFd folder = TRY(open_path(nodes, O_RDONLY | O_DIRECTORY));
  for (const Device& device : kDevices) {
    const auto number = ::makedev(device.kind, device.number);
    if (::mknodat(folder.get(), device.name, S_IFCHR, number) != 0 ||
        ::fchmodat(folder.get(), device.name, 0666, 0) != 0)
      return errno_error(std::string("make the device ") + device.name);
    const UniqueFd node = TRY(clone_mount(folder.get(), device.name));
    const UniqueFd hosts = TRY(open_path(std::string("/dev/") + device.name, O_PATH | O_NOFOLLOW));
    TRY(attach_mount(node.get(), hosts.get(), ""));
  }
  return {};
}

Result<DetachedSources> detach_sources(const Plan& plan, const StageSources& sources) {
  DetachedSources detached;
  detached.image = TRY(clone_mount(sources.image.get(), ""));
  detached.init = TRY(clone_mount(sources.init.get(), ""));
  detached.code = TRY(clone_mount(sources.code.get(), ""));
  detached.inputs = TRY(group_inputs(plan, sources));
  return detached;
}

Status assemble_root(const Plan& plan, uid_t host_uid, const DetachedSources& sources,
                     const std::string& place) {
  if (::chdir(place.c_str()) != 0) return errno_error("enter the stage");
  const UniqueFd code_map = TRY(idmap_namespace(0, 0, host_uid, host_uid));
  TRY(show(sources.image.get(), "image", -1));
  TRY(show(sources.init.get(), "init", -1));
  TRY(show(sources.code.get(), "code", code_map.get()));
  TRY(make_folder("empty"));
  TRY(make_places(plan, host_uid));
  TRY(make_folder("root"));
  // An overlay tells the free space of its first layer: that of our own tmpfs is no news of other actions.
  TRY(mount_overlay("root", "lowerdir=empty:init:image,redirect_dir=nofollow,index=off,metacopy=off,xino=off",
                    kReadOnly | kNoSuid | kNoDev));
  TRY(mount_overlay("root/workspace",
                    "lowerdir=places:code,upperdir=scratch/upper,workdir=scratch/work,"
                    "redirect_dir=nofollow,index=off,metacopy=off,xino=off",
                    kNoSuid | kNoDev));
  const UniqueFd workspace = TRY(open_path("root/workspace", O_PATH | O_DIRECTORY));
  int number = 0;
  for (const InputGroup& group : sources.inputs)
    TRY(show_inputs(group, host_uid, std::to_string(number++), workspace.get()));
  return {};
}

Status check_inputs(const DetachedSources& sources, const std::string& place) {
  int number = 0;
  for (const InputGroup& group : sources.inputs) {
    // What is mounted keeps its entry in this overlay, whatever its owner renames below it.
    const UniqueFd seen = TRY(open_path(place + "/inputs" + std::to_string(number++), O_PATH | O_DIRECTORY));
    for (const StampedInput& input : group.inputs) TRY(open_input(seen.get(), input));
  }
  return {};
}

}  // namespace glovebox
