// What the store knows of an image after it was imported: the file images/info/<manifest digest>.json.
#pragma once
#include <string>
#include <vector>

#include "core/plan/plan.h"
#include "shell/images/oci.h"

namespace glovebox {

struct ImageRecord {
  Descriptor manifest;
  Descriptor config;
  std::vector<Descriptor> layers;
  ImageConfig image;
  Digest tree;
  std::uint64_t entries = 0;  // files, directories and links of the tree
  ByteCount bytes = 0;        // of its regular files
  std::uint64_t dropped = 0;  // devices and the like that were in the layers
};

Json record_json(const ImageRecord& record);
Result<ImageRecord> parse_record(std::string_view text);

// What plans and records need of it. Labels longer than 1 KiB (the list of packages) stay out: the digest of
// the configuration covers them.
ImageInfo info_of(const ImageRecord& record, const std::string& name);

// `image inspect --json`.
Json inspect_json(const ImageRecord& record, const std::string& name);

}  // namespace glovebox
