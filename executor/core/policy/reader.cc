#include "core/policy/reader.h"

#include <algorithm>

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxText = 1000;  // of a reason or a summary: more is not read in one sitting

}  // namespace

void PolicyReader::error(const YamlNode& node, std::string message, std::string hint) {
  error(node.mark, std::move(message), std::move(hint));
}

void PolicyReader::error(Mark mark, std::string message, std::string hint) {
  errors_.push_back(document_.error_at(mark, std::move(message), std::move(hint)));
}

void PolicyReader::error(const YamlNode& node, const Error& cause) {
  error(node, cause.message, cause.hint);
}

const YamlNode* PolicyReader::optional(const YamlNode& map, std::string_view key) const {
  const YamlEntry* entry = map.find(key);
  return entry == nullptr ? nullptr : entry->value.get();
}

const YamlNode* PolicyReader::required(const YamlNode& map, std::string_view key, std::string_view what) {
  const YamlNode* node = optional(map, key);
  if (node == nullptr) error(map, std::string(what) + " has no \"" + std::string(key) + "\"");
  return node;
}

bool PolicyReader::map(const YamlNode& node, std::string_view what, const std::vector<std::string>& keys) {
  if (!any_map(node, what)) return false;
  for (Error& unknown : unknown_keys(document_, node, keys, what)) errors_.push_back(std::move(unknown));
  return true;
}

bool PolicyReader::any_map(const YamlNode& node, std::string_view what) {
  if (node.is_map()) return true;
  error(node, std::string(what) + " must be a map");
  return false;
}

std::optional<std::string> PolicyReader::text(const YamlNode& node, std::string_view what) {
  const bool blank =
      node.is_null() || (node.is_scalar() && node.text.find_first_not_of(" \t\r\n") == std::string::npos);
  if (blank) return error(node, std::string(what) + " is empty"), std::nullopt;
  if (!node.is_string()) return error(node, std::string(what) + " must be text"), std::nullopt;
  if (node.text.size() > kMaxText) {
    return error(node, std::string(what) + " is longer than 1,000 bytes"), std::nullopt;
  }
  if (has_unprintable(node.text)) {
    return error(node, std::string(what) + " has control or invisible characters"), std::nullopt;
  }
  return node.text;
}

std::optional<std::uint64_t> PolicyReader::number(const YamlNode& node, std::string_view what,
                                                  std::uint64_t least, std::uint64_t most) {
  const auto value = node.as_integer();
  const bool fits = value.has_value() && *value >= 0 && static_cast<std::uint64_t>(*value) >= least &&
                    static_cast<std::uint64_t>(*value) <= most;
  if (fits) return static_cast<std::uint64_t>(*value);
  error(node, std::string(what) + " must be a whole number from " + std::to_string(least) + " to " +
                  std::to_string(most));
  return std::nullopt;
}

std::optional<std::string> PolicyReader::choice(const YamlNode& node, std::string_view what,
                                                const std::vector<std::string>& choices) {
  auto word = text(node, what);
  if (!word) return std::nullopt;
  if (std::find(choices.begin(), choices.end(), *word) != choices.end()) return word;
  const std::string near = nearest(*word, choices);
  error(node, std::string(what) + " " + quoted(*word, 100) + " is not known",
        near.empty() ? "use one of: " + join(choices, ", ") : "did you mean \"" + near + "\"?");
  return std::nullopt;
}

std::vector<PolicyReader::Item> PolicyReader::words(const YamlNode& node, std::string_view what) {
  std::vector<Item> items;
  if (!node.is_list()) {
    error(node, std::string(what) + " must be a list");
    return items;
  }
  add_words(node, what, false, items);
  return items;
}

void PolicyReader::add_words(const YamlNode& list, std::string_view what, bool nested,
                             std::vector<Item>& items) {
  for (const auto& item : list.items) {
    if (item->is_list() && !nested) {
      add_words(*item, what, true, items);
      continue;
    }
    const auto word = text(*item, "an entry of " + std::string(what));
    if (!word) continue;
    const auto first =
        std::find_if(items.begin(), items.end(), [&](const Item& other) { return other.text == *word; });
    if (first != items.end()) {
      error(*item, quoted(*word, 100) + " is given twice",
            "it stands first in line " + std::to_string(first->node->mark.line));
      continue;
    }
    items.push_back({*word, item.get()});
  }
}

bool is_variable_name(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && name.size() <= 128 && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace glovebox
