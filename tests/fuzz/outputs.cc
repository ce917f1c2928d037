// Names that an action chose against output patterns: whatever the bytes, nothing unsound becomes a path of
// ours.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/base/text.h"
#include "core/rules/classify.h"
#include "core/rules/message_file.h"

using namespace glovebox;

// Input: a pattern in the first line, then names separated by NUL.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto pattern = Pattern::parse(text.substr(0, line));
  if (!pattern) return 0;
  std::vector<FoundFile> found;
  for (const std::string_view name : split(text.substr(line + 1), '\0')) {
    found.push_back({std::string(name), FileKind::kRegular, 1});
  }
  const std::vector<OutputSpec> specs{{Level::kModeratelySensitive, "x", *pattern}};
  const Classification result = classify(found, specs, false);
  for (const Candidate& candidate : result.candidates) {
    if (!pattern->matches(candidate.path) || candidate.path.str().starts_with('/')) std::abort();
    for (const std::string& message : message_paths(candidate.path.str())) {
      if (!RelPath::parse(message)) std::abort();
    }
  }
  for (const OutputFile& file : result.rejected) {
    if (!is_utf8(file.path) || has_unprintable(file.path)) std::abort();
  }
  for (const std::string& name : result.unmatched_files) {
    if (!is_utf8(name) || has_unprintable(name)) std::abort();
  }
  return 0;
}
