#include "core/outcome/log_text.h"

#include <doctest/doctest.h>

#include "core/base/text.h"

using namespace glovebox;

namespace {
constexpr std::string_view kNow = "2026-11-22T10:00:00.000Z";
std::string logged(std::string_view text) {
  LogLines lines;
  std::string out = lines.feed(text, kNow);
  out += lines.finish(kNow);
  return out;
}
std::string line(const std::string& text) {
  return std::string(kNow) + " " + text + "\n";
}
std::string stamped(const std::string& text) {
  return "2026-11-22T10:00:00.000Z " + text + "\n";
}

}  // namespace

TEST_CASE("every line of the action has a time in front of it") {
  CHECK(logged("a\n\nb") == line("a") + line("") + line("b"));
}

TEST_CASE("a line that comes in pieces is one line") {
  LogLines lines;
  CHECK(lines.feed("hel", kNow).empty());
  CHECK(lines.feed("lo\nwor", kNow) == line("hello"));
  CHECK(lines.finish(kNow) == line("wor"));
  CHECK(lines.finish(kNow).empty());
}

TEST_CASE("CRLF ends one line, also across pieces, and a lone CR ends one too") {
  CHECK(logged("a\r\nb\rc") == line("a") + line("b") + line("c"));
  LogLines lines;
  CHECK(lines.feed("a\r", kNow) == line("a"));
  CHECK(lines.feed("\nb\n", kNow) == line("b"));
}

TEST_CASE("escape sequences, NUL and invalid bytes are shown, tabs stay") {
  CHECK(logged("a\tb \x1b[2J \xff") == line("a\tb \\x1B[2J \\xFF"));
  CHECK(logged(std::string_view("\0", 1)) == line("\\x00"));
  CHECK(logged("\xE2\x80\xAE") == line("\\u{202E}"));
}

TEST_CASE("the summary's marker cannot be forged by what an action prints") {
  const std::string marker(kSummaryMarker);
  CHECK(logged(marker + "\n") == line("=============JOB\\ SUMMARY============="));
  // Two markers in one line, a longer one, and every way of cutting it into two writes.
  CHECK(logged(marker + marker).find(marker) == std::string::npos);
  CHECK(logged("==" + marker + "==").find(marker) == std::string::npos);
  for (std::size_t cut = 0; cut <= marker.size(); ++cut) {
    LogLines lines;
    std::string out = lines.feed(marker.substr(0, cut), kNow);
    out += lines.feed(marker.substr(cut), kNow);
    out += lines.finish(kNow);
    CHECK(out.find(marker) == std::string::npos);
  }
  // At the place where a long line is cut.
  for (std::size_t pad = LogLines::kMaxLine - marker.size() - 2; pad < LogLines::kMaxLine + 2; ++pad) {
    CHECK(logged(std::string(pad, 'x') + marker).find(marker) == std::string::npos);
  }
}

TEST_CASE("a line without end is cut, not collected, and no character is cut in two") {
  LogLines lines;
  const std::string out = lines.feed(std::string(3 * LogLines::kMaxLine, 'x'), kNow);
  CHECK(std::count(out.begin(), out.end(), '\n') == 3);
  std::string text = "a";
  for (int i = 0; i < 8000; ++i) text += "\xE2\x82\xAC";
  const std::string euros = logged(text);
  CHECK(euros.find("\\x") == std::string::npos);
  CHECK(is_utf8(euros));
}

TEST_CASE("the summary has its keys in order, then outputs in columns, then the withheld ones") {
  LogSummary summary;
  summary.job_definition_id = "j1";
  summary.commit = "abc";
  summary.exit_code = "0";
  summary.status_message = "the action\nsucceeded";
  std::vector<OutputFile> outputs(3);
  outputs[0].path = "output/b.csv";
  outputs[0].level = Level::kModeratelySensitive;
  outputs[0].verdict = Verdict::kWithheld;
  outputs[0].reasons = {{"csv.rows", "has more than 5 rows"}, {"size", "is larger"}};
  outputs[1].path = "output/a-long.csv";
  outputs[2].path = "output/c\\n.csv";
  outputs[2].verdict = Verdict::kRejected;
  CHECK(log_summary(summary, outputs, true) ==
        "=============JOB SUMMARY=============\n"
        "job_definition_id: j1\n"
        "commit: abc\n"
        "exit_code: 0\n"
        "status_message: the action\\nsucceeded\n"
        "\noutputs:\n"
        "  output/a-long.csv  - highly_sensitive\n"
        "  output/b.csv       - moderately_sensitive\n"
        "\nInvalid moderately_sensitive outputs:\n"
        "  output/b.csv  - csv.rows: has more than 5 rows; size: is larger\n");
  CHECK(log_summary(summary, outputs, false).ends_with("\noutputs:\n"));
}

