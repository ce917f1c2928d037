// The worker's walls, tried from inside (G18).
#include "shell/sys/worker.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "shell/sys/file.h"

namespace glovebox {
namespace {

WorkerSpec spec_of(WorkerPower power) {
  WorkerSpec spec;
  spec.name = "the test worker";
  spec.power = power;
  spec.uid = 600998;
  spec.time = 5000;
  return spec;
}

bool is_root() {
  return ::geteuid() == 0;
}

TEST_CASE("a worker that is cancelled is stopped long before its time") {
  Pipe cancel = make_pipe().value();
  REQUIRE(write_all(cancel.write.get(), "C").ok());
  WorkerSpec spec = spec_of(WorkerPower::kParse);
  spec.cancel = cancel.read.get();
  const auto answer = run_in_worker(spec, []() -> Result<std::string> {
    for (;;) ::sched_yield();
  });
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().message == "the test worker was stopped: cancelled");
}

TEST_CASE("a worker hands back what its body returned, and its errors with their kind") {
  const auto answer = run_in_worker(spec_of(WorkerPower::kParse), [] { return Result<std::string>("ok"); });
  REQUIRE(answer.ok());
  CHECK(*answer == "ok");
  const auto failed = run_in_worker(spec_of(WorkerPower::kParse), []() -> Result<std::string> {
    return invalid("odd \x1b[31m text", "f:1:2", "mend it");
  });
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().kind == ErrorKind::kInvalid);
  CHECK(failed.error().message == "odd \\x1B[31m text");
  CHECK(failed.error().where == "f:1:2");
  CHECK(failed.error().hint == "mend it");
}

TEST_CASE("a parsing worker that opens a file or a socket, or forks, dies before it can") {
  for (const auto& crime :
       {std::function<void()>([] { (void)::open("/etc/passwd", O_RDONLY); }),
        std::function<void()>([] { (void)::socket(AF_INET, SOCK_STREAM, 0); }),
        std::function<void()>([] { (void)::fork(); }), std::function<void()>([] { ::kill(1, 0); })}) {
    const auto answer = run_in_worker(spec_of(WorkerPower::kParse), [&]() -> Result<std::string> {
      crime();
      return std::string("still here");
    });
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().message == "the test worker was stopped: it called what it must not (SIGSYS)");
  }
}

TEST_CASE("a worker that hangs, eats memory or talks without end is stopped") {
  WorkerSpec spec = spec_of(WorkerPower::kParse);
  spec.time = 300;
  const auto hangs = run_in_worker(spec, []() -> Result<std::string> {
    for (;;) (void)::getpid();
  });
  CHECK(hangs.error().message == "the test worker was stopped: it took too long");
  spec = spec_of(WorkerPower::kParse);
  spec.answer = 1000;
  const auto talks = run_in_worker(spec, [] { return Result<std::string>(std::string(100'000, 'x')); });
  CHECK(talks.error().message == "the test worker was stopped: its answer was too long");
#if !defined(__SANITIZE_ADDRESS__)
  spec.memory = 64U << 20U;
  const auto eats =
      run_in_worker(spec, []() -> Result<std::string> { return std::string(1U << 30U, 'x').substr(0, 1); });
  CHECK_FALSE(eats.ok());
#endif
}

TEST_CASE("a worker keeps no descriptor that it was not given") {
  const auto secret = TempDir::make("/tmp", "gb-test-");
  REQUIRE(secret.ok());
  const int fd = secret->fd();
  const auto answer = run_in_worker(spec_of(WorkerPower::kParse), [fd]() -> Result<std::string> {
    struct stat info {};
    return std::string(::fstat(fd, &info) == 0 ? "open" : "closed");
  });
  REQUIRE(answer.ok());
  CHECK(*answer == "closed");
}

TEST_CASE("a reading worker sees only its root, which it cannot change, and has its own uid" *
          doctest::skip(!is_root())) {
  const auto dir = TempDir::make("/tmp", "gb-test-");
  REQUIRE(dir.ok());
  REQUIRE(replace_file(dir->fd(), "private.txt", "hello", 0600).ok());
  WorkerSpec spec = spec_of(WorkerPower::kRead);
  spec.root = dir->fd();
  const auto answer = run_in_worker(spec, []() -> Result<std::string> {
    const std::string text = TRY(read_file("/private.txt", 100));
    const bool host = ::access("/etc/passwd", F_OK) == 0 || ::access("/../etc/passwd", F_OK) == 0;
    const bool writes =
        ::open("/private.txt", O_WRONLY) >= 0 || ::open("/new", O_WRONLY | O_CREAT, 0600) >= 0;
    return text + (host ? " host" : "") + (writes ? " writes" : "") + " " + std::to_string(::getuid());
  });
  REQUIRE_MESSAGE(answer.ok(), answer.error().message);
  CHECK(*answer == "hello 600998");
}

}  // namespace
}  // namespace glovebox
