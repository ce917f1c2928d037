#include "core/rules/csv.h"

#include <algorithm>

#include "core/base/utf8.h"

namespace glovebox {
namespace {

constexpr std::string_view kDelimiters = ",;\t|";
constexpr std::string_view kPatientId = "patient_id";
// Longer names cannot be the one looked for; what counts is that the buffer is bounded.
constexpr std::size_t kMaxName = 64;

bool is_line_end(char c) {
  return c == '\n' || c == '\r';
}
bool is_blank(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte <= 0x20 || byte == 0x7F;  // every C0 control as well: none of them belongs in a name
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Shows as nothing or as a space: besides what no text may hold, the spaces, and the default ignorable code
// points of Unicode 15 (DerivedCoreProperties) that names may hold.
bool is_hidden(std::uint32_t c) {
  return is_unprintable(c) || c == 0xA0 || c == 0x1680 || c == 0x17B4 || c == 0x17B5 ||
         (c >= 0x180B && c <= 0x180F) || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F ||
         c == 0x2800 || c == 0x3000 || (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xFFF0 && c <= 0xFFF8) ||
         (c >= 0x1BCA0 && c <= 0x1BCA3) || (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0xE0000 && c <= 0xE0FFF);
}

// Once the last code point of `text` is whole: drops it where it is hidden, and makes a full-width letter
// (U+FF01 to FF5E) the ordinary one.
void fold_tail(std::string& text) {
  std::size_t start = text.size() - 1;
  while (start > 0 && text.size() - start < 4 && (static_cast<std::uint8_t>(text[start]) & 0xC0U) == 0x80)
    --start;
  const CodePoint last = decode_utf8(text, start);
  if (last.length < 2 || start + last.length != text.size()) return;
  if (is_hidden(last.value)) {
    text.resize(start);
  } else if (last.value >= 0xFF01 && last.value <= 0xFF5E) {
    text.replace(start, last.length, 1, lower(static_cast<char>(last.value - 0xFF01 + '!')));
  }
}

}  // namespace

void HeaderWatch::Name::add(char c) {
  if (space_) text_ += ' ';
  space_ = false;
  if (text_.size() >= kMaxName) {
    overlong_ = true;
    return;
  }
  text_ += lower(c);
  fold_tail(text_);
  while (text_.ends_with(' ')) text_.pop_back();  // a space before something invisible
}

void HeaderWatch::Name::clear() {
  text_.clear();
  space_ = false;
  overlong_ = false;
}

void HeaderWatch::feed(char c) {
  if (decided_) return;
  if (kDelimiters.find(c) != std::string_view::npos) {
    has_delimiter_ = true;
    end_word();
    end_name();
  } else if (c == '"' || c == '\'' || is_line_end(c)) {
    end_word();
    end_name();
  } else if (is_blank(c)) {
    end_word();
    name_.add_space();
  } else if (c == '#' && name_.empty()) {
    comment_ = comment_ || names_ == 0;  // "# patient_id,age" is what numpy.savetxt writes
  } else {
    name_.add(c);
    word_.add(c);
  }
}

void HeaderWatch::end_word() {
  word_found_ = word_found_ || word_.text() == kPatientId;
  word_.clear();
}

void HeaderWatch::end_name() {
  if (!name_.empty()) {
    if (names_++ == 0) first_name_ = name_.text();
    found_ = found_ || name_.text() == kPatientId;
  }
  name_.clear();
}

void HeaderWatch::end_record() {
  if (decided_) return;
  end_word();
  end_name();
  found_ = found_ || (word_found_ && !has_delimiter_);
  const bool separator_line = names_ == 1 && first_name_.starts_with("sep=") && first_name_.size() <= 5;
  decided_ = names_ > 0 && !comment_ && !separator_line;
  names_ = 0;
  has_delimiter_ = false;
  word_found_ = false;
  comment_ = false;
}

void CsvScan::feed(std::string_view chunk) {
  for (const char c : chunk) {
    count_line(c);
    step(c);
  }
}

void CsvScan::count_line(char c) {
  if (!is_line_end(c)) {
    line_has_bytes_ = true;
  } else if (line_has_bytes_) {
    ++lines_;
    line_has_bytes_ = false;
  }
}

void CsvScan::step(char c) {
  if (!header_.decided() && (state_ == State::kQuoted || !is_line_end(c))) header_.feed(c);
  if (++field_bytes_ > kMaxCsvField) malformed_ = true;
  if (state_ == State::kQuoted) {
    if (c == '"') state_ = State::kAfterQuote;
    return;
  }
  step_open(c);
}

void CsvScan::step_open(char c) {
  if (is_line_end(c)) return end_record();
  record_has_bytes_ = true;
  if (kDelimiters.find(c) != std::string_view::npos) return end_field(c);
  switch (state_) {
    case State::kFieldStart:
      state_ = c == '"' ? State::kQuoted : State::kPlain;
      break;
    case State::kAfterQuote:
      if (c == '"') {
        state_ = State::kQuoted;  // a doubled quote
      } else if (c == ' ') {
        state_ = State::kFieldStart;  // a table separated by spaces: the next may be quoted again
      } else {
        malformed_ = true;
        state_ = State::kPlain;
      }
      break;
    default:
      break;
  }
}

void CsvScan::end_field(char c) {
  ++delimiters_.at(kDelimiters.find(c));
  field_bytes_ = 0;
  state_ = State::kFieldStart;
}

void CsvScan::end_record() {
  const bool before = header_.decided();
  header_.end_record();
  if (!before && header_.decided()) {
    columns_ = *std::max_element(delimiters_.begin(), delimiters_.end()) + 1;
  }
  if (record_has_bytes_) ++records_;
  record_has_bytes_ = false;
  delimiters_.fill(0);
  field_bytes_ = 0;
  state_ = State::kFieldStart;
}

void CsvScan::finish() {
  if (state_ == State::kQuoted) malformed_ = true;
  end_record();
  if (line_has_bytes_) ++lines_;
  line_has_bytes_ = false;
}

}  // namespace glovebox
