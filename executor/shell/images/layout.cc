#include "shell/images/layout.h"

#include <sys/stat.h>

#include <functional>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/worker.h"

namespace glovebox {
namespace {

// index.json, an index in it, and one more: deeper nesting has no use.
constexpr int kMaxIndexes = 3;

Result<Json> canonical_index(const std::string& hostile) {
  return index_json(TRY(parse_index(hostile)));
}
Result<Json> canonical_manifest(const std::string& hostile) {
  return manifest_json(TRY(parse_manifest(hostile)));
}
Result<Json> canonical_config(const std::string& hostile) {
  return config_json(TRY(parse_config(hostile)));
}

// Parses `text` without power: `parse` runs in a worker and answers in its canonical form.
Result<std::string> parsed_in_worker(const std::string& text, uid_t worker,
                                     const std::function<Result<Json>(const std::string&)>& parse) {
  WorkerSpec spec;
  spec.name = "the reader of image descriptions";
  spec.power = WorkerPower::kParse;
  spec.uid = worker;
  spec.time = 10'000;
  spec.answer = 2 * kMaxConfigBytes;
  return run_in_worker(spec, [&]() -> Result<std::string> { return dump_json(TRY(parse(text))); });
}

Result<std::string> read_document(int directory, const std::string& path, std::size_t most) {
  Result<std::string> text = read_beneath(directory, path, most);
  if (!text.ok()) return refused(text.error().message);
  return text;
}

Result<std::string> read_blob(int directory, const Descriptor& blob, std::size_t most) {
  if (blob.size > most) return refused("an image description is larger than " + format_bytes(most));
  std::string text = TRY(read_document(directory, blob_path(blob.digest), most));
  if (text.size() != blob.size || Digest::of(text) != blob.digest) {
    return integrity("the blob " + blob.digest.str() + " is not what its name promises");
  }
  return text;
}

Result<std::vector<Descriptor>> safe_index(const std::string& text, uid_t worker) {
  const std::string safe = TRY(parsed_in_worker(text, worker, canonical_index));
  return parse_index(safe);
}

}  // namespace

std::string blob_path(const Digest& digest) {
  return "blobs/sha256/" + digest.hex();
}

bool is_layout(int directory) {
  struct stat info {};
  return ::fstatat(directory, "oci-layout", &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode);
}

Result<LayoutImage> read_layout(int directory, const std::string& wanted, uid_t worker) {
  LayoutImage out;
  std::string text = TRY(read_document(directory, "index.json", kMaxIndexBytes));
  for (int indexes = 1;; ++indexes) {
    const auto index = TRY(safe_index(text, worker));
    out.manifest = TRY(choose_image(index, wanted));
    if (out.reference.empty()) out.reference = out.manifest.name;
    if (!out.manifest.is_index()) break;
    if (indexes == kMaxIndexes) return refused("the image's indexes are nested too deep");
    text = TRY(read_blob(directory, out.manifest, kMaxIndexBytes));
  }
  const std::string manifest = TRY(read_blob(directory, out.manifest, kMaxManifestBytes));
  const std::string safe_manifest = TRY(parsed_in_worker(manifest, worker, canonical_manifest));
  out.contents = TRY(parse_manifest(safe_manifest));
  const std::string config = TRY(read_blob(directory, out.contents.config, kMaxConfigBytes));
  const std::string safe_config = TRY(parsed_in_worker(config, worker, canonical_config));
  out.config = TRY(parse_config(safe_config));
  return out;
}

}  // namespace glovebox
