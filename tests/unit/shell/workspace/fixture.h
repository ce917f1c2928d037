// Studies made for a test, with the real git.
#pragma once
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "shell/sys/file.h"
#include "shell/workspace/hashing.h"
#include "shell/workspace/listing.h"
#include "shell/workspace/study.h"

namespace glovebox {

inline constexpr uid_t kTestWorker = 600997;
inline constexpr const char* kProjectText =
    "version: 4\n"
    "actions:\n"
    "  extract:\n"
    "    run: python:v2 python analysis/extract.py\n"
    "    outputs:\n"
    "      highly_sensitive:\n"
    "        cohort: output/*.csv\n";

inline bool is_root() {
  return ::geteuid() == 0;
}

// A directory with a project.yaml, gone with the test.
class TestStudy {
 public:
  TestStudy() : dir_(make()) { write("project.yaml", kProjectText); }

  [[nodiscard]] const std::string& path() const { return dir_.path(); }
  [[nodiscard]] int fd() const { return dir_.fd(); }

  void write(const std::string& name, const std::string& text, mode_t mode = 0644) const {
    const std::size_t slash = name.rfind('/');
    if (slash != std::string::npos) REQUIRE(make_directories(fd(), name.substr(0, slash), 0755).ok());
    ::unlinkat(fd(), name.c_str(), 0);
    const auto file = open_beneath(fd(), name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    REQUIRE(file.ok());
    REQUIRE(write_all(file->get(), text).ok());
    REQUIRE(::fchmod(file->get(), mode) == 0);
  }
  void link(const std::string& target, const std::string& name) const {
    REQUIRE(::symlinkat(target.c_str(), fd(), name.c_str()) == 0);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return ::faccessat(fd(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }
  // A shell command in the directory; its exit status must be 0.
  void shell(const std::string& command) const {
    REQUIRE_MESSAGE(std::system(("cd '" + path() + "' && { " + command + "; } >/dev/null 2>&1").c_str()) == 0,
                    command);
  }
  void git(const std::string& words) const {
    shell(
        "GIT_CONFIG_NOSYSTEM=1 HOME=/nonexistent git -c user.name=T -c user.email=t@example.org "
        "-c init.defaultBranch=main -c core.fsync=none -c gc.auto=0 " +
        words);
  }
  void commit_all() const {
    git("add -A");
    git("commit -q --allow-empty -m x");
  }

 private:
  static TempDir make() {
    auto dir = TempDir::make("/tmp", "gb-study-");
    REQUIRE(dir.ok());
    return std::move(dir).value();
  }
  TempDir dir_;
};

inline Study opened(const TestStudy& study) {
  auto result = Study::open(study.path());
  REQUIRE_MESSAGE(result.ok(), result.error().message);
  return std::move(result).value();
}

inline std::vector<std::string> texts(const std::vector<RelPath>& paths) {
  std::vector<std::string> out;
  for (const RelPath& path : paths) out.push_back(path.str());
  return out;
}

// What read_study finds, or its error as one text "kind: message".
inline std::vector<std::string> code_of(const TestStudy& study) {
  const auto listing = read_study(opened(study), kTestWorker);
  REQUIRE_MESSAGE(listing.ok(), listing.error().message);
  REQUIRE(listing->report.errors.empty());
  return texts(listing->code);
}
inline Error refusal_of(const TestStudy& study) {
  const auto listing = read_study(opened(study), kTestWorker);
  REQUIRE_FALSE(listing.ok());
  return listing.error();
}

inline RelPath path_of(const std::string& text) {
  auto path = RelPath::parse(text);
  REQUIRE_MESSAGE(path.ok(), text);
  return std::move(path).value();
}

// Remembers at once, and counts.
class MemoryCache : public DigestCache {
 public:
  Result<std::vector<std::optional<Digest>>> lookup(const std::vector<FileStamp>& stamps) override {
    std::vector<std::optional<Digest>> out(stamps.size());
    for (std::size_t i = 0; i < stamps.size(); ++i) {
      for (const FileDigest& known : known_) {
        if (known.stamp == stamps[i]) out[i] = known.digest;
      }
    }
    return out;
  }
  Status remember(const std::vector<FileDigest>& digests, std::int64_t) override {
    read_ += digests.size();
    known_.insert(known_.end(), digests.begin(), digests.end());
    return {};
  }
  // How many files were read since the last call.
  std::size_t read() { return std::exchange(read_, 0); }

 private:
  std::vector<FileDigest> known_;
  std::size_t read_ = 0;
};

using Paths = std::vector<std::string>;

}  // namespace glovebox
