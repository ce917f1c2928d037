#include "shell/images/record.h"

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr const char* kSchema = "glovebox.image/1";
constexpr const char* kPackages = "glovebox.packages";
constexpr std::size_t kMaxPlanLabel = 1024;
constexpr std::int64_t kMost = 1LL << 53U;

}  // namespace

Json record_json(const ImageRecord& record) {
  return Json{{"schema", kSchema},
              {"manifest", index_json({record.manifest})},
              {"contents", manifest_json({record.config, record.layers})},
              {"image", config_json(record.image)},
              {"tree", record.tree.str()},
              {"entries", record.entries},
              {"bytes", record.bytes},
              {"dropped", record.dropped}};
}

Result<ImageRecord> parse_record(std::string_view text) {
  const Json json = TRY(parse_json(text, "image record"));
  JsonObject object = TRY(JsonObject::of(json, "image record"));
  const std::string schema = TRY(object.string("schema"));
  if (schema != kSchema) return host_error("the image store was written by another version");
  ImageRecord out;
  const Json* index_part = TRY(object.required("manifest"));
  const Json* contents = TRY(object.required("contents"));
  const Json* image = TRY(object.required("image"));
  const std::string tree = TRY(object.string("tree"));
  const auto index = TRY(parse_index(dump_json(*index_part)));
  if (index.size() != 1) return invalid("must have one manifest", "image record");
  out.manifest = index[0];
  Manifest manifest = TRY(parse_manifest(dump_json(*contents)));
  out.config = std::move(manifest.config);
  out.layers = std::move(manifest.layers);
  out.image = TRY(parse_config(dump_json(*image)));
  out.tree = TRY(Digest::parse(tree));
  out.entries = static_cast<std::uint64_t>(TRY(object.integer("entries", 0, kMost)));
  out.bytes = static_cast<ByteCount>(TRY(object.integer("bytes", 0, kMost)));
  out.dropped = static_cast<std::uint64_t>(TRY(object.integer("dropped", 0, kMost)));
  TRY(object.done());
  if (out.layers.size() != out.image.diff_ids.size())
    return invalid("must name each layer twice", "image record");
  return out;
}

ImageInfo info_of(const ImageRecord& record, const std::string& name) {
  ImageInfo info;
  info.name = name;
  info.manifest = record.manifest.digest;
  info.config = record.config.digest;
  info.tree = record.tree;
  info.entrypoint = record.image.entrypoint;
  info.command = record.image.command;
  info.environment = record.image.environment;
  for (const auto& [key, value] : record.image.labels) {
    if (value.size() <= kMaxPlanLabel) info.labels[key] = value;
  }
  return info;
}

Json inspect_json(const ImageRecord& record, const std::string& name) {
  Json labels = Json::object();
  Json packages = Json::array();
  for (const auto& [key, value] : record.image.labels) {
    if (key != kPackages)
      labels[key] = value;
    else
      for (const std::string_view package : split(value, ' ')) packages.push_back(std::string(package));
  }
  ByteCount compressed = 0;
  Json layers = Json::array();
  for (std::size_t i = 0; i < record.layers.size(); ++i) {
    const Descriptor& layer = record.layers[i];
    compressed += layer.size;
    layers.push_back(Json{{"digest", layer.digest.str()},
                          {"diff_id", record.image.diff_ids[i].str()},
                          {"size", layer.size},
                          {"media_type", layer.media_type}});
  }
  Json environment = Json::object();
  for (const auto& [key, value] : record.image.environment) environment[key] = value;
  return Json{{"name", name},
              {"manifest", record.manifest.digest.str()},
              {"config", record.config.digest.str()},
              {"tree", record.tree.str()},
              {"layers", layers},
              {"compressed_bytes", compressed},
              {"unpacked_bytes", record.bytes},
              {"entries", record.entries},
              {"dropped_entries", record.dropped},
              {"entrypoint", record.image.entrypoint},
              {"command", record.image.command},
              {"environment", environment},
              {"working_directory", record.image.working_directory},
              {"user", record.image.user},
              {"labels", labels},
              {"packages", packages}};
}

}  // namespace glovebox
