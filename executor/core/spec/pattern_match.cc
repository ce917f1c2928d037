#include "core/spec/pattern_match.h"

namespace glovebox {
namespace {

// Does `part`, in which '*' stands for any text, match `name`? Greedy: every literal piece between two stars
// is taken at its first place, which is never worse than a later one, so nothing is tried twice.
bool part_matches(std::string_view part, std::string_view name) {
  const std::size_t first = part.find('*');
  if (first == std::string_view::npos) return part == name;
  const std::size_t last = part.rfind('*');
  const std::string_view end = part.substr(last + 1);
  if (name.size() < first + end.size() || !name.starts_with(part.substr(0, first)) || !name.ends_with(end))
    return false;
  name.remove_prefix(first);
  name.remove_suffix(end.size());
  for (std::size_t at = first; at < last;) {
    const std::size_t next = part.find('*', at + 1);
    const std::string_view piece = part.substr(at + 1, next - at - 1);
    const std::size_t found = name.find(piece);
    if (found == std::string_view::npos) return false;
    name.remove_prefix(found + piece.size());
    at = next;
  }
  return true;
}

}  // namespace

bool pattern_matches(std::string_view pattern, const std::vector<std::string_view>& names) {
  if (names.empty() || names.front() == kOurFolder) return false;
  std::string_view rest = pattern;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t slash = rest.find('/');
    const bool is_last = slash == std::string_view::npos;
    if (is_last != (i + 1 == names.size())) return false;
    if (names[i].starts_with('.') || !part_matches(rest.substr(0, slash), names[i])) return false;
    if (!is_last) rest.remove_prefix(slash + 1);
  }
  return true;
}

}  // namespace glovebox
