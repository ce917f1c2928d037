// The image store with images made by hand. Needs root, as import does.
#include "shell/images/store.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "shell/images/tree.h"
#include "tests/unit/shell/images/store_bench.h"

namespace glovebox {
namespace {

namespace fs = std::filesystem;
using testing::Bench;
using testing::Compression;
using testing::kSmall;
using testing::MadeImage;
using testing::not_root;
using testing::read_text;
using testing::TarEntry;
using testing::write_text;

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

TEST_CASE("names are bounded altogether, over all layers and with the folders that they imply" *
          doctest::skip(not_root())) {
  UnpackLimits small;
  small.name_bytes = 10'000;
  std::vector<TarEntry> many;
  for (int i = 0; i < 60; ++i) many.push_back({'f', std::string(200, 'n') + std::to_string(i), ""});
  says(refusal(many, small), "the image has more than 9.77 KiB of names");
  says(refusal({{'l', "a", std::string(4000, 't')},
                {'l', "b", std::string(4000, 't')},
                {'l', "c", std::string(4000, 't')}},
               small),
       "of names");
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += "nnnnnnnnnn/";
  says(refusal({{'f', deep + "f", ""}}, small), "of names");
  Bench bench;
  bench.options.limits = small;
  MadeImage made(bench.layout());
  many.resize(20);
  for (int layer = 0; layer < 3; ++layer) made.add_layer(many);
  made.write();
  const auto imported = bench.store().import(bench.layout(), "");
  REQUIRE_FALSE(imported.ok());
  says(imported.error(), "layer 2: the image has more than");
  CHECK(bench.leftovers() == 0);
}

TEST_CASE("a tree whose listing would be too large is refused, when it is made and when it is read" *
          doctest::skip(not_root())) {
  const TempDir dir = TempDir::make("/tmp", "gb-listing-").value();
  for (int i = 0; i < 10; ++i) write_text(dir.path() + "/" + std::to_string(i), "");
  const UniqueFd tree = open_path(dir.path(), O_RDONLY | O_DIRECTORY).value();
  const std::size_t size = normalise_tree(tree.get())->text.size();
  CHECK(normalise_tree(tree.get(), size).ok());
  for (const auto& listing : {normalise_tree(tree.get(), size - 1), inspect_tree(tree.get(), size - 1)}) {
    REQUIRE_FALSE(listing.ok());
    CHECK(listing.error().kind == ErrorKind::kRefused);
    says(listing.error(), "the list of the image's files is larger than");
  }
}

TEST_CASE("a name that an image brings is not taken where a registry or folder stands before it" *
          doctest::skip(not_root())) {
  for (const std::string reference : {"evil.example/attacker/made:v1", "folder/made:v1", "/made:v1"}) {
    Bench bench;
    MadeImage made(bench.layout());
    made.add_layer(kSmall);
    Json manifest = made.write_manifest();
    manifest["annotations"] = Json{{"org.opencontainers.image.ref.name", reference}};
    made.write_index(Json::array({manifest}));
    ImageStore store = bench.store();
    const auto imported = store.import(bench.layout(), "");
    REQUIRE_FALSE(imported.ok());
    CHECK(imported.error().kind == ErrorKind::kInvalid);
    says(imported.error(), "the image has no name that a study could use: \"" + reference + "\"");
    CHECK(imported.error().hint ==
          "say what studies call it: glovebox image import PATH NAME, such as python:v2");
    CHECK(bench.leftovers() == 0);
    CHECK(store.import(bench.layout(), "made:v1").ok());
  }
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

}  // namespace
}  // namespace glovebox
