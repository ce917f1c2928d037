#include "shell/workspace/stage.h"

#include <sys/wait.h>

#include <map>

#include "shell/sys/scan.h"
#include "shell/workspace/code_store.h"
#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

// A store for the trees, and a study to stage.
struct Staging {
  TestStudy study;
  TempDir store = [] {
    auto dir = TempDir::make("/tmp", "gb-code-");
    REQUIRE(dir.ok());
    return std::move(dir).value();
  }();
  MemoryCache cache;

  Result<StagedCode> stage(const Paths& names) {
    std::vector<RelPath> code;
    for (const std::string& name : names) code.push_back(path_of(name));
    return stage_code(store.fd(), opened(study), code, cache);
  }
  [[nodiscard]] std::vector<std::string> trees() const {
    const auto names = list_directory(store.fd(), 1000);
    REQUIRE(names.ok());
    return *names;
  }
  [[nodiscard]] std::string in_tree(const Digest& tree, const std::string& name) const {
    const auto text = read_beneath(store.fd(), tree.hex() + "/" + name, 1U << 20U);
    return text.ok() ? *text : "(" + text.error().message + ")";
  }
  [[nodiscard]] struct stat attributes(const Digest& tree, const std::string& name) const {
    struct stat info {};
    REQUIRE(::fstatat(store.fd(), (tree.hex() + "/" + name).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0);
    return info;
  }
};

TEST_CASE("code is copied with its execute bits and links, as root's own, and described") {
  Staging t;
  t.study.write("analysis/deep/a.py", "print(1)", 0600);
  t.study.write("run.sh", "#!/bin/sh\n", 0700);
  t.study.link("/etc/passwd", "analysis/link");
  ::umask(0077);
  const auto staged = t.stage({"analysis/deep/a.py", "analysis/link", "project.yaml", "run.sh"});
  ::umask(0022);
  REQUIRE_MESSAGE(staged.ok(), staged.error().message);
  CHECK(t.trees() == Paths{staged->tree.hex()});
  CHECK(t.in_tree(staged->tree, "analysis/deep/a.py") == "print(1)");
  const std::map<std::string, mode_t> modes{{".", S_IFDIR | 0755},
                                            {"analysis", S_IFDIR | 0755},
                                            {"analysis/deep", S_IFDIR | 0755},
                                            {"analysis/deep/a.py", S_IFREG | 0644},
                                            {"analysis/link", S_IFLNK | 0777},
                                            {"run.sh", S_IFREG | 0755}};
  for (const auto& [name, mode] : modes) {
    CHECK_MESSAGE(t.attributes(staged->tree, name).st_mode == mode, name);
    CHECK(t.attributes(staged->tree, name).st_uid == ::getuid());
  }
  REQUIRE(staged->files.size() == 4);
  CHECK(staged->files[0].digest == Digest::of("print(1)"));
  CHECK(staged->files[0].size == 8);
  CHECK(staged->files[0].kind == CodeKind::kFile);
  CHECK(staged->files[1].kind == CodeKind::kLink);
  CHECK(staged->files[1].target == "/etc/passwd");
  CHECK(staged->files[1].digest == Digest::of("/etc/passwd"));
  CHECK(staged->files[3].kind == CodeKind::kExecutable);
}

TEST_CASE("the tree's digest is that of the canonical listing, and each fact changes it") {
  const CodeFile file{path_of("a"), CodeKind::kFile, 1, Digest::of("x"), ""};
  const auto& raw = file.digest.bytes();
  std::string listing = std::string("glovebox code 1\nf\0a\0", 20);
  listing.append(raw.begin(), raw.end());
  const Digest digest = code_digest({file});
  CHECK(digest == Digest::of(listing));
  CodeFile other = file;
  other.kind = CodeKind::kExecutable;
  CHECK(code_digest({other}) != digest);
  other = file;
  other.path = path_of("b");
  CHECK(code_digest({other}) != digest);
  other = file;
  other.digest = Digest::of("y");
  CHECK(code_digest({other}) != digest);
  CHECK(code_digest({}) == Digest::of("glovebox code 1\n"));
}

TEST_CASE("code that did not change is neither read nor copied again") {
  Staging t;
  t.study.write("a.py", "1");
  const auto first = t.stage({"a.py", "project.yaml"});
  REQUIRE(first.ok());
  CHECK(t.cache.read() == 2);
  const ino_t inode = t.attributes(first->tree, ".").st_ino;
  const auto second = t.stage({"a.py", "project.yaml"});
  REQUIRE(second.ok());
  CHECK(second->tree == first->tree);
  CHECK(t.cache.read() == 0);
  CHECK(t.attributes(first->tree, ".").st_ino == inode);
  t.study.write("a.py", "2");
  const auto third = t.stage({"a.py", "project.yaml"});
  REQUIRE(third.ok());
  CHECK(third->tree != first->tree);
  CHECK(t.cache.read() == 1);
  CHECK(t.in_tree(first->tree, "a.py") == "1");
  CHECK(t.in_tree(third->tree, "a.py") == "2");
}

TEST_CASE("a cached digest that is not the content's any more is found out when copying") {
  Staging t;
  t.study.write("a.py", "12345");
  REQUIRE(t.stage({"a.py"}).ok());
  struct stat info {};
  REQUIRE(::stat((t.study.path() + "/a.py").c_str(), &info) == 0);
  Staging lied;
  lied.study.write("a.py", "12345");
  REQUIRE(::stat((lied.study.path() + "/a.py").c_str(), &info) == 0);
  REQUIRE(lied.cache.remember({{stamp_of(info), Digest::of("other")}}, 0).ok());
  const auto staged = lied.stage({"a.py"});
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.error().kind == ErrorKind::kInvalid);
  CHECK(staged.error().message == "\"a.py\" was changed while it was read");
  CHECK(lied.trees().empty());
}

