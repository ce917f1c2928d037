// The image store with images made by hand. Needs root, as import does.
#include "shell/images/store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "tests/unit/shell/images/made_image.h"

namespace glovebox {
namespace {

namespace fs = std::filesystem;
using testing::Compression;
using testing::MadeImage;
using testing::read_text;
using testing::TarEntry;
using testing::write_text;

bool not_root() {
  return ::geteuid() != 0;
}

// A state directory, a layout folder beside it, and what can be asked of them.
struct Bench {
  Bench() : dir(TempDir::make("/tmp", "gb-images-").value()) {
    fs::create_directory(dir.path() + "/root");
    root = open_path(dir.path() + "/root", O_RDONLY | O_DIRECTORY).value();
    options.worker = 600997;
  }
  ImageStore store() { return ImageStore::open(root.get(), options).value(); }
  [[nodiscard]] std::string layout() const { return dir.path() + "/layout"; }
  [[nodiscard]] std::string images() const { return dir.path() + "/root/images"; }
  [[nodiscard]] std::string tree(const StoredImage& image) const {
    return images() + "/rootfs/" + image.record.manifest.digest.hex();
  }
  // Everything under images/ but the lock and the folders, to show that nothing is left.
  [[nodiscard]] std::size_t leftovers() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(images())) {
      const std::string path = entry.path().string().substr(images().size() + 1);
      const bool folder = path == "blobs" || path == "blobs/sha256" || path == "rootfs" || path == "info" ||
                          path == "names" || path == "tmp" || path == "lock";
      count += folder ? 0 : 1;
    }
    return count;
  }
  TempDir dir;
  UniqueFd root;
  ImageStoreOptions options;
};

const std::vector<TarEntry> kSmall{{'d', "bin", "", 0755}, {'f', "bin/sh", "#!", 0755}, {'f', "etc/os", "x"}};

// Imports one layer that must be refused, and shows that nothing is left of it.
Error refusal(const std::vector<TarEntry>& entries, UnpackLimits limits = {}) {
  Bench bench;
  bench.options.limits = limits;
  MadeImage image(bench.layout());
  image.add_layer(entries);
  image.write();
  const auto imported = bench.store().import(bench.layout(), "");
  REQUIRE_FALSE(imported.ok());
  CHECK(bench.leftovers() == 0);
  return imported.error();
}

bool says(const Error& error, const std::string& text) {
  INFO(error.message);
  const bool found = error.message.find(text) != std::string::npos;
  CHECK(found);
  return found;
}

TEST_CASE("an imported image has its files, its description and its name" * doctest::skip(not_root())) {
  for (const Compression how : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    Bench bench;
    MadeImage made(bench.layout());
    made.add_layer(kSmall, how);
    made.write();
    ImageStore store = bench.store();
    const auto image = store.import(bench.layout(), "");
    REQUIRE_MESSAGE(image.ok(), image.error().message);
    CHECK(image->name == "made:v1");
    CHECK(read_text(bench.tree(*image) + "/bin/sh") == "#!");
    CHECK(read_text(bench.tree(*image) + "/etc/os") == "x");
    for (const char* point : {"/dev", "/proc", "/sys", "/tmp", "/workspace", "/.glovebox"}) {
      CHECK(fs::is_directory(fs::symlink_status(bench.tree(*image) + point)));
    }
    const auto info = store.resolve(ImageName::parse("made:v1").value());
    REQUIRE(info.ok());
    CHECK(info->entrypoint == std::vector<std::string>{"/entry"});
    CHECK(info->command == std::vector<std::string>{"hello"});
    CHECK(info->environment ==
          std::vector<std::pair<std::string, std::string>>{{"PATH", "/bin"}, {"EMPTY", ""}});
    CHECK(info->labels.at("title") == "made");
    CHECK(info->tree == image->record.tree);
    CHECK(inspect_json(image->record, image->name)["packages"] == Json{"a=1", "b=2"});
    CHECK(store.verify(ImageName::parse("made:v1").value())->empty());
    CHECK(store.list()->size() == 1);
  }
}

