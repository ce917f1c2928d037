#include "shell/store/store.h"

#include <doctest/doctest.h>

#include "shell/store/sqlite.h"
#include "tests/unit/shell/store/store_fixture.h"

namespace glovebox {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  return info.st_mode & 07777;
}

void overwrite(const std::string& path, off_t offset, const std::string& bytes) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(fd >= 0);
  REQUIRE(::pwrite(fd, bytes.data(), bytes.size(), offset) == static_cast<ssize_t>(bytes.size()));
  ::close(fd);
}

TEST_CASE("a new store is private, its root can be passed through, and it opens again") {
  const StateDir state;
  { const Store store = state.open(); }
  const Store store = state.open();
  CHECK(mode_of(state.root) == 0711);
  for (const char* name : {"/state.sqlite", "/state.sqlite-wal", "/state.sqlite-shm"}) {
    CHECK(mode_of(state.root + name) == 0600);
  }
}

TEST_CASE("every commit waits for the disk, and writers wait for each other") {
  const StateDir state;
  const Store store = state.open();
  CHECK(*store.database().query_integer("PRAGMA synchronous") == 2);
  CHECK(*store.database().query_integer("PRAGMA busy_timeout") >= 10'000);
  CHECK(*store.database().query_integer("PRAGMA user_version") == 1);
}

TEST_CASE("an attempt is kept from its beginning and finalized once") {
  const StateDir state;
  Store store = state.open();
  REQUIRE(store.begin(row_named("a1")).ok());
  CHECK(store.begin(row_named("a1")).error().message == "there is already an attempt with the id \"a1\"");
  REQUIRE(*store.advance("a1", JobEvent::kStarted) == JobState::kExecuting);
  auto open_ones = store.unfinished();
  REQUIRE(open_ones.ok());
  REQUIRE(open_ones->size() == 1);
  CHECK(open_ones->at(0).state == JobState::kExecuting);
  AttemptChange change;
  change.reason = "memory";
  change.finished = "2026-11-22T04:30:11.000Z";
  REQUIRE(*store.advance("a1", JobEvent::kRecorded, change) == JobState::kFinalized);
  CHECK(store.unfinished()->empty());
  const auto row = store.attempt("a1");
  REQUIRE(row->has_value());
  CHECK((*row)->reason == "memory");
  CHECK_FALSE(store.advance("a1", JobEvent::kStarted).ok());
  CHECK(store.advance("nobody", JobEvent::kStarted).error().message ==
        "there is no attempt with the id \"nobody\"");
  CHECK_FALSE(store.attempt("nobody")->has_value());
}

TEST_CASE("text with quotes, NUL and newlines is kept as it is") {
  const StateDir state;
  Store store = state.open();
  AttemptRow row = row_named("a1");
  row.study = std::string("it's \"odd\"\n; DROP TABLE attempts;-- \0x", 40);
  REQUIRE(store.begin(row).ok());
  CHECK((*store.attempt("a1"))->study == row.study);
}

TEST_CASE("a process killed while it begins attempts leaves whole rows only, and the store opens") {
  const StateDir state;
  for (int round = 0; round < 5; ++round) {
    const pid_t child = in_child([&] {
      auto store = Store::open(state.root);
      if (!store.ok()) return 1;
      for (int i = 0;; ++i) {
        const std::string id = std::to_string(::getpid()) + "-" + std::to_string(i);
        if (!store->begin(row_named(id)).ok() || !store->advance(id, JobEvent::kStarted).ok()) return 2;
      }
    });
    ::usleep(static_cast<useconds_t>(20'000 + round * 7'000));
    ::kill(child, SIGKILL);
    CHECK(exit_of(child) == 128 + SIGKILL);
    const Store store = state.open();
    const auto rows = store.unfinished();
    REQUIRE(rows.ok());
    std::size_t preparing = 0;
    for (const AttemptRow& row : *rows) {
      CHECK(row.study == "study");
      if (row.state == JobState::kPreparing) ++preparing;
    }
    CHECK(preparing <= static_cast<std::size_t>(round) + 1);
    CHECK(store.database()
              .query_integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'")
              .value() == 0);
  }
}

TEST_CASE("many first commands at once make one store") {
  const StateDir state;
  std::vector<pid_t> children;
  for (int i = 0; i < 8; ++i) {
    children.push_back(in_child([&, i] {
      auto store = Store::open(state.root);
      return store.ok() && store->begin(row_named("a" + std::to_string(i))).ok() ? 0 : 1;
    }));
  }
  for (const pid_t child : children) CHECK(exit_of(child) == 0);
  CHECK(state.open().unfinished()->size() == 8);
}

TEST_CASE("of many processes that begin the same attempt one succeeds") {
  const StateDir state;
  { const Store store = state.open(); }
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(in_child([&] {
      auto store = Store::open(state.root);
      return store.ok() && store->begin(row_named("same")).ok() ? 0 : 1;
    }));
  }
  int winners = 0;
  for (const pid_t child : children) winners += exit_of(child) == 0 ? 1 : 0;
  CHECK(winners == 1);
}

