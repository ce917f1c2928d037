// An OCI image layout folder: what image is in it. Its documents are hostile: they are parsed in workers, and
// their bytes have the promised digest and size before they are.
#pragma once
#include <string>

#include "shell/images/oci.h"
#include "shell/sys/fd.h"

namespace glovebox {

struct LayoutImage {
  std::string reference;  // the name that the layout gives it; hostile text, may be empty
  Descriptor manifest;
  Manifest contents;
  ImageConfig config;
};

// True where `directory` holds an oci-layout file.
bool is_layout(int directory);

// The image in the layout, or the one called `wanted` ("python:v2") where there are several. `worker` is the
// uid that parses.
Result<LayoutImage> read_layout(int directory, const std::string& wanted, uid_t worker);

// "blobs/sha256/<hex>", in a layout and in the store alike.
std::string blob_path(const Digest& digest);

}  // namespace glovebox