TEST_CASE("a file that vanished, or is reached through a link, is not staged, and nothing is left behind") {
  Staging t;
  t.study.shell("mkdir real && touch real/f && ln -s real folder && mkfifo pipe && ln -s /etc etc");
  for (const std::string name : {"none.py", "folder/f", "pipe", "real", "etc/passwd"}) {
    const auto staged = t.stage({name});
    REQUIRE_FALSE(staged.ok());
    CHECK(staged.error().kind == ErrorKind::kInvalid);
    CHECK(staged.error().message == "\"" + name + "\" was changed while the study was read");
    CHECK_FALSE(staged.error().hint.empty());
  }
  CHECK(t.trees().empty());
}

TEST_CASE("what a killed process left in the store is removed by a later one; what is in the making is not") {
  Staging t;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    auto tree = NewTree::begin(t.store.fd());
    ::_exit(tree.ok() && make_directories(t.store.fd(), ".new-1-0/a/b", 0700).ok() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(status == 0);
  REQUIRE(t.trees().size() == 2);
  const auto living = NewTree::begin(t.store.fd());
  REQUIRE(living.ok());
  REQUIRE(t.trees().size() == 3);
  t.study.write("a.py", "1");
  const auto staged = t.stage({"a.py"});
  REQUIRE(staged.ok());
  const auto left = t.trees();
  REQUIRE(left.size() == 2);
  CHECK(left[0].starts_with(".new-" + std::to_string(::getpid())));
  CHECK(left[1] == staged->tree.hex());
}

TEST_CASE("several processes that stage the same code at once leave one whole tree") {
  Staging t;
  Paths names;
  for (int i = 0; i < 50; ++i) {
    names.push_back("f" + std::to_string(100 + i));
    t.study.write(names.back(), std::to_string(i));
  }
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(t.stage(names).ok() ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const auto staged = t.stage(names);
  REQUIRE(staged.ok());
  CHECK(t.trees() == Paths{staged->tree.hex()});
  CHECK(t.in_tree(staged->tree, "f149") == "49");
}

TEST_CASE("a sparse file of terabytes is refused before it is read") {
  Staging t;
  t.study.shell("truncate -s 10T huge.bin");
  const auto staged = t.stage({"huge.bin"});
  REQUIRE_FALSE(staged.ok());
  CHECK(staged.error().kind == ErrorKind::kRefused);
  CHECK(staged.error().message == "the study's code is larger than 10 GiB");
}

}  // namespace
}  // namespace glovebox
