#include "core/plan/plan.h"

#include <doctest/doctest.h>

#include <functional>

#include "core/policy/load.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

constexpr ByteCount kGiB = 1ULL << 30U;

// A request that can be carried out, to be spoilt by each test in its own way.
struct Case {
  Request request;
  Policy policy;
  Policy site;
  ImageInfo image;
  HostFacts host;
  [[nodiscard]] Result<Plan> make() const { return make_plan(request, policy, site, image, host); }
};

InputFile input(const std::string& path, const std::string& content) {
  return {RelPath::parse(path).value(), Digest::of(content), content.size(), "attempt-1"};
}

Case sound() {
  Case c;
  const PolicySet set = test::shipped_policies();
  c.policy = set.images.at("python");
  c.site = set.site;
  c.image.name = "python:v2";
  c.image.manifest = Digest::of("manifest");
  c.image.entrypoint = {"/usr/local/bin/entrypoint"};
  c.image.command = {"bash"};
  c.image.environment = {{"PATH", "/opt/bin:/usr/bin"}, {"TZ", "Europe/London"}, {"ACTION_EXEC", "python"}};
  c.host = {true, "6.18.0", "hybrid", {{"crun", "1.8.1"}}, 4, 16 * kGiB};
  c.request.workspace = "diabetes";
  c.request.action = "table1";
  c.request.image = ImageName::parse("python:v2").value();
  c.request.args = {"python", "analysis/table1.py"};
  c.request.environment = {{"OPENSAFELY_BACKEND", "tpp"}};
  c.request.code = Digest::of("code");
  c.request.commit = std::string(40, 'a');
  c.request.inputs = {input("output/b.csv", "b"), input("output/a.csv", "a")};
  return c;
}

void refuses(const Case& c, const std::string& message, const std::string& hint = {}) {
  const Result<Plan> plan = c.make();
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().kind == ErrorKind::kRefused);
  CHECK(plan.error().message == message);
  if (!hint.empty()) CHECK(plan.error().hint == hint);
}

// The message with the line number behind ".yaml:" left out, so that editing a comment in a policy breaks no
// test.
std::string without_lines(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (!out.ends_with(".yaml:")) continue;
    while (i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1])) != 0) ++i;
  }
  return out;
}

