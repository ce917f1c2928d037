#include "shell/sys/worker.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "core/base/json.h"
#include "core/base/text.h"
#include "shell/sys/confine.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

// The first byte of an answer.
constexpr char kAnswered = 'A';
constexpr char kFailed = 'E';    // the body's own Error, as JSON
constexpr char kNotReady = 'S';  // the worker could not be confined: the body never ran

std::string error_text(const Error& error) {
  return dump_json(Json{{"kind", static_cast<int>(error.kind)},
                        {"message", error.message},
                        {"where", error.where},
                        {"hint", error.hint},
                        {"excerpt", error.excerpt}});
}

// A worker's error is hostile text: bounded, escaped, and never of a kind that would blame the host.
Error error_from(const std::string& text) {
  const Result<Json> parsed = parse_json(text, "worker");
  if (!parsed.ok() || !parsed->is_object()) return refused("a worker gave no understandable answer");
  const auto field = [&](const char* name) {
    const std::string value =
        parsed->contains(name) && (*parsed)[name].is_string() ? (*parsed)[name].get<std::string>() : "";
    std::string shown;  // an excerpt has two lines
    for (const std::string_view line : split(value, '\n'))
      shown += (shown.empty() ? "" : "\n") + printable(line, 1000);
    return shown;
  };
  Error error{ErrorKind::kRefused, field("message"), field("where"), field("hint"), field("excerpt")};
  const Json* kind = parsed->contains("kind") ? &(*parsed)["kind"] : nullptr;
  if (kind != nullptr && *kind == static_cast<int>(ErrorKind::kInvalid)) error.kind = ErrorKind::kInvalid;
  if (kind != nullptr && *kind == static_cast<int>(ErrorKind::kIntegrity)) error.kind = ErrorKind::kIntegrity;
  return error;
}

void answer(int fd, char tag, const std::string& text) {
  if (write_all(fd, std::string(1, tag)).ok()) (void)write_all(fd, text).ok();
}

[[noreturn]] void child_main(const WorkerSpec& spec, int out, pid_t parent,
                             const std::function<Result<std::string>()>& body) {
  ::signal(SIGINT, SIG_IGN);  // Ctrl-C is the parent's to handle
  std::vector<int> keep = spec.keep;
  keep.push_back(out);
  const bool has_root = spec.power != WorkerPower::kParse;
  if (has_root) keep.push_back(spec.root);
  const auto confine = [&]() -> Status {
    TRY(close_all_but(keep));
    if (spec.prepare) spec.prepare();
    if (has_root) TRY(enter_root(spec));
    TRY(drop_powers(spec, false));
    if (::getppid() != parent) return host_error("the parent is gone");
    return install_worker_filter(spec.power, false);
  };
  const Status confined = confine();
  if (!confined.ok()) {
    answer(out, kNotReady, confined.error().message);
    ::_exit(1);
  }
  const Result<std::string> result = body();
  answer(out, result.ok() ? kAnswered : kFailed, result.ok() ? *result : error_text(result.error()));
  ::_exit(0);
}

struct Collected {
  std::string text;
  bool in_time = true;
  bool too_long = false;
  bool cancelled = false;
};

// Everything the worker writes until it closes its end, within its bounds of time and length.
Collected collect(int fd, Millis time, ByteCount most, int cancel = -1) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(time);
  Collected out;
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return out.in_time = false, out;
    std::array<pollfd, 2> ready{pollfd{fd, POLLIN, 0}, pollfd{cancel, POLLIN, 0}};
    if (::poll(ready.data(), ready.size(), static_cast<int>(std::min<long>(left, 60'000))) <= 0) continue;
    if (ready[1].revents != 0) return out.cancelled = true, out;
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return out;
    out.text.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.text.size() > most) return out.too_long = true, out;
  }
}

std::string cause_of(int status, const Collected& collected) {
  if (collected.cancelled) return "cancelled";
  if (!collected.in_time) return "it took too long";
  if (collected.too_long) return "its answer was too long";
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) return "it called what it must not (SIGSYS)";
  if (WIFSIGNALED(status)) return std::string("signal ") + std::to_string(WTERMSIG(status));
  return "it gave no answer";
}

}  // namespace

Result<std::string> run_in_worker(const WorkerSpec& spec, const std::function<Result<std::string>()>& body) {
  if (spec.power != WorkerPower::kParse && ::geteuid() != 0) {
    return host_error("only root can give " + spec.name + " a root directory of its own",
                      "run this command as root");
  }
  Pipe pipe = TRY(make_pipe());
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return errno_error("start " + spec.name);
  if (child == 0) child_main(spec, pipe.write.get(), parent, body);
  pipe.write.reset();
  const Collected collected = collect(pipe.read.get(), spec.time, spec.answer, spec.cancel);
  ::kill(child, SIGKILL);  // it has answered or forfeited; either way nothing more is wanted of it
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const bool whole =
      collected.in_time && !collected.too_long && !collected.cancelled && !collected.text.empty();
  if (!whole) return refused(spec.name + " was stopped: " + cause_of(status, collected));
  const char tag = collected.text[0];
  std::string rest = collected.text.substr(1);
  if (tag == kAnswered) return rest;
  if (tag == kFailed) return error_from(rest);
  return host_error("cannot confine " + spec.name + ": " + printable(rest));
}

Result<std::string> run_program_in_worker(const WorkerSpec& spec, const std::string& writable,
                                          const std::vector<std::string>& argv) {
  if (::geteuid() != 0) return host_error("only root can confine " + spec.name, "run this command as root");
  Pipe out = TRY(make_pipe());
  Pipe err = TRY(make_pipe());
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char home[] = "HOME=/tmp";
  char tmp[] = "TMPDIR=/tmp";
  char* const environment[] = {path, home, tmp, nullptr};
  const pid_t child = ::fork();
  if (child < 0) return errno_error("start " + spec.name);
  if (child == 0) {
    ::dup2(out.write.get(), 1);
    ::dup2(err.write.get(), 2);
    const auto confine = [&]() -> Status {
      std::vector<int> keep = spec.keep;
      keep.insert(keep.end(), {1, 2});
      TRY(close_all_but(keep));
      TRY(enter_read_only_host(writable));
      TRY(drop_powers(spec, true));
      return install_worker_filter(WorkerPower::kWrite, true);
    };
    const Status confined = confine();
    if (confined.ok()) ::execve(words[0], words.data(), environment);
    const std::string why = confined.ok() ? std::strerror(errno) : confined.error().message;
    (void)write_all(2, "cannot start: " + why).ok();
    ::_exit(127);
  }
  out.write.reset();
  err.write.reset();
  const Collected text = collect(out.read.get(), spec.time, spec.answer);
  if (!text.in_time || text.too_long) ::kill(child, SIGKILL);
  const Collected complaints = collect(err.read.get(), 2000, 1U << 20U);
  int status = 0;
  ::kill(child, complaints.in_time ? 0 : SIGKILL);
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && text.in_time && !text.too_long) return text.text;
  const std::string said = printable(complaints.text, 600);
  return refused(spec.name + " failed: " + (said.empty() ? cause_of(status, text) : said));
}

}  // namespace glovebox
