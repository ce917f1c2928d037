// metadata/<action>.log: the action's own lines, then a summary by us that other programs look for (facts:
// OpenSAFELY, "the log file").
//
// Who wrote a line is told by its beginning, and an action cannot imitate it: before every line of the action
// stands the time at which it came; a line that does not begin with a time is Glovebox's. Our notes begin
// with kNotePrefix.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/outcome/outcome.h"

namespace glovebox {

inline constexpr std::string_view kSummaryMarker = "=============JOB SUMMARY=============";

inline constexpr std::string_view kNotePrefix = "glovebox: ";

// Turns what an action prints into lines of the log: "2026-11-22T10:00:00.000Z text". One per stream, since a
// line may come in pieces. Control and invisible characters are escaped (a tab is kept), a carriage return
// ends a line as a newline does, a line longer than kMaxLine goes on in the next, and the summary's marker
// never comes out as such.
class LogLines {
 public:
  static constexpr std::size_t kMaxLine = 8192;  // bytes as read
  // The lines that `chunk` completes. `now`: RFC 3339; a line has the time at which its last piece came.
  std::string feed(std::string_view chunk, std::string_view now);
  // What is left of an unfinished line at the end.
  std::string finish(std::string_view now);

 private:
  std::string line_;
  bool after_return_ = false;
};

// What the summary says, in this order. Empty ones are left out.
struct LogSummary {
  std::string job_definition_id;
  std::string job_definition_rap_id;
  std::string commit;
  std::string docker_image_id;
  std::string exit_code;
  std::string created_at;
  std::string completed_at;
  std::string database_name;
  std::string status_message;
  std::string hint;
};

// What an action prints, as it may reach a terminal: lines, carriage returns and tabs as they are, everything
// else that is not text escaped. A character that is cut in two by the end of `bytes` is escaped, too.
std::string terminal_text(std::string_view bytes);

// Our own lines above the summary: Attempt::detail, rejected files and withheld ones with their reasons.
// Escaped as the action's lines are.
std::string log_notes(const Attempt& attempt);

// From the marker to the end of the file: keys, then the outputs that were kept, sorted, in columns, then the
// withheld ones with their reasons. `kept`: outputs were published at all.
std::string log_summary(const LogSummary& summary, const std::vector<OutputFile>& outputs, bool kept);

// The last `most` lines that the action itself printed, of a whole log or of its end: without time stamps,
// each escaped and at most 200 bytes long. `log` may begin inside a line, which is then left out.
std::vector<std::string> last_lines(std::string_view log, std::size_t most);

}  // namespace glovebox
