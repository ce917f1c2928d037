#include "core/bundle/bundle.h"

#include <doctest/doctest.h>

#include <set>

using namespace glovebox;

namespace {

Plan plan() {
  Plan plan;
  plan.argv = {"/usr/bin/python3", "-u", "analysis/model.py"};
  plan.environment = {{"HOME", "/tmp"}, {"LANG", "C.UTF-8"}};
  plan.limits.open_files = 4096;
  plan.limits.file_size = 1ULL << 30U;
  plan.limits.tmp = 1ULL << 30U;
  plan.limits.shm = 1ULL << 20U;
  plan.seccomp = Json{{"defaultAction", "SCMP_ACT_ERRNO"}, {"defaultErrnoRet", 38}};
  plan.masked_paths = {"/proc/keys"};
  plan.readonly_paths = {"/proc/sys"};
  plan.inputs = {{RelPath::parse("output/input.csv").value(), Digest::of("x"), 1, {}}};
  plan.secrets = {"TOKEN"};
  plan.action = "model";
  plan.workspace = "a-workspace-of-somebody";
  return plan;
}

// Whoever changes the bundle changes this text, and sees here what a runtime is told.
constexpr const char* kGolden = R"({
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false,
    "user": {
      "uid": 1000,
      "gid": 1000,
      "umask": 18
    },
    "args": [
      "/.glovebox/init",
      "--",
      "/usr/bin/python3",
      "-u",
      "analysis/model.py"
    ],
    "env": [
      "HOME=/tmp",
      "LANG=C.UTF-8"
    ],
    "cwd": "/workspace",
    "capabilities": {
      "bounding": [],
      "effective": [],
      "inheritable": [],
      "permitted": [],
      "ambient": []
    },
    "rlimits": [
      {
        "type": "RLIMIT_NOFILE",
        "hard": 4096,
        "soft": 4096
      },
      {
        "type": "RLIMIT_FSIZE",
        "hard": 1073741824,
        "soft": 1073741824
      },
      {
        "type": "RLIMIT_CORE",
        "hard": 0,
        "soft": 0
      },
      {
        "type": "RLIMIT_MEMLOCK",
        "hard": 65536,
        "soft": 65536
      }
    ],
    "noNewPrivileges": true
  },
  "root": {
    "path": "/stage/root",
    "readonly": true
  },
  "hostname": "glovebox",
  "mounts": [
    {
      "destination": "/proc",
      "type": "proc",
      "source": "proc",
      "options": [
        "nosuid",
        "noexec",
        "nodev"
      ]
    },
    {
      "destination": "/dev",
      "type": "tmpfs",
      "source": "tmpfs",
      "options": [
        "nosuid",
        "noexec",
        "ro",
        "mode=755",
        "size=65536",
        "nr_inodes=64"
      ]
    },
    {
      "destination": "/dev/shm",
      "type": "tmpfs",
      "source": "tmpfs",
      "options": [
        "nosuid",
        "nodev",
        "mode=1777",
        "size=1048576",
        "nr_inodes=1024"
      ]
    },
    {
      "destination": "/tmp",
      "type": "tmpfs",
      "source": "tmpfs",
      "options": [
        "nosuid",
        "nodev",
        "mode=1777",
        "size=1073741824",
        "nr_inodes=65536"
      ]
    }
  ],
  "linux": {
    "uidMappings": [
      {
        "containerID": 1000,
        "hostID": 600007,
        "size": 1
      }
    ],
    "gidMappings": [
      {
        "containerID": 1000,
        "hostID": 600007,
        "size": 1
      }
    ],
    "namespaces": [
      {
        "type": "user"
      },
      {
        "type": "mount"
      },
      {
        "type": "pid"
      },
      {
        "type": "network"
      },
      {
        "type": "ipc"
      },
      {
        "type": "uts"
      },
      {
        "type": "cgroup"
      }
    ],
    "maskedPaths": [
      "/proc/keys"
    ],
    "readonlyPaths": [
      "/proc/sys"
    ],
    "seccomp": {
      "defaultAction": "SCMP_ACT_ERRNO",
      "defaultErrnoRet": 38
    }
  }
}
)";

}  // namespace

TEST_CASE("the bundle for a plan is this text, and nothing else is in it") {
  CHECK(dump_json_pretty(bundle_config(plan(), {"/stage/root", 600007})) == kGolden);
}

TEST_CASE("the bundle tells nothing of who asked, and no secret") {
  const std::string text = dump_json(bundle_config(plan(), {"/stage/root", 600007}));
  for (const char* word : {"TOKEN", "a-workspace-of-somebody", "input.csv"}) {
    CAPTURE(word);
    CHECK(text.find(word) == std::string::npos);
  }
}

TEST_CASE("whatever the plan says, there is no capability, no join of a namespace, no hook, no device") {
  Plan other = plan();
  other.network = Network::kLoopback;
  other.waived = {"unsafe_everything"};
  other.masked_paths.clear();
  const Json config = bundle_config(other, {"/r", 1});
  for (const auto& set : config["process"]["capabilities"].items()) CHECK(set.value().empty());
  for (const Json& space : config["linux"]["namespaces"]) CHECK_FALSE(space.contains("path"));
  CHECK_FALSE(config.contains("hooks"));
  for (const char* key : {"resources", "cgroupsPath", "devices", "rootfsPropagation", "sysctl"}) {
    CAPTURE(key);
    CHECK_FALSE(config["linux"].contains(key));
  }
  CHECK(config["process"]["noNewPrivileges"] == true);
  CHECK(config["root"]["readonly"] == true);
}

TEST_CASE(
    "nothing but the process's own file systems is mounted by the runtime: no bind, no /sys, no /workspace") {
  const Json config = bundle_config(plan(), {"/r", 1});
  std::set<std::string> targets;
  for (const Json& mount : config["mounts"]) {
    targets.insert(mount["destination"].get<std::string>());
    CHECK((mount["type"] == "proc" || mount["type"] == "tmpfs"));
    const auto& options = mount["options"];
    CHECK(std::find(options.begin(), options.end(), Json("nosuid")) != options.end());
  }
  CHECK(targets == std::set<std::string>{"/dev", "/dev/shm", "/proc", "/tmp"});
}

TEST_CASE("hostile words of an action stay words") {
  Plan other = plan();
  other.argv = {"sh", "-c", "\"},\"root\":{\"readonly\":false", "\n\x1B"};
  const Json config = parse_json(dump_json(bundle_config(other, {"/r", 1})), "bundle").value();
  CHECK(config["process"]["args"][4] == "\"},\"root\":{\"readonly\":false");
  CHECK(config["process"]["args"].size() == 6);
  CHECK(config["root"]["readonly"] == true);
}

TEST_CASE("every mount of the bundle and every input is expected inside, and each one once") {
  const Plan asked = plan();
  std::set<std::string> expected;
  for (const ExpectedMount& mount : expected_mounts(asked)) {
    CAPTURE(mount.target);
    CHECK(expected.insert(mount.target).second);
    if (mount.target == "/" || mount.target == "/dev") CHECK(mount.read_only);
  }
  const Json config = bundle_config(asked, {"/r", 1});
  for (const Json& mount : config["mounts"]) {
    CHECK(expected.contains(mount["destination"].get<std::string>()));
  }
  CHECK(expected.contains("/workspace/output/input.csv"));
  for (const ExpectedMount& mount : expected_mounts(asked)) {
    if (mount.target == "/workspace/output/input.csv") CHECK(mount.read_only);
  }
}
