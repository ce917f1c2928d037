#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "shell/sys/disk_room.h"
#include "shell/sys/file.h"

using namespace glovebox;

namespace {

struct Copy {
  TempDir dir = TempDir::make("/var/tmp", "glovebox-copy-").value();
  UniqueFd from = open_beneath(dir.fd(), "from", O_RDWR | O_CREAT, 0600).value();
  UniqueFd to = open_beneath(dir.fd(), "to", O_RDWR | O_CREAT, 0600).value();

  void write_at(off_t at, const std::string& text) const {
    REQUIRE(::pwrite(from.get(), text.data(), text.size(), at) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] ByteCount occupied(const UniqueFd& fd) const {
    REQUIRE(sync_fd(fd.get()).ok());  // blocks are allocated late
    return allocated_bytes(stat_of(fd.get()).value());
  }
  [[nodiscard]] std::string content(const UniqueFd& fd) const {
    REQUIRE(::lseek(fd.get(), 0, SEEK_SET) == 0);
    return read_all(fd.get(), 1U << 30U).value();
  }
};

}  // namespace

TEST_CASE("a copy has the holes of its original, and its digest is that of all its bytes") {
  constexpr off_t kLength = (64 << 20) + 123;
  Copy copy;
  copy.write_at(5000, "in the middle of a block");
  copy.write_at(30 << 20, std::string(10'000, 'x'));
  REQUIRE(::ftruncate(copy.from.get(), kLength) == 0);
  const Copied copied = copy_and_hash(copy.from.get(), copy.to.get(), 1U << 30U).value();
  CHECK(copied.size == kLength);
  CHECK(copy.occupied(copy.to) <= copy.occupied(copy.from));
  CHECK(copy.occupied(copy.to) < (1U << 20U));
  CHECK(copied.digest == Digest::of(copy.content(copy.from)));
  CHECK(copied.digest == Digest::of(copy.content(copy.to)));
}

TEST_CASE("whatever lengths data and holes have, the copy is the same, and nothing beyond it") {
  for (const std::size_t hole : {0, 1, 4095, 4096, 4097, 1'048'575, 1'048'576, 1'048'577}) {
    for (const std::size_t data : {0, 1, 4095, 4096, 4097}) {
      Copy copy;
      copy.write_at(0, std::string(data, 'a') + std::string(hole, '\0') + std::string(data, 'b') +
                           std::string(hole, '\0'));
      const Copied copied = copy_and_hash(copy.from.get(), copy.to.get(), 1U << 30U).value();
      CAPTURE(hole);
      CAPTURE(data);
      CHECK(copied.size == 2 * (hole + data));
      CHECK(copy.content(copy.to) == copy.content(copy.from));
    }
  }
}

TEST_CASE("a file of alternate blocks and holes does not become longer on disk") {
  Copy copy;
  for (off_t at = 0; at < 256; ++at) copy.write_at(at * 8192, std::string(4096, 'x'));
  REQUIRE(copy_and_hash(copy.from.get(), copy.to.get(), 1U << 30U).ok());
  CHECK(copy.occupied(copy.to) <= copy.occupied(copy.from));
}

TEST_CASE("bytes are appended where the copy ends") {
  Copy copy;
  copy.write_at(0, std::string(5000, '\0') + "x");
  REQUIRE(write_all(copy.to.get(), "before").ok());
  REQUIRE(copy_and_hash(copy.from.get(), copy.to.get(), 1U << 30U).ok());
  CHECK(copy.content(copy.to) == "before" + std::string(5000, '\0') + "x");
}

TEST_CASE("copying stops at its bound and when it is cancelled") {
  Copy copy;
  REQUIRE(::ftruncate(copy.from.get(), 1LL << 40) == 0);
  CHECK(copy_and_hash(copy.from.get(), copy.to.get(), 1U << 22U).error().message ==
        "the file is larger than 4 MiB");
  REQUIRE(::lseek(copy.from.get(), 0, SEEK_SET) == 0);
  Pipe cancel = make_pipe().value();
  REQUIRE(write_all(cancel.write.get(), "C").ok());
  CHECK(copy_and_hash(copy.from.get(), copy.to.get(), 1ULL << 41U, cancel.read.get()).error().message ==
        "cancelled");
}

TEST_CASE("there is room for what fits besides the reserve, and not for more") {
  Copy copy;
  CHECK(check_room(copy.dir.fd(), {"a thing", 0, "", -1}).ok());
  const Status full = check_room(copy.dir.fd(), {"a thing", 1ULL << 60U, "tidy up", -1});
  REQUIRE_FALSE(full.ok());
  CHECK(full.error().kind == ErrorKind::kHost);
  CHECK(full.error().message.starts_with("no room for a thing of 1048576 TiB: "));
  CHECK(full.error().hint == "tidy up");
}