TEST_CASE("a damaged database is said to be so, with what to do") {
  const StateDir state;
  {
    Store store = state.open();
    for (int i = 0; i < 400; ++i) REQUIRE(store.begin(row_named("a" + std::to_string(i))).ok());
    REQUIRE(store.database().execute("PRAGMA wal_checkpoint(TRUNCATE)").ok());
  }
  const std::string path = state.root + "/state.sqlite";
  SUBCASE("its beginning is overwritten") {
    overwrite(path, 0, std::string(100, 'x'));
    const auto opened = Store::open(state.root);
    REQUIRE_FALSE(opened.ok());
    CHECK(opened.error().kind == ErrorKind::kIntegrity);
    CHECK(opened.error().message == "the state database \"" + path + "\" is damaged: file is not a database");
    CHECK(opened.error().hint.find("move it away") == 0);
  }
  SUBCASE("its middle is overwritten") {
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    overwrite(path, 4096, std::string(static_cast<std::size_t>(info.st_size) - 4096, '\xa5'));
    const auto opened = Store::open(state.root);
    const auto rows = opened.ok() ? opened->unfinished() : Result<std::vector<AttemptRow>>(opened.error());
    REQUIRE_FALSE(rows.ok());
    CHECK(rows.error().kind == ErrorKind::kIntegrity);
    CHECK_FALSE(rows.error().hint.empty());
  }
}

TEST_CASE("a store that others may write, of another program or of a newer Glovebox is refused") {
  const StateDir state;
  const std::string path = state.root + "/state.sqlite";
  { const Store store = state.open(); }
  SUBCASE("mode 0644") {
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    const auto opened = Store::open(state.root);
    CHECK(opened.error().message == "others may reach into the state database \"" + path + "\"");
    CHECK(opened.error().hint == "chmod 600 \"" + path + "\"");
  }
  SUBCASE("a link") {
    REQUIRE(::rename(path.c_str(), (path + ".real").c_str()) == 0);
    REQUIRE(::symlink("state.sqlite.real", path.c_str()) == 0);
    CHECK(Store::open(state.root).error().kind == ErrorKind::kHost);
  }
  SUBCASE("newer") {
    REQUIRE(state.open().database().execute("PRAGMA user_version = 99").ok());
    CHECK(Store::open(state.root).error().message ==
          "the state database \"" + path + "\" has schema 99, this Glovebox knows up to 1");
  }
  SUBCASE("another program's") {
    REQUIRE(state.open().database().execute("PRAGMA application_id = 5").ok());
    CHECK(Store::open(state.root).error().kind == ErrorKind::kIntegrity);
  }
}

TEST_CASE("a store of another user is refused, even by root" * doctest::skip(::geteuid() != 0)) {
  const StateDir state;
  const std::string path = state.root + "/state.sqlite";
  { const Store store = state.open(); }
  REQUIRE(::chown(path.c_str(), 12'345, 12'345) == 0);
  CHECK(Store::open(state.root).error().message ==
        "the state database \"" + path + "\" belongs to uid 12345");
}

TEST_CASE("a cached action is per study and action, replaced and forgotten") {
  const StateDir state;
  Store store = state.open();
  REQUIRE(store.cache_action("s1", "a", R"({"n":1})").ok());
  REQUIRE(store.cache_action("s1", "a", R"({"n":2})").ok());
  REQUIRE(store.cache_action("s2", "a", R"({"n":3})").ok());
  CHECK(**store.cached_action("s1", "a") == R"({"n":2})");
  CHECK(**store.cached_action("s2", "a") == R"({"n":3})");
  CHECK_FALSE(store.cached_action("s1", "b")->has_value());
  REQUIRE(store.forget_action("s1", "a").ok());
  CHECK_FALSE(store.cached_action("s1", "a")->has_value());
  CHECK(*store.database().query_integer("PRAGMA synchronous") == 2);
}

