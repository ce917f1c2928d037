// Which image a layout or an archive holds, and the bounds on its documents.
#include "shell/images/layout.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "shell/images/store.h"
#include "tests/unit/shell/images/made_image.h"

namespace glovebox {
namespace {

namespace fs = std::filesystem;
using testing::MadeImage;
using testing::read_text;
using testing::write_text;

constexpr uid_t kWorker = 600997;

struct Layout {
  Layout() : dir(TempDir::make("/tmp", "gb-layout-").value()), image(dir.path() + "/layout") {
    image.add_layer({{'f', "one", "1"}});
  }
  Result<LayoutImage> read(const std::string& wanted = "") {
    const UniqueFd fd = open_path(image.folder, O_RDONLY | O_DIRECTORY).value();
    return read_layout(fd.get(), wanted, kWorker);
  }
  TempDir dir;
  MadeImage image;
};

Json platform(Json descriptor, const char* os, const char* architecture) {
  descriptor["platform"] = Json{{"os", os}, {"architecture", architecture}};
  return descriptor;
}
Json named(Json descriptor, const char* name) {
  descriptor["annotations"] = Json{{"org.opencontainers.image.ref.name", name}};
  return descriptor;
}

TEST_CASE("of several platforms linux/amd64 is taken, at the top or in a nested index") {
  Layout layout;
  const Json ours = layout.image.write_manifest();
  layout.image.config["config"]["Cmd"] = Json{"another"};
  const Json other = layout.image.write_manifest();
  const Json both = Json::array({platform(other, "linux", "arm64"), platform(ours, "linux", "amd64"),
                                 platform(other, "unknown", "unknown")});
  layout.image.write_index(both);
  REQUIRE(layout.read().ok());
  CHECK(layout.read()->manifest.digest.str() == ours["digest"]);
  CHECK(layout.read()->config.command == std::vector<std::string>{"hello"});
  const Json nested =
      layout.image.add_blob(dump_json(Json{{"manifests", both}}), "application/vnd.oci.image.index.v1+json");
  layout.image.write_index(Json::array({named(nested, "python:v2")}));
  REQUIRE(layout.read().ok());
  CHECK(layout.read()->manifest.digest.str() == ours["digest"]);
  CHECK(layout.read()->reference == "python:v2");
  layout.image.write_index(Json::array({platform(other, "linux", "arm64")}));
  CHECK(layout.read().error().message == "it holds no image for linux/amd64");
}

TEST_CASE("of several images the wanted one is taken, and none is guessed") {
  Layout layout;
  const Json one = layout.image.write_manifest();
  layout.image.config["config"]["Cmd"] = Json{"another"};
  const Json two = layout.image.write_manifest();
  layout.image.write_index(
      Json::array({named(one, "registry.example.org/somebody/python:v2"), named(two, "r:v2")}));
  CHECK(layout.read("python:v2")->manifest.digest.str() == one["digest"]);
  CHECK(layout.read("r:v2")->manifest.digest.str() == two["digest"]);
  const auto neither = layout.read();
  REQUIRE_FALSE(neither.ok());
  CHECK(neither.error().message == "it holds 2 images");
  CHECK(neither.error().hint == "choose one of: registry.example.org/somebody/python:v2 r:v2");
}

TEST_CASE("an index that holds itself ends") {
  Layout layout;
  Json entry = layout.image.write_manifest();
  for (int i = 0; i < 5; ++i) {
    entry = layout.image.add_blob(dump_json(Json{{"manifests", Json::array({entry})}}),
                                  "application/vnd.oci.image.index.v1+json");
  }
  layout.image.write_index(Json::array({entry}));
  CHECK(layout.read().error().message == "the image's indexes are nested too deep");
}

TEST_CASE("documents that are oversize, not JSON, or of the wrong shape are refused") {
  Layout layout;
  const auto says = [&](const std::string& index, const std::string& message) {
    write_text(layout.image.folder + "/index.json", index);
    const auto read = layout.read();
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().kind == ErrorKind::kRefused);
    CHECK(read.error().message == message);
  };
  says(std::string(2U << 20U, ' '), "the file is larger than 1 MiB");
  says("[]", "image index is not an object");
  says("{", "image index:1:2: not well-formed JSON");
  says("{}", "it holds no image for linux/amd64");
  says(R"({"manifests":[{"digest":"md5:00","size":1}]})",
       "image index: manifests[0].digest is not a SHA-256 digest: \"md5:00\"");
  const std::string zeros(64, '0');
  says(R"({"manifests":[{"digest":"sha256:)" + zeros + R"(","size":-1}]})",
       "image index: manifests[0].size is not a sensible number");
  says(R"({"manifests":[{"digest":"sha256:)" + zeros + R"(","size":9000000000}]})",
       "an image description is larger than 4 MiB");
  says(R"({"manifests":[{"digest":"sha256:../../../etc/passwd","size":1}]})",
       "image index: manifests[0].digest is not a SHA-256 digest: \"sha256:../../../etc/passwd\"");
}

TEST_CASE("a manifest or configuration of the wrong shape is refused") {
  const auto after = [](const std::function<void(MadeImage&)>& bend) {
    Layout layout;
    bend(layout.image);
    layout.image.write();
    return layout.read().error().message;
  };
  CHECK(after([](MadeImage& i) { i.layers = Json::array(); }) == "image manifest: layers is empty");
  CHECK(after([](MadeImage& i) { i.layers[0]["mediaType"] = "text/plain"; }) ==
        "image manifest: layers[0] has type \"text/plain\", which is not a layer");
  CHECK(after([](MadeImage& i) { i.config["architecture"] = "arm64"; }) ==
        "the image is for linux/arm64, not linux/amd64");
  CHECK(after([](MadeImage& i) { i.config["config"]["Env"] = Json{"=x"}; }) ==
        "image config: config.Env has \"=x\", which is not NAME=value");
  CHECK(after([](MadeImage& i) { i.config["config"]["Entrypoint"] = "sh"; }) ==
        "image config: config.Entrypoint is not a list");
  CHECK(after([](MadeImage& i) { i.config["config"]["Cmd"] = Json{std::string("a\0b", 3)}; }) ==
        "image config: config.Cmd has a NUL byte");
  CHECK(after([](MadeImage& i) { i.config["config"]["Labels"]["x"] = std::string(300'000, 'x'); }) ==
        "image config: config.Labels is too long");
}

TEST_CASE("a description that is not what its digest says is an integrity error") {
  Layout layout;
  const Json manifest = layout.image.write_manifest();
  layout.image.write_index(Json::array({manifest}));
  std::string text = read_text(layout.image.blob_file(manifest));
  text[20] = static_cast<char>(text[20] ^ 1);
  write_text(layout.image.blob_file(manifest), text);
  const auto read = layout.read();
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().kind == ErrorKind::kIntegrity);
}

TEST_CASE("names that studies use are found in references") {
  CHECK(study_name("python:v2")->str() == "python:v2");
  CHECK(study_name("registry.example.org/studies/r:v2")->str() == "r:v2");
  CHECK_FALSE(study_name("v2").ok());
  CHECK_FALSE(study_name("").ok());
  CHECK_FALSE(study_name("../..").ok());
}

TEST_CASE("an OCI archive and one of docker save are taken in, compressed or not" *
          doctest::skip(::geteuid() != 0)) {
  const TempDir dir = TempDir::make("/tmp", "gb-archive-").value();
  MadeImage made(dir.path() + "/layout");
  made.add_layer({{'d', "etc", "", 0755}, {'f', "etc/os", "archived"}});
  made.write();
  fs::create_directory(dir.path() + "/root");
  const UniqueFd root = open_path(dir.path() + "/root", O_RDONLY | O_DIRECTORY).value();
  ImageStoreOptions options;
  options.worker = kWorker;
  ImageStore store = ImageStore::open(root.get(), options).value();
  const auto shell = [&](const std::string& command) {
    REQUIRE(std::system(("cd " + dir.path() + " && " + command + " >/dev/null 2>&1").c_str()) == 0);
  };
  shell("tar -C layout -cf oci.tar . && gzip -k oci.tar");
  shell("skopeo copy --insecure-policy oci:layout:made:v1 docker-archive:docker.tar:made:v1");
  const auto direct = store.import(dir.path() + "/layout", "");
  REQUIRE_MESSAGE(direct.ok(), direct.error().message);
  for (const char* archive : {"/oci.tar", "/oci.tar.gz"}) {
    const auto image = store.import(dir.path() + archive, "copy:v1");
    REQUIRE_MESSAGE(image.ok(), image.error().message);
    CHECK(image->record.manifest.digest == direct->record.manifest.digest);
  }
  const auto docker = store.import(dir.path() + "/docker.tar", "docker:v1");
  REQUIRE_MESSAGE(docker.ok(), docker.error().message);
  CHECK(docker->record.tree == direct->record.tree);
  CHECK(docker->record.image.entrypoint == direct->record.image.entrypoint);
  CHECK(fs::is_empty(dir.path() + "/root/images/tmp"));

  const auto says = [&](const std::string& path, const std::string& text) {
    const auto image = store.import(path, "x:v1");
    REQUIRE_FALSE(image.ok());
    INFO(image.error().message);
    CHECK(image.error().message.find(text) != std::string::npos);
  };
  write_text(dir.path() + "/text", "hello\n");
  says(dir.path() + "/text", "cannot import");
  write_text(dir.path() + "/empty", "");
  says(dir.path() + "/empty", "cannot import");
  shell("tar -cf other.tar text");
  says(dir.path() + "/other.tar", "neither an OCI archive (no file oci-layout) nor one of docker save");
  shell("echo '[]' >manifest.json && tar -cf bad.tar manifest.json");
  says(dir.path() + "/bad.tar", "skopeo failed: ");
  says(dir.path() + "/nothing", "cannot read ");
  says("/dev/null", "is neither a folder nor a file");
  says(dir.path(), "is not an OCI layout: it has no file oci-layout");
  CHECK(store.list()->size() == 3);
}

}  // namespace
}  // namespace glovebox