TEST_CASE("modes, owners, setuid bits, extended attributes and devices are normalised away" *
          doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer({{'f', "su", "x", 04711},
                  {'f', "secret", "x", 0600},
                  {'f', "attr", "x", 0666, "user.colour"},
                  {'d', "var", "", 0700},
                  {'d', "tmp", "", 01777},
                  {'b', "dev/sda", ""},
                  {'p', "pipe", ""},
                  {'l', "link", "su"}});
  made.write();
  const auto image = bench.store().import(bench.layout(), "");
  REQUIRE_MESSAGE(image.ok(), image.error().message);
  const auto mode_of = [&](const char* name) {
    struct stat info {};
    REQUIRE(::lstat((bench.tree(*image) + "/" + name).c_str(), &info) == 0);
    CHECK(info.st_uid == 0);
    CHECK(info.st_gid == 0);
    return info.st_mode & 07777U;
  };
  CHECK(mode_of("su") == 0755);
  CHECK(mode_of("secret") == 0644);
  CHECK(mode_of("attr") == 0644);
  CHECK(mode_of("var") == 0755);
  CHECK(mode_of("tmp") == 0755);
  mode_of("link");
  mode_of(".");
  CHECK_FALSE(fs::exists(bench.tree(*image) + "/dev/sda"));
  CHECK_FALSE(fs::exists(bench.tree(*image) + "/pipe"));
  CHECK(image->record.dropped == 2);
  CHECK(::listxattr((bench.tree(*image) + "/attr").c_str(), nullptr, 0) == 0);
}

TEST_CASE("a name that leads out of the tree is refused" * doctest::skip(not_root())) {
  says(refusal({{'f', "../evil", "x"}}), "the layer has a name with \"..\": \"../evil\"");
  says(refusal({{'f', "a/../../evil", "x"}}), "the layer has a name with \"..\"");
  says(refusal({{'f', "/etc/evil", "x"}}), "the layer has an absolute name: \"/etc/evil\"");
  says(refusal({{'h', "link", "../../etc/passwd"}}), "the layer has a name with \"..\"");
  says(refusal({{'h', "link", "/etc/passwd"}}), "the layer has an absolute name");
  says(refusal({{'h', "link", "nothing"}}), "a hard link to what is not a file of the image: \"link\"");
  says(refusal({{'d', "dir", ""}, {'h', "link", "dir"}}), "a hard link to what is not a file of the image");
  CHECK_FALSE(fs::exists("/etc/evil"));
}

TEST_CASE("nothing is written through a link or a file, in one layer or two" * doctest::skip(not_root())) {
  says(refusal({{'l', "out", "/tmp"}, {'f', "out/evil", "x"}}), "writes through a link or file: \"out\"");
  says(refusal({{'l', "out", "."}, {'f', "out/evil", "x"}}), "writes through a link or file");
  says(refusal({{'f', "file", ""}, {'f', "file/evil", "x"}}), "writes through a link or file");
  says(refusal({{'d', "a", ""}, {'l', "a/b", ".."}, {'f', "a/b/c/d", "x"}}), "writes through a link or file");
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer({{'l', "out", "/tmp"}});
  made.add_layer({{'f', "out/glovebox-evil", "x"}});
  made.write();
  CHECK_FALSE(bench.store().import(bench.layout(), "").ok());
  CHECK_FALSE(fs::exists("/tmp/glovebox-evil"));
  CHECK(bench.leftovers() == 0);
}

TEST_CASE("a mount point that is a link or a file is refused" * doctest::skip(not_root())) {
  says(refusal({{'l', "dev", "/tmp"}}), "the image's /dev is not a real directory");
  says(refusal({{'l', "proc", "usr/../tmp"}}), "the image's /proc is not a real directory");
  says(refusal({{'f', "workspace", ""}}), "the image's /workspace is not a real directory");
  CHECK(refusal({{'l', "sys", "."}}).kind == ErrorKind::kRefused);
}

