#include "shell/sys/fd.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>

#include "shell/sys/file.h"

using namespace glovebox;
namespace fs = std::filesystem;

TEST_CASE("a resolved path is opened only where no component of it has become a link") {
  const TempDir dir = TempDir::make(fs::canonical("/var/tmp").string(), "glovebox-fd-").value();
  const std::string path = dir.path() + "/a/b/study";
  fs::create_directories(path);
  REQUIRE(open_resolved(path, O_RDONLY | O_DIRECTORY).ok());
  for (const char* part : {"/a", "/a/b", "/a/b/study"}) {
    const std::string name = dir.path() + part;
    fs::rename(name, dir.path() + "/moved");
    fs::create_directory_symlink(dir.path() + "/moved", name);
    CAPTURE(part);
    CHECK(fs::exists(path));  // to whoever follows links, nothing has changed
    CHECK_FALSE(open_resolved(path, O_RDONLY | O_DIRECTORY).ok());
    fs::remove(name);
    fs::rename(dir.path() + "/moved", name);
  }
  CHECK(open_resolved(path, O_RDONLY | O_DIRECTORY).ok());
  CHECK(open_resolved("a/b", O_RDONLY).error().message == "not an absolute path: \"a/b\"");
  CHECK(open_resolved("", O_RDONLY).error().message == "not an absolute path: \"\"");
}

TEST_CASE("a pipe is readable when it holds something or its other end is gone") {
  Pipe pipe = make_pipe().value();
  CHECK_FALSE(is_readable(pipe.read.get()));
  REQUIRE(write_all(pipe.write.get(), "x").ok());
  CHECK(is_readable(pipe.read.get()));
  char byte = 0;
  REQUIRE(::read(pipe.read.get(), &byte, 1) == 1);
  CHECK_FALSE(is_readable(pipe.read.get()));
  pipe.write.reset();
  CHECK(is_readable(pipe.read.get()));
  CHECK_FALSE(is_readable(-1));
}
