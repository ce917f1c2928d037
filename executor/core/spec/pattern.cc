// Output patterns: what may be written in project.yaml, and what they match.
#include "core/base/text.h"
#include "core/spec/pattern_match.h"
#include "core/spec/project.h"

namespace glovebox {
namespace {

bool is_windows_absolute(std::string_view text) {
  const char letter = text.empty() ? ' ' : text[0];
  const bool drive = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  return drive && text.size() > 2 && text[1] == ':' && text[2] == '/';
}

// From the last dot of the last component on, or empty; a name that begins or ends with its only dot has
// none.
std::string_view extension_of(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  const std::string_view name = text.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == name.size()) return {};
  return name.substr(dot);
}

struct Fault {
  std::string why;
  std::string hint;
};

Fault wrong_characters(std::string_view text) {
  if (text.find('\\') != std::string_view::npos)
    return {"has a backslash", "write / between folder and file"};
  for (const char* wild : {"**", "?", "["}) {
    if (text.find(wild) != std::string_view::npos) {
      return {std::string("has ") + wild, "only * is special, and it stands for any part of one name"};
    }
  }
  if (has_unprintable(text)) return {"has control or invisible characters", ""};
  return {};
}

Fault wrong_shape(std::string_view text) {
  if (text.starts_with('/') || is_windows_absolute(text))
    return {"is absolute", "write it relative to the study's folder, for example output/table.csv"};
  for (const std::string_view part : split(text, '/')) {
    if (part.empty()) return {"is not in normal form", "remove the doubled or last /"};
    if (part == ".") return {"is not in normal form", "remove the ./"};
    if (part == "..") return {"leaves the study's folder", "write where the file is, without .."};
    if (part.starts_with('.')) return {"has a component that starts with a dot", "use another name"};
  }
  if (text == kOurFolder || text.starts_with("metadata/"))
    return {"is in metadata/, which is kept for logs and the manifest", "use another folder"};
  if (const auto path = RelPath::parse(text); !path) return {"is too long", ""};
  const std::string_view extension = extension_of(text);
  if (extension.empty()) return {"has no extension", "end it with the type of the file, for example .csv"};
  if (extension.ends_with('*')) return {"has an extension that ends with *", "write the extension out"};
  return {};
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  if (text.empty())
    return invalid("an output pattern is empty", {}, "write a path, for example output/*.csv");
  if (!is_utf8(text)) return invalid("output pattern " + quoted(text, 200) + " is not UTF-8");
  Fault fault = wrong_characters(text);
  if (fault.why.empty()) fault = wrong_shape(text);
  if (!fault.why.empty())
    return invalid("output pattern " + quoted(text, 200) + " " + fault.why, {}, std::move(fault.hint));
  return Pattern(std::string(text));
}

std::string_view Pattern::extension() const {
  return extension_of(text_);
}

bool Pattern::matches(const RelPath& path) const {
  return pattern_matches(text_, split(path.str(), '/'));
}

}  // namespace glovebox
