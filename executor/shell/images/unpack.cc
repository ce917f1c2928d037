#include "shell/images/unpack.h"

#include <sys/stat.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "shell/sys/worker.h"

namespace glovebox {
namespace {

constexpr const char* kNoSpace = "No space left on device";  // strerror(ENOSPC)
constexpr ByteCount kMost = 1ULL << 53U;

Result<std::string> unpack_all(const UnpackJob& job) {
  ::umask(022);
  const UniqueFd root = TRY(open_path("/", O_RDONLY | O_DIRECTORY));
  LayerWriter writer(root.get(), job.limits);
  for (std::size_t i = 0; i < job.layers.size(); ++i) {
    Result<Digest> digest = writer.apply(job.layers[i]);
    if (!digest.ok()) return digest.error().because("layer " + std::to_string(i + 1));
    if (i < job.diff_ids.size() && *digest != job.diff_ids[i]) {
      return integrity("layer " + std::to_string(i + 1) + " unpacks to " + digest->str() + ", not to " +
                       job.diff_ids[i].str());
    }
  }
  TRY(writer.finish());
  const UnpackTotals& totals = writer.totals();
  return dump_json(Json{{"entries", totals.entries}, {"bytes", totals.bytes}, {"dropped", totals.dropped}});
}

Result<UnpackTotals> run(const UnpackJob& job) {
  const Hasher warm;  // OpenSSL reads its configuration now, not in the worker, which cannot
  WorkerSpec spec;
  spec.name = "the unpacker of images";
  spec.power = WorkerPower::kWrite;
  spec.uid = job.worker;
  spec.root = job.tree;
  spec.owner = job.worker;
  spec.group = job.worker;
  spec.keep = job.layers;
  spec.time = 30ULL * 60 * 1000;
  spec.answer = 4096;
  const Result<std::string> answer = run_in_worker(spec, [&] { return unpack_all(job); });
  if (!answer.ok()) {
    if (answer.error().message.find(kNoSpace) == std::string::npos) return answer.error();
    return host_error(answer.error().message, "make room on that file system, then try again");
  }
  const Json json = TRY(parse_json(*answer, "unpacker"));
  JsonObject object = TRY(JsonObject::of(json, "unpacker"));
  UnpackTotals totals;
  totals.entries = static_cast<std::uint64_t>(TRY(object.integer("entries", 0, kMost)));
  totals.bytes = static_cast<ByteCount>(TRY(object.integer("bytes", 0, kMost)));
  totals.dropped = static_cast<std::uint64_t>(TRY(object.integer("dropped", 0, kMost)));
  return totals;
}

}  // namespace

Result<UnpackTotals> unpack_layers(const UnpackJob& job) {
  if (job.layers.size() != job.diff_ids.size()) {
    return refused("the image has " + std::to_string(job.layers.size()) + " layers, and its configuration " +
                   std::to_string(job.diff_ids.size()));
  }
  return run(job);
}

Status unpack_archive(const UnpackJob& job) {
  TRY(run(job));
  return {};
}

}  // namespace glovebox