constexpr std::int64_t kNow = 1'800'000'000'000'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

FileStamp stamp(std::uint64_t inode, std::int64_t changed = kNow - 60 * kSecond) {
  return {0xfff0'0000'0000'0001ULL, inode, 27, changed, changed};
}

TEST_CASE("a digest is found for exactly the same file only") {
  const StateDir state;
  Store store = state.open();
  const Digest digest = Digest::of("x");
  REQUIRE(*store.keep_file_digests({{stamp(7), digest}}, kNow) == 1);
  std::vector<FileStamp> asked(7, stamp(7));
  asked[1].device = 2;
  asked[2].inode = 8;
  asked[3].size = 28;
  asked[4].mtime_ns += 1;
  asked[5].ctime_ns += 1;
  const auto found = store.file_digests(asked);
  REQUIRE(found.ok());
  CHECK(found->at(0) == digest);
  for (std::size_t i = 1; i <= 5; ++i) CHECK_FALSE(found->at(i).has_value());
  CHECK(found->at(6) == digest);
}

TEST_CASE("the digest of a file that changed just before it was hashed is not kept") {
  const StateDir state;
  Store store = state.open();
  FileStamp touched = stamp(1);
  touched.ctime_ns = kNow - kRacyNanoseconds + 1;
  FileStamp written = stamp(2);
  written.mtime_ns = kNow - 1;
  const FileStamp future = stamp(3, kNow + 3600 * kSecond);
  const FileStamp settled = stamp(4, kNow - kRacyNanoseconds);
  const Digest digest = Digest::of("x");
  CHECK(*store.keep_file_digests({{touched, digest}, {written, digest}, {future, digest}, {settled, digest}},
                                 kNow) == 1);
  const auto found = store.file_digests({touched, written, future, settled});
  for (std::size_t i = 0; i < 3; ++i) CHECK_FALSE(found->at(i).has_value());
  CHECK(found->at(3) == digest);
}

TEST_CASE("a digest rewritten in place within the clock's tick is never served: the real file system") {
  const StateDir state;
  Store store = state.open();
  const std::string path = state.dir.path() + "/f";
  const auto put = [&](const std::string& text) {
    REQUIRE(replace_file(state.dir.fd(), "f", text, 0600).ok());
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    return stamp_of(info);
  };
  const FileStamp first = put("one");
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const std::int64_t hashed = static_cast<std::int64_t>(now.tv_sec) * kSecond + now.tv_nsec;
  CHECK(*store.keep_file_digests({{first, Digest::of("one")}}, hashed) == 0);
  CHECK_FALSE(store.file_digests({first})->at(0).has_value());
}

TEST_CASE("the oldest digests go first, and there are never more than allowed") {
  const StateDir state;
  Store store = state.open();
  std::vector<FileDigest> many;
  for (std::uint64_t i = 0; i < 100; ++i) many.push_back({stamp(i), Digest::of(std::to_string(i))});
  REQUIRE(store.keep_file_digests(many, kNow, 60).ok());
  REQUIRE(store.keep_file_digests({{stamp(40), Digest::of("renewed")}}, kNow, 60).ok());
  REQUIRE(store.keep_file_digests({{stamp(200), Digest::of("new")}}, kNow, 60).ok());
  CHECK(*store.database().query_integer("SELECT count(*) FROM digests") <= 60);
  const auto found = store.file_digests({stamp(39), stamp(40), stamp(41), stamp(99), stamp(200)});
  CHECK_FALSE(found->at(0).has_value());
  CHECK(found->at(1) == Digest::of("renewed"));
  CHECK_FALSE(found->at(2).has_value());
  CHECK(found->at(3).has_value());
  CHECK(found->at(4).has_value());
}

TEST_CASE("ten thousand digests are looked up in a moment") {
  const StateDir state;
  Store store = state.open();
  std::vector<FileDigest> many;
  std::vector<FileStamp> asked;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const FileStamp one = stamp((i * 7919) % 10'007);
    many.push_back({one, Digest::of(std::to_string(i))});
    asked.push_back(one);
  }
  REQUIRE(store.keep_file_digests(many, kNow).ok());
  const auto found = store.file_digests(asked);
  REQUIRE(found.ok());
  for (std::size_t i = 0; i < many.size(); ++i) REQUIRE(found->at(i) == many[i].digest);
}

}  // namespace
}  // namespace glovebox
