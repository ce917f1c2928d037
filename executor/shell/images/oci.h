// The three JSON documents of an OCI image (image-spec 1.1; Docker's schema 2 has the same shape), reduced to
// what Glovebox uses. Pure: text in, values out. All bounds on what a hostile image may say are here.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/types.h"

namespace glovebox {

inline constexpr std::size_t kMaxIndexBytes = 1U << 20U;
inline constexpr std::size_t kMaxManifestBytes = 4U << 20U;  // the distribution spec's own limit
inline constexpr std::size_t kMaxConfigBytes = 8U << 20U;

// A blob: what it is, its digest and its exact size.
struct Descriptor {
  std::string media_type;
  Digest digest;
  ByteCount size = 0;
  std::string name;          // annotation org.opencontainers.image.ref.name, or empty
  std::string os;            // platform, or empty
  std::string architecture;  // platform, or empty
  [[nodiscard]] bool is_index() const;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // bottom first
};

struct ImageConfig {
  std::string os;
  std::string architecture;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;
  std::map<std::string, std::string> labels;
  std::string working_directory;
  std::string user;
  std::vector<Digest> diff_ids;  // of the uncompressed layers, bottom first
};

// Unknown keys are let through, as the specification asks for. Errors are kRefused and name the place
// ("image manifest: layers[2].digest …").
Result<std::vector<Descriptor>> parse_index(std::string_view text);
Result<Manifest> parse_manifest(std::string_view text);
Result<ImageConfig> parse_config(std::string_view text);

// Canonical documents that the parsers above read back to an equal value: how a worker answers.
Json index_json(const std::vector<Descriptor>& index);
Json manifest_json(const Manifest& manifest);
Json config_json(const ImageConfig& config);

// The one manifest (or nested index) of `index` that is meant: for linux/amd64, and called `wanted` where
// that is not empty. None or several: kRefused, and the hint lists the names.
Result<Descriptor> choose_image(const std::vector<Descriptor>& index, const std::string& wanted);

// "python:v2" of "python:v2", "registry.example.org/studies/python:v2" and the like; an error for anything
// else. To find a name that was asked for, not to give one.
Result<ImageName> study_name(const std::string& reference);

}  // namespace glovebox
