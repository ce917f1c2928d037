#include "shell/supervisor/log_keeper.h"

#include <unistd.h>

#include <algorithm>

#include "shell/sys/file.h"

namespace glovebox {
namespace {

Result<UniqueFd> fresh(int directory, const char* name) {
  return open_beneath(directory, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
}

Status append_all(int from, int to) {
  if (::lseek(from, 0, SEEK_SET) < 0) return errno_error("read the log");
  TRY(copy_and_hash(from, to, ~0ULL));
  return {};
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
  while (!lines.empty()) {
    const std::size_t length = std::min(lines.find('\n'), lines.size() - 1) + 1;
    TRY(keep(lines.substr(0, length)));
    lines.remove_prefix(length);
  }
  return {};
}

Status LogKeeper::keep(std::string_view line) {
  if (dropped_ == 0 && tail_size_ == 0 && before_size_ == 0 && head_size_ + line.size() <= half_) {
    head_size_ += line.size();
    return write_all(head_.get(), line);
  }
  return keep_in_tail(line);
}

Status LogKeeper::keep_in_tail(std::string_view line) {
  if (line.size() > quarter_) {  // only where the limit is tiny: it does not push out what would fit
    dropped_ += line.size();
    return {};
  }
  if (!tail_[0].valid()) {
    tail_[0] = TRY(fresh(directory_.get(), "log.tail-a"));
    tail_[1] = TRY(fresh(directory_.get(), "log.tail-b"));
  }
  if (tail_size_ + line.size() > quarter_) {  // the older segment is forgotten and becomes the present one
    dropped_ += before_size_;
    std::swap(tail_[0], tail_[1]);
    before_size_ = std::exchange(tail_size_, 0);
    if (::ftruncate(tail_[0].get(), 0) != 0 || ::lseek(tail_[0].get(), 0, SEEK_SET) < 0)
      return errno_error("rotate the log");
  }
  tail_size_ += line.size();
  return write_all(tail_[0].get(), line);
}

Status LogKeeper::finish(const std::string& time) {
  for (LogLines& lines : lines_) TRY(keep_lines(lines.finish(time)));
  if (dropped_ > 0) {
    TRY(write_all(head_.get(),
                  time + " [glovebox: " + std::to_string(dropped_) + " bytes of log left out here]\n"));
  }
  if (tail_[0].valid()) {
    TRY(append_all(tail_[1].get(), head_.get()));
    TRY(append_all(tail_[0].get(), head_.get()));
    for (const char* name : {"log.tail-a", "log.tail-b"}) ::unlinkat(directory_.get(), name, 0);
  }
  return {};
}

}  // namespace glovebox
