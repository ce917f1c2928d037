// Mistakes in policy files, and what is said about them.
#include "core/policy/load.h"

#include <doctest/doctest.h>

#include "core/base/text.h"
#include "core/seccomp/seccomp.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

constexpr const char* kHead = "policy: extra\nextends: base\nsummary: a test\nimages: [extra]\n";

std::string shown(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) {
    text += error.where + ": " + error.message + "\n";
    if (!error.excerpt.empty()) text += error.excerpt + "\n";
    if (!error.hint.empty()) text += "hint: " + error.hint + "\n";
  }
  return text;
}

PolicyLoad load_with(const std::string& file, const std::string& text) {
  auto files = test::shipped_policy_files();
  files[file] = text;
  return load_policies(files, "policies");
}

// What is said about extra.yaml with `body` below its head.
std::string complaint(const std::string& body) {
  return shown(load_with("extra.yaml", kHead + body).errors);
}

TEST_CASE("a sound policy draws no complaint") {
  CHECK(complaint("limits: {memory: {default: 1GiB}}\n") == "");
}

TEST_CASE("an unknown key is an error with its line, a caret and the nearest key") {
  CHECK(complaint("netwrok: none\n") ==
        "policies/extra.yaml:5:1: \"netwrok\" is not a key of a policy\n"
        "netwrok: none\n"
        "^\n"
        "hint: did you mean \"network\"?\n");
  CHECK(complaint("limits:\n  memory: {defualt: 1GiB}\n") ==
        "policies/extra.yaml:6:12: \"defualt\" is not a key of limits.memory\n"
        "  memory: {defualt: 1GiB}\n"
        "           ^\n"
        "hint: did you mean \"default\"?\n");
}

TEST_CASE("a duplicate key and a second document are errors") {
  CHECK(complaint("network: none\nnetwork: loopback\n") ==
        "policies/extra.yaml:6:1: key \"network\" is given twice\n"
        "network: loopback\n"
        "^\n"
        "hint: it stands first in line 5\n");
  CHECK(complaint("---\npolicy: other\n").find("a second YAML document starts here") != std::string::npos);
}

TEST_CASE("wrong types are errors") {
  CHECK(complaint("network: [none]\n").find("5:10: network must be text") != std::string::npos);
  CHECK(complaint("network: maybe\n").find("network \"maybe\" is not known\n") != std::string::npos);
  CHECK(complaint("runtimes: crun\n").find("5:11: runtimes must be a list") != std::string::npos);
  CHECK(complaint("limits: 4GiB\n").find("5:9: limits must be a map") != std::string::npos);
  CHECK(complaint("environment: {set: {A: 1}}\n").find("5:24: the value of A must be text") !=
        std::string::npos);
  CHECK(complaint("environment: {pass: [\"A B\"]}\n").find("\"A B\" is not a variable's name") !=
        std::string::npos);
  CHECK(complaint("syscalls: [read]\n").find("5:11: syscalls must be a map") != std::string::npos);
}

