#include "shell/images/oci.h"

#include <algorithm>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxListed = 512;        // entries of an index, layers of an image
constexpr std::size_t kMaxStrings = 1024;      // words, variables, labels
constexpr std::size_t kMaxText = 256U << 10U;  // one string: a label may list every package
constexpr ByteCount kMaxBlobBytes = 1ULL << 40U;
constexpr const char* kRefName = "org.opencontainers.image.ref.name";

// The member of an object, or null pointer where `json` is no object, or has none or null.
const Json* member(const Json* json, const char* key) {
  if (json == nullptr || !json->is_object()) return nullptr;
  const auto found = json->find(key);
  return found == json->end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> text_of(const Json* json, const std::string& where) {
  if (json == nullptr) return std::string();
  if (!json->is_string()) return refused(where + " is not a string");
  std::string text = json->get<std::string>();
  if (text.size() > kMaxText) return refused(where + " is too long");
  if (text.find('\0') != std::string::npos) return refused(where + " has a NUL byte");
  return text;
}

Result<const Json*> list_of(const Json* json, const std::string& where, std::size_t most) {
  static const Json kEmpty = Json::array();
  if (json == nullptr) return &kEmpty;
  if (!json->is_array()) return refused(where + " is not a list");
  if (json->size() > most) return refused(where + " has more than " + std::to_string(most) + " entries");
  return json;
}

Result<std::vector<std::string>> words_of(const Json* json, const std::string& where) {
  std::vector<std::string> words;
  for (const Json& word : *TRY(list_of(json, where, kMaxStrings)))
    words.push_back(TRY(text_of(&word, where)));
  return words;
}

Result<Digest> digest_of(const Json* json, const std::string& where) {
  const std::string text = TRY(text_of(json, where));
  const bool prefixed = text.rfind("sha256:", 0) == 0;
  Result<Digest> digest = Digest::parse(text);
  if (!prefixed || !digest.ok()) return refused(where + " is not a SHA-256 digest: " + quoted(text, 100));
  return digest;
}

Result<Descriptor> descriptor_of(const Json& json, const std::string& where) {
  if (!json.is_object()) return refused(where + " is not an object");
  Descriptor out;
  out.media_type = TRY(text_of(member(&json, "mediaType"), where + ".mediaType"));
  out.digest = TRY(digest_of(member(&json, "digest"), where + ".digest"));
  const Json* size = member(&json, "size");
  if (size == nullptr || !size->is_number_unsigned() || size->get<ByteCount>() > kMaxBlobBytes) {
    return refused(where + ".size is not a sensible number");
  }
  out.size = size->get<ByteCount>();
  out.name = TRY(text_of(member(member(&json, "annotations"), kRefName), where + ".annotations"));
  const Json* platform = member(&json, "platform");
  out.os = TRY(text_of(member(platform, "os"), where + ".platform.os"));
  out.architecture = TRY(text_of(member(platform, "architecture"), where + ".platform.architecture"));
  return out;
}

Json descriptor_json(const Descriptor& d) {
  Json out{{"mediaType", d.media_type}, {"digest", d.digest.str()}, {"size", d.size}};
  if (!d.name.empty()) out["annotations"] = Json{{kRefName, d.name}};
  if (!d.os.empty() || !d.architecture.empty())
    out["platform"] = Json{{"os", d.os}, {"architecture", d.architecture}};
  return out;
}

Result<Json> document(std::string_view text, const std::string& name) {
  Result<Json> json = parse_json(text, name);
  if (!json.ok()) return refused(json.error().where + ": " + json.error().message);
  if (!json->is_object()) return refused(name + " is not an object");
  return json;
}

bool is_layer_type(const std::string& type) {
  static const std::vector<std::string> kTypes{
      "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
      "application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar",
      "application/vnd.docker.image.rootfs.diff.tar.gzip"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

Result<std::vector<std::pair<std::string, std::string>>> environment_of(const Json* json) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& word : TRY(words_of(json, "image config: config.Env"))) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return refused("image config: config.Env has " + quoted(word, 60) + ", which is not NAME=value");
    }
    out.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return out;
}

Result<std::map<std::string, std::string>> labels_of(const Json* json) {
  std::map<std::string, std::string> out;
  if (json == nullptr) return out;
  if (!json->is_object() || json->size() > kMaxStrings) {
    return refused("image config: config.Labels is not a map of sensible size");
  }
  for (const auto& [key, value] : json->items())
    out[key] = TRY(text_of(&value, "image config: config.Labels"));
  return out;
}

}  // namespace

