#include "shell/supervisor/log_keeper.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/text.h"
#include "shell/sys/file.h"

using namespace glovebox;

namespace {

const char* const kNow = "2026-01-02T03:04:05.678Z";
constexpr std::size_t kStamp = 25;  // with its space

class Kept {
 public:
  explicit Kept(ByteCount limit)
      : limit_(limit),
        folder_(TempDir::make("/tmp", "glovebox-log-").value()),
        keeper_(LogKeeper::make(folder_.fd(), limit).value()) {}

  void add(std::string_view bytes, int stream = 0) {
    REQUIRE(keeper_.add(stream, bytes, kNow).ok());
    most_ = std::max(most_, on_disk());
  }
  std::string finish() {
    REQUIRE(keeper_.finish(kNow).ok());
    CHECK(names() == std::vector<std::string>{"log.txt"});
    return read_beneath(folder_.fd(), "log.txt", 1U << 30U).value();
  }
  [[nodiscard]] std::vector<std::string> names() const { return list_directory(folder_.fd(), 10).value(); }
  [[nodiscard]] ByteCount most_on_disk() const { return most_; }

 private:
  [[nodiscard]] ByteCount on_disk() const {
    ByteCount sum = 0;
    for (const std::string& name : names()) {
      struct stat info {};
      REQUIRE(::fstatat(folder_.fd(), name.c_str(), &info, 0) == 0);
      sum += static_cast<ByteCount>(info.st_size);
    }
    return sum;
  }
  ByteCount limit_;
  TempDir folder_;
  LogKeeper keeper_;
  ByteCount most_ = 0;
};

std::string numbered(int number) {
  std::string digits = std::to_string(number);
  return "line " + std::string(6 - digits.size(), '0') + digits;
}

bool every_line_is_whole(const std::string& text) {
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("glovebox: ") && line.ends_with(" bytes of log left out here")) continue;
    if (!line.empty() && !line.starts_with(std::string(kNow) + " ")) return false;
  }
  return text.empty() || text.back() == '\n';
}

}  // namespace

TEST_CASE("a log within its limit is kept as it is, and nothing is said about it") {
  Kept kept(4096);
  kept.add("one\ntw");
  kept.add("o\n");
  CHECK(kept.finish() == std::string(kNow) + " one\n" + kNow + " two\n");
}

TEST_CASE("an action that prints nothing has an empty log") {
  Kept kept(4096);
  CHECK(kept.finish().empty());
}

TEST_CASE("a line that is not ended when the action is over is kept") {
  Kept kept(4096);
  kept.add("last words");
  CHECK(kept.finish() == std::string(kNow) + " last words\n");
}

TEST_CASE("of a long log the first and the last lines stay, whole, and what is between is counted") {
  constexpr ByteCount kLimit = 8000;
  constexpr int kLines = 10'000;
  Kept kept(kLimit);
  for (int i = 0; i < kLines; ++i) kept.add(numbered(i) + "\n");
  CHECK(kept.most_on_disk() <= kLimit);
  const std::string text = kept.finish();
  CHECK(every_line_is_whole(text));
  CHECK(text.starts_with(std::string(kNow) + " line 000000\n"));
  CHECK(text.ends_with(std::string(kNow) + " line 009999\n"));
  // Nothing is lost silently, doubled or out of order.
  std::size_t ours = 0, left_out = 0, theirs = 0;
  int last = -1, gaps = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) continue;
    if (const std::size_t at = line.find("glovebox: "); at != std::string_view::npos) {
      ++ours;
      left_out = std::stoul(std::string(line.substr(at + 10)));
      continue;
    }
    ++theirs;
    const int number = std::stoi(std::string(line.substr(kStamp + 5)));
    CHECK(number > last);
    if (number != last + 1) ++gaps;
    last = number;
  }
  constexpr std::size_t kLine = kStamp + 12;
  CHECK(ours == 1);
  CHECK(gaps == 1);
  CHECK(theirs * kLine + left_out == kLines * kLine);
  CHECK(theirs * kLine <= kLimit);
  CHECK(theirs * kLine >= kLimit * 7 / 10);  // half from the head, a quarter at least from the tail
}

