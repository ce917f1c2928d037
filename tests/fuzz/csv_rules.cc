// The level 4 rules on any bytes, whole and in pieces: the same verdict, and one that can be handed on.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/rules/judge.h"

using namespace glovebox;

// Input: a byte that chooses the extension, a byte that chooses the size of pieces, then the file.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<const char*, 8> kNames{"a.csv",  "a.txt", "a.html", "a.svg",
                                                     "a.svgz", "a.png", "a.jpg",  "a.json"};
  if (size < 2) return 0;
  OutputRules rules;
  rules.extensions = {".csv", ".txt", ".html", ".svg", ".svgz", ".png", ".jpg", ".json"};
  rules.file_bytes = 1U << 20U;
  rules.csv_rows = 5;
  const auto path = RelPath::parse(kNames.at(data[0] % kNames.size()));
  const std::size_t piece = 1 + data[1];
  const std::string_view content(reinterpret_cast<const char*>(data) + 2, size - 2);
  const Json whole = judgement_json(judge(rules, *path, content));
  FileJudge pieces(rules, *path, content.size());
  for (std::size_t at = 0; at < content.size(); at += piece) pieces.feed(content.substr(at, piece));
  const Judgement judgement = pieces.finish();
  if (judgement_json(judgement) != whole) std::abort();
  const auto back = judgement_from_json(whole);
  if (!back || judgement_json(*back) != whole) std::abort();
  // No accepted CSV has more lines than its limit, however it is quoted.
  if (data[0] % kNames.size() != 0 || !judgement.hits.empty()) return 0;
  std::size_t lines = 0;
  bool filled = false;
  for (const char c : content) {
    if (c != '\n' && c != '\r') filled = true;
    if (c == '\n' && filled) ++lines;
    if (c == '\n' || c == '\r') filled = c == '\r' && filled;
  }
  if (lines > rules.csv_rows + 1) std::abort();
  return 0;
}
