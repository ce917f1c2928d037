// Reads a CSV file as a suspicious reader would: in one pass, bounded memory, and never fewer rows or other
// headers than any usual reader would find in it.
//
// Nobody says which delimiter a file uses, so that a file cannot choose the reading that passes: a field ends
// at any of , ; tab and |. Rows are counted as records and as lines, since a line break in a quoted cell is a
// row to many readers; the larger one counts. Encoding is judged by TextScan, next to this, and so are the
// other characters that some readers take for line breaks.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace glovebox {

inline constexpr std::size_t kMaxCsvField = 1U << 20U;  // 1 MiB

// Looks for a column called patient_id in the lines that can be a header: every line up to and including the
// first one that is neither blank nor a comment (#…) nor Excel's sep=; line. Letter case, full-width
// letters, quotes, white space around it and invisible characters anywhere in it make no difference. Where a
// line has no delimiter at all, white space separates its columns (R's write.table).
class HeaderWatch {
 public:
  void feed(char c);  // bytes of a record, line breaks inside quotes included
  void end_record();
  [[nodiscard]] bool decided() const { return decided_; }  // the header has been read
  [[nodiscard]] bool found() const { return found_; }

 private:
  // One column name as it grows, folded to lower case.
  class Name {
   public:
    void add(char c);
    void add_space() { space_ = !text_.empty(); }
    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool empty() const { return text_.empty() && !overlong_; }
    void clear();

   private:
    std::string text_;
    bool space_ = false;
    bool overlong_ = false;
  };
  void end_name();
  void end_word();
  Name name_;  // between delimiters
  Name word_;  // between delimiters or white space
  std::string first_name_;
  unsigned names_ = 0;  // that were not empty
  bool has_delimiter_ = false;
  bool word_found_ = false;
  bool comment_ = false;
  bool decided_ = false;
  bool found_ = false;
};

class CsvScan {
 public:
  void feed(std::string_view chunk);
  void finish();
  // The rest is true once finish() was called.
  // Data rows: records that are not empty, less the header.
  [[nodiscard]] std::uint64_t rows() const { return records_ > 0 ? records_ - 1 : 0; }
  // The same for lines that are not empty.
  [[nodiscard]] std::uint64_t line_rows() const { return lines_ > 0 ? lines_ - 1 : 0; }
  // Fields of the header, by the delimiter that it has most of; 0 where there is no header.
  [[nodiscard]] std::uint64_t columns() const { return columns_; }
  [[nodiscard]] bool has_patient_id() const { return header_.found(); }
  // A quote that never ends, text behind a closing quote, or a field larger than kMaxCsvField.
  [[nodiscard]] bool malformed() const { return malformed_; }

 private:
  enum class State { kFieldStart, kPlain, kQuoted, kAfterQuote };
  void step(char c);
  void step_open(char c);  // outside quotes
  void end_field(char c);
  void end_record();
  void count_line(char c);
  State state_ = State::kFieldStart;
  bool record_has_bytes_ = false;
  bool line_has_bytes_ = false;
  bool malformed_ = false;
  std::size_t field_bytes_ = 0;
  std::uint64_t records_ = 0;
  std::uint64_t lines_ = 0;
  std::uint64_t columns_ = 0;
  std::array<std::uint64_t, 4> delimiters_{};  // of the record, outside quotes
  HeaderWatch header_;
};

}  // namespace glovebox