TEST_CASE("a flood without a newline is cut into lines and bounded") {
  constexpr ByteCount kLimit = 256U << 10U;
  Kept kept(kLimit);
  for (int i = 0; i < 200; ++i) kept.add(std::string(65536, 'x'));
  CHECK(kept.most_on_disk() <= kLimit);
  const std::string text = kept.finish();
  CHECK(text.size() <= kLimit + 100);
  CHECK(every_line_is_whole(text));
  CHECK(text.find(" bytes of log left out here\n") != std::string::npos);
}

TEST_CASE("bytes that become longer when they are escaped are bounded as they are written") {
  constexpr ByteCount kLimit = 256U << 10U;
  Kept kept(kLimit);
  for (int i = 0; i < 50; ++i) kept.add(std::string(65536, '\x01'));
  CHECK(kept.most_on_disk() <= kLimit);
  const std::string text = kept.finish();
  CHECK(text.size() <= kLimit + 100);
  CHECK(text.find('\x01') == std::string::npos);
  CHECK(every_line_is_whole(text));
}

TEST_CASE("a flood of empty lines is bounded too") {
  Kept kept(1000);
  for (int i = 0; i < 100; ++i) kept.add(std::string(4096, '\n'));
  CHECK(kept.most_on_disk() <= 1000);
  CHECK(kept.finish().size() <= 1100);
}

TEST_CASE("a limit smaller than one line is kept to all the same") {
  for (const ByteCount limit : {0, 1, 10, 60, 100}) {
    CAPTURE(limit);
    Kept kept(limit);
    for (int i = 0; i < 100; ++i) kept.add(std::string(500, 'y') + "\nshort\n");
    CHECK(kept.most_on_disk() <= limit);
    const std::string text = kept.finish();
    CHECK(text.size() <= limit + 100);
    CHECK(every_line_is_whole(text));
    CHECK(text.find("left out here") != std::string::npos);
  }
}

TEST_CASE("pieces of two streams do not run into one line") {
  Kept kept(4096);
  kept.add("out ", 0);
  kept.add("err ", 1);
  kept.add("out\n", 0);
  kept.add("err\n", 1);
  CHECK(kept.finish() == std::string(kNow) + " out out\n" + kNow + " err err\n");
}

TEST_CASE("a flood on one stream leaves the other's line whole") {
  Kept kept(8000);
  kept.add("the beginning ", 1);
  for (int i = 0; i < 1000; ++i) kept.add(numbered(i) + "\n", 0);
  kept.add("and the end\n", 1);
  CHECK(kept.finish().ends_with(std::string(kNow) + " the beginning and the end\n"));
}

TEST_CASE("what an action prints is no note of ours, and the note of ours stands alone") {
  Kept kept(8000);
  for (int i = 0; i < 1000; ++i) kept.add("glovebox: 5 bytes of log left out here\n");
  std::size_t ours = 0;
  const std::string text = kept.finish();
  for (const std::string_view line : split(text, '\n')) ours += line.starts_with("glovebox: ") ? 1 : 0;
  CHECK(ours == 1);
}

TEST_CASE("lines that come many at once are kept as those that come one by one") {
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += numbered(i) + std::string(static_cast<std::size_t>(i % 97), '.') + "\n";
  for (const ByteCount limit : {60, 1000, 8000, 100'000, 1'000'000}) {
    Kept one_by_one(limit);
    for (const std::string_view line : split(text, '\n')) {
      if (!line.empty()) one_by_one.add(std::string(line) + "\n");
    }
    Kept at_once(limit);
    at_once.add(text);
    CHECK(one_by_one.finish() == at_once.finish());
  }
}
