// The documents of an image: whatever parses is written in canonical form, and that reads back to the same.
#include "shell/images/oci.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

template <class Parse, class Write>
void check(const std::string& text, Parse parse, Write write) {
  const auto first = parse(text);
  if (!first.ok()) return;
  const std::string canonical = glovebox::dump_json(write(*first));
  const auto second = parse(canonical);
  if (!second.ok() || glovebox::dump_json(write(*second)) != canonical) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace glovebox;
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(text, parse_index, index_json);
  check(text, parse_manifest, manifest_json);
  check(text, parse_config, config_json);
  if (const auto index = parse_index(text); index.ok()) (void)choose_image(*index, "python:v2").ok();
  (void)study_name(text).ok();
  return 0;
}
