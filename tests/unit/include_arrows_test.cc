// The layers of executor/ (DESIGN: "core may include only core and value libraries; shell/sys alone makes raw
// system calls"), read off its #include lines. An arrow that is not listed here is not drawn by accident.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

constexpr std::size_t kMostLines = 400;
const fs::path kTop = GLOVEBOX_SOURCE_DIR;  // NOLINT: a path in a test

// Which modules each module may include, besides itself.
const std::map<std::string, Names>& arrows() {
  static const std::map<std::string, Names> all{
      {"core/base", {}},
      {"core/spec", {"core/base"}},
      {"core/policy", {"core/base", "core/seccomp"}},
      {"core/seccomp", {"core/base", "core/policy"}},
      {"core/plan", {"core/base", "core/policy", "core/seccomp", "core/spec"}},
      {"core/bundle", {"core/base", "core/plan"}},
      {"core/outcome", {"core/base", "core/plan"}},
      {"core/rules", {"core/base", "core/outcome", "core/plan", "core/spec"}},
      {"core/provenance", {"core/base", "core/outcome", "core/plan"}},
      {"core/job", {"core/base", "core/outcome"}},
      {"shell/sys", {"core/base"}},
      {"shell/host", {"core/base", "core/outcome", "core/plan", "shell/sys"}},
      {"shell/images", {"core/base", "core/plan", "shell/sys"}},
      {"shell/workspace", {"core/base", "core/plan", "core/spec", "shell/sys"}},
      {"shell/store", {"core/base", "core/job", "shell/sys"}},
      {"shell/attest", {"core/base", "core/provenance", "shell/store", "shell/sys"}},
      {"shell/collect", {"core/base", "core/outcome", "core/plan", "core/rules", "shell/sys"}},
      {"shell/publish", {"core/base", "core/rules", "shell/sys"}},
      {"shell/runtime", {"core/base", "core/bundle", "core/outcome", "core/plan", "shell/sys"}},
      {"shell/supervisor",
       {"core/base", "core/bundle", "core/job", "core/outcome", "core/plan", "shell/host", "shell/runtime",
        "shell/sys"}},
      {"shell/pipeline",
       {"core/base", "core/outcome", "core/plan", "core/policy", "core/provenance", "core/rules", "core/spec",
        "shell/attest", "shell/collect", "shell/host", "shell/images", "shell/publish", "shell/store",
        "shell/supervisor", "shell/sys", "shell/workspace"}},
      {"init", {}},
      {"main", {"cli"}},
  };
  return all;
}

// Standard headers whose contents are values and functions of values.
const Names& pure_headers() {
  static const Names all{
      "algorithm", "array",       "bitset",  "cctype",      "cerrno",        "charconv",
      "climits",   "cmath",       "compare", "concepts",    "cstddef",       "cstdint",
      "cstdio",    "cstdlib",     "cstring", "exception",   "functional",    "initializer_list",
      "iterator",  "limits",      "list",    "map",         "memory",        "numeric",
      "optional",  "queue",       "set",     "span",        "sstream",       "stdexcept",
      "string",    "string_view", "tuple",   "type_traits", "unordered_map", "unordered_set",
      "utility",   "variant",     "vector"};
  return all;
}

// Value libraries, and the parts of core that use them. <cstdio> and <cstdlib> are pure as far as calls()
// says.
const std::map<std::string, Names>& core_libraries() {
  static const std::map<std::string, Names> all{
      {"nlohmann/json.hpp", {"core/base"}},
      {"yaml-cpp/yaml.h", {"core/base"}},
      {"yaml-cpp/eventhandler.h", {"core/base"}},
      {"yaml-cpp/mark.h", {"core/base"}},
      {"openssl/evp.h", {"core/base", "core/provenance"}},
      {"openssl/crypto.h", {"core/provenance"}},
      {"seccomp.h", {"core/seccomp"}},
      {"zlib.h", {"core/rules"}},
  };
  return all;
}

// Headers of the kernel's own interface: raw system calls, mounts, namespaces, devices, process attributes.
bool raw_header(const std::string& header) {
  static const Names all{"sys/syscall.h",  "syscall.h",   "sys/mount.h",  "sys/prctl.h",
                         "sys/ioctl.h",    "sys/xattr.h", "sys/ptrace.h", "sys/random.h",
                         "sys/resource.h", "sys/file.h",  "sched.h",      "sys/capability.h",
                         "sys/fsuid.h",    "sys/swap.h",  "sys/reboot.h", "seccomp.h",
                         "grp.h",          "sys/bpf.h",   "sys/klog.h",   "sys/personality.h"};
  return all.contains(header) || header.starts_with("linux/") || header.starts_with("asm/") ||
         header.starts_with("netinet/") || header.starts_with("net/");
}

