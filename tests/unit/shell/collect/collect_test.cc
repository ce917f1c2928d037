#include "shell/collect/collect.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "shell/collect/layer.h"
#include "shell/sys/file.h"

using namespace glovebox;
namespace fs = std::filesystem;

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Layer {
 public:
  Layer() : dir_(TempDir::make(fs::temp_directory_path().string(), "collect-test-").value()) {
    for (const char* name : {"upper", "code", "staging"}) fs::create_directory(path(name));
    plan.outputs = {{Level::kModeratelySensitive, "t", Pattern::parse("output/*.csv").value()},
                    {Level::kHighlySensitive, "c", Pattern::parse("output/*.rds").value()}};
    plan.output_rules.extensions = {".csv", ".png"};
    plan.output_rules.file_bytes = 1000;
    plan.output_rules.csv_rows = 3;
    plan.limits.output_files = 10;
    plan.limits.output_bytes = 1ULL << 40U;
    plan.limits.scratch_inodes = 200'000;
  }
  [[nodiscard]] fs::path path(const std::string& name) const { return fs::path(dir_.path()) / name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(path(name).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }
  Status collect() {
    facts = RunFacts();
    const UniqueFd upper = open_path(path("upper"), O_RDONLY | O_DIRECTORY).value();
    const UniqueFd code = open_path(path("code"), O_RDONLY | O_DIRECTORY).value();
    const UniqueFd staging = open_path(path("staging"), O_RDONLY | O_DIRECTORY).value();
    CollectSpec spec;
    spec.plan = &plan;
    spec.code = code.get();
    spec.staging = staging.get();
    spec.owner = owner;
    spec.worker_uid = 64321;
    spec.cancel = cancel;
    spec.walk_time = walk_time;
    return collect_outputs(upper.get(), spec, facts);
  }
  [[nodiscard]] std::size_t staged_count() const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path("staging"))) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }
  Plan plan;
  RunFacts facts;
  uid_t owner = ::geteuid();
  int cancel = -1;
  Millis walk_time = 300'000;

 private:
  TempDir dir_;
};

std::string verdict_of(const RunFacts& facts, const std::string& path) {
  for (const OutputFile& file : facts.outputs) {
    if (file.path != path) continue;
    std::string text(to_string(file.verdict));
    for (const RuleHit& hit : file.reasons) text += " " + hit.rule;
    return text;
  }
  return "none";
}
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("outputs are copied, hashed and judged; the rest is named") {
  Layer layer;
  layer.write("upper/output/ok.csv", "a,b\n1,2\n");
  layer.write("upper/output/bad.csv", "patient_id,b\n1,2\n");
  layer.write("upper/output/breaks.csv",
              "a,b\n1,2\x0B"
              "3,4\n");
  layer.write("upper/output/c.rds", "patient_id\n");
  layer.write("upper/cache/x.pyc", "x");
  REQUIRE(layer.collect().ok());
  const RunFacts& facts = layer.facts;
  REQUIRE(facts.outputs.size() == 4);
  CHECK(verdict_of(facts, "output/ok.csv") == "accepted");
  CHECK(verdict_of(facts, "output/breaks.csv") == "withheld csv.control");
  CHECK(verdict_of(facts, "output/bad.csv") == "withheld csv.patient-id");
  CHECK(verdict_of(facts, "output/c.rds") == "accepted");  // highly sensitive: not judged
  CHECK(facts.outputs[3].path == "output/ok.csv");         // sorted
  CHECK(facts.outputs[3].rows == 1);
  CHECK(facts.outputs[3].digest == Digest::of("a,b\n1,2\n"));
  CHECK(facts.unmatched_files == Names{"cache/x.pyc"});
  CHECK(facts.end.missing.empty());
  for (std::size_t i = 0; i < facts.outputs.size(); ++i) {
    CHECK(Digest::of(content_of(layer.path("staging/" + facts.staged[i]))) == facts.outputs[i].digest);
    struct stat info {};
    REQUIRE(::stat(layer.path("staging/" + facts.staged[i]).c_str(), &info) == 0);
    CHECK((info.st_mode & 07777) == 0600);
  }
}

