#include "shell/workspace/inputs.h"

#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

WantedInput wanted(const std::string& path, const std::string& content) {
  auto action = ActionName::parse("extract");
  REQUIRE(action.ok());
  return {path_of(path), Digest::of(content), std::move(action).value(), "attempt-1"};
}

TEST_CASE("recorded outputs that are still what they were become inputs, with their owner") {
  const TestStudy study;
  study.write("output/a.csv", "one", 0600);
  study.write("output/b.csv", "three");
  if (is_root()) study.shell("chown 4321:1234 output/a.csv");
  MemoryCache cache;
  for (const std::size_t reads : {2U, 0U}) {  // the second time nothing is read
    const auto found =
        find_inputs(opened(study), {wanted("output/b.csv", "three"), wanted("output/a.csv", "one")}, cache);
    REQUIRE_MESSAGE(found.ok(), found.error().message);
    REQUIRE(found->size() == 2);
    CHECK((*found)[0].file.path.str() == "output/b.csv");
    CHECK((*found)[0].file.size == 5);
    CHECK((*found)[0].file.digest == Digest::of("three"));
    CHECK((*found)[0].file.produced_by == "attempt-1");
    CHECK((*found)[1].owner == (is_root() ? 4321 : ::getuid()));
    CHECK((*found)[1].group == (is_root() ? 1234 : ::getgid()));
    CHECK(cache.read() == reads);
  }
}

TEST_CASE("an input that is missing, changed, a link or behind a link is refused, naming file and action") {
  const TestStudy study;
  study.write("output/changed.csv", "two");
  study.write("output/real.csv", "one");
  study.shell(
      "ln -s real.csv output/link.csv && ln -s output folder && mkfifo output/pipe.csv && mkdir "
      "output/d.csv");
  MemoryCache cache;
  for (const auto& [path, what] : std::vector<std::pair<std::string, std::string>>{
           {"output/none.csv", "is missing"},
           {"none/none.csv", "is missing"},
           {"folder/real.csv", "is missing"},
           {"output/changed.csv", "was changed since it was made"},
           {"output/link.csv", "is not a regular file"},
           {"output/pipe.csv", "is not a regular file"},
           {"output/d.csv", "is not a regular file"}}) {
    const auto found =
        find_inputs(opened(study), {wanted("output/real.csv", "one"), wanted(path, "one")}, cache);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == ErrorKind::kRefused);
    CHECK(found.error().message == "input \"" + path + "\" " + what);
    CHECK(found.error().hint == "action \"extract\" makes it: run it again with --force");
  }
}

}  // namespace
}  // namespace glovebox
