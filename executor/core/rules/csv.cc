#include "core/rules/csv.h"

#include <algorithm>

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

// Does `text` end with a code point that shows as nothing or as a space? Two bytes: no-break space and soft
// hyphen, the C1 controls, U+061C. Three: U+1680, U+180E, U+2000 to 200F, 2028 to 202F, 205F to 206F, 3000,
// FE00 to FE0F, FEFF, FFF9 to FFFB. Four: the tags and selectors of U+E0000 to E0FFF.
std::size_t invisible_tail(std::string_view text) {
  const auto at = [&](std::size_t back) { return static_cast<std::uint8_t>(text[text.size() - back]); };
  if (text.size() >= 2 && at(2) == 0xC2 && (at(1) <= 0xA0 || at(1) == 0xAD)) return 2;
  if (text.size() >= 2 && at(2) == 0xD8 && at(1) == 0x9C) return 2;
  if (text.size() >= 4 && at(4) == 0xF3 && at(3) == 0xA0) return 4;
  if (text.size() < 3) return 0;
  const std::uint8_t first = at(3);
  const std::uint8_t second = at(2);
  const std::uint8_t third = at(1);
  const bool hidden =
      (first == 0xE1 && second == 0x9A && third == 0x80) ||
      (first == 0xE1 && second == 0xA0 && third == 0x8E) ||
      (first == 0xE2 && second == 0x80 && (third <= 0x8F || (third >= 0xA8 && third <= 0xAF))) ||
      (first == 0xE2 && second == 0x81 && third >= 0x9F && third <= 0xAF) ||
      (first == 0xE3 && second == 0x80 && third == 0x80) ||
      (first == 0xEF && second == 0xB8 && third <= 0x8F) ||
      (first == 0xEF && second == 0xBB && third == 0xBF) ||
      (first == 0xEF && second == 0xBF && third >= 0xB9 && third <= 0xBB);
  return hidden ? 3 : 0;
}

}  // namespace

void HeaderWatch::Name::add(char c) {
  if (space_) text_ += ' ';
  space_ = false;
  if (text_.size() >= kMaxName) {
    overlong_ = true;
    return;
  }
  text_ += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  text_.resize(text_.size() - invisible_tail(text_));
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