TEST_CASE("a pattern that nothing matches is missing") {
  Layer layer;
  layer.write("upper/output/ok.csv", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.missing == Names{"output/*.rds"});
  CHECK(layer.facts.unmatched_patterns == Names{"output/*.rds"});
}

TEST_CASE("what is no regular file is rejected, never opened and never followed") {
  Layer layer;
  layer.write("secret.csv", "patient_id\n");
  fs::create_directories(layer.path("upper/output"));
  fs::create_symlink(layer.path("secret.csv"), layer.path("upper/output/link.csv"));
  fs::create_symlink("/etc/shadow", layer.path("upper/output/link.rds"));
  REQUIRE(::mkfifo(layer.path("upper/output/fifo.csv").c_str(), 0666) == 0);
  if (::geteuid() == 0) {
    REQUIRE(::mknod(layer.path("upper/output/null.csv").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
  }
  REQUIRE(layer.collect().ok());
  for (const OutputFile& file : layer.facts.outputs) {
    CHECK(file.verdict == Verdict::kRejected);
    CHECK(file.reasons.at(0).rule == "file.kind");
    CHECK_FALSE(file.digest.has_value());
  }
  CHECK(layer.facts.outputs.size() >= 3);
  CHECK(layer.staged_count() == 0);
  CHECK(layer.facts.end.missing.empty());
}

TEST_CASE("a linked folder is not entered") {
  Layer layer;
  layer.write("elsewhere/stolen.csv", "a\n");
  fs::create_directory_symlink(layer.path("elsewhere"), layer.path("upper/output"));
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.outputs.empty());
  CHECK(layer.facts.unmatched_files == Names{"output"});
}

TEST_CASE("hostile names are rejected or named, escaped") {
  Layer layer;
  layer.write("upper/output/a\nb.csv", "a\n");
  layer.write("upper/output/\xFF.csv", "a\n");
  layer.write("upper/\x1b[2J", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/a\\nb.csv") == "rejected name.unsafe");
  CHECK(verdict_of(layer.facts, "output/\\xFF.csv") == "rejected name.unsafe");
  CHECK(layer.facts.unmatched_files == Names{"\\x1B[2J"});
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("a deletion is no output, and neither is code that was only copied up") {
  Layer layer;
  if (::geteuid() == 0) {
    fs::create_directories(layer.path("upper/output"));
    REQUIRE(::mknod(layer.path("upper/output/gone.csv").c_str(), S_IFCHR, makedev(0, 0)) == 0);
  }
  layer.write("code/analysis/a.py", "print(1)\n");
  layer.write("upper/analysis/a.py", "print(1)\n");
  layer.write("code/analysis/b.py", "print(1)\n");
  layer.write("upper/analysis/b.py", "print(2)\n");
  layer.write("code/output/old.csv", "a\n");
  layer.write("upper/output/old.csv", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.outputs.empty());
  CHECK(layer.facts.unmatched_files == Names{"analysis/b.py"});
  CHECK(layer.facts.end.missing.size() == 2);
}

TEST_CASE("a link in the code at the place of an output does not hide it") {
  Layer layer;
  fs::create_directories(layer.path("code/output"));
  fs::create_symlink(layer.path("upper/output/t.csv"), layer.path("code/output/t.csv"));
  layer.write("upper/output/t.csv", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/t.csv") == "accepted");
}

TEST_CASE("a file without any permission is still collected") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: an ordinary user cannot read it");
    return;
  }
  Layer layer;
  layer.write("upper/output/t.csv", "a\n1\n");
  REQUIRE(::chmod(layer.path("upper/output/t.csv").c_str(), 0) == 0);
  REQUIRE(::chmod(layer.path("upper/output").c_str(), 0) == 0);
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/t.csv") == "accepted");
}

TEST_CASE("a file that is not the action's is rejected") {
  Layer layer;
  layer.write("upper/output/t.csv", "a\n");
  layer.owner = 4242;
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/t.csv") == "rejected file.owner");
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("a sparse file of 10 TB is rejected without being copied") {
  Layer layer;
  layer.plan.limits.output_bytes = 1ULL << 60U;
  layer.write("upper/output/big.rds", "x");
  if (::truncate(layer.path("upper/output/big.rds").c_str(), 10LL << 40) != 0) {
    MESSAGE("skipped: this file system has no files of that size");
    return;
  }
  layer.write("upper/output/t.csv", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/big.rds") == "rejected file.sparse");
  CHECK(verdict_of(layer.facts, "output/t.csv") == "accepted");
}

TEST_CASE("a sparse output keeps its holes, and its digest is that of its zeros") {
  Layer layer;
  layer.write("upper/output/c.rds", "x");
  REQUIRE(::truncate(layer.path("upper/output/c.rds").c_str(), 512LL << 20) == 0);
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/c.rds") == "accepted");
  struct stat info {};
  REQUIRE(::stat(layer.path("staging/" + layer.facts.staged.at(0)).c_str(), &info) == 0);
  CHECK(info.st_size == 512LL << 20);
  CHECK(info.st_blocks * 512 < 1 << 20);
  const UniqueFd original = open_path(layer.path("upper/output/c.rds"), O_RDONLY).value();
  CHECK(layer.facts.outputs.at(0).digest == hash_fd(original.get(), 1ULL << 30U)->digest);
}

TEST_CASE("hard links of one file are not copied where the disk has no room for all of the copies") {
  constexpr off_t kSize = 64LL << 20;
  Layer layer;
  layer.plan.limits.output_files = 1'000'000;
  layer.write("upper/output/0.rds", "x");
  const UniqueFd file = open_path(layer.path("upper/output/0.rds"), O_RDWR).value();
  if (::posix_fallocate(file.get(), 0, kSize) != 0) {
    MESSAGE("skipped: this file system cannot reserve blocks");
    return;
  }
  const fs::space_info disk = fs::space(layer.path("staging"));
  // Some more than fill it: others may give space back meanwhile.
  const auto links = disk.available / static_cast<std::uintmax_t>(kSize) + 100;
  if (links > 60'000) {  // ext4 allows 65,000
    MESSAGE("skipped: this disk is too large to be filled by links");
    return;
  }
  for (std::uintmax_t i = 1; i <= links; ++i) {
    fs::create_hard_link(layer.path("upper/output/0.rds"),
                         layer.path("upper/output/" + std::to_string(i) + ".rds"));
  }
  const Status status = layer.collect();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().kind == ErrorKind::kHost);
  CHECK(status.error().message.starts_with("no room for copies of the outputs of "));
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("collecting that is cancelled ends at once") {
  Layer layer;
  layer.write("upper/output/c.rds", "x");
  REQUIRE(::truncate(layer.path("upper/output/c.rds").c_str(), 1LL << 30) == 0);
  Pipe cancel = make_pipe().value();
  REQUIRE(write_all(cancel.write.get(), "C").ok());
  layer.cancel = cancel.read.get();
  const Status status = layer.collect();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().message == "cancelled");
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("over the limit on bytes nothing is kept, not even copied") {
  Layer layer;
  layer.plan.limits.output_bytes = 10;
  layer.write("upper/output/a.csv", "123456");
  layer.write("upper/output/b.csv", "123456");
  layer.write("upper/output/c.rds", "");
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.outputs_over);
  CHECK(layer.facts.outputs.empty());
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("a hundred thousand output files are over the limit, quickly and with nothing kept") {
  Layer layer;
  fs::create_directories(layer.path("upper/output"));
  const UniqueFd folder = open_path(layer.path("upper/output"), O_RDONLY | O_DIRECTORY).value();
  int made = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string name = std::to_string(i) + ".csv";
    made += ::mknodat(folder.get(), name.c_str(), S_IFREG | 0600, 0) == 0 ? 1 : 0;
  }
  REQUIRE(made == 100'000);
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.outputs_over);
  CHECK(layer.facts.outputs.empty());
}

TEST_CASE("more files than any limit on inodes allows are over the limit") {
  Layer layer;
  layer.plan.limits.scratch_inodes = 0;
  fs::create_directories(layer.path("upper/junk"));
  for (int i = 0; i < 10'100; ++i) layer.write("upper/junk/" + std::to_string(i), "");
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.outputs_over);
}

TEST_CASE("long paths are bounded altogether: hard links in a deep folder are over the limit") {
  Layer layer;
  UniqueFd folder = open_path(layer.path("upper"), O_RDONLY | O_DIRECTORY).value();
  const std::string long_name(250, 'd');
  for (int depth = 0; depth < 60; ++depth) {
    REQUIRE(::mkdirat(folder.get(), long_name.c_str(), 0700) == 0);
    folder = UniqueFd(::openat(folder.get(), long_name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(folder.valid());
  }
  REQUIRE(UniqueFd(::openat(folder.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)).valid());
  int made = 0;
  for (int i = 0; i < 18'000; ++i) {
    made += ::linkat(folder.get(), "f", folder.get(), std::to_string(i).c_str(), 0) == 0 ? 1 : 0;
  }
  REQUIRE(made == 18'000);
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.outputs_over);
}

TEST_CASE("a walk that takes too long is over the limit") {
  Layer layer;
  layer.write("upper/output/ok.csv", "a\n");
  layer.walk_time = 0;
  REQUIRE(layer.collect().ok());
  CHECK(layer.facts.end.outputs_over);
  CHECK(layer.staged_count() == 0);
}

TEST_CASE("a deep tree is walked to its bound and named there") {
  Layer layer;
  UniqueFd folder = open_path(layer.path("upper"), O_RDONLY | O_DIRECTORY).value();
  for (int depth = 0; depth < 500; ++depth) {
    REQUIRE(::mkdirat(folder.get(), "d", 0700) == 0);
    folder = UniqueFd(::openat(folder.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(folder.valid());
  }
  layer.write("upper/output/t.csv", "a\n");
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/t.csv") == "accepted");
  CHECK(layer.facts.unmatched_files.size() == 1);
}

TEST_CASE("everything new is collected unjudged where that was asked for") {
  Layer layer;
  layer.plan.outputs.clear();
  layer.plan.collect_everything = true;
  layer.write("upper/a/b.csv", "patient_id\n");
  layer.write("upper/.Rhistory", "x");
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "a/b.csv") == "accepted");
  CHECK(verdict_of(layer.facts, ".Rhistory") == "accepted");
  CHECK_FALSE(fs::exists(layer.path("staging/judge")));
}

TEST_CASE("a name or size that decides is judged without a worker") {
  Layer layer;
  layer.plan.output_rules.extensions = {".png"};
  layer.write("upper/output/t.csv", std::string(2000, 'x'));
  REQUIRE(layer.collect().ok());
  CHECK(verdict_of(layer.facts, "output/t.csv") == "withheld size type.ext");
}

TEST_CASE("the time of a copy is the kernel's, in whole seconds, whatever time the action set") {
  for (const std::time_t set : {-2'177'452'800L, 1'600'000'000L, 14'989'000'000L}) {
    Layer layer;
    layer.write("upper/output/c.rds", "x");
    const std::time_t before = std::time(nullptr);
    const timespec times[2] = {{set, 123'456'789}, {set, 123'456'789}};
    REQUIRE(::utimensat(AT_FDCWD, layer.path("upper/output/c.rds").c_str(), times, 0) == 0);
    const std::time_t after = std::time(nullptr);
    REQUIRE(layer.collect().ok());
    struct stat info {};
    REQUIRE(::stat(layer.path("staging/" + layer.facts.staged.at(0)).c_str(), &info) == 0);
    CHECK(info.st_mtim.tv_sec >= before - 1);  // the kernel's clock ticks behind time()
    CHECK(info.st_mtim.tv_sec <= after);
    CHECK(info.st_mtim.tv_nsec == 0);
  }
}
