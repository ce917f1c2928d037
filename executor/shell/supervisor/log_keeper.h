// An action's stdout and stderr: time-stamped lines, bounded by keeping the head and the tail, never by
// stopping the action (G6).
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "core/outcome/log_text.h"
#include "shell/sys/fd.h"

namespace glovebox {

class LogKeeper {
 public:
  // Keeps at most `limit` bytes (with time stamps) in files of `directory`: half from the head, and from the
  // tail the last quarter to half. While finish() joins them, there may be half of the limit more on disk.
  static Result<LogKeeper> make(int directory, ByteCount limit);

  // Bytes that stream `stream` (0: stdout, 1: stderr) produced at `time` ("2026-01-02T03:04:05.678Z").
  Status add(int stream, std::string_view bytes, const std::string& time);

  // Writes what is kept to `log.txt` in the directory: whole lines "<time> <text>", with one line of ours (on
  // top of the limit, without a time) where something was left out. Unfinished lines are ended.
  Status finish(const std::string& time);

 private:
  LogKeeper(UniqueFd directory, ByteCount limit)
      : directory_(std::move(directory)), half_(limit / 2), quarter_(limit / 4) {}
  Status keep_lines(std::string_view lines);
  Status keep_in_tail(std::string_view lines);
  Status rotate();

  UniqueFd directory_;
  ByteCount half_;
  ByteCount quarter_;
  UniqueFd head_;
  std::array<UniqueFd, 2> tail_;  // the present segment and the one before it, each at most quarter_
  ByteCount head_size_ = 0;
  bool head_full_ = false;
  ByteCount tail_size_ = 0;    // of the present segment
  ByteCount before_size_ = 0;  // of the one before
  ByteCount dropped_ = 0;
  std::array<LogLines, 2> lines_;
};

}  // namespace glovebox
