#include "shell/publish/publish.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "shell/sys/file.h"

using namespace glovebox;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return file ? text.str() : "<none>";
}
void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

// Memory where there is any to write to: what is tested is not the disk, and fsync is slow on one.
std::string fast_place() {
  return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path().string();
}

// A study and an attempt's directories with two staged outputs, below one temporary directory.
class Place {
 public:
  Place() : dir_(TempDir::make(fast_place(), "publish-test-").value()) {
    for (const char* name : {"study", "run", "run/staging", "elsewhere", "manifests"})
      fs::create_directory(path(name));
    write(path("elsewhere/secret"), "untouched");
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return fs::path(dir_.path()) / name; }

  // Puts what a successful run made into staging and says where it goes.
  Publication stage() {
    outputs_.clear();
    staged_.clear();
    add("o/t.csv", Level::kModeratelySensitive, Verdict::kAccepted, "a,b\n");
    add("o/d/w.csv", Level::kModeratelySensitive, Verdict::kWithheld, "patient_id\n");
    add("o/c.rds", Level::kHighlySensitive, Verdict::kAccepted, "rds");
    write(path("run/staging/log"), "the log");
    PublicationRequest request;
    request.action = "table1";
    request.outputs = &outputs_;
    request.staged = &staged_;
    request.log = {"log", Digest::of("the log"), 7};
    request.manifest = "{\"outputs\":{}}\n";
    return plan_publication(request).value();
  }
  [[nodiscard]] Result<PublishTarget> target() const {
    const UniqueFd study = open_path(path("study"), O_RDONLY | O_DIRECTORY).value();
    return local_target(study.get());
  }
  Status publish_all(const StepHook& hook = {}) {
    const PublishTarget where = TRY(target());
    const UniqueFd run = TRY(open_path(path("run"), O_RDONLY | O_DIRECTORY));
    const UniqueFd staging = TRY(open_path(path("run/staging"), O_RDONLY | O_DIRECTORY));
    const UniqueFd manifests = TRY(open_path(path("manifests"), O_RDONLY | O_DIRECTORY));
    return publish(where, {run.get(), staging.get(), manifests.get(), "key"}, stage(), hook);
  }
  Result<bool> recover(const StepHook& hook = {}) const {
    const PublishTarget where = TRY(target());
    const UniqueFd run = TRY(open_path(path("run"), O_RDONLY | O_DIRECTORY));
    const UniqueFd staging = TRY(open_path(path("run/staging"), O_RDONLY | O_DIRECTORY));
    const UniqueFd manifests = TRY(open_path(path("manifests"), O_RDONLY | O_DIRECTORY));
    return roll_forward(where, {run.get(), staging.get(), manifests.get(), "key"}, hook);
  }
  [[nodiscard]] Json last() const {
    const UniqueFd manifests = open_path(path("manifests"), O_RDONLY | O_DIRECTORY).value();
    return last_manifest({-1, -1, manifests.get(), "key"}, "ws").value();
  }
  void check_complete() const {
    CHECK(content_of(path("manifests/key.json")) ==
          content_of(path("study/.glovebox/level4/metadata/manifest.json")));
    CHECK(content_of(path("study/o/t.csv")) == "a,b\n");
    CHECK(content_of(path("study/o/d/w.csv")) == "patient_id\n");
    CHECK(content_of(path("study/o/c.rds")) == "rds");
    CHECK(content_of(path("study/metadata/table1.log")) == "the log");
    CHECK(content_of(path("study/.glovebox/level4/o/t.csv")) == "a,b\n");
    CHECK(content_of(path("study/.glovebox/level4/o/d/w.csv")) == "<none>");
    CHECK(content_of(path("study/.glovebox/level4/o/d/w.csv.txt")).starts_with("This file was withheld"));
    CHECK(content_of(path("study/.glovebox/level4/o/c.rds")) == "<none>");
    CHECK(content_of(path("study/.glovebox/level4/metadata/manifest.json")) == "{\"outputs\":{}}\n");
    CHECK_FALSE(fs::exists(path("run/publish.json")));
    CHECK(content_of(path("elsewhere/secret")) == "untouched");
    for (const char* ours : {"study/.glovebox/.gitignore", "study/metadata/.gitignore"})
      CHECK(content_of(path(ours)) == "*\n");
    CHECK(published_files() == 8);  // nothing half-written is left
  }
  [[nodiscard]] bool medium_is_empty() const { return published_files() == 0; }
  [[nodiscard]] std::size_t published_files() const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path("study")))
      files +=
          !entry.is_directory() && !entry.is_symlink() && entry.path().filename() != ".gitignore" ? 1 : 0;
    return files;
  }

 private:
  void add(const std::string& name, Level level, Verdict verdict, const std::string& text) {
    OutputFile file;
    file.path = name;
    file.level = level;
    file.verdict = verdict;
    file.digest = Digest::of(text);
    file.size = text.size();
    staged_.push_back(std::to_string(staged_.size()));
    write(path("run/staging/" + staged_.back()), text);
    outputs_.push_back(std::move(file));
  }
  TempDir dir_;
  std::vector<OutputFile> outputs_;
  std::vector<std::string> staged_;
};

}  // namespace