TEST_CASE("a sound request becomes a plan with everything decided") {
  const Plan plan = sound().make().value();
  CHECK(plan.argv == std::vector<std::string>{"/usr/local/bin/entrypoint", "python", "analysis/table1.py"});
  CHECK(plan.limits.memory == 4 * kGiB);
  CHECK(plan.limits.cpus == 2000);
  CHECK(plan.limits.time == 24ULL * 3600 * 1000);
  CHECK(plan.limits.grace == 30'000);
  CHECK(plan.limits.scratch == 20 * kGiB);
  CHECK(plan.limits.scratch_inodes == 1'000'000);
  CHECK(plan.limits.open_files == 16384);
  CHECK(plan.network == Network::kLoopback);
  CHECK(plan.runtime == "crun");
  CHECK(plan.policy == "python");
  CHECK(plan.output_rules.csv_rows == 5000);
  CHECK(plan.output_rules.extensions.count(".csv") == 1);
  CHECK(plan.waived.empty());
  CHECK(plan.seccomp["defaultErrnoRet"] == 38);
  REQUIRE(plan.inputs.size() == 2);
  CHECK(plan.inputs[0].path.str() == "output/a.csv");
  CHECK(plan.policy_digest == policy_digest(narrowed(sound().policy, sound().site)));
}

TEST_CASE("every limit, variable and choice has a reason with its source") {
  const Plan plan = sound().make().value();
  const Json json = plan_json(plan);
  for (const auto& [name, value] : json["limits"].items()) {
    CAPTURE(name);
    CHECK(plan.reasons.count("limits." + name) == 1);
  }
  for (const auto& [name, value] : plan.environment) {
    CAPTURE(name);
    CHECK(plan.reasons.count("environment." + name) == 1);
  }
  for (const char* field : {"network", "runtime", "seccomp", "policy", "image", "argv", "masked_paths",
                            "readonly_paths", "output_rules.extensions", "output_rules.file_bytes"}) {
    CAPTURE(field);
    CHECK(plan.reasons.count(field) == 1);
  }
  CHECK(without_lines(plan.reasons.at("limits.memory")) == "default of policies/base.yaml:");
  CHECK(without_lines(plan.reasons.at("environment.MPLBACKEND")) == "policies/python.yaml:");
  CHECK(plan.reasons.at("environment.ACTION_EXEC") == "the image");
  CHECK(without_lines(plan.reasons.at("environment.OPENSAFELY_BACKEND")) ==
        "asked for; passed by policies/base.yaml:");
}

TEST_CASE("a request chooses within the ceilings; beyond them it is refused with rule, number and source") {
  Case c = sound();
  c.request.memory = 64 * kGiB;
  c.request.cpus = 500;
  c.request.time = 60'000;
  const Plan plan = c.make().value();
  CHECK(plan.limits.memory == 64 * kGiB);
  CHECK(plan.limits.cpus == 500);
  CHECK(plan.limits.time == 60'000);
  CHECK(without_lines(plan.reasons.at("limits.time")) == "asked for; at most 14 d by policies/base.yaml:");

  c.request.memory = 64 * kGiB + 1;
  Result<Plan> refused = c.make();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().kind == ErrorKind::kRefused);
  CHECK(without_lines(refused.error().message) ==
        "memory: 64 GiB is more than the 64 GiB that policies/base.yaml: allows");
  c.request.memory = 100 * kGiB;
  c.site.limits.memory = {8 * kGiB, 8 * kGiB, "policies/site.yaml:12"};
  refuses(c, "memory: 100 GiB is more than the 8 GiB that policies/site.yaml:12 allows",
          "ask for at most 8 GiB");
  c.request.memory.reset();
  c.request.cpus = 9000;
  refused = c.make();
  REQUIRE_FALSE(refused.ok());
  CHECK(without_lines(refused.error().message) ==
        "cpus: 9 is more than the 8 that policies/base.yaml: allows");
  c.request.cpus = 0;
  refuses(c, "cpus must be more than nothing");
}

TEST_CASE("output limits can only narrow") {
  Case c = sound();
  c.request.output_csv_rows = 100;
  c.request.output_file_bytes = 1000;
  const Plan plan = c.make().value();
  CHECK(plan.output_rules.csv_rows == 100);
  CHECK(plan.output_rules.file_bytes == 1000);
  c.request.output_csv_rows = 5001;
  const Result<Plan> refused = c.make();
  REQUIRE_FALSE(refused.ok());
  CHECK(without_lines(refused.error().message) ==
        "csv_rows: 5001 is more than the 5000 that policies/base.yaml: allows");
}

TEST_CASE("the environment: policy over request over image, CPU counts follow the limit") {
  Case c = sound();
  c.request.cpus = 2500;
  const Plan plan = c.make().value();
  CHECK(plan.environment.at("PATH") == "/opt/bin:/usr/bin");
  CHECK(plan.environment.at("TZ") == "UTC");  // the image said otherwise
  CHECK(plan.environment.at("OPENSAFELY_BACKEND") == "tpp");
  CHECK(plan.environment.at("HOME") == "/tmp");
  CHECK(plan.environment.at("OPENBLAS_NUM_THREADS") == "3");
  CHECK(plan.environment.at("NUMEXPR_NUM_THREADS") == "3");
  c.host.cpus = 2;
  CHECK(c.make().value().environment.at("OPENBLAS_NUM_THREADS") == "2");
  c.request.cpus = 1;
  CHECK(c.make().value().environment.at("OPENBLAS_NUM_THREADS") == "1");
}

TEST_CASE("a variable that the policy does not pass is refused by name, and its value appears nowhere") {
  Case c = sound();
  c.request.environment["LD_PRELOAD"] = "hunter2";
  refuses(c, "environment variable \"LD_PRELOAD\" is not passed by the policy python",
          "it passes OPENBLAS_CORETYPE, OPENSAFELY_BACKEND");
  c.request.environment = {{"HOME", "/root"}};
  Result<Plan> plan = c.make();
  REQUIRE_FALSE(plan.ok());
  CHECK(without_lines(plan.error().message) == "environment variable \"HOME\" is set by policies/base.yaml:");
  c.request.environment = {{"OMP_NUM_THREADS", "64"}};
  plan = c.make();
  REQUIRE_FALSE(plan.ok());
  CHECK(without_lines(plan.error().message) ==
        "environment variable \"OMP_NUM_THREADS\" follows the CPU limit, by policies/base.yaml:");
  c.policy.secrets["STATA_LICENSE"] = c.site.secrets["STATA_LICENSE"] = "x:1";
  c.request.environment = {{"STATA_LICENSE", "hunter2"}};
  plan = c.make();
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message == "environment variable \"STATA_LICENSE\" is a secret of the policy python");
  CHECK(plan.error().hint.find("hunter2") == std::string::npos);
}

