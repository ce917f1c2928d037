#include "shell/supervisor/container.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <utility>

#include "core/base/text.h"
#include "shell/runtime/runtime.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"

extern "C" {  // glibc 2.36 forgets to say so itself
#include <sys/pidfd.h>
}

namespace glovebox {
namespace {

constexpr Millis kReadyPatience = 30'000;  // for init to come up: seconds even on a machine that swaps
constexpr Millis kKillPatience =
    60'000;  // for the last process to go: a process in uninterruptible sleep takes its time
constexpr int kTickMillis = 200;
// What is shown is written in pieces that a pipe which is ready takes at once (PIPE_BUF, 4,096 bytes):
// terminal_text() makes up to four bytes of one.
constexpr std::size_t kEchoPiece = 1024;
constexpr int kEchoPatience = 5'000;  // milliseconds, for who reads it, once the action is over

std::string message_from(int channel) {
  std::array<char, 64> buffer{};
  const ssize_t n = ::recv(channel, buffer.data(), buffer.size(), MSG_DONTWAIT);
  return n <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(n));
}

Status send_message(int channel, const std::string& text) {
  if (::send(channel, text.data(), text.size(), MSG_NOSIGNAL) < 0)
    return errno_error("talk to the action's init");
  return {};
}

int number_in(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Container::Container(pid_t init, UniqueFd channel, UniqueFd output, UniqueFd errors, LogKeeper log)
    : init_(init),
      process_(::pidfd_open(init, 0)),
      channel_(std::move(channel)),
      streams_{std::move(output), std::move(errors)},
      log_(std::move(log)) {}

Result<Container> Container::launch(const SupervisorSpec& spec, const std::string& directory,
                                    const Cgroup& group) {
  LogKeeper log = TRY(LogKeeper::make(spec.run, spec.plan->limits.log));
  auto [ours, theirs] = TRY(make_seqpacket());
  Pipe output = TRY(make_pipe());
  Pipe errors = TRY(make_pipe());
  CreateSpec create;
  create.directory = directory;
  create.id = spec.id;
  create.output = output.write.get();
  create.errors = errors.write.get();
  create.channel = theirs.get();
  create.cgroups = group.entries();
  const pid_t init = TRY(create_container(create));
  theirs.reset();
  for (const Pipe* pipe : {&output, &errors}) {
    if (::fcntl(pipe->read.get(), F_SETFL, O_NONBLOCK) != 0) return errno_error("read the action's output");
  }
  Container container(init, std::move(ours), std::move(output.read), std::move(errors.read), std::move(log));
  const auto start = [&]() -> Status {
    if (!container.process_.valid()) return errno_error("watch the action's init");
    TRY(start_container(create));
    return container.wait_ready();
  };
  Status started = start();
  if (started.ok()) return container;
  (void)container.abandon(group).ok();
  return std::move(started).error();
}

Status Container::wait_ready() {
  const Millis deadline = monotonic_ms() + kReadyPatience;
  for (;;) {
    std::array<pollfd, 2> ready{pollfd{channel_.get(), POLLIN, 0}, pollfd{process_.get(), POLLIN, 0}};
    const Millis now = monotonic_ms();
    if (now >= deadline) return host_error("the action's init does not get ready");
    if (::poll(ready.data(), ready.size(), static_cast<int>(deadline - now)) < 0 && errno != EINTR)
      return errno_error("wait for init");
    if ((ready[0].revents & POLLIN) != 0 && message_from(channel_.get()) == "R") return {};
    if (ready[1].revents != 0)
      return host_error("the action's init ended before it was ready",
                        "does the seccomp policy allow what it needs?");
  }
}

Result<Facts> Container::check(const SupervisorSpec& spec) const {
  return check_confinement(init_, *spec.plan, spec.host_uid);
}

int Container::echo_of(int stream, const SupervisorSpec& spec) const {
  if (!echoes_) return -1;
  return stream == 0 ? spec.echo_output : spec.echo_errors;
}

// What a stream waits for: its next bytes, or whoever reads its echo to take the last ones. A reader that
// stops holds up the action's writing in the end, never the clock.
pollfd Container::next_of(int stream, const SupervisorSpec& spec) const {
  pollfd taken{streams_[stream].valid() ? echo_of(stream, spec) : -1, POLLOUT, 0};
  const bool blocked = taken.fd >= 0 && ::poll(&taken, 1, 0) == 0;
  return blocked ? pollfd{taken.fd, POLLOUT, 0} : pollfd{streams_[stream].get(), POLLIN, 0};
}

// Everything that is there to read now; the stream is closed at its end.
Status Container::drain(int stream, const SupervisorSpec& spec) {
  UniqueFd& fd = streams_[stream];
  const int echo = echo_of(stream, spec);
  std::array<char, 65536> buffer;  // NOLINT: filled by read
  // A bounded number of rounds, so that a flood on one stream delays neither the clock nor the other stream.
  for (int rounds = 0; rounds < 16 && fd.valid(); ++rounds) {
    if (next_of(stream, spec).events != POLLIN) return {};
    const ssize_t n = ::read(fd.get(), buffer.data(), echo >= 0 ? kEchoPiece : buffer.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (n <= 0) {
      fd.reset();
      return {};
    }
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    TRY(log_.add(stream, bytes, utc_now()));
    if (echo >= 0 && !write_all(echo, ::isatty(echo) != 0 ? terminal_text(bytes) : std::string(bytes)).ok())
      reader_left_ = true;
  }
  return {};
}

void Container::take_report(RunFacts& facts) {
  const std::string message = message_from(channel_.get());
  if (message.empty()) return;
  const int value = number_in(message.substr(1));
  InitReport& report = facts.end.report;
  if (message[0] == 'X' && WIFEXITED(value)) report = {InitReport::Kind::kExited, WEXITSTATUS(value)};
  if (message[0] == 'X' && WIFSIGNALED(value)) report = {InitReport::Kind::kSignalled, WTERMSIG(value)};
  // The shell's convention: 127 for a program that is not there, 126 for one that cannot be executed.
  if (message[0] == 'F') report = {InitReport::Kind::kExited, value == ENOENT ? 127 : 126};
}

void Container::act(WatchEffect effect, const Cgroup& group) {
  if (effect == WatchEffect::kTerminate)
    (void)send_message(channel_.get(), "S" + std::to_string(SIGTERM)).ok();
  if (effect == WatchEffect::kKill) (void)group.kill_and_wait(kKillPatience).ok();
}

// Init is our child. What it and all that it reaped read and wrote is only there until it is waited for.
void Container::reap(RunFacts& facts) {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(init_), &info, WEXITED | WNOWAIT);
  if (const auto io = read_file("/proc/" + std::to_string(init_) + "/io", 4096); io.ok()) {
    for (const std::string_view line : split(*io, '\n')) {
      const auto value = [&] {
        return static_cast<ByteCount>(std::strtoull(line.data() + line.find(':') + 1, nullptr, 10));
      };
      if (line.starts_with("rchar:")) facts.usage.io_read = value();
      if (line.starts_with("wchar:")) facts.usage.io_write = value();
    }
  }
  ::waitpid(init_, nullptr, 0);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

Status Container::run(const SupervisorSpec& spec, const Cgroup& group, int orders,
                      const std::function<void(Millis)>& tick, RunFacts& facts) {
  const Limits& limits = spec.plan->limits;
  WatchState state = watch_start(limits.time);
  const auto happen = [&](WatchEvent event, Millis elapsed) {
    const WatchStep step = watch_step(state, event, elapsed, limits.grace);
    state = step.state;
    act(step.effect, group);
  };
  facts.started = utc_now();
  const Millis start = monotonic_ms();
  TRY(send_message(channel_.get(), "G"));
  bool orders_open = orders >= 0;
  // Closed by init as it ends. The process itself ends later, once the kernel has taken its namespaces down:
  // a closed channel must not be polled meanwhile, it would always be ready.
  bool channel_open = true;
  while (state.stage != WatchStage::kOver) {
    std::array<pollfd, 5> ready{pollfd{process_.get(), POLLIN, 0}, next_of(0, spec), next_of(1, spec),
                                pollfd{orders_open ? orders : -1, POLLIN, 0},
                                pollfd{channel_open ? channel_.get() : -1, POLLIN, 0}};
    const Millis before = monotonic_ms() - start;
    const Millis due = state.next_deadline > before ? state.next_deadline - before
                                                    : (state.next_deadline == 0 ? kTickMillis : 0);
    if (::poll(ready.data(), ready.size(), static_cast<int>(std::min<Millis>(due, kTickMillis))) < 0 &&
        errno != EINTR) {
      return errno_error("watch the action");
    }
    for (const int stream : {0, 1}) TRY(drain(stream, spec));
    const Millis elapsed = monotonic_ms() - start;
    if ((ready[4].revents & POLLIN) != 0) {
      take_report(facts);
    } else if (ready[4].revents != 0) {
      channel_open = false;
    }
    if (ready[3].revents != 0) {
      char byte = 0;
      if (::read(orders, &byte, 1) <= 0) orders_open = false;
      happen(WatchEvent::kCancel, elapsed);
    }
    if (ready[0].revents != 0) {
      take_report(facts);
      happen(WatchEvent::kInitEnded, elapsed);
    } else {
      happen(WatchEvent::kClock, elapsed);
    }
    // As a program at that place would end by SIGPIPE.
    if (std::exchange(reader_left_, false)) {
      echoes_ = false;
      happen(WatchEvent::kCancel, elapsed);
    }
    tick(elapsed);
  }
  facts.end.ended_by = state.ended_by;
  facts.usage.wall_ms = monotonic_ms() - start;
  facts.finished = utc_now();
  TRY(group.kill_and_wait(kKillPatience));
  reap(facts);
  for (const int stream : {0, 1}) TRY(drain_to_end(stream, spec));
  return log_.finish(facts.finished);
}

// Every writer is gone, so that the stream has an end.
Status Container::drain_to_end(int stream, const SupervisorSpec& spec) {
  while (streams_[stream].valid()) {
    pollfd next = next_of(stream, spec);
    const bool shown = next.events == POLLOUT;
    const int ready = ::poll(&next, 1, shown ? kEchoPatience : 1000);
    if (ready == 0 && !shown) break;
    if (ready == 0) echoes_ = false;  // the log has it all
    TRY(drain(stream, spec));
  }
  return {};
}

Status Container::abandon(const Cgroup& group) {
  Status killed = group.kill_and_wait(kKillPatience);
  ::waitpid(init_, nullptr, 0);
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  if (Status finished = log_.finish(utc_now()); !finished.ok() && killed.ok()) return finished;
  return killed;
}

}  // namespace glovebox
