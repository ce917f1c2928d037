// An image's later life: verified, removed, and cut off half-way.
#include <doctest/doctest.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/unit/shell/images/store_bench.h"

namespace glovebox {
namespace {

namespace fs = std::filesystem;
using testing::Bench;
using testing::kSmall;
using testing::MadeImage;
using testing::not_root;
using testing::read_text;
using testing::TarEntry;
using testing::write_text;

TEST_CASE("verify finds a flipped byte, a mode, an owner, and files that came or went" *
          doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer(kSmall);
  made.write();
  ImageStore store = bench.store();
  const ImageName name = ImageName::parse("made:v1").value();
  const auto image = store.import(bench.layout(), "");
  REQUIRE(image.ok());
  const std::string tree = bench.tree(*image) + "/";
  const auto problems = [&] { return store.verify(name).value(); };
  using Problems = std::vector<std::string>;
  write_text(tree + "etc/os", "y");
  CHECK(problems() == Problems{"changed \"etc/os\""});
  write_text(tree + "etc/os", "x");
  CHECK(problems().empty());
  REQUIRE(::chmod((tree + "etc/os").c_str(), 0666) == 0);
  CHECK(problems() == Problems{"mode of \"etc/os\""});
  REQUIRE(::chmod((tree + "etc/os").c_str(), 0644) == 0);
  REQUIRE(::chmod((tree + "bin/sh").c_str(), 0644) == 0);
  CHECK(problems() == Problems{"changed \"bin/sh\""});
  REQUIRE(::chmod((tree + "bin/sh").c_str(), 0755) == 0);
  REQUIRE(::lchown((tree + "etc").c_str(), 1, 0) == 0);
  CHECK(problems() == Problems{"owner of \"etc\""});
  REQUIRE(::lchown((tree + "etc").c_str(), 0, 0) == 0);
  write_text(tree + "extra", "");
  CHECK(problems() == Problems{"added \"extra\""});
  fs::remove(tree + "extra");
  fs::rename(tree + "etc/os", tree + "os");
  fs::create_symlink("../os", tree + "etc/os");
  CHECK(problems() == Problems{"changed \"etc/os\"", "added \"os\""});
  fs::remove(tree + "os");
  fs::remove(tree + "etc/os");
  CHECK(problems() == Problems{"missing \"etc/os\""});
  write_text(tree + "etc/os", "x");
  CHECK(problems().empty());
  const std::string blob = bench.images() + "/blobs/sha256/" + image->record.layers[0].digest.hex();
  std::string data = read_text(blob);
  data[10] = static_cast<char>(data[10] ^ 1);
  write_text(blob, data);
  CHECK(problems() == Problems{"changed blob " + image->record.layers[0].digest.str()});
  REQUIRE(store.import(bench.layout(), "").ok());  // mends it
  CHECK(problems().empty());
  const std::string list = bench.images() + "/info/" + image->record.manifest.digest.hex() + ".list";
  const std::string listing = read_text(list);
  write_text(list, listing + "f");
  CHECK(problems() == Problems{"changed listing of the image's files"});
  write_text(list, listing);
  fs::rename(bench.tree(*image), bench.images() + "/elsewhere");
  CHECK(problems() == Problems{"missing the unpacked files"});
}

TEST_CASE("removing a name removes what no other name refers to" * doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer(kSmall);
  made.write();
  ImageStore store = bench.store();
  REQUIRE(store.import(bench.layout(), "").ok());
  const auto second = store.import(bench.layout(), "other:v2");
  REQUIRE(second.ok());
  CHECK(store.list()->size() == 2);
  REQUIRE(store.remove(ImageName::parse("made:v1").value()).ok());
  CHECK(fs::exists(bench.tree(*second) + "/bin/sh"));
  {
    const auto in_use = store.open_tree(second->record.manifest.digest);
    REQUIRE(in_use.ok());
    const Status refused = bench.store().remove(ImageName::parse("other:v2").value());
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message == "an action is using the image other:v2");
    CHECK(store.resolve(ImageName::parse("other:v2").value()).ok());
  }
  REQUIRE(store.remove(ImageName::parse("other:v2").value()).ok());
  CHECK(bench.leftovers() == 0);
  const auto gone = store.resolve(ImageName::parse("other:v2").value());
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().kind == ErrorKind::kRefused);
  CHECK(gone.error().message == "there is no image other:v2 on this host");
}

TEST_CASE("an import that was killed leaves nothing once the store is opened again" *
          doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  std::vector<TarEntry> many;
  for (int i = 0; i < 3000; ++i) many.push_back({'f', "dir/f" + std::to_string(i), std::string(1000, 'x')});
  made.add_layer(many);
  made.write();
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  for (const int pause_ms : {1, 3, 8, 20, 50, 120}) {
    (void)bench.store();
    const pid_t child = ::fork();
    if (child == 0) {
      ImageStore store = bench.store();
      (void)store.import(bench.layout(), "").ok();
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(pause_ms) * 1000);
    ::kill(child, SIGKILL);
    // Its worker dies with it, but may hold the lock for that long: becoming ours, it can be waited for.
    while (::waitpid(-1, nullptr, 0) > 0) {
    }
    ImageStore store = bench.store();
    CHECK(fs::is_empty(bench.images() + "/tmp"));
    const ImageName name = ImageName::parse("made:v1").value();
    if (store.resolve(name).ok()) {
      CHECK(store.verify(name)->empty());  // it had finished
      REQUIRE(store.remove(name).ok());
    }
    CHECK(bench.leftovers() == 0);
  }
  CHECK(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

}  // namespace
}  // namespace glovebox
