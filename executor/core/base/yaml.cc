#include "core/base/yaml.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <exception>
#include <sstream>

#include "core/base/text.h"
#include "core/base/yaml_builder.h"

namespace glovebox {

struct YamlDocument::Contents {
  std::string name;
  std::string text;
  std::vector<std::size_t> lines;  // where each begins
  std::shared_ptr<const YamlNode> root;
};

namespace {

// How much of a line is shown on either side of the caret, in bytes: together they fill a terminal's width.
constexpr std::size_t kShownBefore = 60;
constexpr std::size_t kShownAfter = 60;

bool starts_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
}

std::vector<std::size_t> line_starts(std::string_view text) {
  std::vector<std::size_t> starts{0};
  for (std::size_t i = text.find('\n'); i != std::string_view::npos; i = text.find('\n', i + 1))
    starts.push_back(i + 1);
  return starts;
}

Mark mark_at(const std::vector<std::size_t>& lines, std::size_t offset) {
  const auto next = std::upper_bound(lines.begin(), lines.end(), offset);
  return {static_cast<int>(next - lines.begin()), static_cast<int>(offset - *(next - 1)) + 1};
}

std::string_view line_at(std::string_view text, const std::vector<std::size_t>& lines, int line) {
  if (line < 1 || static_cast<std::size_t>(line) > lines.size()) return {};
  const std::size_t start = lines[static_cast<std::size_t>(line) - 1];
  std::string_view found = text.substr(start, text.find('\n', start) - start);
  if (found.ends_with('\r')) found.remove_suffix(1);
  return found;
}

// The part of `line` around byte `column`, printable, and a caret below it. A tab is shown as \t, so what is
// before the caret is measured after it was made printable.
std::string excerpt_of(std::string_view line, std::size_t column) {
  std::size_t from = column > kShownBefore + 20 ? column - kShownBefore : 0;
  while (from > 0 && from < column && !starts_code_point(line[from])) ++from;
  const std::string before = (from == 0 ? "" : "…") + printable(line.substr(from, column - from), 400);
  const std::string after = printable(line.substr(column), kShownAfter);
  return before + after + "\n" + std::string(count_code_points(before), ' ') + "^";
}

Error error_in(const std::string& name, std::string_view text, const std::vector<std::size_t>& lines,
               Mark mark, std::string message, std::string hint) {
  if (mark.line < 1) return invalid(std::move(message), name, std::move(hint));
  const std::string_view line = line_at(text, lines, mark.line);
  const std::size_t column = std::min(static_cast<std::size_t>(std::max(mark.column - 1, 0)), line.size());
  Error error = invalid(std::move(message),
                        name + ":" + std::to_string(mark.line) + ":" +
                            std::to_string(count_code_points(line.substr(0, column)) + 1),
                        std::move(hint));
  if (!line.empty()) error.excerpt = excerpt_of(line, column);
  return error;
}

// The first character that YAML forbids (C0 controls but tab and line ends, and DEL). A carriage return alone
// would end a line for some readers and not for others.
std::size_t find_forbidden(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\r' && (i + 1 == text.size() || text[i + 1] == '\n')) continue;
    if ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7F) return i;
  }
  return std::string_view::npos;
}

// The column of the first tab in the indentation of `line`, from 1; 0 where there is none.
int tab_in_indentation(std::string_view line) {
  const std::size_t tab = line.substr(0, line.find_first_not_of(" \t")).find('\t');
  return tab == std::string_view::npos ? 0 : static_cast<int>(tab) + 1;
}

}  // namespace

Result<YamlDocument> YamlDocument::parse(std::string_view text, std::string name) {
  auto contents = std::make_shared<Contents>();
  contents->name = std::move(name);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMaxYamlBytes) return invalid("the file is larger than 4 MiB", contents->name);
  if (!is_utf8(text)) return invalid("the file is not UTF-8", contents->name);
  contents->text = text;
  contents->lines = line_starts(text);
  const auto fail = [&](Mark mark, std::string message, std::string hint = {}) {
    return error_in(contents->name, contents->text, contents->lines, mark, std::move(message),
                    std::move(hint));
  };
  if (const std::size_t bad = find_forbidden(text); bad != std::string_view::npos) {
    return fail(mark_at(contents->lines, bad),
                "the file has the control character " + quoted(text.substr(bad, 1)), "remove it");
  }
  detail::YamlBuilder builder;
  try {
    std::istringstream stream(contents->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const detail::YamlStop& stop) {
    return fail(stop.mark, stop.message, stop.hint);
  } catch (const YAML::Exception& e) {
    const Mark mark = detail::mark_of(e.mark);
    // The library speaks of what it ran into behind the tab.
    if (const int tab = tab_in_indentation(line_at(contents->text, contents->lines, mark.line)); tab > 0)
      return fail({mark.line, tab}, "a tab in the indentation", "YAML is indented with spaces alone");
    return fail(mark, "not well-formed YAML: " + printable(e.msg, 200));
  } catch (const std::exception&) {  // a fault of the library: the text is refused all the same
    return invalid("not well-formed YAML", contents->name);
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
  return error_in(contents_->name, contents_->text, contents_->lines, mark, std::move(message),
                  std::move(hint));
}
std::string YamlDocument::source_of(const YamlNode& node) const {
  return contents_->name + ":" + std::to_string(node.mark.line);
}

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const YamlEntry& e) { return e.key == key; });
  return found == entries.end() ? nullptr : &*found;
}

std::optional<Error> unknown_key(const YamlDocument& document, const YamlEntry& entry,
                                 const std::vector<std::string>& allowed, std::string_view what) {
  if (std::find(allowed.begin(), allowed.end(), entry.key) != allowed.end()) return std::nullopt;
  const std::string near = nearest(entry.key, allowed);
  return document.error_at(
      entry.key_mark, quoted(entry.key, 100) + " is not a key of " + std::string(what),
      near.empty() ? "the keys are: " + join(allowed, ", ") : "did you mean \"" + near + "\"?");
}

std::vector<Error> unknown_keys(const YamlDocument& document, const YamlNode& map,
                                const std::vector<std::string>& allowed, std::string_view what) {
  std::vector<Error> errors;
  for (const YamlEntry& entry : map.entries) {
    if (auto error = unknown_key(document, entry, allowed, what)) errors.push_back(*std::move(error));
  }
  return errors;
}

}  // namespace glovebox
