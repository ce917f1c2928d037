#include "shell/workspace/study.h"

#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

TEST_CASE("a study is opened by its directory, whose name may hold spaces and quotes") {
  const TestStudy study;
  const std::string odd = study.path() + "/it's a \"study\"";
  REQUIRE(::mkdir(odd.c_str(), 0755) == 0);
  REQUIRE(::chown(odd.c_str(), is_root() ? 12345 : ::getuid(), is_root() ? 23456 : ::getgid()) == 0);
  for (const std::string& path : {odd, odd + "/", odd + "/."}) {
    const auto result = Study::open(path);
    REQUIRE_MESSAGE(result.ok(), result.error().message);
    CHECK(result->owner() == (is_root() ? 12345 : ::getuid()));
    CHECK(result->group() == (is_root() ? 23456 : ::getgid()));
  }
}

TEST_CASE("a study that is missing, a file or a link is invalid, with what to do") {
  const TestStudy study;
  const auto message = [&](const std::string& name) {
    const auto result = Study::open(study.path() + name);
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().kind == ErrorKind::kInvalid);
    CHECK_FALSE(result.error().hint.empty());
    return result.error().message;
  };
  CHECK(message("/none") == "no such study: \"" + study.path() + "/none\"");
  CHECK(message("/project.yaml") == "the study \"" + study.path() + "/project.yaml\" is not a directory");
  study.shell("mkdir real && ln -s real link && ln -s nowhere dangling");
  for (const std::string name : {"/link", "/link/", "/link///", "/link/.", "/dangling"}) {
    CHECK(message(name) == "the study \"" + study.path() + name + "\" is a symbolic link");
  }
  CHECK(message("/a\nb") == "no such study: \"" + study.path() + "/a\\nb\"");
  CHECK_FALSE(Study::open("").ok());
}

TEST_CASE("what Glovebox writes to in a study must be directories of the study's own") {
  for (const std::string name : {".glovebox", "metadata"}) {
    for (const std::string how : {"ln -s /etc ", "ln -s . ", "touch ", "mkfifo "}) {
      const TestStudy study;
      study.shell(how + name);
      const auto result = Study::open(study.path());
      REQUIRE_FALSE(result.ok());
      CHECK(result.error().kind == ErrorKind::kInvalid);
      CHECK(result.error().message ==
            "\"" + name + "\" in the study is " + (how.starts_with("ln") ? "a link" : "not a directory"));
      CHECK(Study::open(study.path(), Study::Use::kExec).ok() == (name == "metadata"));
    }
    const TestStudy study;
    study.shell("mkdir " + name);
    CHECK(Study::open(study.path()).ok());
  }
}

}  // namespace
}  // namespace glovebox
