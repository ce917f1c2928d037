#include "shell/runtime/stage.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>

#include "shell/sys/file.h"
#include "shell/sys/mount.h"

using namespace glovebox;
namespace fs = std::filesystem;

namespace {

constexpr uid_t kAction = 600999;
constexpr const char* kInput = "output/deep/input.csv";

void put(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  const UniqueFd file = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0600).value();
  REQUIRE(write_all(file.get(), text).ok());
}

// A study with one input, what else a stage is made of, and a forged folder that its owner could put there.
struct Parts {
  TempDir top = TempDir::make("/var/tmp", "glovebox-stage-").value();
  std::string at = top.path();
  Plan plan;
  StageSources sources;

  Parts() {
    put(at + "/study/" + kInput, "genuine");
    put(at + "/study/forged/deep/input.csv", "forgery");
    put(at + "/init/.glovebox/init", "");
    for (const char* folder : {"/image/workspace", "/code", "/stage"}) fs::create_directories(at + folder);
    plan.inputs = {{RelPath::parse(kInput).value(), {}, 7, {}}};
    sources.image = open_path(at + "/image", O_RDONLY | O_DIRECTORY).value();
    sources.init = open_path(at + "/init", O_RDONLY | O_DIRECTORY).value();
    sources.code = open_path(at + "/code", O_RDONLY | O_DIRECTORY).value();
    sources.study = open_path(at + "/study", O_RDONLY | O_DIRECTORY).value();
    const UniqueFd input = open_beneath(sources.study.get(), kInput, O_PATH).value();
    sources.stamps = {stamp_of(stat_of(input.get()).value())};
  }

  void exchange_folders() const {
    (void)!::renameat2(sources.study.get(), "output", sources.study.get(), "forged", RENAME_EXCHANGE);
  }
  void put_link_for_folder(const char* target) const {
    (void)!::renameat(sources.study.get(), "output/deep", sources.study.get(), "moved");
    (void)!::symlinkat(target, sources.study.get(), "output/deep");
  }
  void write_to(const char* input) const {
    const auto file = open_beneath(sources.study.get(), input, O_WRONLY);
    if (file.ok()) (void)write_all(file->get(), "changed").ok();
  }
};

enum Outcome {
  kUnchanged = 40,
  kNotDetached,
  kNotAssembled,
  kChanged,
  kOtherContent,
  kTellsOfDisk,
  kUnexpected
};
using Meddling = std::function<void(const Parts&)>;

int fail_with(const Error& error, Outcome outcome) {
  if (error.kind == ErrorKind::kIntegrity && error.message.find(kInput) != std::string::npos) return outcome;
  (void)std::fprintf(stderr, "stage_test.cc: %s\n", error.message.c_str());
  return kUnexpected;
}

int assemble(const Parts& parts, const DetachedSources& detached, const std::string& place) {
  // Scratch in memory does for an action that writes nothing.
  if (!unshare_mounts().ok() || !mount_tmpfs(place, "mode=0711", kNoSuid | kNoDev).ok()) return kUnexpected;
  fs::create_directories(place + "/scratch/upper");
  fs::create_directories(place + "/scratch/work");
  const Status assembled = assemble_root(parts.plan, kAction, detached, place);
  return assembled.ok() ? 0 : fail_with(assembled.error(), kNotAssembled);
}

// Whether the free space that an action is told of is that of the disk which images and studies lie on.
bool tells_of_disk(const std::string& place) {
  struct statvfs own {};
  if (::statvfs(place.c_str(), &own) != 0) return true;
  for (const std::string& seen : {place + "/root", place + "/root/workspace/" + kInput}) {
    struct statvfs told {};
    if (::statvfs(seen.c_str(), &told) != 0 || told.f_blocks != own.f_blocks) return true;
  }
  return false;
}

// What the steps of staging say, in a process of its own, where the owner meddles between them: when the
// inputs have been looked at, and when they are mounted.
int staged(const Meddling& before, const Meddling& after) {
  const Parts parts;
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string place = parts.at + "/stage";
    const auto detached = detach_sources(parts.plan, parts.sources);
    if (!detached.ok()) ::_exit(fail_with(detached.error(), kNotDetached));
    before(parts);
    if (const int failed = assemble(parts, *detached, place); failed != 0) ::_exit(failed);
    const auto seen = read_file(place + "/root/workspace/" + kInput, 100);
    if (!seen.ok() || *seen != "genuine") ::_exit(kOtherContent);
    if (tells_of_disk(place)) ::_exit(kTellsOfDisk);
    after(parts);
    const Status checked = check_inputs(*detached, place);
    ::_exit(checked.ok() ? kUnchanged : fail_with(checked.error(), kChanged));
  }
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return kUnexpected;
  return WEXITSTATUS(status);
}

void nothing(const Parts& /*parts*/) {}
bool no_root() {
  return ::geteuid() != 0;
}

}  // namespace

TEST_CASE("an input that nobody touches is mounted, tells of no disk, and is unchanged at the end" *
          doctest::skip(no_root())) {
  CHECK(staged(nothing, nothing) == kUnchanged);
}

TEST_CASE("an input that was changed since it was looked at is refused" * doctest::skip(no_root())) {
  CHECK(staged([](const Parts& parts) { parts.write_to(kInput); }, nothing) == kNotAssembled);
}

TEST_CASE("another file is never mounted for an input, though all is put back later" *
          doctest::skip(no_root())) {
  const auto exchange = [](const Parts& parts) { parts.exchange_folders(); };
  CHECK(staged(exchange, exchange) == kNotAssembled);
}

TEST_CASE("a link in the place of a folder above an input is not followed, wherever it leads" *
          doctest::skip(no_root())) {
  for (const char* target : {"../moved", "../forged/deep", "/etc", "/proc/self/cwd"}) {
    CAPTURE(target);
    CHECK(staged([&](const Parts& parts) { parts.put_link_for_folder(target); }, nothing) == kNotAssembled);
  }
}

TEST_CASE("a mounted input that is written to is noticed" * doctest::skip(no_root())) {
  CHECK(staged(nothing, [](const Parts& parts) { parts.write_to(kInput); }) == kChanged);
}

TEST_CASE("what counts at the end is what is mounted, not what has its path by then" *
          doctest::skip(no_root())) {
  CHECK(staged(nothing, [](const Parts& parts) { parts.exchange_folders(); }) == kUnchanged);
  CHECK(staged(nothing, [](const Parts& parts) {
          parts.exchange_folders();
          parts.write_to("forged/deep/input.csv");
        }) == kChanged);
}