TEST_CASE("publishing puts every file in its tree, for the study's owner, and leaves nothing behind") {
  Place place;
  REQUIRE(place.publish_all().ok());
  place.check_complete();
  struct stat info {};
  REQUIRE(::stat(place.path("study/o/c.rds").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0644);
  REQUIRE(::stat(place.path("study/.glovebox/level4/o").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0755);
}

TEST_CASE("files and folders made in a study belong to the study's owner") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can give files away");
    return;
  }
  Place place;
  REQUIRE(::chown(place.path("study").c_str(), 12345, 12346) == 0);
  REQUIRE(place.publish_all().ok());
  for (const auto& entry : fs::recursive_directory_iterator(place.path("study"))) {
    struct stat info {};
    REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
    CAPTURE(entry.path().string());
    CHECK(info.st_uid == 12345);
    CHECK(info.st_gid == 12346);
  }
}

TEST_CASE("publishing again replaces every file") {
  Place place;
  write(place.path("study/o/t.csv"), "old");
  write(place.path("study/.glovebox/level4/o/d/w.csv"), "accepted once");
  write(place.path("study/.glovebox/level4/o/t.csv.txt"), "withheld once");
  REQUIRE(place.publish_all().ok());
  place.check_complete();
  REQUIRE(place.publish_all().ok());
  place.check_complete();
}

TEST_CASE("a link at any folder of a target's path is refused, and nothing is published") {
  for (const char* link :
       {"study/o", "study/o/d", "study/metadata", "study/.glovebox", "study/.glovebox/level4",
        "study/.glovebox/level4/o", "study/.glovebox/level4/metadata"}) {
    Place place;
    fs::create_directories(place.path(link).parent_path());
    fs::create_directory_symlink(place.path("elsewhere"), place.path(link));
    CAPTURE(link);
    const Status status = place.publish_all();
    REQUIRE_FALSE(status.ok());
    CHECK(content_of(place.path("elsewhere/secret")) == "untouched");
    CHECK(std::distance(fs::directory_iterator(place.path("elsewhere")), {}) == 1);
    CHECK(place.medium_is_empty());
    CHECK_FALSE(fs::exists(place.path("run/publish.json")));
  }
}

TEST_CASE("a linked metadata or .glovebox is named in the refusal") {
  Place place;
  fs::create_directory_symlink("../elsewhere", place.path("study/metadata"));
  const auto target = place.target();
  REQUIRE_FALSE(target.ok());
  CHECK(target.error().kind == ErrorKind::kRefused);
  CHECK(target.error().message == "metadata in the study is a link or a file, where Glovebox keeps a folder");
}

TEST_CASE("a link where a file goes is replaced and never written through") {
  for (const char* link :
       {"study/o/t.csv", "study/o/c.rds", "study/metadata/table1.log", "study/.glovebox/level4/o/t.csv",
        "study/.glovebox/level4/o/d/w.csv", "study/.glovebox/level4/o/d/w.csv.txt",
        "study/.glovebox/level4/metadata/manifest.json"}) {
    Place place;
    fs::create_directories(place.path(link).parent_path());
    fs::create_symlink(place.path("elsewhere/secret"), place.path(link));
    CAPTURE(link);
    REQUIRE(place.publish_all().ok());
    place.check_complete();
  }
}

TEST_CASE("a folder where a file goes is refused before anything is changed") {
  for (const char* folder : {"study/o/t.csv", "study/.glovebox/level4/metadata/manifest.json"}) {
    Place place;
    fs::create_directories(place.path(folder));
    const Status status = place.publish_all();
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().kind == ErrorKind::kRefused);
    CHECK(status.error().message.ends_with("a folder stands in its place"));
    CHECK(place.medium_is_empty());
  }
}

