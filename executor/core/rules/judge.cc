#include "core/rules/judge.h"

#include <algorithm>
#include <array>

#include "core/base/text.h"
#include "core/rules/csv.h"
#include "core/rules/svgz.h"
#include "core/rules/text_scan.h"

namespace glovebox {
namespace {

enum class Content { kUnknown, kCsv, kText, kHtml, kSvg, kSvgz, kPng, kJpeg };

struct Kind {
  std::string_view extension;
  Content content;
};
constexpr std::array<Kind, 11> kKinds{{{".csv", Content::kCsv},
                                       {".txt", Content::kText},
                                       {".log", Content::kText},
                                       {".json", Content::kText},
                                       {".md", Content::kText},
                                       {".html", Content::kHtml},
                                       {".svg", Content::kSvg},
                                       {".svgz", Content::kSvgz},
                                       {".png", Content::kPng},
                                       {".jpg", Content::kJpeg},
                                       {".jpeg", Content::kJpeg}}};

constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";  // W3C PNG, 5.2
constexpr std::string_view kJpegStart = "\xff\xd8\xff";          // ITU T.81: SOI and the next marker

Content content_of(std::string_view extension) {
  const auto* found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.extension == extension; });
  return found == kKinds.end() ? Content::kUnknown : found->content;
}

bool is_text(Content content) {
  return content == Content::kCsv || content == Content::kText || content == Content::kHtml ||
         content == Content::kSvg;
}

}  // namespace

struct FileJudge::State {
  OutputRules rules;
  ByteCount size = 0;
  ByteCount fed = 0;
  Content content = Content::kUnknown;
  std::string extension;
  Judgement judgement;
  std::string head;
  TextScan text;
  CsvScan csv;
  std::optional<SvgzScan> svgz;

  void hit(const char* rule, std::string message) { judgement.hits.push_back({rule, std::move(message)}); }
  void judge_name();
  void judge_text();
  void judge_csv();
  void judge_markup();
  void judge_picture();
};

void FileJudge::State::judge_name() {
  if (size > rules.file_bytes) hit("size", "is larger than " + format_bytes(rules.file_bytes));
  const std::vector<std::string> allowed(rules.extensions.begin(), rules.extensions.end());
  if (!rules.extensions.contains(extension)) {
    hit("type.ext", "its type is not one of " + join(allowed, " "));
  } else if (content == Content::kUnknown) {
    hit("type.ext", "no check exists for files of its type");
  }
}

void FileJudge::State::judge_text() {
  text.finish();
  const std::string_view format = binary_format(head);
  const char* rule = content == Content::kCsv ? "csv.unparsable" : "type.content";
  if (!format.empty()) {
    hit("type.content", "is a " + std::string(format) + " file by its content, not what its name says");
  } else if (text.has_nul()) {
    hit("type.content", "has NUL bytes, which text has not: it is binary or UTF-16");
  } else if (text.bad_utf8()) {
    hit(rule, "is not UTF-8 text");
  }
}

void FileJudge::State::judge_csv() {
  csv.finish();
  if (csv.has_patient_id()) hit("csv.patient-id", "has a column called patient_id");
  if (text.has_control()) {
    hit("csv.control",
        "has control characters other than tabs and line breaks (such as a vertical tab, a form feed, U+0085 "
        "or U+2028), which some readers take for line breaks");
  }
  if (csv.malformed()) {
    hit("csv.unparsable",
        "cannot be read reliably: a quote that does not end, text behind a closing quote, or "
        "a field larger than " +
            format_bytes(kMaxCsvField));
  }
  if (std::max(csv.rows(), csv.line_rows()) > rules.csv_rows) {
    hit("csv.rows", "has more than " + std::to_string(rules.csv_rows) +
                        " rows of data (a line break inside a cell counts as one)");
  }
  if (!csv.malformed() && !text.has_control() && !text.bad_utf8() && !text.has_nul()) {
    judgement.rows = csv.rows();
    judgement.columns = csv.columns();
  }
}

void FileJudge::State::judge_markup() {
  const bool sound = content == Content::kHtml ? begins_like_html(head) : begins_like_svg(head);
  if (!sound && judgement.hits.empty()) {
    hit("type.content", std::string("is not ") + (content == Content::kHtml ? "HTML" : "SVG") +
                            " by its content, which its name says");
  }
}

void FileJudge::State::judge_picture() {
  if (content == Content::kPng && !head.starts_with(kPngSignature)) {
    hit("type.content", "is not PNG by its content, which its name says");
  } else if (content == Content::kJpeg && !head.starts_with(kJpegStart)) {
    hit("type.content", "is not JPEG by its content, which its name says");
  } else if (content == Content::kSvgz) {
    svgz->finish();
    if (svgz->too_large()) {
      hit("type.content", "unpacks to more than " + format_bytes(kMaxInflated) + " or " +
                              std::to_string(kMaxInflation) + " times its size");
    } else if (!svgz->is_svg()) {
      hit("type.content", "is not one gzip-compressed SVG by its content, which its name says");
    }
  }
}

FileJudge::FileJudge(const OutputRules& rules, const RelPath& path, ByteCount size)
    : state_(std::make_unique<State>()) {
  state_->rules = rules;
  state_->size = size;
  state_->extension = path.extension();
  state_->content = content_of(path.extension());
  state_->judge_name();
  if (state_->content == Content::kSvgz) state_->svgz.emplace(size);
}
FileJudge::FileJudge(FileJudge&&) noexcept = default;
FileJudge& FileJudge::operator=(FileJudge&&) noexcept = default;
FileJudge::~FileJudge() = default;

bool FileJudge::wants_content() const {
  return state_->judgement.hits.empty();  // a wrong size or name already withholds it
}

void FileJudge::feed(std::string_view chunk) {
  State& state = *state_;
  state.fed += chunk.size();
  if (state.fed > state.size) return;  // finish() says so
  if (state.head.size() < kMarkupHead) state.head += chunk.substr(0, kMarkupHead - state.head.size());
  if (is_text(state.content)) state.text.feed(chunk);
  if (state.content == Content::kCsv) state.csv.feed(chunk);
  if (state.content == Content::kSvgz) state.svgz->feed(chunk);
}

Judgement FileJudge::finish() {
  State& state = *state_;
  if (!wants_content()) return std::move(state.judgement);
  if (state.fed != state.size) return unreadable_judgement();
  if (is_text(state.content)) state.judge_text();
  if (state.content == Content::kCsv) state.judge_csv();
  if (state.content == Content::kHtml || state.content == Content::kSvg) state.judge_markup();
  state.judge_picture();
  return std::move(state.judgement);
}

Judgement judge(const OutputRules& rules, const RelPath& path, std::string_view content) {
  FileJudge judge(rules, path, content.size());
  if (judge.wants_content()) judge.feed(content);
  return judge.finish();
}

Judgement unreadable_judgement() {
  return {{{"unreadable", "could not be read to be checked"}}, std::nullopt, std::nullopt};
}

}  // namespace glovebox