bool Descriptor::is_index() const {
  return media_type == "application/vnd.oci.image.index.v1+json" ||
         media_type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

Result<std::vector<Descriptor>> parse_index(std::string_view text) {
  const Json json = TRY(document(text, "image index"));
  std::vector<Descriptor> out;
  for (const Json& entry : *TRY(list_of(member(&json, "manifests"), "image index: manifests", kMaxListed))) {
    const std::string where = "image index: manifests[" + std::to_string(out.size()) + "]";
    out.push_back(TRY(descriptor_of(entry, where)));
  }
  return out;
}

Result<Manifest> parse_manifest(std::string_view text) {
  const Json json = TRY(document(text, "image manifest"));
  Manifest out;
  const Json* config = member(&json, "config");
  if (config == nullptr) return refused("image manifest: config is missing");
  out.config = TRY(descriptor_of(*config, "image manifest: config"));
  for (const Json& entry : *TRY(list_of(member(&json, "layers"), "image manifest: layers", kMaxListed))) {
    const std::string where = "image manifest: layers[" + std::to_string(out.layers.size()) + "]";
    out.layers.push_back(TRY(descriptor_of(entry, where)));
    if (!is_layer_type(out.layers.back().media_type)) {
      return refused(where + " has type " + quoted(out.layers.back().media_type, 100) +
                     ", which is not a layer");
    }
  }
  if (out.layers.empty()) return refused("image manifest: layers is empty");
  return out;
}

Result<ImageConfig> parse_config(std::string_view text) {
  const Json json = TRY(document(text, "image config"));
  const Json* config = member(&json, "config");
  ImageConfig out;
  out.os = TRY(text_of(member(&json, "os"), "image config: os"));
  out.architecture = TRY(text_of(member(&json, "architecture"), "image config: architecture"));
  if (out.os != "linux" || out.architecture != "amd64") {
    return refused("the image is for " + printable(out.os + "/" + out.architecture, 60) +
                   ", not linux/amd64");
  }
  out.entrypoint = TRY(words_of(member(config, "Entrypoint"), "image config: config.Entrypoint"));
  out.command = TRY(words_of(member(config, "Cmd"), "image config: config.Cmd"));
  out.environment = TRY(environment_of(member(config, "Env")));
  out.labels = TRY(labels_of(member(config, "Labels")));
  out.working_directory = TRY(text_of(member(config, "WorkingDir"), "image config: config.WorkingDir"));
  out.user = TRY(text_of(member(config, "User"), "image config: config.User"));
  const std::string where = "image config: rootfs.diff_ids";
  for (const Json& id : *TRY(list_of(member(member(&json, "rootfs"), "diff_ids"), where, kMaxListed))) {
    out.diff_ids.push_back(TRY(digest_of(&id, where)));
  }
  return out;
}

Json index_json(const std::vector<Descriptor>& index) {
  Json list = Json::array();
  for (const Descriptor& entry : index) list.push_back(descriptor_json(entry));
  return Json{{"manifests", list}};
}

Json manifest_json(const Manifest& manifest) {
  Json layers = Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(descriptor_json(layer));
  return Json{{"config", descriptor_json(manifest.config)}, {"layers", layers}};
}

Json config_json(const ImageConfig& config) {
  Json environment = Json::array();
  for (const auto& [name, value] : config.environment) environment.push_back(name + "=" + value);
  Json diff_ids = Json::array();
  for (const Digest& id : config.diff_ids) diff_ids.push_back(id.str());
  Json labels = Json::object();
  for (const auto& [name, value] : config.labels) labels[name] = value;
  return Json{{"os", config.os},
              {"architecture", config.architecture},
              {"config", Json{{"Entrypoint", config.entrypoint},
                              {"Cmd", config.command},
                              {"Env", environment},
                              {"Labels", labels},
                              {"WorkingDir", config.working_directory},
                              {"User", config.user}}},
              {"rootfs", Json{{"type", "layers"}, {"diff_ids", diff_ids}}}};
}

Result<Descriptor> choose_image(const std::vector<Descriptor>& index, const std::string& wanted) {
  std::vector<Descriptor> fitting;
  for (const Descriptor& entry : index) {
    if (entry.os.empty() || (entry.os == "linux" && entry.architecture == "amd64")) fitting.push_back(entry);
  }
  if (fitting.empty()) return refused("it holds no image for linux/amd64");
  if (fitting.size() == 1) return fitting[0];
  std::vector<Descriptor> named;
  std::vector<std::string> names;
  for (const Descriptor& entry : fitting) {
    names.push_back(printable(entry.name.empty() ? entry.digest.str() : entry.name, 100));
    const auto name = study_name(entry.name);
    if (name.ok() && name->str() == wanted) named.push_back(entry);
  }
  if (named.size() == 1) return named[0];
  return refused("it holds " + std::to_string(fitting.size()) + " images",
                 "choose one of: " + printable(join(names, " "), 1000));
}

Result<ImageName> study_name(const std::string& reference) {
  return ImageName::parse(reference.substr(reference.rfind('/') + 1));
}

}  // namespace glovebox