TEST_CASE("impossible numbers are errors") {
  const auto says = [](const char* body, const char* expected) {
    CAPTURE(body);
    const std::string text = complaint(body);
    CAPTURE(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  says("limits: {memory: {max: 4G}}\n", "size \"4G\" is not understood");
  says("limits: {memory: {max: -1}}\n", "size \"-1\" is not understood");
  says("limits: {memory: {max: 1KiB}}\n", "limits.memory.max must be from 8 MiB to 64 TiB");
  says("limits: {memory: {default: 65GiB}}\n", "limits.memory: the default is above max");
  says("limits: {memory: {max: 1GiB}}\n", "limits.memory: the default is above max");
  says("limits: {cpus: {max: 0}}\n", "number of CPUs \"0\" is not understood");
  says("limits: {cpus: {max: 2.0001}}\n", "number of CPUs \"2.0001\" is not understood");
  says("limits: {processes: {max: 0}}\n", "limits.processes.max must be a whole number from 4 to 4194304");
  says("limits: {processes: {max: 1e3}}\n", "must be a whole number");
  says("limits: {time: {max: 24}}\n", "duration \"24\" is not understood");
  says("limits: {scratch: {on: nfs}}\n", "limits.scratch.on \"nfs\" is not known");
  says("limits: {open_files: 18446744073709551616}\n", "must be a whole number");
  says("limits: {memory: 4GiB}\n", "limits.memory must be a map");
  says("outputs: {csv_rows: 0}\n", "outputs.csv_rows must be a whole number");
  says("outputs: {extensions: [csv]}\n", "\"csv\" is not a file extension");
  says("outputs: {rules: mine}\n", "outputs.rules \"mine\" is not known");
}

TEST_CASE("a policy stands in a file of its own name") {
  const std::string text =
      shown(load_with("extra.yaml", "policy: other\nextends: base\nsummary: a test\n").errors);
  CHECK(text ==
        "policies/extra.yaml:1:9: policy \"other\" stands in a file of another name\n"
        "policy: other\n"
        "        ^\n"
        "hint: write \"policy: extra\"\n");
  CHECK(shown(load_with("extra.yml", kHead).errors) ==
        "policies/extra.yml: a policy's file must end in .yaml\n");
}

TEST_CASE("extending nothing, oneself, a circle or a ceiling is an error") {
  const auto extending = [](const std::string& name) {
    return shown(load_with("extra.yaml", "policy: extra\nextends: " + name + "\nsummary: a test\n").errors);
  };
  CHECK(extending("bse").find("2:10: there is no policy \"bse\"") != std::string::npos);
  CHECK(extending("bse").find("did you mean \"base\"?") != std::string::npos);
  CHECK(extending("extra").find("the policies extend each other in a circle") != std::string::npos);
  CHECK(extending("site").find("a ceiling cannot be extended") != std::string::npos);
  auto files = test::shipped_policy_files();
  files["a.yaml"] = "policy: a\nextends: b\nsummary: a test\n";
  files["b.yaml"] = "policy: b\nextends: a\nsummary: a test\n";
  CHECK(shown(load_policies(files, "policies").errors).find("in a circle") != std::string::npos);
}

TEST_CASE("two policies for one image are an error, and so is one image twice") {
  const std::string text =
      shown(load_with("zebra.yaml", "policy: zebra\nextends: base\nsummary: x y\nimages: [r]\n").errors);
  CHECK(text.find("policies/zebra.yaml:4:9: image \"r\" is named by the policy \"r\" too") !=
        std::string::npos);
  CHECK(complaint("images: [a]\n").find("given twice") != std::string::npos);
  CHECK(shown(load_with("zebra.yaml", "policy: zebra\nextends: base\nsummary: x y\nimages: [q:v1]\n").errors)
            .find("\"q:v1\" is not an image's name") != std::string::npos);
}

TEST_CASE("system calls: names, groups and reasons are checked") {
  const auto says = [](const std::string& group, const std::string& expected) {
    CAPTURE(group);
    const std::string text = complaint("syscalls:\n" + group);
    CAPTURE(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  says("  more: {because: a test, allow: [splcie]}\n", "no system call is named \"splcie\"\n");
  says("  more: {because: a test, allow: [splcie]}\n", "hint: did you mean \"splice\"?");
  says("  more: {because: a test, allow: [socketcall]}\n", "no system call is named \"socketcall\"");
  says("  more: {because: '', allow: [splice]}\n", "the reason of group \"more\" is empty");
  says("  more: {because: \"  \", allow: [splice]}\n", "the reason of group \"more\" is empty");
  says("  more: {allow: [splice]}\n", "group \"more\" has no \"because\"");
  says("  more: {because: a test}\n", "group \"more\" must have either \"allow\" or \"refuse\"");
  says("  more: {because: a test, allow: [splice], refuse: [tee], with: EPERM}\n", "must have either");
  says("  more: {because: a test, allow: [read]}\n", "read is allowed already, in policies/base.yaml:");
  says("  more: {because: a test, allow: [mount]}\n",
       "mount is both allowed and refused, in policies/base.yaml:");
  says("  more: {because: a test, allow: [tee, tee]}\n", "\"tee\" is given twice");
  says("  more: {because: a test, refuse: [ptrace], with: EPERM}\n", "ptrace is refused already");
  says("  more: {because: a test, refuse: [tee]}\n", "group \"more\" has no \"with\"");
  says("  more: {because: a test, refuse: [tee], with: EWHATEVER}\n", "the errno \"EWHATEVER\" is not known");
  says("  more: {because: a test, allow: [tee], why: {splice: x}}\n",
       "\"splice\" is not a call of group \"more\"");
  says("  more: {because: a test, allow: [tee], why: {tee: ''}}\n", "the reason for tee is empty");
  says("  more: {because: a test, allow: [tee], else: EPERM}\n", "its calls have no conditions");
  says("  memory: {because: a test, allow: [tee]}\n",
       "group \"memory\" stands already in policies/base.yaml:");
  says("  unknown: ALLOW\n", "the errno \"ALLOW\" is not known");
  says("  a: {because: a test, allow: [tee]}\n  b: {because: a test, refuse: [tee], with: EPERM}\n",
       "tee is both allowed (policies/extra.yaml:6) and refused");
}

TEST_CASE("conditions on arguments are checked") {
  const auto says = [](const std::string& condition, const std::string& expected) {
    CAPTURE(condition);
    const std::string text =
        complaint("syscalls:\n  more: {because: a test, else: EPERM, allow: {tee: " + condition + "}}\n");
    CAPTURE(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  says("{arg: 6, in: [0]}", "arg must be a whole number from 0 to 5");
  says("{in: [0]}", "the condition of tee has no \"arg\"");
  says("{arg: 0}", "the condition of tee has no \"in\"");
  says("{arg: 0, in: []}", "in must be a list of values");
  says("{arg: 0, in: [AF_UNXI]}", "did you mean \"AF_UNIX\"?");
  says("{arg: 0, in: [-1]}", "the value must be text");
  says("{arg: 0, mask: 0, in: [0]}", "mask must be a whole number");
  says("{arg: 0, mask: 0xf, in: [16]}", "\"16\" has bits outside the mask");
  says("{arg: 0, in: [1, 0x1]}", "\"0x1\" is given twice");
  says("{arg: 0, in: network}", "\"in: network\" is for argument 0 of socket");
  says("{any: []}", "any must be a list of conditions");
  says("[]", "the condition of tee is empty");
  says("always", "the condition of tee must be a map");
  says("[{arg: 0, in: [1]}, {arg: 0, in: [2]}]", "the same bits of argument 0 are tested twice");
}

TEST_CASE("socket families follow from network, and cannot be said twice") {
  std::string base =
      "policy: base\nsummary: a test\nnetwork: none\nsyscalls:\n  unknown: ENOSYS\n  s:\n    because: a "
      "test\n";
  const auto says = [&](const std::string& rest, const std::string& expected) {
    const std::string text = shown(load_with("base.yaml", base + rest).errors);
    CAPTURE(text);
    CHECK(text.find(expected) != std::string::npos);
  };
  says("    else: EPERM\n    allow: {socket: {arg: 0, mask: 0xffffffff, in: [AF_INET]}}\n",
       "socket must test its family with \"in: network\"");
  says(
      "    else: EPERM\n    allow: {socket: {any: [{arg: 0, mask: 0xffffffff, in: network}, {arg: 1, in: "
      "[1]}]}}\n",
      "socket must test its family with \"in: network\"");
  says("    else: EPERM\n    allow: {socket: {arg: 0, mask: 0xff, in: network}}\n", "with mask 0xffffffff");
  says("    allow: [socket]\n", "socket is allowed without a condition");
}

TEST_CASE("a ceiling has no defaults and no images, and only local.yaml waives") {
  auto files = test::shipped_policy_files();
  const auto with = [&](const std::string& file, const std::string& more) {
    auto changed = files;
    changed[file] += more;
    return shown(load_policies(changed, "policies").errors);
  };
  CHECK(with("site.yaml", "waive: [unsafe_no_cpu_limit]\n").find("only local.yaml may waive a guarantee") !=
        std::string::npos);
  CHECK(with("python.yaml", "waive: []\n").find("only local.yaml may waive a guarantee") !=
        std::string::npos);
  CHECK(with("site.yaml", "images: [python]\n").find("a ceiling names no images") != std::string::npos);
  std::string& local = files["local.yaml"];
  const std::size_t waive = local.find("waive: []");
  local.replace(waive, 9, "waive: [unsafe_no_cpu_limits]");
  CHECK(with("site.yaml", "").find("did you mean \"unsafe_no_cpu_limit\"?") != std::string::npos);
  local.replace(waive, 29, "waive: [unsafe_no_cpu_limit]");
  const PolicyLoad load = load_policies(files, "policies");
  CHECK(shown(load.errors) == "");
  CHECK(load.set.local.waived.at("unsafe_no_cpu_limit").starts_with("policies/local.yaml:"));
  const std::size_t memory = files["site.yaml"].find("{max: 64GiB}");
  files["site.yaml"].replace(memory, 12, "{default: 1GiB, max: 64GiB}");
  CHECK(with("python.yaml", "").find("a ceiling has no default") != std::string::npos);
}

TEST_CASE("what is said nowhere is missing, and so are the ceilings") {
  CHECK(shown(load_with("extra.yaml", "policy: extra\nsummary: a test\nimages: [x]\n").errors)
            .find("said neither here nor in what it extends: network, runtimes, limits.memory.max") !=
        std::string::npos);
  CHECK(shown(load_policies({}, "policies").errors) ==
        "policies: site.yaml is missing\npolicies: local.yaml is missing\n");
}

TEST_CASE("every mistake is reported, not only the first") {
  CHECK(load_with("extra.yaml", std::string(kHead) + "network: x\nlimits: {tmp: y}\nsecrets: z\n")
            .errors.size() == 3);
}

TEST_CASE("a mistake in base.yaml is reported once, not again for each policy that extends it") {
  auto files = test::shipped_policy_files();
  files["base.yaml"] += "colour: red\n";
  CHECK(load_policies(files, "policies").errors.size() == 1);
}

TEST_CASE("a site may refuse what base.yaml allows: an emergency needs one group in one file") {
  auto files = test::shipped_policy_files();
  files["site.yaml"] +=
      "syscalls:\n  not-now:\n    because: a hole in the kernel, until it is patched\n    refuse: "
      "[madvise]\n    with: EPERM\n";
  const PolicyLoad load = load_policies(files, "policies");
  CHECK(shown(load.errors) == "");
  const Policy policy = narrowed(load.set.images.at("python"), load.set.site);
  CHECK(decide(policy.syscalls, "madvise", {}) == SyscallDecision{false, 1});
  CHECK(decide(policy.syscalls, "mmap", {}).allowed);
  CHECK(seccomp_config(policy.syscalls).ok());
  CHECK(policy.syscalls.groups.back().name == "not-now");
}

TEST_CASE("extending adds lists and overrides values") {
  const PolicyLoad load =
      load_with("extra.yaml", std::string(kHead) +
                                  "environment: {pass: [PYTHONPATH], set: {TZ: Europe/London}}\n"
                                  "limits: {time: {default: 1h}}\n"
                                  "syscalls: {more: {because: a test, allow: [splice]}}\n");
  REQUIRE(shown(load.errors) == "");
  const Policy& extra = load.set.images.at("extra");
  CHECK(extra.environment.pass.count("OPENSAFELY_BACKEND") == 1);
  CHECK(extra.environment.pass.at("PYTHONPATH") == "policies/extra.yaml:5");
  CHECK(extra.environment.set.at("TZ").value == "Europe/London");
  CHECK(extra.environment.set.at("HOME").value == "/tmp");
  CHECK(extra.limits.time.fallback == 3'600'000);
  CHECK(extra.limits.time.most == 14ULL * 86'400'000);
  CHECK(extra.syscalls.allow.count("splice") == 1);
  CHECK(extra.syscalls.allow.count("read") == 1);
  // The ceilings do not know splice: it stays out of what is in force.
  CHECK(decide(narrowed(extra, load.set.site).syscalls, "splice", {}) == SyscallDecision{false, 38});
}

TEST_CASE("a variable that is passed, set and counted at once is an error") {
  CHECK(complaint("environment: {pass: [HOME]}\n").find("HOME is both passed and set") != std::string::npos);
  CHECK(complaint("environment: {set: {OMP_NUM_THREADS: \"4\"}}\n")
            .find("OMP_NUM_THREADS is both set and a CPU count") != std::string::npos);
}

TEST_CASE("hostile bytes in a policy are an error, escaped") {
  const std::string text = complaint("network: \"\\e[31mnone\"\n");
  CHECK(text.find("network has control or invisible characters") != std::string::npos);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_FALSE(load_with("extra.yaml", std::string("\xff\xfe", 2)).errors.empty());
  CHECK_FALSE(load_with("extra.yaml", "").errors.empty());
  CHECK_FALSE(load_with("extra.yaml", "[]").errors.empty());
}

TEST_CASE("the digest is of what is in force, not of how the file is laid out") {
  auto files = test::shipped_policy_files();
  const Digest before = policy_digest(test::shipped_policies().images.at("python"));
  files["python.yaml"] = "# a comment\n\n" + files["python.yaml"];
  CHECK(policy_digest(load_policies(files, "elsewhere").set.images.at("python")) == before);
  files["python.yaml"] += "limits: {tmp: 2GiB}\n";
  CHECK(policy_digest(load_policies(files, "policies").set.images.at("python")) != before);
}

}  // namespace
}  // namespace glovebox
