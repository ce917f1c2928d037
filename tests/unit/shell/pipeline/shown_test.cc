#include "shell/pipeline/shown.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "core/rules/message_file.h"
#include "tests/unit/shell/workspace/fixture.h"

using namespace glovebox;
namespace fs = std::filesystem;

namespace {

// A state directory and a study in which one action showed what it made.
class ShownStudy {
 public:
  ShownStudy() {
    remembered_.id = "20260102-1";
    remembered_.log = "metadata/a.log";
    remembered_.facts.started = "2026-01-02T03:04:05.678Z";
    write(kLevel4 + "o/t.csv", "a,b\n");
    write("root/records/2026-01/20260102-1/log.txt", "the log");
    write(kLevel4 + "metadata/a.log", "the log");
    write("root/manifests/key.json", "{}");
    write(kLevel4 + "metadata/manifest.json", "{}");
    add("o/t.csv", Level::kModeratelySensitive, Verdict::kAccepted, "a,b\n");
    add("o/c.rds", Level::kHighlySensitive, Verdict::kAccepted, "rds");
    add("o/w.csv", Level::kModeratelySensitive, Verdict::kWithheld, "patient_id\n");
    remembered_.facts.outputs.back().reasons = {{"csv.patient-id", "has a column"}};
    write(kLevel4 + "o/w.csv.txt", message_text(remembered_.facts.outputs.back()));
    add("o/r.csv", Level::kModeratelySensitive, Verdict::kRejected, "");
  }
  [[nodiscard]] bool is_shown() {
    const UniqueFd study = open_path(path("study"), O_RDONLY | O_DIRECTORY).value();
    const UniqueFd manifests = open_path(path("root/manifests"), O_RDONLY | O_DIRECTORY).value();
    MemoryCache cache;
    return is_still_shown({path("root"), study.get(), manifests.get(), "key"}, remembered_, cache);
  }
  [[nodiscard]] std::string path(const std::string& name) const { return dir_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name), std::ios::binary) << text;
  }

  const std::string kLevel4 = "study/.glovebox/level4/";

 private:
  void add(const std::string& name, Level level, Verdict verdict, const std::string& text) {
    OutputFile file;
    file.path = name;
    file.level = level;
    file.verdict = verdict;
    file.size = text.size();
    if (verdict != Verdict::kRejected) file.digest = Digest::of(text);
    remembered_.facts.outputs.push_back(std::move(file));
  }
  TempDir dir_ = TempDir::make("/var/tmp", "glovebox-shown-").value();
  RememberedAction remembered_;
};

}  // namespace

TEST_CASE("what was shown and not touched is still shown") {
  ShownStudy study;
  CHECK(study.is_shown());
}

TEST_CASE("a file that is shown and was changed, removed or replaced by a link is noticed") {
  for (const char* name : {"o/t.csv", "o/w.csv.txt", "metadata/a.log", "metadata/manifest.json"}) {
    CAPTURE(name);
    ShownStudy study;
    const std::string path = study.path(study.kLevel4 + name);
    const auto size = fs::file_size(path);
    fs::rename(path, path + ".kept");
    CHECK_FALSE(study.is_shown());
    study.write(study.kLevel4 + name, std::string(size, 'x'));
    CHECK_FALSE(study.is_shown());
    study.write(study.kLevel4 + name, std::string(size + 1, 'x'));
    CHECK_FALSE(study.is_shown());
    fs::remove(path);
    fs::create_symlink(path + ".kept", path);
    CHECK_FALSE(study.is_shown());
    fs::remove(path);
    fs::create_directory(path);
    CHECK_FALSE(study.is_shown());
    fs::remove(path);
    fs::rename(path + ".kept", path);
    CHECK(study.is_shown());
  }
}

TEST_CASE("a giant in the place of a file that is shown is not read") {
  ShownStudy study;
  fs::resize_file(study.path(study.kLevel4 + "o/t.csv"), 1ULL << 40U);
  CHECK_FALSE(study.is_shown());
}

TEST_CASE("a file in a place where nothing was shown is noticed") {
  for (const char* name : {"o/c.rds", "o/w.csv"}) {
    CAPTURE(name);
    ShownStudy study;
    study.write(study.kLevel4 + name, "released by somebody");
    CHECK_FALSE(study.is_shown());
  }
}

TEST_CASE("a study without what was shown, or a state directory without its log or manifest, is noticed") {
  for (const char* name : {"study/.glovebox", "root/records", "root/manifests/key.json"}) {
    CAPTURE(name);
    ShownStudy study;
    fs::remove_all(study.path(name));
    CHECK_FALSE(study.is_shown());
  }
}
