// What needs what: cycles, and the order in which actions run.
#include <algorithm>
#include <unordered_map>

#include "core/base/text.h"
#include "core/spec/rules.h"

namespace glovebox {
namespace detail {
namespace {

constexpr std::size_t kShownMembers = 8;
constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

// A depth-first walk that calls `closes(path, from, need)` for every edge back into the path, and
// `leaves(node)` when a node and everything that it needs was visited. Our own stack: chains may be as long
// as the file.
class Walk {
 public:
  explicit Walk(const Graph& graph)
      : graph_(graph), depth_(graph.size(), kNowhere), done_(graph.size(), false) {}

  template <class Closes, class Leaves>
  void from(std::size_t start, const Closes& closes, const Leaves& leaves) {
    if (done_[start]) return;
    enter(start);
    while (!path_.empty()) {
      const std::size_t node = path_.back();
      const std::size_t edge = next_.back();
      if (edge == graph_[node].size()) {
        done_[node] = true;
        depth_[node] = kNowhere;
        path_.pop_back();
        next_.pop_back();
        leaves(node);
        continue;
      }
      ++next_.back();
      const std::size_t target = graph_[node][edge];
      if (depth_[target] != kNowhere) {
        closes(node, edge, target);
      } else if (!done_[target]) {
        enter(target);
      }
    }
  }
  [[nodiscard]] const std::vector<std::size_t>& path() const { return path_; }
  [[nodiscard]] std::size_t depth(std::size_t node) const { return depth_[node]; }

 private:
  void enter(std::size_t node) {
    depth_[node] = path_.size();
    path_.push_back(node);
    next_.push_back(0);
  }

  const Graph& graph_;
  std::vector<std::size_t> path_;
  std::vector<std::size_t> next_;   // the edge of each node of path_ to take next
  std::vector<std::size_t> depth_;  // in path_, or kNowhere
  std::vector<bool> done_;
};

}  // namespace

std::vector<Cycle> find_cycles(const Graph& graph) {
  std::vector<Cycle> cycles;
  std::vector<bool> told(graph.size(), false);  // an end of a cycle that was reported: enough of that knot
  Walk walk(graph);
  const auto closes = [&](std::size_t node, std::size_t edge, std::size_t target) {
    if (told[node] || told[target]) return;
    told[node] = told[target] = true;
    const std::vector<std::size_t>& path = walk.path();
    const std::size_t first = walk.depth(target);
    const std::size_t length = path.size() - first;
    Cycle cycle{node, edge, {}, length > kShownMembers};
    const std::size_t shown = cycle.shortened ? kShownMembers - 1 : length;
    for (std::size_t i = 0; i < shown; ++i) cycle.shown.push_back(path[first + i]);
    if (cycle.shortened) cycle.shown.push_back(node);
    cycles.push_back(std::move(cycle));
  };
  for (std::size_t i = 0; i < graph.size(); ++i) walk.from(i, closes, [](std::size_t) {});
  return cycles;
}

std::string describe(const Cycle& cycle, const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < cycle.shown.size(); ++i) {
    if (cycle.shortened && i + 1 == cycle.shown.size()) text += "… -> ";
    text += printable(names[cycle.shown[i]], 128) + " -> ";
  }
  return text + printable(names[cycle.shown.front()], 128);
}

}  // namespace detail

const ActionSpec* Project::find(std::string_view name) const {
  const auto found = std::find_if(actions.begin(), actions.end(),
                                  [&](const ActionSpec& action) { return action.name.str() == name; });
  return found == actions.end() ? nullptr : &*found;
}

namespace {

using Index = std::unordered_map<std::string_view, std::size_t>;

Error unknown_action(std::string_view name, const std::vector<ActionSpec>& actions) {
  std::vector<std::string> names;
  for (const ActionSpec& action : actions) names.push_back(action.name.str());
  names.emplace_back(detail::kRunAll);
  const std::string near = nearest(name, names);
  return invalid(
      "the project has no action " + quoted(name, 200), {},
      near.empty() ? "\"glovebox project check\" lists the actions" : "did you mean \"" + near + "\"?");
}

}  // namespace

Result<std::vector<const ActionSpec*>> Project::order(const std::vector<std::string>& wanted) const {
  Index index;
  for (std::size_t i = 0; i < actions.size(); ++i) index.emplace(actions[i].name.str(), i);
  std::vector<bool> asked(actions.size(), false);
  for (const std::string& name : wanted) {
    const auto found = index.find(name);
    if (found != index.end()) {
      asked[found->second] = true;
    } else if (name == detail::kRunAll) {
      asked.assign(actions.size(), true);
    } else {
      return unknown_action(name, actions);
    }
  }
  detail::Graph graph(actions.size());
  for (std::size_t i = 0; i < actions.size(); ++i) {
    for (const ActionName& need : actions[i].needs) {
      if (const auto found = index.find(need.str()); found != index.end()) graph[i].push_back(found->second);
    }
    std::sort(graph[i].begin(), graph[i].end());
  }
  std::vector<const ActionSpec*> ordered;
  detail::Walk walk(graph);
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (!asked[i]) continue;
    walk.from(
        i, [](std::size_t, std::size_t, std::size_t) {},
        [&](std::size_t node) { ordered.push_back(&actions[node]); });
  }
  return ordered;
}

}  // namespace glovebox
