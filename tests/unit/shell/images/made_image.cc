#include "tests/unit/shell/images/made_image.h"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace glovebox::testing {
namespace {

la_ssize_t append(archive*, void* out, const void* data, size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

mode_t file_type(char type) {
  switch (type) {
    case 'd':
      return AE_IFDIR;
    case 'l':
      return AE_IFLNK;
    case 'b':
      return AE_IFBLK;
    case 'p':
      return AE_IFIFO;
    default:
      return AE_IFREG;
  }
}

void write_entry(archive* tar, const TarEntry& made) {
  archive_entry* entry = archive_entry_new();
  archive_entry_copy_pathname(entry, made.path.c_str());
  archive_entry_set_filetype(entry, file_type(made.type));
  archive_entry_set_perm(entry, made.mode);
  archive_entry_set_mtime(entry, 1'000'000'000, 0);
  if (made.type == 'l') archive_entry_copy_symlink(entry, made.text.c_str());
  if (made.type == 'h') archive_entry_copy_hardlink(entry, made.text.c_str());
  if (made.type == 'b') archive_entry_set_rdev(entry, 0x700);
  if (!made.xattr.empty()) archive_entry_xattr_add_entry(entry, made.xattr.c_str(), "value", 5);
  const bool file = made.type == 'f';
  if (file) archive_entry_set_size(entry, static_cast<la_int64_t>(made.text.size() + made.hole_size));
  if (made.hole_size > 0) archive_entry_sparse_add_entry(entry, 0, 1);
  CHECK(archive_write_header(tar, entry) >= ARCHIVE_WARN);  // a warning: not a name in this locale
  if (made.hole_size > 0) {
    const char one = 'x';
    CHECK(archive_write_data(tar, &one, 1) == 1);
  } else if (file && !made.text.empty()) {
    CHECK(archive_write_data(tar, made.text.data(), made.text.size()) ==
          static_cast<la_ssize_t>(made.text.size()));
  }
  archive_entry_free(entry);
}

}  // namespace

std::string make_tar(const std::vector<TarEntry>& entries) {
  std::string out;
  archive* tar = archive_write_new();
  archive_write_set_format_pax(tar);
  archive_write_add_filter_none(tar);
  archive_write_open(tar, &out, nullptr, append, nullptr);
  for (const TarEntry& entry : entries) write_entry(tar, entry);
  archive_write_close(tar);
  archive_write_free(tar);
  return out;
}

std::string compressed(const std::string& data, Compression how) {
  if (how == Compression::kNone) return data;
  std::string out;
  archive* raw = archive_write_new();
  archive_write_set_format_raw(raw);
  archive_write_set_bytes_in_last_block(raw, 1);  // no padding
  if (how == Compression::kGzip) {
    archive_write_add_filter_gzip(raw);
  } else {
    archive_write_add_filter_zstd(raw);
  }
  archive_write_open(raw, &out, nullptr, append, nullptr);
  archive_entry* entry = archive_entry_new();
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_write_header(raw, entry);
  archive_write_data(raw, data.data(), data.size());
  archive_entry_free(entry);
  archive_write_close(raw);
  archive_write_free(raw);
  return out;
}

MadeImage::MadeImage(const std::string& where) : folder(where) {
  std::filesystem::create_directories(folder + "/blobs/sha256");
  write_text(folder + "/oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  config = Json{{"os", "linux"},
                {"architecture", "amd64"},
                {"config", Json{{"Entrypoint", {"/entry"}},
                                {"Cmd", {"hello"}},
                                {"Env", {"PATH=/bin", "EMPTY="}},
                                {"Labels", Json{{"title", "made"}, {"glovebox.packages", "a=1 b=2"}}}}},
                {"rootfs", Json{{"type", "layers"}, {"diff_ids", Json::array()}}}};
}

void MadeImage::add_layer(const std::vector<TarEntry>& entries, Compression how) {
  const std::string tar = make_tar(entries);
  add_layer_bytes(compressed(tar, how), tar);
}

void MadeImage::add_layer_bytes(const std::string& blob, const std::string& uncompressed) {
  layers.push_back(add_blob(blob, "application/vnd.oci.image.layer.v1.tar+gzip"));
  config["rootfs"]["diff_ids"].push_back(Digest::of(uncompressed).str());
}

Json MadeImage::add_blob(const std::string& data, const std::string& media_type) {
  const Digest digest = Digest::of(data);
  write_text(folder + "/blobs/sha256/" + digest.hex(), data);
  return Json{{"mediaType", media_type}, {"digest", digest.str()}, {"size", data.size()}};
}

Json MadeImage::write_manifest() {
  const Json described = add_blob(dump_json(config), "application/vnd.oci.image.config.v1+json");
  return add_blob(dump_json(Json{{"schemaVersion", 2}, {"config", described}, {"layers", layers}}),
                  "application/vnd.oci.image.manifest.v1+json");
}

void MadeImage::write_index(const Json& manifests) {
  write_text(folder + "/index.json", dump_json(Json{{"schemaVersion", 2}, {"manifests", manifests}}));
}

void MadeImage::write() {
  Json manifest = write_manifest();
  manifest["annotations"] = Json{{"org.opencontainers.image.ref.name", "made:v1"}};
  write_index(Json::array({manifest}));
}

std::string MadeImage::blob_file(const Json& descriptor) const {
  return folder + "/blobs/sha256/" + descriptor["digest"].get<std::string>().substr(7);
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string read_text(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

}  // namespace glovebox::testing
