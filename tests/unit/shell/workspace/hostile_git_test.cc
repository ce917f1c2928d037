// Repositories made to run something, to lead elsewhere or to break the reader (DESIGN.md §7, G18).
#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

// A repository with one committed file, and a script that leaves a trace if anything ever runs it.
class HostileStudy : public TestStudy {
 public:
  HostileStudy() {
    write("a.py", "x");
    write(".gitignore", "trap\ntraces/\n");
    git("init -q");
    commit_all();
    shell("mkdir -m 0777 traces");
    write("trap", "#!/bin/sh\ntouch '" + path() + "/traces/ran'\ncat\n", 0755);
    trap_ = path() + "/trap";
  }
  [[nodiscard]] const std::string& trap() const { return trap_; }
  [[nodiscard]] bool trapped() const { return has("traces/ran"); }

 private:
  std::string trap_;
};

const Paths kUsual{".gitignore", "a.py", "project.yaml"};

TEST_SUITE("hostile git repositories" * doctest::skip(!is_root())) {
  TEST_CASE("the trap works: git itself runs the file system monitor of a repository") {
    const HostileStudy study;
    study.git("config core.fsmonitor '" + study.trap() + "'");
    study.git("status");
    CHECK(study.trapped());
  }

  TEST_CASE("monitors, hooks, filters and drivers of a repository never run") {
    const HostileStudy study;
    for (const std::string setting :
         {"core.fsmonitor", "core.hooksPath", "filter.x.clean", "filter.x.smudge", "filter.x.process",
          "diff.x.textconv", "diff.external", "core.sshCommand", "core.pager", "core.askPass",
          "uploadpack.packObjectsHook", "core.alternateRefsCommand", "credential.helper"}) {
      study.git("config " + setting + " '" + study.trap() + "'");
    }
    study.git("config filter.x.required true");
    study.write(".git/info/attributes", "* filter=x diff=x\n");
    for (const std::string hook :
         {"post-index-change", "pre-commit", "post-checkout", "fsmonitor-watchman"}) {
      study.shell("ln -s ../../trap .git/hooks/" + hook);
    }
    study.shell("touch -d '2001-01-01' a.py");  // looks modified, so that git would filter and compare it
    CHECK(code_of(study) == kUsual);
    CHECK_FALSE(study.trapped());
  }

  TEST_CASE("configuration cannot lead to other files or change what is ignored") {
    const HostileStudy study;
    study.write(".git/other.config", "[core]\n\tworktree = /etc\n");
    study.shell("mkdir .git/elsewhere && touch .git/elsewhere/passwd && echo '*' > .git/everything");
    for (const std::string& setting :
         {"core.worktree '" + study.path() + "/.git/elsewhere'", std::string("include.path other.config"),
          "core.excludesFile '" + study.path() + "/.git/everything'", std::string("core.ignoreCase true"),
          std::string("core.attributesFile /etc/passwd"), std::string("core.bare true"),
          std::string("core.repositoryFormatVersion 99"), std::string("extensions.unheardOf true"),
          std::string("core.sparseCheckout true"), std::string("status.showUntrackedFiles no")}) {
      study.git("config --file .git/config " + setting);
    }
    study.write("new.py", "x");
    CHECK(code_of(study) == Paths{".gitignore", "a.py", "new.py", "project.yaml"});
    study.write(".git/config", "\xff\xfe[[[not a configuration");
    CHECK(code_of(study) == Paths{".gitignore", "a.py", "new.py", "project.yaml"});
    study.shell("rm -rf .git/config .git/HEAD .git/objects .git/refs && mkfifo .git/config .git/HEAD");
    CHECK(code_of(study) == Paths{".gitignore", "a.py", "new.py", "project.yaml"});
  }

  TEST_CASE("a repository that is elsewhere is invalid") {
    const HostileStudy elsewhere;
    for (const auto& [how, message] : std::vector<std::pair<std::string, std::string>>{
             {"ln -s '" + elsewhere.path() + "/.git' .git", "\".git\" in the study is a link"},
             {"echo 'gitdir: " + elsewhere.path() + "/.git' > .git",
              "\".git\" in the study is a file: a linked worktree or a submodule, whose index is elsewhere"},
             {"mkfifo .git",
              "\".git\" in the study is a file: a linked worktree or a submodule, whose index is elsewhere"},
             {"mkdir .git && ln -s '" + elsewhere.path() + "/.git/index' .git/index",
              "the git index of the study is not a regular file"},
             {"mkdir .git && mkfifo .git/index", "the git index of the study is not a regular file"}}) {
      const TestStudy study;
      study.shell(how);
      const Error error = refusal_of(study);
      CHECK(error.kind == ErrorKind::kInvalid);
      CHECK(error.message == message);
      CHECK_FALSE(error.hint.empty());
    }
  }

  TEST_CASE("an index that is garbage, cut off, or of a kind that cannot be read is invalid") {
    const HostileStudy study;
    const auto whole = read_beneath(study.fd(), ".git/index", 1U << 20U);
    REQUIRE(whole.ok());
    std::string flipped = *whole;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    std::string many = *whole;
    many[8] = '\x7f';  // two thousand million entries
    for (const std::string& index :
         {std::string("garbage"), whole->substr(0, whole->size() - 30), flipped, many,
          std::string(1U << 20U, '\0'), std::string("DIRC\0\0\0\2\xff\xff\xff\xff", 12)}) {
      study.write(".git/index", index);
      const Error error = refusal_of(study);
      CHECK(error.kind == ErrorKind::kInvalid);
      CHECK(error.message.starts_with("cannot read the git index of the study: "));
    }
    study.write(".git/index", *whole);
    study.git("update-index --split-index");
    CHECK(refusal_of(study).kind == ErrorKind::kInvalid);
  }

  TEST_CASE("index entries with absurd paths reach nothing") {
    const HostileStudy study;
    study.git("update-index --index-version 4");
    CHECK(code_of(study) == kUsual);
    // git refuses to make such entries: rename one in the file, and mend the checksum at its end.
    study.write("zz/etc/passwd", "x");
    study.git("update-index --index-version 2");
    study.git("add zz/etc/passwd");
    study.shell(
        "rm -r zz && sed -i 's,zz/etc,../etc,' .git/index && head -c -20 .git/index > .git/cut && "
        "{ cat .git/cut; sha1sum .git/cut | cut -c1-40 | xxd -r -p; } > .git/index");
    const Error error = refusal_of(study);
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK(error.message == "cannot read the git index of the study: invalid data in index - invalid entry");
  }

  TEST_CASE("rules that take for ever to match, and folders that never end, are bounded") {
    const HostileStudy study;
    std::string rule;
    for (int i = 0; i < 200; ++i) rule += "*a";
    study.write(".gitignore", rule + "b\n" + "**/" + rule + "/**/" + rule + "c\n");
    study.write(std::string(250, 'a'), "x");
    std::string deep = "d";
    for (int i = 0; i < 400; ++i) deep += "/d";
    study.write(deep + "/" + std::string(200, 'a'), "x");
    CHECK(code_of(study).size() == 6);  // the trap is not ignored any more
    const TestStudy deeper;
    deeper.shell("for i in $(seq 30); do mkdir $(printf 'd%.0s' $(seq 100)) && cd d*; done; touch x");
    CHECK(refusal_of(deeper).message.starts_with("the study has folders nested too deeply: "));
  }

  TEST_CASE("a link in place of the ignore rules is not followed") {
    const HostileStudy study;
    study.write("rules", "*.py\n");
    study.shell(
        "rm .gitignore trap && rm -r traces .git/info && ln -s rules .gitignore && mkdir .git/real && "
        "echo '*' > .git/real/exclude && ln -s real .git/info");
    CHECK(code_of(study) == Paths{".gitignore", "a.py", "project.yaml", "rules"});
  }
}

}  // namespace
}  // namespace glovebox
