#include "core/base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

#include "core/base/text.h"

namespace glovebox {

struct YamlDocument::Contents {
  std::string name;
  std::string text;
  std::shared_ptr<const YamlNode> root;
};

namespace {

using NodeRef = std::shared_ptr<const YamlNode>;

// Carries an Error out of yaml-cpp's callbacks.
struct Stop {
  Mark mark;
  std::string message;
  std::string hint;
};

Mark mark_of(const YAML::Mark& mark) {
  return {mark.line + 1, mark.column + 1};
}

std::size_t size_of(const YamlNode& node) {
  std::size_t total = 1;
  for (const auto& item : node.items) total += size_of(*item);
  for (const auto& entry : node.entries) total += size_of(*entry.value);
  return total;
}

bool is_null_text(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds our tree from yaml-cpp's events; yaml-cpp's own tree keeps neither duplicates nor marks of keys in a
// usable form.
class Builder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_ != nullptr)
      throw Stop{mark_of(mark), "a second YAML document starts here", "keep one document in the file"};
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = std::make_shared<YamlNode>();
    node->mark = mark_of(mark);
    add(node, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Stop{mark_of(mark), "an alias stands inside the node it names", ""};
    count(sizes_.at(anchor), mark_of(mark));
    place(found->second, mark_of(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = std::make_shared<YamlNode>();
    node->mark = mark_of(mark);
    node->kind = YamlNode::Kind::kScalar;
    node->text = value;
    node->plain = tag == "?" || tag.empty();
    if (!node->plain && tag != "!" && tag != "tag:yaml.org,2002:str") {
      throw Stop{node->mark, "the tag " + quoted(tag, 100) + " is not supported", "remove the tag"};
    }
    if (node->plain && is_null_text(value)) node->kind = YamlNode::Kind::kNull;
    add(node, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark_of(mark), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark_of(mark), tag, anchor);
  }
  void OnMapEnd() override { close(); }
  [[nodiscard]] NodeRef root() const { return root_; }

 private:
  struct Frame {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Mark key_mark;
    bool merge = false;
    std::vector<NodeRef> merged;
    std::map<std::string, Mark> seen;
  };

  void count(std::size_t nodes, Mark mark) {
    total_ += nodes;
    if (total_ > kMaxYamlNodes)
      throw Stop{mark, "the file expands to more than 400,000 values", "aliases are expanded: use fewer"};
  }
  void open(YamlNode::Kind kind, Mark mark, const std::string& tag, YAML::anchor_t anchor) {
    if (tag != "?" && !tag.empty() && tag != "!")
      throw Stop{mark, "the tag " + quoted(tag, 100) + " is not supported", "remove the tag"};
    if (frames_.size() >= static_cast<std::size_t>(kMaxYamlDepth))
      throw Stop{mark, "nested more than 40 deep", ""};
    count(1, mark);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->mark = mark;
    frames_.push_back({node, anchor, false, {}, {}, false, {}, {}});
  }
  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (const NodeRef& source : frame.merged) {  // keys of the map itself win, then earlier merges
      for (const YamlEntry& entry : source->entries) {
        if (frame.node->find(entry.key) == nullptr) frame.node->entries.push_back(entry);
      }
    }
    remember(frame.anchor, frame.node);
    place(frame.node, frame.node->mark);
  }
  void add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor) {
    count(1, node->mark);
    remember(anchor, node);
    place(node, node->mark);
  }
  void remember(YAML::anchor_t anchor, const NodeRef& node) {
    if (anchor == YAML::NullAnchor) return;
    anchors_[anchor] = node;
    sizes_[anchor] = size_of(*node);
  }
  void place(const NodeRef& node, Mark mark) {
    if (frames_.empty()) {
      root_ = node;
      return;
    }
    Frame& frame = frames_.back();
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
  static void take_key(Frame& frame, const NodeRef& node, Mark mark) {
    if (!node->is_scalar()) throw Stop{mark, "a key must be a plain word or a string", ""};
    frame.has_key = true;
    frame.key = node->text;
    frame.key_mark = mark;
    frame.merge = node->plain && node->text == "<<";
    const auto [first, fresh] = frame.seen.emplace(node->text, mark);
    if (!fresh) {
      throw Stop{mark, "key " + quoted(node->text, 100) + " is given twice",
                 "it stands first in line " + std::to_string(first->second.line)};
    }
  }
  static void take_merge(Frame& frame, const NodeRef& node, Mark mark) {
    const std::vector<NodeRef> sources = node->is_list() ? node->items : std::vector<NodeRef>{node};
    for (const NodeRef& source : sources) {
      if (!source->is_map()) throw Stop{mark, "the merge key << needs a map", ""};
      frame.merged.push_back(source);
    }
  }

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, NodeRef> anchors_;
  std::map<YAML::anchor_t, std::size_t> sizes_;
  NodeRef root_;
  std::size_t total_ = 0;
};

std::string line_at(const std::string& text, int line) {
  std::size_t start = 0;
  for (int i = 1; i < line && start != std::string::npos; ++i) {
    start = text.find('\n', start);
    if (start != std::string::npos) ++start;
  }
  if (start == std::string::npos || start >= text.size()) return {};
  std::string found = text.substr(start, text.find('\n', start) - start);
  if (found.ends_with('\r')) found.pop_back();
  return found;
}

Error error_in(const std::string& name, const std::string& text, Mark mark, std::string message,
               std::string hint) {
  Error error =
      invalid(std::move(message), name + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column),
              std::move(hint));
  const std::string line = line_at(text, mark.line);
  if (line.empty()) return error;
  const auto column = static_cast<std::size_t>(std::max(mark.column - 1, 0));
  // A long line is shown around the caret; what is not printable is escaped, so the caret is put behind the
  // escaped part.
  const std::size_t from = column > 80 ? column - 60 : 0;
  const std::string before =
      printable(std::string_view(line).substr(std::min(from, line.size()), column - from), 300);
  const std::string after = printable(std::string_view(line).substr(std::min(column, line.size())), 80);
  error.excerpt = before + after + "\n" + std::string(before.size(), ' ') + "^";
  return error;
}

}  // namespace

