#include "shell/workspace/inputs.h"

#include <sys/mman.h>

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

// Writes through a mapping whose page is dirty already: the file's times stand still.
class QuietWriter {
 public:
  explicit QuietWriter(const TestStudy& study, const std::string& name) {
    const UniqueFd fd = open_beneath(study.fd(), name, O_RDWR).value();
    memory_ = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    REQUIRE(memory_ != MAP_FAILED);
  }
  QuietWriter(const QuietWriter&) = delete;
  QuietWriter& operator=(const QuietWriter&) = delete;
  ~QuietWriter() { ::munmap(memory_, kSize); }
  void write(char c) const { *static_cast<volatile char*>(memory_) = c; }

 private:
  static constexpr std::size_t kSize = 4096;
  void* memory_ = nullptr;
};

TEST_CASE(
    "an input that somebody has open for writing, or mapped so, is refused, and taken once he is gone") {
  const TestStudy study;
  study.write("output/a.csv", "one");
  MemoryCache cache;
  {
    const QuietWriter writer(study, "output/a.csv");
    writer.write('o');
    const auto found = find_inputs(opened(study), {wanted("output/a.csv", "one")}, cache);
    REQUIRE_FALSE(found.ok());
    CHECK(found.error().kind == ErrorKind::kInvalid);
    CHECK(found.error().message == "\"output/a.csv\" is open for writing in another program");
    writer.write('0');
  }
  const auto found = find_inputs(opened(study), {wanted("output/a.csv", "0ne")}, cache);
  REQUIRE_MESSAGE(found.ok(), found.error().message);
}

TEST_CASE("whoever begins to write to an input once its digest is known moves its times") {
  const TestStudy study;
  study.write("output/a.csv", "one");
  MemoryCache cache;
  const std::vector<WantedInput> inputs{wanted("output/a.csv", "one")};
  const auto before = find_inputs(opened(study), inputs, cache);
  REQUIRE(before.ok());
  ::usleep(20'000);  // times move in ticks of up to 10 ms
  const QuietWriter writer(study, "output/a.csv");
  writer.write('0');
  const auto info = stat_of(open_beneath(study.fd(), "output/a.csv", O_RDONLY)->get()).value();
  CHECK_FALSE(stamp_of(info) == before->at(0).stamp);
}

TEST_CASE("the digest of a file that somebody writes to is not remembered") {
  const TestStudy study;
  study.write("notes.txt", "one");
  MemoryCache cache;
  const auto info = stat_of(open_beneath(study.fd(), "notes.txt", O_RDONLY)->get()).value();
  const std::vector<StampedPath> files{{path_of("notes.txt"), stamp_of(info)}};
  for (const bool written : {true, false}) {
    const UniqueFd writer = written ? open_beneath(study.fd(), "notes.txt", O_WRONLY).value() : UniqueFd();
    const auto digests = digests_of(study.fd(), files, cache);
    REQUIRE_MESSAGE(digests.ok(), digests.error().message);
    CHECK(digests->at(0) == Digest::of("one"));
    CHECK(cache.lookup({files[0].stamp})->at(0).has_value() != written);
  }
}

}  // namespace
}  // namespace glovebox