TEST_CASE("what to run: the entry point and the arguments, or the image's own command") {
  Case c = sound();
  c.request.args.clear();
  CHECK(c.make().value().argv == std::vector<std::string>{"/usr/local/bin/entrypoint", "bash"});
  c.image.entrypoint.clear();
  c.image.command.clear();
  refuses(c, "there is nothing to run: no arguments, and the image has no entry point");
  c.request.args = {""};
  refuses(c, "the name of the program to run is empty");
  c.request.args = {"sh", std::string("a\0b", 3)};
  refuses(c, "argument 1 has a NUL byte");
  c.request.args = {"sh", std::string(131'072, 'x')};
  refuses(c, "argument 1 is longer than 131,071 bytes");
  c.request.args = {"sh", std::string(131'071, 'x')};
  CHECK(c.make().ok());
  c.request.args.assign(20, std::string(131'071, 'x'));
  refuses(c, "arguments and environment are together longer than 2 MiB");
}

TEST_CASE("a policy for another image, and a database, are refused") {
  Case c = sound();
  c.request.image = ImageName::parse("r:v2").value();
  refuses(c, "the policy python is not for the image \"r\"");
  c = sound();
  c.request.database = true;
  refuses(c, "no policy allows access to a database");
}

TEST_CASE("more inputs than a host can mount, or read back, are refused") {
  const std::string hint = "let the actions before it write fewer files, or shorter names";
  const auto inputs = [](int count, const std::string& folder) {
    std::vector<InputFile> list;
    for (int i = 0; i < count; ++i) list.push_back(input(folder + std::to_string(100'000 + i), "x"));
    return list;
  };
  Case c = sound();
  c.request.inputs = inputs(40'000, "output/");
  CHECK(c.make().ok());
  c.request.inputs = inputs(40'001, "output/");
  refuses(c, "there are more than 40,000 inputs", hint);
  const std::string deep =
      std::string(250, 'a') + "/" + std::string(250, 'b') + "/" + std::string(3, 'c') + "/";
  REQUIRE(deep.size() + 6 == 512);
  c.request.inputs = inputs((16 << 20) / 512, deep);
  CHECK(c.make().ok());
  c.request.inputs.push_back(input("a", "x"));
  refuses(c, "the paths of the inputs are together longer than 16 MiB", hint);
}

TEST_CASE("an input given twice, or below another, is refused") {
  Case c = sound();
  c.request.inputs.push_back(input("output/a.csv", "other"));
  refuses(c, "input \"output/a.csv\" is given twice");
  c.request.inputs = {input("output/a", "a"), input("output/a/b.csv", "b")};
  refuses(c, "input \"output/a/b.csv\" lies below another input, which is a file");
  c.request.inputs = {input("output/a", "a"), input("output/a-b", "x"), input("output/a/b.csv", "b")};
  refuses(c, "input \"output/a/b.csv\" lies below another input, which is a file");
  c.request.inputs = {input("output/a", "a"), input("output/ab", "b")};
  CHECK(c.make().ok());
}

TEST_CASE("a host without the runtime is the host's failure; no common runtime is a refusal") {
  Case c = sound();
  c.host.runtimes = {{"runc", "1.1.5"}};
  const Result<Plan> plan = c.make();
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().kind == ErrorKind::kHost);
  CHECK(plan.error().message == "none of the runtimes that the policy allows is installed: crun");
  CHECK(plan.error().hint == "install crun (scripts/setup installs all that is needed)");
  c.site.runtimes = {{"runc", "x:1"}};
  refuses(c, "no runtime is allowed by both the policy and the site");
}

TEST_CASE("G16: what the host cannot hold is refused, or waived by name and visible") {
  Case c = sound();
  c.site = test::shipped_policies().local;
  c.host.root = false;
  refuses(c, "this host cannot hold the cpu limit: it needs root and control groups",
          "run as root, or give the limit up with \"waive: [unsafe_no_cpu_limit]\" in policies/local.yaml");
  c.site.waived = {{"unsafe_no_cpu_limit", "policies/local.yaml:40"}, {"unsafe_no_process_limit", "l:40"}};
  refuses(c, "this host cannot hold the memory limit: it needs root and control groups");
  c.site.waived["unsafe_no_memory_limit"] = "policies/local.yaml:40";
  const Plan plan = c.make().value();
  CHECK(plan.waived ==
        std::vector<std::string>{"unsafe_no_cpu_limit", "unsafe_no_memory_limit", "unsafe_no_process_limit"});
  CHECK(plan.reasons.at("waived.unsafe_no_cpu_limit") == "policies/local.yaml:40");
  CHECK(plan_json(plan)["waived"].size() == 3);
  CHECK(plan.limits.scratch_on == ScratchKind::kTmpfs);
  c.host.root = true;  // what can be held is held, whatever was waived
  CHECK(c.make().value().waived.empty());
  c.host.cgroup = "none";
  CHECK(c.make().value().waived.size() == 3);
}

TEST_CASE("asking for more CPUs than the host has is allowed and noted") {
  Case c = sound();
  c.request.cpus = 8000;
  const Plan plan = c.make().value();
  CHECK(plan.limits.cpus == 8000);
  CHECK(plan.reasons.at("limits.cpus").ends_with("; this host has 4"));
  CHECK(plan.environment.at("OMP_NUM_THREADS") == "4");
}

TEST_CASE("G2: the paths that tell of the host are masked, each once and absolute") {
  const Plan plan = sound().make().value();
  const std::set<std::string> masked(plan.masked_paths.begin(), plan.masked_paths.end());
  CHECK(masked.size() == plan.masked_paths.size());
  for (const std::string& path : plan.masked_paths) CHECK(path.starts_with("/proc/"));
  for (const char* path :
       {"/proc/kcore", "/proc/keys", "/proc/sched_debug", "/proc/timer_list", "/proc/kallsyms", "/proc/kmsg",
        "/proc/sysrq-trigger", "/proc/acpi", "/proc/scsi", "/proc/asound", "/proc/interrupts",
        "/proc/latency_stats", "/proc/fs", "/proc/bus", "/proc/irq"}) {
    CAPTURE(path);
    CHECK(masked.count(path) == 1);
  }
  CHECK(plan.readonly_paths == std::vector<std::string>{"/proc/sys"});
}

TEST_CASE("G15: equal inputs give a byte-equal plan, in whatever order they came") {
  const Case c = sound();
  Case reordered = sound();
  std::swap(reordered.request.inputs[0], reordered.request.inputs[1]);
  const std::string text = dump_json(plan_json(c.make().value()));
  CHECK(text == dump_json(plan_json(sound().make().value())));
  CHECK(text == dump_json(plan_json(reordered.make().value())));
  CHECK(plan_digest(c.make().value()) == Digest::of(text));
}

TEST_CASE("G15: whatever changes in the inputs changes the digest") {
  const Digest before = plan_digest(sound().make().value());
  const std::vector<std::function<void(Case&)>> changes{
      [](Case& c) { c.request.workspace = "other"; },
      [](Case& c) { c.request.action = "other"; },
      [](Case& c) { c.request.args.emplace_back("-v"); },
      [](Case& c) { c.request.environment["OPENSAFELY_BACKEND"] = "emis"; },
      [](Case& c) { c.request.code = Digest::of("other"); },
      [](Case& c) { c.request.commit = std::string(40, 'b'); },
      [](Case& c) { c.request.repository = "https://example.org/study"; },
      [](Case& c) { c.request.collect_everything = true; },
      [](Case& c) { c.request.inputs.pop_back(); },
      [](Case& c) { c.request.inputs[0].digest = Digest::of("c"); },
      [](Case& c) { c.request.memory = kGiB; },
      [](Case& c) { c.request.cpus = 1000; },
      [](Case& c) { c.request.time = 1000; },
      [](Case& c) { c.request.scratch = kGiB; },
      [](Case& c) { c.request.output_csv_rows = 10; },
      [](Case& c) { c.request.output_file_bytes = 10; },
      [](Case& c) { c.image.manifest = Digest::of("other"); },
      [](Case& c) { c.image.config = Digest::of("other"); },
      [](Case& c) { c.image.tree = Digest::of("other"); },
      [](Case& c) { c.image.labels["a"] = "b"; },
      [](Case& c) { c.image.environment.emplace_back("X", "y"); },
      [](Case& c) {
        c.policy.environment.set["X"] = {std::string("y"), "x:1"};
      },
      [](Case& c) { c.policy.syscalls.allow.erase("madvise"); },
      [](Case& c) { c.policy.limits.tmp.value /= 2; },
      [](Case& c) { c.site.limits.processes.most = c.site.limits.processes.fallback = 100; },
      [](Case& c) { c.site.outputs.extensions.erase(".md"); },
      [](Case& c) { c.site.network.value = Network::kNone; },
  };
  std::set<Digest> seen{before};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    Case c = sound();
    changes[i](c);
    CHECK(seen.insert(plan_digest(c.make().value())).second);
  }
}

}  // namespace
}  // namespace glovebox
