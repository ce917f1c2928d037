// Code from commits, out of honest and hostile repositories.
#include "shell/workspace/commit.h"

#include <map>

#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

class TestRepository : public TestStudy {
 public:
  TestRepository() {
    git("init -q");
    write("analysis/a.py", "print(1)");
    write("run.sh", "#!/bin/sh\n", 0755);
    link("analysis/a.py", "link");
    commit_all();
  }

  // The first line that a command prints.
  [[nodiscard]] std::string output(const std::string& command) const {
    shell(command + " > .git/printed");
    const auto text = read_beneath(fd(), ".git/printed", 1000);
    REQUIRE(text.ok());
    return text->substr(0, text->find('\n'));
  }
  [[nodiscard]] std::string head() const { return output("git rev-parse HEAD"); }

  // A commit of a tree that git itself would refuse to make: `entries` in the raw format of tree objects.
  [[nodiscard]] std::string commit_of(const std::string& entries) const {
    write(".git/raw", entries);
    return output(
        "git -c user.name=T -c user.email=t@example.org commit-tree -m x "
        "$(git hash-object -t tree --literally -w .git/raw)");
  }
  [[nodiscard]] std::string entry(const std::string& mode, const std::string& name,
                                  const std::string& id) const {
    std::string raw;
    for (std::size_t i = 0; i < id.size(); i += 2)
      raw += static_cast<char>(std::stoi(id.substr(i, 2), nullptr, 16));
    return mode + " " + name + '\0' + raw;
  }
};

struct CommitStaging {
  TempDir store = [] {
    auto dir = TempDir::make("/tmp", "gb-code-");
    REQUIRE(dir.ok());
    return std::move(dir).value();
  }();
  Result<StagedCode> stage(const TestStudy& repository, const std::string& commit,
                           const std::string& branch = "") {
    return stage_commit(store.fd(), repository.fd(), {commit, branch}, kTestWorker);
  }
  Error refusal(const TestStudy& repository, const std::string& commit, const std::string& branch = "") {
    const auto staged = stage(repository, commit, branch);
    REQUIRE_FALSE(staged.ok());
    CHECK(list_directory(store.fd(), 100)->empty());
    return staged.error();
  }
};

Paths names(const StagedCode& code) {
  Paths out;
  for (const CodeFile& file : code.files) out.push_back(file.path.str());
  return out;
}

