#include "core/rules/text_scan.h"

#include <algorithm>
#include <array>
#include <string>

namespace glovebox {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  std::string_view format;
};
// From the formats' own specifications. Formats of statistics programs that are text at the start (ASCII
// .rds) are not here: they are text.
constexpr std::array<Magic, 21> kMagics{{
    {"\x1f\x8b"sv, "gzip"},
    {"PK\x03\x04"sv, "zip"},
    {"PK\x05\x06"sv, "zip"},
    {"PK\x07\x08"sv, "zip"},
    {"ARROW1"sv, "Arrow"},
    {"FEA1"sv, "Feather"},
    {"PAR1"sv, "Parquet"},
    {"%PDF-"sv, "PDF"},
    {"\x89PNG\r\n\x1a\n"sv, "PNG"},
    {"\xff\xd8\xff"sv, "JPEG"},
    {"GIF8"sv, "GIF"},
    {"BZh91AY&SY"sv, "bzip2"},
    {"\xfd"
     "7zXZ\0"sv,
     "xz"},
    {"\x28\xb5\x2f\xfd"sv, "zstd"},
    {"7z\xbc\xaf\x27\x1c"sv, "7z"},
    {"SQLite format 3\0"sv, "SQLite"},
    {"\x89HDF\r\n\x1a\n"sv, "HDF5"},
    {"RDX2\n"sv, "R data"},
    {"RDX3\n"sv, "R data"},
    {"\x7f"
     "ELF"sv,
     "ELF"},
    {"<stata_dta>"sv, "Stata data"},
}};

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view without_blank(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Cuts what `text` begins with up to and including `end`; false where the end is not there.
bool skip_past(std::string_view& text, std::string_view end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return false;
  text.remove_prefix(at + end.size());
  return true;
}

// A document type may hold an internal subset in brackets, in which '>' is no end.
bool skip_document_type(std::string_view& text) {
  const std::size_t end = text.find('>');
  const std::size_t bracket = text.find('[');
  if (bracket < end) return skip_past(text, "]") && skip_past(text, ">");
  return skip_past(text, ">");
}

// `text` stands behind '<'. An XML prefix is allowed (ns0:svg).
bool is_svg_name(std::string_view text) {
  const std::size_t length = text.find_first_of(" \t\r\n/>");
  if (length == std::string_view::npos) return false;
  const std::string_view name = text.substr(0, length);
  const std::size_t colon = name.find(':');
  return name.substr(colon == std::string_view::npos ? 0 : colon + 1) == "svg";
}

bool is_ascii_control(std::uint8_t byte) {
  const bool usual = byte == '\0' || byte == '\t' || byte == '\n' || byte == '\r';
  return (byte < 0x20 && !usual) || byte == 0x7F;
}

}  // namespace

void TextScan::feed(std::string_view chunk) {
  has_nul_ = has_nul_ || chunk.find('\0') != std::string_view::npos;
  for (const char c : chunk) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte < 0x80 && missing_ == 0) {
      has_control_ = has_control_ || is_ascii_control(byte);
    } else {
      step(byte);
    }
  }
}

void TextScan::step(std::uint8_t byte) {
  if (missing_ == 0) return begin(byte);
  if (byte < low_ || byte > high_) {
    bad_utf8_ = true;
    missing_ = 0;
    return;
  }
  --missing_;
  low_ = 0x80;
  high_ = 0xBF;
  point_ = (point_ << 6U) | (byte & 0x3FU);
  if (missing_ == 0 && (point_ <= 0x9F || point_ == 0x2028 || point_ == 0x2029)) has_control_ = true;
}

// The ranges of Unicode 15, table 3-7.
void TextScan::begin(std::uint8_t byte) {
  low_ = 0x80;
  high_ = 0xBF;
  if (byte >= 0xC2 && byte <= 0xDF) {
    missing_ = 1;
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    missing_ = 2;
    if (byte == 0xE0) low_ = 0xA0;
    if (byte == 0xED) high_ = 0x9F;
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    missing_ = 3;
    if (byte == 0xF0) low_ = 0x90;
    if (byte == 0xF4) high_ = 0x8F;
  } else {
    bad_utf8_ = true;
  }
  point_ = byte & (0x3FU >> missing_);
}

std::string_view binary_format(std::string_view head) {
  const auto* found = std::find_if(kMagics.begin(), kMagics.end(),
                                   [&](const Magic& magic) { return head.starts_with(magic.bytes); });
  return found == kMagics.end() ? std::string_view() : found->format;
}

bool begins_like_html(std::string_view head) {
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  return without_blank(head).starts_with('<');
}

bool begins_like_svg(std::string_view head) {
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  for (;;) {
    head = without_blank(head);
    if (head.starts_with("<?")) {
      if (!skip_past(head, "?>")) return false;
    } else if (head.starts_with("<!--")) {
      if (!skip_past(head, "-->")) return false;
    } else if (head.starts_with("<!DOCTYPE")) {
      if (!skip_document_type(head)) return false;
    } else {
      return head.starts_with('<') && is_svg_name(head.substr(1));
    }
  }
}

}  // namespace glovebox
