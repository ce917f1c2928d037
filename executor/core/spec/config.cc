// `config` of an action: YAML values as the JSON that the command is given.
#include "core/base/json.h"
#include "core/spec/draft.h"

namespace glovebox::detail {
namespace {

// Recursion is bounded by kMaxYamlDepth.
Json to_json(const YamlNode& node, Findings& findings) {
  if (node.is_null()) return nullptr;
  if (node.is_list()) {
    Json list = Json::array();
    for (const auto& item : node.items) list.push_back(to_json(*item, findings));
    return list;
  }
  if (node.is_map()) {
    Json::object_t
        map;  // filled from behind its back: the keys are known to differ, and its own look-up is linear
    for (const YamlEntry& entry : node.entries) map.emplace_back(entry.key, to_json(*entry.value, findings));
    return map;
  }
  if (node.is_string()) return node.text;
  if (const auto flag = node.as_bool()) return *flag;
  if (const auto integer = node.as_integer()) return *integer;
  const bool whole = node.text.find_first_of(".eE") == std::string::npos || node.text.starts_with("0x");
  if (const auto number = node.as_number(); number.has_value() && !whole) return *number;
  findings.add(node.mark, "the number cannot be passed on exactly",
               "use a finite number, a whole one within 64 bits, or put it in quotes");
  return nullptr;
}

}  // namespace

std::optional<std::string> config_json(const YamlNode& map, Findings& findings) {
  return dump_json(to_json(map, findings));
}

}  // namespace glovebox::detail