TEST_CASE("the marker stands once in a summary whose values hold it") {
  LogSummary summary;
  summary.hint = std::string(kSummaryMarker);
  const std::string text = log_summary(summary, {}, true);
  CHECK(text.rfind(kSummaryMarker) == 0);
}

TEST_CASE("our notes name what was withheld and why") {
  Attempt attempt;
  attempt.detail = "one\ntwo\n";
  attempt.outputs.resize(1);
  attempt.outputs[0].path = "output/x.csv";
  attempt.outputs[0].verdict = Verdict::kRejected;
  attempt.outputs[0].reasons = {{"file.kind", "is a symbolic link: only regular files are kept"}};
  CHECK(log_notes(attempt) ==
        "glovebox: one\nglovebox: two\nglovebox: rejected \"output/x.csv\": file.kind: is a symbolic "
        "link: only regular files are kept\n");
}

TEST_CASE("a line of the action begins with its time, whatever it says; a line of ours never does") {
  for (const std::string text : {"glovebox: withheld \"output/x.csv\": size", "\rglovebox: accepted",
                                 "\n\nglovebox: 5 bytes of log left out here", "\x1b[1A\x1b[2Kglovebox: x",
                                 "\r\nglovebox: x\r", "\v\fglovebox: x", "\xe2\x80\xa8glovebox: x"}) {
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      LogLines lines;
      std::string out = lines.feed(text.substr(0, cut), kNow);
      out += lines.feed(text.substr(cut), kNow);
      out += lines.finish(kNow);
      for (const std::string_view one : split(out, '\n')) {
        const bool has_time = one.starts_with(std::string(kNow) + " ");
        CHECK((one.empty() || has_time));
      }
      CHECK(out.back() == '\n');
    }
  }
  // At the place where a long line is cut.
  for (std::size_t pad = LogLines::kMaxLine - 3; pad < LogLines::kMaxLine + 3; ++pad) {
    const std::string out = logged(std::string(pad, 'x') + "glovebox: x\n");
    for (const std::string_view one : split(out, '\n')) {
      const bool has_time = one.starts_with(std::string(kNow) + " ");
      CHECK((one.empty() || has_time));
    }
  }
  Attempt attempt;
  attempt.detail = "2026-11-22T10:00:00.000Z x\n";
  CHECK(log_notes(attempt).starts_with(kNotePrefix));
}

TEST_CASE("lines in any pieces are the same lines") {
  const std::string text =
      "a\r\nb\rc\n\n\td\xc3\xa9\x01 =JOB SUMMARY\n" + std::string(20'000, 'x') + "\r\n\xff";
  const std::string whole = logged(text);
  for (const std::size_t piece : {1, 2, 3, 7, 4096, 8191, 8192, 8193}) {
    LogLines lines;
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) out += lines.feed(text.substr(at, piece), kNow);
    out += lines.finish(kNow);
    CHECK(out == whole);
  }
}

TEST_CASE("what reaches a terminal is text and ends of lines, never a command to it") {
  CHECK(terminal_text("one\r\ttwo\n\n\xC3\xA9\n") == "one\r\ttwo\n\n\xC3\xA9\n");
  CHECK(terminal_text("\x1B]0;title\x07\x1B[2J") == "\\x1B]0;title\\x07\\x1B[2J");
  CHECK(terminal_text("\xC2\x9B"
                      "2J\b")
            .find('\b') == std::string::npos);
  CHECK(terminal_text("\xC2\x9B"
                      "2J")
            .find('\x9B') == std::string::npos);
  CHECK(terminal_text("").empty());
}

TEST_CASE("the last lines are the action's own, without time stamps, notes and summary") {
  const std::string log = stamped("one") + stamped("two") + stamped("") + stamped("glovebox: a lie") +
                          stamped("three") + "glovebox: withheld \"a.csv\": size: too large\n" +
                          std::string(kSummaryMarker) + "\nexit_code: 3\n";
  CHECK(last_lines(log, 10) == std::vector<std::string>{"one", "two", "", "glovebox: a lie", "three"});
  CHECK(last_lines(log, 2) == std::vector<std::string>{"glovebox: a lie", "three"});
  CHECK(last_lines(log, 0).empty());
}

TEST_CASE("an end of a log begins with its first whole line") {
  const std::string log = stamped("one") + stamped("two");
  CHECK(last_lines(std::string_view(log).substr(5), 10) == std::vector<std::string>{"two"});
  CHECK(last_lines("", 10).empty());
  CHECK(last_lines("\n\n\n", 10).empty());
  CHECK(last_lines(kSummaryMarker, 10).empty());
  CHECK(last_lines("2026-11-22T10:00:00.000Z unfinished", 10) == std::vector<std::string>{"unfinished"});
}

TEST_CASE("a last line is bounded and cannot act on a terminal") {
  const std::vector<std::string> lines =
      last_lines(stamped("a\x1b[2Jb") + stamped(std::string(9000, 'x')), 10);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "a\\x1B[2Jb");
  CHECK(lines[1] == std::string(200, 'x') + "…");
}