TEST_SUITE("code from a commit" * doctest::skip(!is_root())) {
  TEST_CASE("a commit gives the same tree as the working tree that it was made of") {
    const TestRepository repository;
    CommitStaging t;
    const auto staged = t.stage(repository, repository.head(), "main");
    REQUIRE_MESSAGE(staged.ok(), staged.error().message);
    CHECK(names(*staged) == Paths{"analysis/a.py", "link", "project.yaml", "run.sh"});
    CHECK(read_beneath(t.store.fd(), staged->tree.hex() + "/analysis/a.py", 100).value() == "print(1)");
    CHECK(staged->files[1].target == "analysis/a.py");
    MemoryCache cache;
    const auto listing = read_study(opened(repository), kTestWorker);
    REQUIRE(listing.ok());
    const auto from_disk = stage_code(t.store.fd(), opened(repository), listing->code, cache);
    REQUIRE(from_disk.ok());
    CHECK(from_disk->tree == staged->tree);
  }

  TEST_CASE("packed and bare repositories serve as well, whoever owns them") {
    const TestRepository repository;
    repository.git("gc -q --aggressive --prune=now");
    CHECK_FALSE(
        repository.has(".git/objects/" + repository.head().substr(0, 2) + "/" + repository.head().substr(2)));
    const TestStudy bare;
    bare.shell("rm project.yaml && git clone -q --no-hardlinks --bare '" + repository.path() +
               "' x && mv x/* . && rmdir x");
    bare.shell("chown -R 4321:4321 . && chmod -R go= .");
    CommitStaging t;
    const auto one = t.stage(repository, repository.head(), "main");
    REQUIRE_MESSAGE(one.ok(), one.error().message);
    const auto two = t.stage(bare, repository.head(), "main");
    REQUIRE_MESSAGE(two.ok(), two.error().message);
    CHECK(one->tree == two->tree);
  }

  TEST_CASE("a commit that is not on the branch is refused, one in its history is not") {
    const TestRepository repository;
    const std::string old = repository.head();
    repository.git("checkout -q -b side");
    repository.git("commit -q --allow-empty -m side");
    const std::string side = repository.head();
    repository.git("checkout -q main");
    repository.git("commit -q --allow-empty -m newer");
    for (const bool packed : {false, true}) {
      if (packed) repository.git("pack-refs --all");
      CommitStaging t;
      CHECK(t.refusal(repository, side, "main").message == "commit " + side + " is not on branch \"main\"");
      CHECK(t.refusal(repository, side, "main").kind == ErrorKind::kRefused);
      CHECK(t.refusal(repository, old, "none").message == "no branch \"none\" in the repository");
      CHECK(t.stage(repository, old, "main").ok());
      CHECK(t.stage(repository, side, "side").ok());
      CHECK(t.stage(repository, side).ok());
    }
  }

  TEST_CASE("ids and branches that are none are invalid") {
    const TestRepository repository;
    CommitStaging t;
    for (const std::string& id :
         {std::string("HEAD"), std::string("main"), std::string(""), std::string(40, 'A'),
          repository.head().substr(0, 39), repository.head() + "\n"}) {
      CHECK(t.refusal(repository, id).message.starts_with("not the id of a commit: "));
    }
    for (const std::string branch : {"../../HEAD", "/etc", "a\nb", "."}) {
      CHECK(t.refusal(repository, repository.head(), branch).kind == ErrorKind::kInvalid);
    }
    CHECK(t.refusal(repository, std::string(40, '0')).kind == ErrorKind::kInvalid);
    const std::string tree = repository.output("git rev-parse HEAD^{tree}");
    CHECK(t.refusal(repository, tree).message.starts_with("cannot read commit " + tree + ": "));
    repository.shell("ln -s /etc/passwd .git/refs/heads/linked && mkfifo .git/refs/heads/pipe");
    CHECK(t.refusal(repository, repository.head(), "linked").message ==
          "no branch \"linked\" in the repository");
    CHECK(t.refusal(repository, repository.head(), "pipe").kind == ErrorKind::kInvalid);
    repository.shell("rm -rf .git");
    CHECK(t.refusal(repository, tree).message == "not a git repository with objects of its own");
  }

  TEST_CASE("an object that is a pipe or a link is refused before anything waits for it") {
    for (const std::string make : {"mkfifo", "ln -s /dev/zero"}) {
      const TestRepository repository;
      const std::string commit = repository.head();
      const std::string object = ".git/objects/" + commit.substr(0, 2) + "/" + commit.substr(2);
      repository.shell("rm -f " + object + " && " + make + " " + object);
      CommitStaging t;
      const Error error = t.refusal(repository, commit);
      CHECK(error.kind == ErrorKind::kInvalid);
      CHECK(error.message ==
            "the repository has something that is no file among its objects: \"" + object + "\"");
    }
    const TestRepository repository;
    repository.shell("mkfifo .git/objects/pack/pack-1.idx");
    CommitStaging t;
    CHECK(t.refusal(repository, repository.head()).message ==
          "the repository has something that is no file among its objects: \".git/objects/pack/pack-1.idx\"");
  }

  TEST_CASE("alternates, replacement refs, grafts, configuration and filters have no effect") {
    const TestRepository repository;
    const std::string commit = repository.head();
    const std::string blob = repository.output("git rev-parse HEAD:analysis/a.py");
    const std::string other = repository.output("echo 'print(666)' | git hash-object -w --stdin");
    repository.git("replace " + blob + " " + other);
    repository.write(".git/info/attributes", "* filter=x text eol=crlf ident\n");
    repository.shell("printf '#!/bin/sh\\ntouch .git/ran\\ncat\\n' > .git/trap && chmod 755 .git/trap");
    repository.git("config filter.x.smudge .git/trap");
    repository.git("config core.fsmonitor .git/trap");
    repository.git("config core.autocrlf true");
    CommitStaging t;
    const auto staged = t.stage(repository, commit, "main");
    REQUIRE_MESSAGE(staged.ok(), staged.error().message);
    CHECK(staged->files[0].digest == Digest::of("print(1)"));
    CHECK_FALSE(repository.has(".git/ran"));

    const TestRepository borrower;
    borrower.shell("cp -r .git/objects .git/lent && rm -rf .git/objects/?? && printf '" + borrower.path() +
                   "/.git/lent\\n' > .git/objects/info/alternates && git cat-file -e HEAD");
    CommitStaging u;
    const Error error = u.refusal(borrower, borrower.head());
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK(error.hint == "the repository must hold its objects itself: alternates are not followed");
  }

  TEST_CASE("trees with names that lead elsewhere are invalid, and nothing is written anywhere") {
    const TestRepository repository;
    const std::string blob = repository.output("git rev-parse HEAD:run.sh");
    const std::string tree = repository.output("git rev-parse HEAD:analysis");
    for (const std::string& name :
         {std::string(".."), std::string("."), std::string(".git"), std::string("../x"),
          std::string("/etc/x"), std::string("a/b"), std::string("a\nb"), std::string("\x1b[2J"),
          std::string("\xff"), std::string(300, 'n')}) {
      for (const bool folder : {false, true}) {
        const std::string commit =
            repository.commit_of(repository.entry(folder ? "40000" : "100644", name, folder ? tree : blob));
        CommitStaging t;
        const Error error = t.refusal(repository, commit);
        CHECK_MESSAGE(error.kind == ErrorKind::kInvalid, name);
        CHECK_MESSAGE(error.message.starts_with("the commit has a file with a name that cannot be used: \""),
                      error.message);
      }
    }
  }

  TEST_CASE("a path that is there twice, as files or as a link and a folder, is invalid") {
    const TestRepository repository;
    const std::string blob = repository.output("git rev-parse HEAD:run.sh");
    const std::string tree = repository.output("git rev-parse HEAD:analysis");
    const std::string target = repository.output("printf /etc | git hash-object -w --stdin");
    CommitStaging t;
    const std::string twice = repository.entry("100644", "x", blob) + repository.entry("100755", "x", blob);
    CHECK(t.refusal(repository, repository.commit_of(twice)).message == "the commit has a path twice: \"x\"");
    const std::string both = repository.entry("120000", "x", target) + repository.entry("40000", "x", tree);
    CHECK(t.refusal(repository, repository.commit_of(both)).message == "the commit has a path twice: \"x\"");
    const std::string empty = repository.output("git hash-object -w --stdin </dev/null");
    CHECK(t.refusal(repository, repository.commit_of(repository.entry("120000", "x", empty))).message ==
          "the commit has a link without a sound target: \"x\"");
  }

  TEST_CASE("submodules are left out with a warning; entries of no known kind are invalid") {
    const TestRepository repository;
    const std::string blob = repository.output("git rev-parse HEAD:run.sh");
    CommitStaging t;
    const std::string odd = repository.commit_of(repository.entry("020000", "device", blob));
    const auto device = t.stage(repository, odd);
    if (device.ok())
      CHECK(device->files[0].kind == CodeKind::kFile);  // libgit2 takes odd modes for plain files
    const auto staged =
        t.stage(repository, repository.commit_of(repository.entry("100644", "a", blob) +
                                                 repository.entry("160000", "sub", repository.head())));
    REQUIRE_MESSAGE(staged.ok(), staged.error().message);
    CHECK(names(*staged) == Paths{"a"});
    CHECK(staged->warnings == Paths{"\"sub\" is a submodule: left out"});
  }

  TEST_CASE("a tree that holds itself tenfold, level after level, is refused in bounded time and space") {
    const TestRepository repository;
    std::string id = repository.output("printf x | git hash-object -w --stdin");
    std::string mode = "100644";
    for (int level = 0; level < 12; ++level) {
      std::string entries;
      for (char name = 'a'; name < 'k'; ++name) entries += repository.entry(mode, std::string(1, name), id);
      id = repository.output("git rev-parse " + repository.commit_of(entries) + "^{tree}");
      mode = "40000";
    }
    const std::string commit = repository.commit_of(repository.entry(mode, "top", id));
    CommitStaging t;
    const Error error = t.refusal(repository, commit);
    CHECK(error.kind == ErrorKind::kRefused);
    CHECK(error.message == "the commit has more than 200000 files");
  }

  TEST_CASE("broken, missing and oversized objects end in an error, and nothing is staged") {
    const TestRepository repository;
    const std::string commit = repository.head();
    const std::string blob = repository.output("git rev-parse HEAD:run.sh");
    const std::string object = ".git/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
    const std::string other = repository.output("echo other | git hash-object -w --stdin");
    const std::string imposter = ".git/objects/" + other.substr(0, 2) + "/" + other.substr(2);
    CommitStaging t;
    repository.shell("cp " + object + " .git/kept && chmod u+w " + object);
    for (const std::string& damage : {"cp -f " + imposter + " " + object, "echo garbage > " + object,
                                      "head -c 10 .git/kept > " + object, "rm -f " + object}) {
      repository.shell(damage);
      const Error error = t.refusal(repository, commit);
      CHECK_MESSAGE(error.message.starts_with("cannot read \"run.sh\": "), damage << ": " << error.message);
    }
    repository.shell("rm -f " + object + " && cp .git/kept " + object);
    CHECK(t.stage(repository, commit).ok());
    repository.shell("truncate -s 200M big.csv");
    repository.commit_all();
    const auto staged = t.stage(repository, repository.head());
    REQUIRE_FALSE(staged.ok());
    CHECK(staged.error().kind == ErrorKind::kRefused);
    CHECK(staged.error().message == "\"big.csv\" is larger than 128 MiB");
  }
}

}  // namespace
}  // namespace glovebox
