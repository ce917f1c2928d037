// Builds our tree from yaml-cpp's events; yaml-cpp's own tree keeps neither duplicates nor the places of
// keys. Private to core/base.
#pragma once
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/yaml.h"

namespace glovebox::detail {

// Thrown out of yaml-cpp's callbacks, caught in YamlDocument::parse.
struct YamlStop {
  Mark mark;
  std::string message;
  std::string hint;
};

Mark mark_of(const YAML::Mark& mark);

class YamlBuilder : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override;
  void OnMapEnd() override { close(); }
  // Null where the stream held no document.
  [[nodiscard]] std::shared_ptr<const YamlNode> root() const { return root_; }

 private:
  using NodeRef = std::shared_ptr<const YamlNode>;

  // A list or map that is not finished.
  struct Frame {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    std::size_t height = 0;  // of the highest node in it so far
    std::size_t first = 0;   // nodes counted before it
    bool has_key = false;
    bool merge = false;  // the pending key is <<
    std::string key;
    Mark key_mark;
    std::map<std::string, Mark> seen;  // keys, without <<
    std::optional<Mark> merge_mark;
    std::vector<NodeRef> merged;
  };
  // What an alias repeats, and how much that is once it is expanded.
  struct Anchored {
    NodeRef node;
    std::size_t nodes = 0;
    std::size_t height = 0;
  };

  void count(std::size_t nodes, Mark mark);
  void open(YamlNode::Kind kind, Mark mark, const std::string& tag, YAML::anchor_t anchor);
  void close();
  void add(const std::shared_ptr<YamlNode>& node, YAML::anchor_t anchor);
  void place(const NodeRef& node, std::size_t height, Mark mark);
  static void take_key(Frame& frame, const NodeRef& node, Mark mark);
  static void take_merge(Frame& frame, const NodeRef& node, Mark mark);
  static void apply_merges(Frame& frame);

  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  NodeRef root_;
  std::size_t total_ = 0;
};

}  // namespace glovebox::detail