// Where one stands outside shell/sys all the same, and why.
const std::map<std::string, std::string>& raw_exceptions() {
  static const std::map<std::string, std::string> all{
      {"core/policy/constants.cc asm/prctl.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc linux/prctl.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc netinet/in.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc netinet/tcp.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc sys/ioctl.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc sys/socket.h", "names of constants in policies, no calls"},
      {"core/policy/constants.cc sys/stat.h", "names of constants in policies, no calls"},
      {"core/seccomp/seccomp.cc seccomp.h", "names and numbers of system calls: a table"},
      {"init/init.c sys/prctl.h", "stands alone in the container: nothing else is linked into it"},
      {"cli/terminal.cc sys/ioctl.h", "the terminal's width"},
      {"shell/supervisor/supervisor.cc sys/prctl.h", "what the supervisor is: dies with its caller, reaps"},
      {"shell/host/uids.cc sys/resource.h", "asks the kernel whether any process has a uid"},
      {"shell/runtime/scratch.cc linux/loop.h", "loop devices are used by scratch space only"},
      {"shell/runtime/scratch.cc sys/ioctl.h", "loop devices are used by scratch space only"},
      {"shell/runtime/scratch.cc sys/mount.h", "a loop device must be mounted before its descriptor closes"},
      {"shell/images/tree.cc sys/xattr.h", "extended attributes of unpacked files are taken off"},
      {"shell/images/store.cc sys/file.h", "flock on a descriptor that is open already"},
      {"shell/workspace/code_store.cc sys/file.h", "flock on a descriptor that is open already"},
      {"shell/attest/signer.cc sys/random.h", "a fresh key"},
  };
  return all;
}

struct Include {
  std::string file;  // below executor/
  std::string module;
  std::string target;
  bool own = false;  // in quotes
};

