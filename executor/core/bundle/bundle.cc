#include "core/bundle/bundle.h"

namespace glovebox {
namespace {

constexpr std::uint64_t kTmpfsInodeBytes = 16ULL * 1024;  // one inode per 16 KiB, as ext4 does by default

Json mount_entry(const char* target, const char* type, Json options) {
  return Json{{"destination", target}, {"type", type}, {"source", type}, {"options", std::move(options)}};
}

Json tmpfs_entry(const char* target, ByteCount size, const char* mode) {
  return mount_entry(
      target, "tmpfs",
      Json::array({"nosuid", "nodev", std::string("mode=") + mode, "size=" + std::to_string(size),
                   "nr_inodes=" + std::to_string(std::max<std::uint64_t>(1024, size / kTmpfsInodeBytes))}));
}

Json limit_entry(const char* name, std::uint64_t value) {
  return Json{{"type", name}, {"hard", value}, {"soft", value}};
}

Json process_config(const Plan& plan) {
  Json arguments = Json::array({kInitPath, "--"});
  for (const std::string& word : plan.argv) arguments.push_back(word);
  Json environment = Json::array();
  for (const auto& [name, value] : plan.environment) environment.push_back(name + "=" + value);
  const Json none = Json::array();
  Json process;
  process["terminal"] = false;
  process["user"] = {{"uid", kActionUid}, {"gid", kActionUid}, {"umask", 022}};
  process["args"] = std::move(arguments);
  process["env"] = std::move(environment);
  process["cwd"] = kWorkspace;
  process["capabilities"] = {
      {"bounding", none}, {"effective", none}, {"inheritable", none}, {"permitted", none}, {"ambient", none}};
  process["rlimits"] =
      Json::array({limit_entry("RLIMIT_NOFILE", plan.limits.open_files),
                   limit_entry("RLIMIT_FSIZE", plan.limits.file_size), limit_entry("RLIMIT_CORE", 0),
                   limit_entry("RLIMIT_MEMLOCK", 64ULL * 1024)});
  process["noNewPrivileges"] = true;
  return process;
}

Json linux_config(const Plan& plan, unsigned host_uid) {
  const Json map = Json::array({{{"containerID", kActionUid}, {"hostID", host_uid}, {"size", 1}}});
  Json namespaces = Json::array();
  for (const char* kind : {"user", "mount", "pid", "network", "ipc", "uts", "cgroup"})
    namespaces.push_back({{"type", kind}});
  Json config;
  config["uidMappings"] = map;
  config["gidMappings"] = map;
  config["namespaces"] = std::move(namespaces);
  config["maskedPaths"] = plan.masked_paths;
  config["readonlyPaths"] = plan.readonly_paths;
  config["seccomp"] = plan.seccomp;
  return config;
}

}  // namespace

Json bundle_config(const Plan& plan, const BundlePlace& place) {
  Json config;
  config["ociVersion"] = "1.0.2";
  config["process"] = process_config(plan);
  config["root"] = {{"path", place.root}, {"readonly", true}};
  config["hostname"] = kHostName;
  config["mounts"] = Json::array(
      {mount_entry("/proc", "proc", Json::array({"nosuid", "noexec", "nodev"})),
       mount_entry("/dev", "tmpfs",
                   Json::array({"nosuid", "noexec", "ro", "mode=755", "size=65536", "nr_inodes=64"})),
       tmpfs_entry("/dev/shm", plan.limits.shm, "1777"), tmpfs_entry("/tmp", plan.limits.tmp, "1777")});
  config["linux"] = linux_config(plan, place.host_uid);
  return config;
}

std::vector<ExpectedMount> expected_mounts(const Plan& plan) {
  std::vector<ExpectedMount> mounts{{"/", "overlay", true},       {kWorkspace, "overlay", false},
                                    {"/proc", "proc", false},     {"/dev", "tmpfs", true},
                                    {"/dev/shm", "tmpfs", false}, {"/tmp", "tmpfs", false}};
  for (const Device& device : kDevices)
    mounts.push_back({std::string("/dev/") + device.name, "tmpfs", false});
  for (const InputFile& input : plan.inputs)
    mounts.push_back({std::string(kWorkspace) + "/" + input.path.str(), "overlay", true});
  return mounts;
}

}  // namespace glovebox