TEST_CASE("whiteouts hide what lower layers left and spare their own layer" * doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer({{'f', "a/one", "1"},
                  {'f', "a/two", "2"},
                  {'f', "b/one", "1"},
                  {'f', "b/sub/two", "2"},
                  {'f', "c/deep/er", "1"},
                  {'l', "d", "a"},
                  {'f', "e", "old"},
                  {'d', "f", ""},
                  {'f', "f/x", "1"}});
  made.add_layer({{'f', "a/.wh.one", ""},
                  {'f', "b/new", "3"},
                  {'f', "b/sub/new", "3"},
                  {'f', "b/.wh..wh..opq", ""},
                  {'f', ".wh.c", ""},
                  {'d', "d", ""},
                  {'f', "d/inside", "1"},
                  {'f', "e", "new"},
                  {'f', ".wh.nothing", ""},
                  {'f', "no/where/.wh.x", ""},
                  {'f', "f", "a file now"}},
                 Compression::kZstd);
  made.write();
  const auto image = bench.store().import(bench.layout(), "");
  REQUIRE_MESSAGE(image.ok(), image.error().message);
  const std::string tree = bench.tree(*image) + "/";
  CHECK_FALSE(fs::exists(tree + "a/one"));
  CHECK(fs::exists(tree + "a/two"));
  CHECK_FALSE(fs::exists(tree + "b/one"));
  CHECK_FALSE(fs::exists(tree + "b/sub/two"));
  CHECK(read_text(tree + "b/new") == "3");
  CHECK(read_text(tree + "b/sub/new") == "3");
  CHECK_FALSE(fs::exists(tree + "c"));
  CHECK(fs::is_directory(fs::symlink_status(tree + "d")));
  CHECK_FALSE(fs::exists(tree + "a/inside"));
  CHECK(read_text(tree + "e") == "new");
  CHECK(read_text(tree + "f") == "a file now");
  CHECK_FALSE(fs::exists(tree + "b/.wh..wh..opq"));
  says(refusal({{'f', "a/.wh...", ""}}), "whiteout of nothing");
}

TEST_CASE("odd but harmless names survive, and hard links and holes are kept" * doctest::skip(not_root())) {
  Bench bench;
  MadeImage made(bench.layout());
  made.add_layer({{'f', "./na\xc3\xafve \xe2\x80\xae name", "1"},
                  {'f', "line\nbreak", "2"},
                  {'h', "again", "line\nbreak"},
                  {'f', "hole", "", 0644, "", 1U << 30U},
                  {'l', "anywhere", "/etc/passwd"}});
  made.write();
  ImageStore store = bench.store();
  const auto image = store.import(bench.layout(), "");
  REQUIRE_MESSAGE(image.ok(), image.error().message);
  const std::string tree = bench.tree(*image) + "/";
  CHECK(read_text(tree + "na\xc3\xafve \xe2\x80\xae name") == "1");
  CHECK(fs::hard_link_count(tree + "again") == 2);
  struct stat info {};
  REQUIRE(::stat((tree + "hole").c_str(), &info) == 0);
  CHECK(info.st_size == 1L << 30);
  CHECK(info.st_blocks < 100);
  CHECK(fs::read_symlink(tree + "anywhere") == "/etc/passwd");
  CHECK(store.verify(ImageName::parse("made:v1").value())->empty());
}