TEST_CASE("a FIFO where a file goes does not hang anything") {
  Place place;
  fs::create_directories(place.path("study/o"));
  REQUIRE(::mkfifo(place.path("study/o/t.csv").c_str(), 0600) == 0);
  REQUIRE(place.publish_all().ok());
  place.check_complete();
}

TEST_CASE("killed at any step, publishing is rolled forward to the same end") {
  std::size_t steps = 0;
  {
    Place place;
    REQUIRE(place.publish_all([&](std::size_t n) { steps = n; }).ok());
  }
  REQUIRE(steps > 5);
  for (std::size_t kill_at = 0; kill_at <= steps; ++kill_at) {
    for (std::size_t kill_again = 0; kill_again <= steps; kill_again += 3) {
      Place place;
      const pid_t child = ::fork();
      if (child == 0) {
        (void)place
            .publish_all([&](std::size_t n) {
              if (n == kill_at) ::_exit(9);
            })
            .ok();
        ::_exit(1);
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      REQUIRE(WEXITSTATUS(status) == 9);
      // The manifest is what readers go by: it is there only once everything else is.
      if (kill_at < steps)
        CHECK_FALSE(fs::exists(place.path("study/.glovebox/level4/metadata/manifest.json")));
      const pid_t second = ::fork();
      if (second == 0) {
        (void)place
            .recover([&](std::size_t n) {
              if (n == kill_again) ::_exit(9);
            })
            .ok();
        ::_exit(1);
      }
      REQUIRE(::waitpid(second, &status, 0) == second);
      REQUIRE(WEXITSTATUS(status) == 9);
      const auto recovered = place.recover();
      REQUIRE(recovered.ok());
      CHECK(*recovered);
      place.check_complete();
      CHECK_FALSE(place.recover().value());
    }
  }
}

TEST_CASE("without a journal there is nothing to roll forward, and nothing is done") {
  Place place;
  (void)place.stage();
  CHECK_FALSE(place.recover().value());
  CHECK(place.medium_is_empty());
}

TEST_CASE("a staged file that is gone without having arrived is an error, not a silent hole") {
  Place place;
  const pid_t child = ::fork();
  if (child == 0) {
    (void)place
        .publish_all([](std::size_t n) {
          if (n == 1) ::_exit(9);
        })
        .ok();
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  fs::remove(place.path("run/staging/2"));
  const auto recovered = place.recover();
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().kind == ErrorKind::kIntegrity);
  CHECK(fs::exists(place.path("run/publish.json")));
}

TEST_CASE("staging on another file system is copied, with the same end") {
  Place place;
  const TempDir other = TempDir::make(fs::temp_directory_path().string(), "publish-test-").value();
  struct stat here {};
  struct stat elsewhere {};
  REQUIRE(::stat(place.path("study").c_str(), &here) == 0);
  REQUIRE(::fstat(other.fd(), &elsewhere) == 0);
  if (here.st_dev == elsewhere.st_dev) {
    MESSAGE("skipped: no second file system");
    return;
  }
  for (const char* name : {"run/staging", "manifests"}) {  // both are in the state directory
    const fs::path there = fs::path(other.path()) / fs::path(name).filename();
    fs::create_directory(there);
    fs::remove_all(place.path(name));
    fs::create_symlink(there, place.path(name));
  }
  REQUIRE(place.publish_all().ok());
  place.check_complete();
}

TEST_CASE(
    "a link that took a folder's place since the journal was written is refused, and nothing goes through "
    "it") {
  for (const char* folder : {"study/o", "study/o/d", "study/.glovebox/level4/o",
                             "study/.glovebox/level4/metadata", "study/metadata"}) {
    Place place;
    const pid_t child = ::fork();
    if (child == 0) {
      (void)place
          .publish_all([](std::size_t n) {
            if (n == 1) ::_exit(9);
          })
          .ok();
      ::_exit(1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WEXITSTATUS(status) == 9);
    CAPTURE(folder);
    fs::remove_all(place.path(folder));
    fs::create_directories(place.path(folder).parent_path());
    fs::create_directory_symlink(place.path("elsewhere"), place.path(folder));
    const std::string log = content_of(place.path("run/staging/log"));
    const auto recovered = place.recover();
    REQUIRE_FALSE(recovered.ok());
    CHECK(recovered.error().kind == ErrorKind::kRefused);
    CHECK(std::distance(fs::directory_iterator(place.path("elsewhere")), {}) == 1);
    CHECK(content_of(place.path("elsewhere/secret")) == "untouched");
    CHECK(content_of(place.path("run/staging/log")) == log);  // nothing was begun
    CHECK(fs::exists(place.path("run/publish.json")));
    CHECK_FALSE(fs::exists(place.path("manifests/key.json")));
  }
}

TEST_CASE("a folder that took a file's place since the journal was written is refused") {
  Place place;
  const pid_t child = ::fork();
  if (child == 0) {
    (void)place
        .publish_all([](std::size_t n) {
          if (n == 1) ::_exit(9);
        })
        .ok();
    ::_exit(1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  fs::create_directories(place.path("study/.glovebox/level4/metadata/manifest.json"));
  const auto recovered = place.recover();
  REQUIRE_FALSE(recovered.ok());
  CHECK(recovered.error().kind == ErrorKind::kRefused);
  CHECK_FALSE(fs::exists(place.path("study/o/c.rds")));
}

TEST_CASE("what the study's owner writes into its manifest is never read") {
  for (const char* text : {"", "[[[[", "{\"outputs\":{\"forged.csv\":{}}}"}) {
    Place place;
    REQUIRE(place.publish_all().ok());
    write(place.path("study/.glovebox/level4/metadata/manifest.json"), text);
    CHECK(place.last() == parse_json("{\"outputs\":{}}", "").value());
  }
}

TEST_CASE("a manifest that somebody removed is not forgotten") {
  Place place;
  REQUIRE(place.publish_all().ok());
  fs::remove(place.path("study/.glovebox/level4/metadata/manifest.json"));
  CHECK(place.last() == parse_json("{\"outputs\":{}}", "").value());
}

TEST_CASE("a study whose manifest we did not write has an empty one") {
  Place place;
  fs::create_directories(place.path("study/.glovebox/level4/metadata"));
  fs::create_symlink("/dev/zero", place.path("study/.glovebox/level4/metadata/manifest.json"));
  CHECK(place.last()["outputs"].empty());
}

TEST_CASE("a list of outputs that is too long names the way out") {
  Place place;
  REQUIRE(place.publish_all().ok());
  REQUIRE(::truncate(place.path("manifests/key.json").c_str(), (64LL << 20) + 1) == 0);
  const UniqueFd manifests = open_path(place.path("manifests"), O_RDONLY | O_DIRECTORY).value();
  const auto last = last_manifest({-1, -1, manifests.get(), "key"}, "ws");
  REQUIRE_FALSE(last.ok());
  CHECK(last.error().message ==
        "the list of all the study's outputs cannot be read: the file is larger than 64 MiB");
  CHECK(last.error().hint == "remove it from the state directory: the next run begins a new one");
}

TEST_CASE("what actions left in a study is remembered, of each study for itself, until it is gone") {
  const Place place;
  write(place.path("study/o/old.csv"), "old");
  const UniqueFd study = open_path(place.path("study"), O_RDONLY | O_DIRECTORY).value();
  const UniqueFd manifests = open_path(place.path("manifests"), O_RDONLY | O_DIRECTORY).value();
  const PublishSource source{-1, -1, manifests.get(), "key"};
  const auto remember = [&](const std::string& path, Verdict verdict) {
    OutputFile file;
    file.path = path;
    file.verdict = verdict;
    return remember_published(source, study.get(), {file});
  };
  CHECK(ever_published(source)->empty());
  REQUIRE(remember("o/old.csv", Verdict::kWithheld).ok());
  REQUIRE(remember("o/link.csv", Verdict::kRejected).ok());
  REQUIRE(remember("o/new\n.csv", Verdict::kAccepted).ok());  // not there yet: it is published afterwards
  CHECK(*ever_published(source) == std::set<std::string>{"o/new\n.csv", "o/old.csv"});
  CHECK(ever_published({-1, -1, manifests.get(), "other"})->empty());
  write(place.path("study/o/new\n.csv"), "new");
  fs::remove(place.path("study/o/old.csv"));
  REQUIRE(remember("o/third.csv", Verdict::kAccepted).ok());
  CHECK(*ever_published(source) == std::set<std::string>{"o/new\n.csv", "o/third.csv"});
  for (const char* damaged : {"[1]", "{\"a\": 1}", "[\"a\"", ""}) {
    write(place.path("manifests/key.paths"), damaged);
    CHECK_FALSE(ever_published(source).ok());
  }
}
