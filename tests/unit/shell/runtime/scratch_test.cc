#include "shell/runtime/scratch.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>

#include "shell/sys/file.h"
#include "shell/sys/mount.h"

using namespace glovebox;

namespace {

constexpr uid_t kOwner = 600999;

Limits small(ScratchKind on) {
  Limits limits;
  limits.scratch = 16ULL << 20U;
  limits.scratch_inodes = 512;
  limits.scratch_on = on;
  return limits;
}

// The folders that a scratch lives in: a state directory's, and the stage that it is mounted on.
struct Place {
  TempDir top = TempDir::make("/var/tmp", "glovebox-scratch-").value();
  UniqueFd runs = make_directories(top.fd(), "runs", 0700).value();
  UniqueFd run = make_directories(runs.get(), "one", 0700).value();
  UniqueFd templates = make_directories(top.fd(), "templates", 0700).value();
  UniqueFd stage = make_directories(top.fd(), "stage", 0711).value();
  [[nodiscard]] Result<Scratch> mount(const Limits& limits) const {
    auto scratch =
        Scratch::mount_at(top.path() + "/stage", run.get(), runs.get(), templates.get(), limits, kOwner);
    if (!scratch.ok()) (void)std::fprintf(stderr, "scratch_test.cc: %s\n", scratch.error().message.c_str());
    return scratch;
  }
};

int gave_up(const char* what, int line) {
  (void)std::fprintf(stderr, "scratch_test.cc:%d: it is not so that %s\n", line, what);
  return 1;
}

// Runs `work` in a process with a mount namespace of its own; 0 where it went to its end. Nothing that is
// mounted there outlives it.
int apart(const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(unshare_mounts().ok() ? work() : 254);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return 255;
  return WEXITSTATUS(status);
}
#define MUST(what) \
  if (!(what)) return gave_up(#what, __LINE__)

bool nothing_left(const Place& place) {
  for (const char* table : {"/proc/self/mountinfo", "/proc/mounts"}) {
    if (read_file(table, 1U << 24U).value().find(place.top.path()) != std::string::npos) return false;
  }
  // /sys/block/loopN/loop/backing_file of every device that is in use.
  const UniqueFd blocks = open_path("/sys/block", O_RDONLY | O_DIRECTORY).value();
  const std::vector<std::string> names = list_directory(blocks.get(), 10'000).value();
  for (const std::string& name : names) {
    const auto file = read_file("/sys/block/" + name + "/loop/backing_file", 8192);
    if (file.ok() && file->find(place.top.path()) != std::string::npos) return false;
  }
  return true;
}

bool nothing_left_soon(const Place& place) {
  for (int tries = 0; tries < 100; ++tries) {
    if (nothing_left(place)) return true;
    ::usleep(20'000);
  }
  return false;
}

// Bytes that could be written before the file system was full; -1 where something else stopped it.
std::int64_t fill_bytes(int upper) {
  const UniqueFd file = open_beneath(upper, "big", O_WRONLY | O_CREAT, 0600).value();
  const std::string block(65536, 'x');
  std::int64_t written = 0;
  for (;;) {
    const ssize_t n = ::write(file.get(), block.data(), block.size());
    if (n < 0) return errno == ENOSPC ? written : -1;
    written += n;
    if (written > (1LL << 30U)) return -1;
  }
}

std::int64_t fill_inodes(int upper) {
  for (std::int64_t made = 0; made < 100'000; ++made) {
    const UniqueFd file(::openat(upper, std::to_string(made).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!file.valid()) return errno == ENOSPC ? made : -1;
  }
  return -1;
}

bool is_root() {
  if (::geteuid() == 0) return true;
  MESSAGE("skipped: needs root");
  return false;
}

int bytes_end_where_promised(const Place& place, const Limits& limits) {
  auto scratch = place.mount(limits);
  MUST(scratch.ok());
  const auto facts = scratch->read_back(limits);
  MUST(facts.ok());
  MUST(facts->at("scratch").in_force <= limits.scratch);
  MUST(!scratch->full());
  {
    const UniqueFd upper = scratch->upper().value();
    MUST(stat_of(upper.get())->st_uid == kOwner);
    const std::int64_t written = fill_bytes(upper.get());
    MUST(written <= static_cast<std::int64_t>(limits.scratch));
    MUST(written >= static_cast<std::int64_t>(limits.scratch) * 3 / 4);
  }
  MUST(scratch->full());
  MUST(scratch->freeze().ok());
  {
    const UniqueFd upper = scratch->upper().value();
    MUST(::openat(upper.get(), "late", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
    MUST(errno == EROFS);
  }
  MUST(scratch->tear_down().ok());
  return 0;
}

int inodes_end_where_promised(const Place& place, const Limits& limits) {
  auto scratch = place.mount(limits);
  MUST(scratch.ok());
  const auto facts = scratch->read_back(limits);
  MUST(facts.ok());
  MUST(!scratch->full());
  {
    const UniqueFd upper = scratch->upper().value();
    const std::int64_t made = fill_inodes(upper.get());
    MUST(made > 0);
    MUST(made <= static_cast<std::int64_t>(facts->at("scratch_inodes").in_force));
    MUST(made >= static_cast<std::int64_t>(limits.scratch_inodes) / 2);
  }
  MUST(scratch->full());
  MUST(scratch->tear_down().ok());
  return 0;
}

}  // namespace

TEST_CASE("a scratch takes as many bytes as promised, no more, and nothing of it is left") {
  if (!is_root()) return;
  for (const ScratchKind on : {ScratchKind::kTmpfs, ScratchKind::kDisk}) {
    const bool disk = on == ScratchKind::kDisk;
    CAPTURE(disk);
    const Place place;
    CHECK(apart([&] { return bytes_end_where_promised(place, small(on)); }) == 0);
    CHECK(nothing_left_soon(place));
  }
}

TEST_CASE("a scratch takes as many files as promised, no more, and nothing of it is left") {
  if (!is_root()) return;
  for (const ScratchKind on : {ScratchKind::kTmpfs, ScratchKind::kDisk}) {
    const bool disk = on == ScratchKind::kDisk;
    CAPTURE(disk);
    const Place place;
    CHECK(apart([&] { return inodes_end_where_promised(place, small(on)); }) == 0);
    CHECK(nothing_left_soon(place));
  }
}

TEST_CASE("a scratch whose process is gone leaves neither mount nor loop device") {
  if (!is_root()) return;
  for (const ScratchKind on : {ScratchKind::kTmpfs, ScratchKind::kDisk}) {
    const bool disk = on == ScratchKind::kDisk;
    CAPTURE(disk);
    const Place place;
    CHECK(apart([&] {
            auto scratch = place.mount(small(on));
            MUST(scratch.ok());
            MUST(fill_bytes(scratch->upper()->get()) > 0);
            return 0;  // no tear_down
          }) == 0);
    CHECK(nothing_left_soon(place));
  }
}

TEST_CASE("tearing a scratch down gives the disk's space back at once") {
  if (!is_root()) return;
  const Place place;
  CHECK(apart([&] {
          auto scratch = place.mount(small(ScratchKind::kDisk));
          MUST(scratch.ok());
          MUST(fill_bytes(scratch->upper()->get()) > 0);
          MUST(scratch->freeze().ok());
          MUST(scratch->tear_down().ok());
          return 0;
        }) == 0);
  struct stat image {};
  REQUIRE(::fstatat(place.run.get(), "scratch.img", &image, 0) == 0);
  // All but the superblock, which the kernel writes as it unmounts.
  CHECK(image.st_blocks * 512 <= 64 * 1024);
}

TEST_CASE("a second action of the same size starts from the same empty file system, with nothing in it") {
  if (!is_root()) return;
  const Place place;
  const Limits limits = small(ScratchKind::kDisk);
  const auto look_and_fill = [&] {
    auto scratch = place.mount(limits);
    MUST(scratch.ok());
    const UniqueFd upper = scratch->upper().value();
    MUST(list_directory(upper.get(), 10)->empty());
    MUST(fill_bytes(upper.get()) > 0);
    return 0;
  };
  CHECK(apart(look_and_fill) == 0);
  REQUIRE(::unlinkat(place.run.get(), "scratch.img", 0) == 0);
  REQUIRE(::unlinkat(place.stage.get(), "scratch", AT_REMOVEDIR) == 0);
  CHECK(apart(look_and_fill) == 0);
  CHECK(list_directory(place.templates.get(), 10)->size() == 1);
}

TEST_CASE("a scratch that the disk could never hold is refused before anything runs") {
  if (!is_root()) return;
  const Place place;
  Limits limits = small(ScratchKind::kDisk);
  limits.scratch = 1ULL << 60U;
  CHECK(apart([&] {
          const auto scratch = place.mount(limits);
          MUST(!scratch.ok());
          MUST(scratch.error().kind == ErrorKind::kHost);
          MUST(scratch.error().message.starts_with("no room for a scratch of "));
          MUST(scratch.error().hint == "make room, or choose a smaller scratch in the policy");
          return 0;
        }) == 0);
  CHECK(list_directory(place.templates.get(), 10)->empty());
}

TEST_CASE("room that is promised to a running action is not promised again") {
  if (!is_root()) return;
  const Place place;
  const Limits limits = small(ScratchKind::kDisk);
  // Another action's image: sparse, and as large as can be.
  const UniqueFd other = make_directories(place.runs.get(), "other", 0700).value();
  const UniqueFd image = open_beneath(other.get(), "scratch.img", O_RDWR | O_CREAT, 0600).value();
  REQUIRE(::ftruncate(image.get(), 8LL << 40U) == 0);
  CHECK(apart([&] {
          const auto scratch = place.mount(limits);
          MUST(!scratch.ok());
          MUST(scratch.error().message.find(" of them promised to running actions") != std::string::npos);
          return 0;
        }) == 0);
}

TEST_CASE("limits that are not those of the file system are not taken for it") {
  if (!is_root()) return;
  const Place place;
  CHECK(apart([&] {
          const auto scratch = place.mount(small(ScratchKind::kTmpfs));
          MUST(scratch.ok());
          Limits smaller = small(ScratchKind::kTmpfs);
          smaller.scratch /= 2;
          MUST(!scratch->read_back(smaller).ok());
          return 0;
        }) == 0);
}
