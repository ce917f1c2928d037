#include "core/base/yaml_builder.h"

#include <algorithm>
#include <optional>

#include "core/base/text.h"

namespace glovebox::detail {
namespace {

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

bool is_null_text(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

YamlStop unsupported_tag(Mark mark, const std::string& tag) {
  return {mark, "the tag " + quoted(tag, 100) + " is not supported", "remove the tag"};
}

// "2020" is a number to YAML and has one way to be a string; "0x1f", "1_000", "true" and "1.50" do not.
bool is_usable_key(const YamlNode& node) {
  if (node.is_string()) return true;
  const auto number = node.as_integer();
  return node.is_scalar() && number.has_value() && std::to_string(*number) == node.text;
}

}  // namespace

Mark mark_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
  if (root_ == nullptr) return;
  throw YamlStop{mark_of(mark), "a second YAML document starts here", "keep one document in the file"};
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  auto node = std::make_shared<YamlNode>();
  node->mark = mark_of(mark);
  add(node, anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw YamlStop{mark_of(mark), "an alias stands inside the node it names", ""};
  count(found->second.nodes, mark_of(mark));
  place(found->second.node, found->second.height, mark_of(mark));
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  auto node = std::make_shared<YamlNode>();
  node->mark = mark_of(mark);
  node->kind = YamlNode::Kind::kScalar;
  node->text = value;
  node->plain = tag == "?" || tag.empty();
  if (!node->plain && tag != "!" && tag != std::string(kCoreTag) + "str")
    throw unsupported_tag(node->mark, tag);
  if (node->plain && is_null_text(value)) node->kind = YamlNode::Kind::kNull;
  add(node, anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kList, mark_of(mark), tag == std::string(kCoreTag) + "seq" ? "" : tag, anchor);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  open(YamlNode::Kind::kMap, mark_of(mark), tag == std::string(kCoreTag) + "map" ? "" : tag, anchor);
}

void YamlBuilder::count(std::size_t nodes, Mark mark) {
  total_ += nodes;
  if (total_ > kMaxYamlNodes)
    throw YamlStop{mark, "the file expands to more than 400,000 values", "aliases are expanded: use fewer"};
}

void YamlBuilder::open(YamlNode::Kind kind, Mark mark, const std::string& tag, YAML::anchor_t anchor) {
  if (tag != "?" && !tag.empty() && tag != "!") throw unsupported_tag(mark, tag);
  if (frames_.size() >= static_cast<std::size_t>(kMaxYamlDepth))
    throw YamlStop{mark, "nested more than 40 deep", ""};
  Frame frame;
  frame.first = total_;
  count(1, mark);
  frame.node = std::make_shared<YamlNode>();
  frame.node->kind = kind;
  frame.node->mark = mark;
  frame.anchor = anchor;
  frames_.push_back(std::move(frame));
}

void YamlBuilder::close() {
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  apply_merges(frame);
  const std::size_t height = frame.height + 1;
  if (frame.anchor != YAML::NullAnchor) anchors_[frame.anchor] = {frame.node, total_ - frame.first, height};
  place(frame.node, height, frame.node->mark);
}

void YamlBuilder::add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor) {
  count(1, node->mark);
  if (anchor != YAML::NullAnchor) anchors_[anchor] = {node, 1, 0};
  place(node, 0, node->mark);
}

void YamlBuilder::place(const NodeRef& node, std::size_t height, Mark mark) {
  // Only an alias can get here too high: open() has stopped everything else.
  if (frames_.size() + height > static_cast<std::size_t>(kMaxYamlDepth))
    throw YamlStop{mark, "nested more than 40 deep", "aliases are expanded: use fewer"};
  if (frames_.empty()) {
    root_ = node;
    return;
  }
  Frame& frame = frames_.back();
  frame.height = std::max(frame.height, height);
  if (frame.node->kind == YamlNode::Kind::kList) {
    frame.node->items.push_back(node);
  } else if (!frame.has_key) {
    take_key(frame, node, mark);
  } else {
    frame.has_key = false;
    if (frame.merge) {
      take_merge(frame, node, mark);
    } else {
      frame.node->entries.push_back({frame.key, frame.key_mark, node});
    }
  }
}

void YamlBuilder::take_key(Frame& frame, const NodeRef& node, Mark mark) {
  if (!is_usable_key(*node)) {
    throw YamlStop{mark, "a key must be a plain word or a string",
                   node->is_scalar() || node->is_null() ? "put the key in quotes" : ""};
  }
  frame.has_key = true;
  frame.key = node->text;
  frame.key_mark = mark;
  frame.merge = node->plain && node->text == "<<";
  const auto twice = [&](Mark first) {
    return YamlStop{mark, "key " + quoted(node->text, 100) + " is given twice",
                    "it stands first in line " + std::to_string(first.line)};
  };
  if (frame.merge) {
    if (frame.merge_mark.has_value()) throw twice(*frame.merge_mark);
    frame.merge_mark = mark;
    return;
  }
  const auto [first, fresh] = frame.seen.emplace(node->text, mark);
  if (!fresh) throw twice(first->second);
}

void YamlBuilder::take_merge(Frame& frame, const NodeRef& node, Mark mark) {
  const std::vector<NodeRef> sources = node->is_list() ? node->items : std::vector<NodeRef>{node};
  for (const NodeRef& source : sources) {
    if (!source->is_map()) throw YamlStop{mark, "the merge key << needs a map, or a list of maps", ""};
    frame.merged.push_back(source);
  }
}

// Keys of the map itself win, then those of earlier merges.
void YamlBuilder::apply_merges(Frame& frame) {
  for (const NodeRef& source : frame.merged) {
    for (const YamlEntry& entry : source->entries) {
      if (frame.seen.emplace(entry.key, entry.key_mark).second) frame.node->entries.push_back(entry);
    }
  }
}

}  // namespace glovebox::detail
