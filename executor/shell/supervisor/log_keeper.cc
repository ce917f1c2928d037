#include "shell/supervisor/log_keeper.h"

#include <unistd.h>

#include <algorithm>

#include "shell/sys/file.h"

namespace glovebox {
namespace {

Result<UniqueFd> fresh(int directory, const char* name) {
  return open_beneath(directory, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

Status append(int from, ByteCount size, int to) {
  if (::ftruncate(from, static_cast<off_t>(size)) != 0 || ::lseek(from, 0, SEEK_SET) < 0)
    return errno_error("read the log");
  TRY(copy_and_hash(from, to, ~0ULL));
  return {};
}

// The longest run of whole lines at the beginning of `lines` that has no more than `most` bytes.
std::string_view whole_lines(std::string_view lines, ByteCount most) {
  if (lines.size() <= most) return lines;
  return lines.substr(0, lines.substr(0, most).rfind('\n') + 1);  // npos + 1 is 0
}

}  // namespace

Result<LogKeeper> LogKeeper::make(int directory, ByteCount limit) {
  LogKeeper keeper(TRY(open_beneath(directory, ".", O_RDONLY | O_DIRECTORY)), limit);
  keeper.head_ = TRY(fresh(directory, "log.txt"));
  return keeper;
}

Status LogKeeper::add(int stream, std::string_view bytes, const std::string& time) {
  return keep_lines(lines_.at(static_cast<std::size_t>(stream)).feed(bytes, time));
}

Status LogKeeper::keep_lines(std::string_view lines) {
  if (!head_full_) {
    const std::string_view fitting = whole_lines(lines, half_ - head_size_);
    TRY(write_all(head_.get(), fitting));
    head_size_ += fitting.size();
    lines.remove_prefix(fitting.size());
    head_full_ = !lines.empty();
  }
  while (!lines.empty()) {
    const std::string_view fitting = whole_lines(lines, quarter_ - tail_size_);
    if (!fitting.empty()) {
      TRY(keep_in_tail(fitting));
      lines.remove_prefix(fitting.size());
      continue;
    }
    const std::size_t line = lines.find('\n') + 1;
    if (line <= quarter_) {
      TRY(rotate());
      continue;
    }
    dropped_ += line;  // only where the limit is tiny: it does not push out what would fit
    lines.remove_prefix(line);
  }
  return {};
}

Status LogKeeper::keep_in_tail(std::string_view lines) {
  if (!tail_[0].valid()) {
    tail_[0] = TRY(fresh(directory_.get(), "log.tail-a"));
    tail_[1] = TRY(fresh(directory_.get(), "log.tail-b"));
  }
  tail_size_ += lines.size();
  return write_all(tail_[0].get(), lines);
}

// The older segment is forgotten and becomes the present one. It is written over, not emptied first: under a
// flood, giving its pages back and getting new ones took most of the time.
Status LogKeeper::rotate() {
  dropped_ += before_size_;
  std::swap(tail_[0], tail_[1]);
  before_size_ = std::exchange(tail_size_, 0);
  if (::lseek(tail_[0].get(), 0, SEEK_SET) < 0) return errno_error("rotate the log");
  return {};
}

Status LogKeeper::finish(const std::string& time) {
  for (LogLines& lines : lines_) TRY(keep_lines(lines.finish(time)));
  if (dropped_ > 0) {
    TRY(write_all(head_.get(),
                  std::string(kNotePrefix) + std::to_string(dropped_) + " bytes of log left out here\n"));
  }
  if (tail_[0].valid()) {
    TRY(append(tail_[1].get(), before_size_, head_.get()));
    TRY(append(tail_[0].get(), tail_size_, head_.get()));
    for (const char* name : {"log.tail-a", "log.tail-b"}) ::unlinkat(directory_.get(), name, 0);
  }
  return {};
}

}  // namespace glovebox
