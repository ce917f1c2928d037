// Starting programs.
#include "shell/sys/spawn.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "shell/sys/file.h"

namespace glovebox {
namespace {

TEST_CASE("a program that cannot enter its groups, or get its descriptor, is not executed") {
  const TempDir dir = TempDir::make("/tmp", "glovebox-spawn-").value();
  const UniqueFd closed_to_writing = open_path("/dev/null", O_RDONLY).value();
  const std::string made = dir.path() + "/made";
  SpawnSpec fine;
  fine.argv = {"/bin/sh", "-c", "echo >\"$0\"", made};
  SpawnSpec outside = fine;
  outside.cgroups = {closed_to_writing.get()};
  SpawnSpec without = fine;
  without.third_fd = 1'000'000;
  for (const SpawnSpec& spec : {outside, without}) {
    const auto child = spawn(spec);
    REQUIRE_FALSE(child.ok());
    CHECK(child.error().message.find("cannot start \"/bin/sh\": ") == 0);
  }
  ::usleep(100'000);
  CHECK(::access(made.c_str(), F_OK) != 0);
  REQUIRE(spawn(fine)->wait().ok());
  CHECK(::access(made.c_str(), F_OK) == 0);
}

}  // namespace
}  // namespace glovebox