Result<YamlDocument> YamlDocument::parse(std::string_view text, std::string name) {
  auto contents = std::make_shared<Contents>();
  contents->name = std::move(name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMaxYamlBytes) return invalid("the file is larger than 4 MiB", contents->name);
  if (!is_utf8(text)) return invalid("the file is not UTF-8", contents->name);
  contents->text = text;
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return invalid("the file has a NUL byte", contents->name);
  }
  Builder builder;
  try {
    std::istringstream stream(contents->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Stop& stop) {
    return error_in(contents->name, contents->text, stop.mark, stop.message, stop.hint);
  } catch (const YAML::Exception& e) {
    return error_in(contents->name, contents->text, mark_of(e.mark),
                    "not well-formed YAML: " + printable(e.msg, 200), "");
  }
  contents->root = builder.root();
  if (contents->root == nullptr) return invalid("the file is empty", contents->name);
  YamlDocument document;
  document.contents_ = std::move(contents);
  return document;
}

const YamlNode& YamlDocument::root() const {
  return *contents_->root;
}
const std::string& YamlDocument::name() const {
  return contents_->name;
}

Error YamlDocument::error_at(const YamlNode& node, std::string message, std::string hint) const {
  return error_at(node.mark, std::move(message), std::move(hint));
}
Error YamlDocument::error_at(Mark mark, std::string message, std::string hint) const {
  return error_in(contents_->name, contents_->text, mark, std::move(message), std::move(hint));
}
std::string YamlDocument::source_of(const YamlNode& node) const {
  return contents_->name + ":" + std::to_string(node.mark.line);
}

bool YamlNode::is_string() const {
  return is_scalar() && (!plain || (!as_number().has_value() && !as_bool().has_value()));
}

std::optional<std::int64_t> YamlNode::as_integer() const {
  if (!is_scalar() || !plain || text.empty()) return std::nullopt;
  std::string_view digits = text;
  int base = 10;
  if (digits.starts_with("0o")) base = 8, digits.remove_prefix(2);
  if (digits.starts_with("0x")) base = 16, digits.remove_prefix(2);
  if (base != 10 && digits.starts_with("-")) return std::nullopt;
  if (base == 10 && digits.starts_with("+")) {
    digits.remove_prefix(1);
    if (digits.starts_with("-")) return std::nullopt;
  }
  std::string plain_digits;  // the reference reads YAML 1.1's 1_000 as a thousand
  for (const char c : digits) {
    if (c != '_' || plain_digits.empty()) plain_digits += c;
  }
  std::int64_t number = 0;
  const char* end = plain_digits.data() + plain_digits.size();
  const auto [rest, status] = std::from_chars(plain_digits.data(), end, number, base);
  if (status != std::errc() || rest != end || plain_digits.empty()) return std::nullopt;
  return number;
}

std::optional<double> YamlNode::as_number() const {
  if (const auto integer = as_integer()) return static_cast<double>(*integer);
  if (!is_scalar() || !plain) return std::nullopt;
  if (text.empty() || text.find_first_not_of("0123456789.eE+-") != std::string::npos ||
      text.find_first_of("0123456789") == std::string::npos) {
    return std::nullopt;
  }
  double number = 0;
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(begin, end, number);
  if (status != std::errc() || rest != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<bool> YamlNode::as_bool() const {
  if (!is_scalar() || !plain) return std::nullopt;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const YamlEntry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::vector<Error> unknown_keys(const YamlDocument& document, const YamlNode& map,
                                const std::vector<std::string>& allowed, std::string_view what) {
  std::vector<Error> errors;
  for (const YamlEntry& entry : map.entries) {
    if (std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end()) continue;
    const std::string near = nearest(entry.key, allowed);
    errors.push_back(document.error_at(
        entry.key_mark, quoted(entry.key, 100) + " is not a key of " + std::string(what),
        near.empty() ? "the keys are: " + join(allowed, ", ") : "did you mean \"" + near + "\"?"));
  }
  return errors;
}

}  // namespace glovebox
