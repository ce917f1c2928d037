// Which files of a study are its code, in repositories of every kind.
#include "shell/workspace/listing.h"

#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

TEST_SUITE("the code of a study" * doctest::skip(!is_root())) {
  TEST_CASE("without git it is every file but outputs, metadata and our own folder") {
    const TestStudy study;
    study.write("analysis/extract.py", "x");
    study.write("analysis/metadata/notes.txt", "x");
    study.write("output/a.csv", "x");
    study.write("output/a.txt", "x");
    study.write("output/deep/a.csv", "x");
    study.write("metadata/extract.log", "x");
    study.write(".glovebox/level4/x", "x");
    study.write("vendored/.git/config", "x");
    study.write(".gitignore", "*\n");
    study.write("it's \"odd\".py", "x");
    study.shell("mkdir empty");
    CHECK(code_of(study) == Paths{".gitignore", "analysis/extract.py", "analysis/metadata/notes.txt",
                                  "it's \"odd\".py", "output/a.txt", "output/deep/a.csv", "project.yaml"});
  }

  TEST_CASE("with git it is what git tracks and new files that git does not ignore") {
    const TestStudy study;
    study.write("a.py", "x");
    study.write("deleted.py", "x");
    study.write("forced/kept.csv", "x");
    study.write(".gitignore", "*.csv\nbuild/\n/output/\n!codelists/*.csv\n");
    study.git("init -q");
    study.git("add -f forced/kept.csv");
    study.commit_all();
    study.shell("rm deleted.py");
    study.write("new.py", "x");
    study.write("forced/other.csv", "x");
    study.write("codelists/asthma.csv", "x");
    study.write("build/x.o", "x");
    study.write("output/x.txt", "x");
    study.write("nested/.gitignore", "*\n!keep.csv\n!.gitignore\n");
    study.write("nested/keep.csv", "x");
    study.write("nested/drop.py", "x");
    study.write(".git/info/exclude", "secret.txt\n");
    study.write("secret.txt", "x");
    CHECK(code_of(study) == Paths{".gitignore", "a.py", "codelists/asthma.csv", "forced/kept.csv",
                                  "nested/.gitignore", "nested/keep.csv", "new.py", "project.yaml"});
  }

  TEST_CASE("a new file that an output pattern matches is no code, and a staged one counts as tracked") {
    const TestStudy study;
    study.git("init -q");
    study.write("output/new.csv", "x");
    study.write("staged.py", "x");
    study.git("add staged.py");
    CHECK(code_of(study) == Paths{"project.yaml", "staged.py"});
  }

  TEST_CASE("an output pattern that matches a file that git tracks is invalid, and both are named") {
    const TestStudy study;
    study.git("init -q");
    study.write("output/original.csv", "x");
    study.commit_all();
    const Error error = refusal_of(study);
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK(error.message ==
          "output pattern \"output/*.csv\" of action \"extract\" matches \"output/original.csv\", which git "
          "tracks");
    study.shell("rm output/original.csv");  // git still tracks it
    CHECK(refusal_of(study).message == error.message);
  }

  TEST_CASE("tracked folders that are ours to write are invalid") {
    for (const std::string file : {".glovebox/x", "metadata/manifest.json", ".glovebox", "metadata"}) {
      const TestStudy study;
      study.git("init -q");
      study.write(file, "x");
      study.commit_all();
      study.shell("rm -r " + file.substr(0, file.find('/')));
      const Error error = refusal_of(study);
      CHECK(error.kind == ErrorKind::kInvalid);
      CHECK(error.message == "git tracks \"" + file.substr(0, file.find('/')) +
                                 "\" in the study, which is Glovebox's to write");
    }
  }

  TEST_CASE("links are listed as links and never followed") {
    const TestStudy study;
    study.git("init -q");
    study.shell("mkdir real && touch real/f && ln -s real folder && ln -s /etc/passwd out && ln -s /etc etc");
    study.commit_all();
    study.shell("ln -s nowhere fresh");
    CHECK(code_of(study) == Paths{"etc", "folder", "fresh", "out", "project.yaml", "real/f"});
    // A tracked folder that became a link: git counts its files as deleted.
    study.shell("rm -r real && ln -s /etc real");
    CHECK(code_of(study) == Paths{"etc", "folder", "fresh", "out", "project.yaml", "real"});
  }

  TEST_CASE("special files, submodules and nested repositories are left out, and said so") {
    const TestStudy study;
    study.git("init -q");
    study.git("init -q sub");
    study.shell("touch sub/inner.py");
    study.git("-C sub add -A");
    study.git("-C sub commit -q -m x");
    study.commit_all();  // sub is now a gitlink
    study.git("init -q nested");
    study.shell("touch nested/x.py && mkfifo pipe");
    const auto listing = read_study(opened(study), kTestWorker);
    REQUIRE_MESSAGE(listing.ok(), listing.error().message);
    CHECK(texts(listing->code) == Paths{"project.yaml"});
    CHECK(listing->warnings == Paths{"\"pipe\" is neither a file nor a link: left out",
                                     "\"sub\" is a submodule: left out",
                                     "\"nested\" is a git repository of its own: left out"});
  }

  TEST_CASE(
      "a file of code with a name that no path of ours may have is invalid; ignored or not ours is fine") {
    for (const auto& [name, shown] : std::vector<std::pair<std::string, std::string>>{
             {"a\nb.py", "path \"a\\nb.py\" has control or invisible characters"},
             {"\x1b[31m.py", "path \"\\x1B[31m.py\" has control or invisible characters"},
             {"\xff.py", "path \"\\xFF.py\" is not UTF-8"},
             {"rtl\xE2\x80\xAE.py", "path \"rtl\\u{202E}.py\" has control or invisible characters"}}) {
      const TestStudy study;
      study.git("init -q");
      study.commit_all();
      study.write(name, "x");
      const Error error = refusal_of(study);
      CHECK(error.kind == ErrorKind::kInvalid);
      CHECK(error.message == "a file of the study has a name that cannot be used: " + shown);
      CHECK(error.hint == "rename it, or have git ignore it (.gitignore)");
      study.commit_all();
      CHECK(refusal_of(study).message == error.message);
      study.git("rm -q --cached -- *.py");
      study.write(".gitignore", "*.py\n");
      CHECK(code_of(study) == Paths{".gitignore", "project.yaml"});
    }
  }

  TEST_CASE("a project with mistakes is reported, with nothing else") {
    const TestStudy study;
    study.write("project.yaml", "version: 4\nactions:\n  a: 1\n");
    const auto listing = read_study(opened(study), kTestWorker);
    REQUIRE_MESSAGE(listing.ok(), listing.error().message);
    CHECK_FALSE(listing->report.errors.empty());
    CHECK(listing->code.empty());
  }

  TEST_CASE("a study without a project file, or with something else in its place, is invalid") {
    const TestStudy study;
    study.shell("rm project.yaml");
    const Error missing = refusal_of(study);
    CHECK(missing.kind == ErrorKind::kInvalid);
    CHECK(missing.message == "no project.yaml in \"" + study.path() + "\"");
    for (const std::string how : {"ln -s /etc/passwd", "mkdir", "mkfifo"}) {
      study.shell("rm -rf project.yaml && " + how + " project.yaml");
      CHECK(refusal_of(study).message == "project.yaml in \"" + study.path() + "\" is not a regular file");
      CHECK(read_project(opened(study), kTestWorker).error().kind == ErrorKind::kInvalid);
    }
  }

  TEST_CASE("a folder that the study's owner may not read is invalid") {
    const TestStudy study;
    study.shell("mkdir locked && chown 1234 locked && chmod 0700 locked");
    const Error error = refusal_of(study);
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK(error.message == "cannot list a folder of the study: cannot open \"locked/.\": Permission denied");
    CHECK(error.hint == "all folders must be readable for the study's owner, and on one file system");
  }

  TEST_CASE("files that belong to somebody else are read through the owner's eyes") {
    const TestStudy study;
    study.git("init -q");
    study.write("private.py", "x", 0600);
    study.commit_all();
    study.shell("chown -R 4321:4321 . && chmod 0700 .");
    CHECK(code_of(study) == Paths{"private.py", "project.yaml"});
    const auto report = read_project(opened(study), kTestWorker);
    REQUIRE_MESSAGE(report.ok(), report.error().message);
    CHECK(report->project->actions.size() == 1);
  }
}

TEST_CASE("exec sees every regular file but those of git and our own") {
  const TestStudy study;
  study.write("a.csv", "x");
  study.write("metadata/x", "x");
  study.write("sub/.git/x", "x");
  study.write(".git/x", "x");
  study.write(".glovebox/exec/1/x", "x");
  study.write(".gitignore", "*\n");
  study.shell("ln -s a.csv link && mkfifo pipe");
  const auto files = list_everything(opened(study));
  REQUIRE(files.ok());
  CHECK(texts(*files) == Paths{".gitignore", "a.csv", "metadata/x", "project.yaml"});
}

}  // namespace
}  // namespace glovebox