std::string module_of(const std::string& path) {
  if (path == "main.cc") return "main";
  const std::size_t first = path.find('/');
  const std::string layer = path.substr(0, first);
  if (layer != "core" && layer != "shell") return layer;
  return path.substr(0, path.find('/', first + 1));
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> sources() {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(kTop / "executor")) {
    const std::string kind = entry.path().extension();
    if (kind == ".cc" || kind == ".h" || kind == ".c")
      all.push_back(fs::relative(entry.path(), kTop / "executor"));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// The line's include, with whatever spaces the preprocessor would allow.
bool read_include(const std::string& line, Include& include) {
  std::string tight;
  std::copy_if(line.begin(), line.end(), std::back_inserter(tight),
               [](char c) { return c != ' ' && c != '\t'; });
  if (!tight.starts_with("#include")) return false;
  const std::size_t start = 8;
  const bool own = tight.size() > start && tight[start] == '"';
  const std::size_t end = tight.find(own ? '"' : '>', start + 1);
  // A computed include would hide an arrow: it comes out as a target that no list has.
  include.target = end == std::string::npos ? tight : tight.substr(start + 1, end - start - 1);
  include.own = own;
  return true;
}

std::vector<Include> includes() {
  std::vector<Include> all;
  for (const std::string& path : sources()) {
    std::istringstream lines(text_of(kTop / "executor" / path));
    for (std::string line; std::getline(lines, line);) {
      Include include{path, module_of(path), {}, false};
      if (read_include(line, include)) all.push_back(include);
    }
  }
  return all;
}

bool own_arrow_allowed(const Include& include) {
  const std::string to = module_of(include.target);
  if (to == include.module || include.module == "cli") return true;
  const auto known = arrows().find(include.module);
  return known != arrows().end() && known->second.contains(to);
}

bool core_may_use(const Include& include) {
  if (pure_headers().contains(include.target)) return true;
  if (raw_exceptions().contains(include.file + " " + include.target)) return true;
  const auto library = core_libraries().find(include.target);
  return library != core_libraries().end() && library->second.contains(include.module);
}

// Every text file of the tree that would be in a release, but not what was built.
std::vector<fs::path> tree() {
  std::vector<fs::path> all;
  for (auto entry = fs::recursive_directory_iterator(kTop); entry != fs::recursive_directory_iterator();
       ++entry) {
    const std::string name = entry->path().filename();
    if (entry->is_directory() &&
        (name == ".git" || (entry.depth() == 0 && (name == "build" || name == ".cache"))))
      entry.disable_recursion_pending();
    if (entry->is_regular_file() && !entry->is_symlink() && name != ".git") all.push_back(entry->path());
  }
  return all;
}

}  // namespace

TEST_CASE("every include of ours is an arrow that the layers allow") {
  const std::vector<Include> all = includes();
  REQUIRE(all.size() > 1000);  // the tree was found
  for (const Include& include : all) {
    if (!include.own) continue;
    CAPTURE(include.file);
    CAPTURE(include.target);
    CHECK(own_arrow_allowed(include));
    CHECK(fs::exists(kTop / "executor" / include.target));  // written from executor/, never relative
  }
}

TEST_CASE("every arrow that is allowed is drawn") {
  std::set<std::pair<std::string, std::string>> drawn;
  for (const Include& include : includes()) {
    if (include.own) drawn.emplace(include.module, module_of(include.target));
  }
  for (const auto& [from, targets] : arrows()) {
    for (const std::string& to : targets) {
      CAPTURE(from);
      CAPTURE(to);
      CHECK(drawn.contains({from, to}));
    }
  }
}

TEST_CASE("no module of the shell is in a circle with another") {
  // core/policy and core/seccomp know each other: a policy's rules are what the compiler of filters takes in.
  for (const auto& [from, targets] : arrows()) {
    for (const std::string& to : targets) {
      if (!from.starts_with("shell/") || !arrows().contains(to)) continue;
      CAPTURE(from);
      CAPTURE(to);
      CHECK_FALSE(arrows().at(to).contains(from));
    }
  }
}

TEST_CASE("core includes only core, value libraries and headers without effects") {
  for (const Include& include : includes()) {
    if (include.own || !include.module.starts_with("core/")) continue;
    CAPTURE(include.file);
    CAPTURE(include.target);
    CHECK(core_may_use(include));
  }
}

TEST_CASE("core calls nothing with an effect that a pure header brings along") {
  for (const std::string& path : sources()) {
    if (!path.starts_with("core/")) continue;
    const std::string text = text_of(kTop / "executor" / path);
    CAPTURE(path);
    for (const char* call : {"getenv(", "fopen(", "std::printf(", "system(", "popen(", "std::rand(",
                             "std::cout", "std::cerr", "std::time(", "::time(", "std::exit(", "spdlog"}) {
      CAPTURE(call);
      CHECK(text.find(call) == std::string::npos);
    }
  }
}

TEST_CASE("raw system-call headers stand in shell/sys, or are excepted with a reason") {
  Names used;
  for (const Include& include : includes()) {
    if (include.own || include.module == "shell/sys") continue;
    const std::string where = include.file + " " + include.target;
    if (raw_exceptions().contains(where)) used.insert(where);
    if (!raw_header(include.target)) continue;
    CAPTURE(where);
    CHECK(raw_exceptions().contains(where));
  }
  for (const auto& [where, reason] : raw_exceptions()) {
    CAPTURE(where);
    CHECK(used.contains(where));  // an exception that nobody needs any more
    CHECK_FALSE(reason.empty());
  }
}

TEST_CASE("Boost.Process, Git, archives and the state database each have one module") {
  const std::map<std::string, std::string> homes{{"boost/", "shell/sys"},
                                                 {"git2", "shell/workspace"},
                                                 {"archive", "shell/images"},
                                                 {"sqlite3.h", "shell/store"},
                                                 {"CLI/", "cli"}};
  for (const Include& include : includes()) {
    if (include.own) continue;
    for (const auto& [library, home] : homes) {
      if (!include.target.starts_with(library)) continue;
      CAPTURE(include.file);
      CAPTURE(include.target);
      CHECK(include.module == home);
    }
  }
}

TEST_CASE("no file of the executor is longer than a reader's patience") {
  for (const std::string& path : sources()) {
    const std::string text = text_of(kTop / "executor" / path);
    CAPTURE(path);
    CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) <= kMostLines);
  }
}

TEST_CASE("nothing in the tree names a place of the machine it was written on, or a package registry") {
  // In two parts, or this file would name them.
  const std::vector<std::pair<std::string, std::string>> forbidden{
      {"/wor", "k/"},           {"pypi.", "org"},       {"pythonhosted.", "org"}, {"r-project.", "org"},
      {"ghcr.", "io"},          {"docker.", "io"},      {"quay.", "io"},          {"gcr.", "io"},
      {"npmjs.", "org"},        {"crates.", "io"},      {"deb.debian.", "org"},   {"snapshot.debian.", "org"},
      {"proxy.golang.", "org"}, {"conda.", "anaconda"}, {"rubygems.", "org"}};
  std::size_t seen = 0;
  for (const fs::path& path : tree()) {
    const std::string text = text_of(path);
    ++seen;
    CAPTURE(path.string());
    for (const auto& [front, back] : forbidden) {
      CAPTURE(front);
      CHECK(text.find(front + back) == std::string::npos);
    }
  }
  CHECK(seen > 300);
}
