// The chain of records against processes that race and die.
#include "shell/store/chain.h"

#include <doctest/doctest.h>

#include <map>

#include "tests/unit/shell/store/store_fixture.h"

namespace glovebox {
namespace {

NewRecord record_of(const std::string& id) {
  return {id, "records/2026-11/" + id + "/envelope.json", "envelope of " + id};
}

Status append(Store& store, const std::string& id) {
  Reservation reservation = TRY(next_link(store));
  return reservation.commit(record_of(id), {});
}

TEST_CASE("the first record has number 1 and nothing before it, the next one its digest") {
  const StateDir state;
  Store store = state.open();
  {
    auto first = next_link(store);
    REQUIRE(first.ok());
    CHECK(first->place().sequence == 1);
    CHECK(!first->place().previous.has_value());
    REQUIRE(first->commit(record_of("a"), {}).ok());
  }
  const auto second = next_link(store);
  CHECK(second->place().sequence == 2);
  CHECK(second->place().previous == Digest::of("envelope of a"));
}

TEST_CASE("a reservation that is dropped leaves no trace, and its number is used by the next") {
  const StateDir state;
  Store store = state.open();
  { REQUIRE(next_link(store)->place().sequence == 1); }
  REQUIRE(append(store, "a").ok());
  CHECK(stored_links(store)->size() == 1);
}

TEST_CASE("committing a record finalizes its attempt in the same instant") {
  const StateDir state;
  Store store = state.open();
  REQUIRE(store.begin(row_named("a")).ok());
  AttemptChange change;
  change.reason = "exit";
  change.finished = "2026-11-22T04:30:11.000Z";
  REQUIRE(next_link(store)->commit(record_of("a"), change).ok());
  const auto row = store.attempt("a");
  CHECK((*row)->state == JobState::kFinalized);
  CHECK((*row)->reason == "exit");
  CHECK(append(store, "a").error().message == "the attempt \"a\" already has a record");
  CHECK(stored_links(store)->size() == 1);
}

TEST_CASE("concurrent processes never share a number") {
  const StateDir state;
  { const Store store = state.open(); }
  constexpr int kProcesses = 8;
  constexpr int kEach = 25;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    children.push_back(in_child([&, p] {
      auto store = Store::open(state.root);
      if (!store.ok()) return 1;
      for (int i = 0; i < kEach; ++i) {
        if (!append(*store, std::to_string(p) + "-" + std::to_string(i)).ok()) return 2;
      }
      return 0;
    }));
  }
  for (const pid_t child : children) CHECK(exit_of(child) == 0);
  const Store store = state.open();
  const auto links = stored_links(store);
  REQUIRE(links.ok());
  REQUIRE(links->size() == kProcesses * kEach);
  for (std::size_t i = 0; i < links->size(); ++i) {
    CHECK(links->at(i).sequence == i + 1);
    CHECK(links->at(i).digest == Digest::of("envelope of " + links->at(i).id));
  }
}

TEST_CASE("processes killed at random while appending leave a chain without gap or fork") {
  const StateDir state;
  { const Store store = state.open(); }
  for (int round = 0; round < 6; ++round) {
    std::vector<pid_t> children;
    for (int p = 0; p < 3; ++p) {
      children.push_back(in_child([&] {
        auto store = Store::open(state.root);
        for (int i = 0; store.ok(); ++i) {
          const std::string id = std::to_string(::getpid()) + "-" + std::to_string(i);
          if (!store->begin(row_named(id)).ok() || !append(*store, id).ok()) return 2;
        }
        return 1;
      }));
    }
    ::usleep(static_cast<useconds_t>(30'000 + 3'700 * round));
    for (const pid_t child : children) ::kill(child, SIGKILL);
    for (const pid_t child : children) CHECK(exit_of(child) == 128 + SIGKILL);
  }
  Store store = state.open();
  const auto links = stored_links(store);
  REQUIRE(links.ok());
  REQUIRE(links->size() > 6);
  for (std::size_t i = 0; i < links->size(); ++i) {
    CHECK(links->at(i).sequence == i + 1);
    // A record and its attempt's end are one commit.
    CHECK((*store.attempt(links->at(i).id))->state == JobState::kFinalized);
  }
  const auto cut_off = store.unfinished();
  REQUIRE(cut_off.ok());
  for (const AttemptRow& row : *cut_off) CHECK_FALSE(stored_link(store, row.id)->has_value());
}

TEST_CASE("a holder that is killed gives its place to those who wait") {
  const StateDir state;
  Store store = state.open();
  Pipe ready = make_pipe().value();
  const pid_t child = in_child([&] {
    auto own = Store::open(state.root);
    auto reservation = next_link(*own);
    if (!reservation.ok() || ::write(ready.write.get(), "x", 1) != 1) return 1;
    for (;;) ::pause();
  });
  char byte = 0;
  REQUIRE(::read(ready.read.get(), &byte, 1) == 1);
  const pid_t killer = in_child([&] {
    ::usleep(50'000);
    return ::kill(child, SIGKILL);
  });
  REQUIRE(append(store, "a").ok());
  CHECK(exit_of(child) == 128 + SIGKILL);
  CHECK(exit_of(killer) == 0);
  CHECK(stored_links(store)->at(0).id == "a");
}

TEST_CASE("an envelope is kept until its file is durable, then let go") {
  const StateDir state;
  Store store = state.open();
  REQUIRE(append(store, "a").ok());
  REQUIRE(append(store, "b").ok());
  std::map<std::string, std::string> written;
  const auto write = [&](const StoredLink& link, const std::string& envelope) -> Status {
    if (link.id == "b") return host_error("no space left");
    written[link.path] = envelope;
    return {};
  };
  CHECK(settle(store, write).error().message == "no space left");
  CHECK(written == std::map<std::string, std::string>{{"records/2026-11/a/envelope.json", "envelope of a"}});
  written.clear();
  const auto write_all_of_them = [&](const StoredLink& link, const std::string& envelope) -> Status {
    written[link.id] = envelope;
    return {};
  };
  REQUIRE(settle(store, write_all_of_them).ok());
  CHECK(written == std::map<std::string, std::string>{{"b", "envelope of b"}});
  written.clear();
  REQUIRE(settle(store, write_all_of_them).ok());
  CHECK(written.empty());
  CHECK(stored_links(store)->size() == 2);
}

TEST_CASE("a chain is adopted by a database that has none, and only then") {
  const StateDir state;
  Store store = state.open();
  const std::vector<StoredLink> found = {{1, "a", "records/2026-11/a/envelope.json", Digest::of("A")},
                                         {2, "b", "records/2026-11/b/envelope.json", Digest::of("B")}};
  CHECK(*adopt_chain(store, found));
  CHECK(next_link(store)->place().sequence == 3);
  CHECK(next_link(store)->place().previous == Digest::of("B"));
  CHECK_FALSE(*adopt_chain(store, found));
  CHECK(stored_links(store)->size() == 2);
}

}  // namespace
}  // namespace glovebox
