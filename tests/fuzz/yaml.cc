// Any bytes as YAML: parsing ends, every node has a place, and an error can be told at each.
#include "core/base/yaml.h"

#include <cstdint>
#include <cstdlib>

#include "core/base/text.h"

namespace {

using namespace glovebox;

void walk(const YamlDocument& document, const YamlNode& node, int depth) {
  if (depth > kMaxYamlDepth + 1 || node.mark.line < 1) std::abort();
  const Error error = document.error_at(node, "x");
  if (!is_utf8(error.excerpt)) std::abort();
  if (node.is_string() && (node.as_number().has_value() || node.as_bool().has_value())) std::abort();
  if (node.as_integer().has_value() && !node.as_number().has_value()) std::abort();
  for (const auto& item : node.items) walk(document, *item, depth + 1);
  for (const YamlEntry& entry : node.entries) walk(document, *entry.value, depth + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = YamlDocument::parse(std::string_view(reinterpret_cast<const char*>(data), size), "x");
  if (document.ok()) {
    walk(*document, document->root(), 0);
  } else if (document.error().message.empty() || has_unprintable(document.error().message)) {
    std::abort();
  }
  return 0;
}