TEST_CASE("archives that unpack to too much are refused" * doctest::skip(not_root())) {
  UnpackLimits small;
  small.bytes = 1U << 20U;
  says(refusal({{'f', "zeros", std::string(4U << 20U, '\0')}}, small), "unpacks to more than");
  says(refusal({{'f', "hole", "", 0644, "", 1ULL << 40U}}, small), "unpacks to more than 1 MiB");
  small.entries = 10;
  std::vector<TarEntry> many;
  for (int i = 0; i < 11; ++i) many.push_back({'f', "f" + std::to_string(i), ""});
  says(refusal(many, small), "more than 10 entries");
  says(refusal({{'d',
                 [] {
                   std::string deep;
                   for (int i = 0; i < 70; ++i) deep += "d/";
                   return deep;
                 }(),
                 ""}}),
       "more than 64 deep");
  // Small entries after a large one in another layer count together.
  Bench bench;
  bench.options.limits.bytes = 3U << 20U;
  MadeImage made(bench.layout());
  made.add_layer({{'f', "one", std::string(2U << 20U, '\0')}});
  made.add_layer({{'f', "two", std::string(2U << 20U, '\0')}});
  made.write();
  const auto both = bench.store().import(bench.layout(), "");
  REQUIRE_FALSE(both.ok());
  says(both.error(), "layer 2");
  CHECK(bench.leftovers() == 0);
}

TEST_CASE("a truncated, damaged, missing or exchanged layer is found" * doctest::skip(not_root())) {
  const auto attempt = [](const std::function<void(MadeImage&)>& bend) {
    Bench bench;
    MadeImage made(bench.layout());
    made.add_layer(kSmall);
    made.write();
    bend(made);
    const auto imported = bench.store().import(bench.layout(), "");
    REQUIRE_FALSE(imported.ok());
    CHECK(bench.leftovers() == 0);
    return imported.error();
  };
  const auto layer = [](MadeImage& made) { return made.blob_file(made.layers[0]); };
  Error error = attempt([&](MadeImage& made) { fs::resize_file(layer(made), 20); });
  says(error, "has 20 bytes, not ");
  CHECK(error.kind == ErrorKind::kIntegrity);
  error = attempt([&](MadeImage& made) {
    std::string data = read_text(layer(made));
    data[data.size() / 2] = static_cast<char>(data[data.size() / 2] ^ 1);
    write_text(layer(made), data);
  });
  says(error, "is not what its name promises");
  CHECK(error.kind == ErrorKind::kIntegrity);
  says(attempt([&](MadeImage& made) { fs::remove(layer(made)); }), "is missing");
  says(attempt([&](MadeImage& made) {
         const std::string path = layer(made);
         fs::rename(path, path + ".real");
         fs::create_symlink(path + ".real", path);
       }),
       "is missing");
  error = attempt([&](MadeImage& made) {
    made.config["rootfs"]["diff_ids"][0] = Digest::of("other").str();
    made.write();
  });
  says(error, "unpacks to sha256:");
  CHECK(error.kind == ErrorKind::kIntegrity);
  says(attempt([&](MadeImage& made) {
         made.config["rootfs"]["diff_ids"] = Json::array();
         made.write();
       }),
       "the image has 1 layers, and its configuration 0");
  says(attempt([&](MadeImage& made) {  // well described, but cut: the compression itself is damaged
         const std::string whole = testing::compressed(testing::make_tar(kSmall), Compression::kGzip);
         made.layers = Json::array();
         made.config["rootfs"]["diff_ids"] = Json::array();
         made.add_layer_bytes(whole.substr(0, whole.size() / 2), "whatever");
         made.write();
       }),
       "truncated gzip input");
  says(attempt([&](MadeImage& made) {
         made.layers = Json::array();
         made.config["rootfs"]["diff_ids"] = Json::array();
         made.add_layer_bytes("this is no archive at all", "this is no archive at all");
         made.write();
       }),
       "tar");
}

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
    ::waitpid(child, nullptr, 0);
    ImageStore store = bench.store();
    CHECK(fs::is_empty(bench.images() + "/tmp"));
    const ImageName name = ImageName::parse("made:v1").value();
    if (store.resolve(name).ok()) {
      CHECK(store.verify(name)->empty());  // it had finished
      REQUIRE(store.remove(name).ok());
    }
    CHECK(bench.leftovers() == 0);
  }
}

}  // namespace
}  // namespace glovebox
