#include "core/rules/classify.h"

#include <doctest/doctest.h>

#include <random>

using namespace glovebox;

namespace {
OutputSpec spec(Level level, const char* pattern) {
  return {level, "name", Pattern::parse(pattern).value()};
}
FoundFile regular(std::string path) {
  return {std::move(path), FileKind::kRegular, 3};
}
constexpr Level kHigh = Level::kHighlySensitive;
constexpr Level kModerate = Level::kModeratelySensitive;
}  // namespace

TEST_CASE("files are matched to patterns, and the rest is named") {
  const auto result = classify(
      {regular("output/b.csv"), regular("output/a.csv"), regular("cache/x.pyc"), regular("output/d/a.csv")},
      {spec(kModerate, "output/*.csv"), spec(kHigh, "other/*.rds")}, false);
  REQUIRE(result.candidates.size() == 2);
  CHECK(result.candidates[0].path.str() == "output/a.csv");
  CHECK(result.candidates[0].level == kModerate);
  CHECK(result.unmatched_patterns == std::vector<std::string>{"other/*.rds"});
  CHECK(result.unmatched_files == std::vector<std::string>{"cache/x.pyc", "output/d/a.csv"});
}

TEST_CASE("a file that several patterns match gets the most sensitive level, in any order") {
  const std::vector<OutputSpec> specs{spec(kModerate, "output/*.csv"), spec(kHigh, "output/cohort*.csv")};
  for (const auto& order : {specs, std::vector<OutputSpec>{specs[1], specs[0]}}) {
    const auto result = classify({regular("output/cohort1.csv")}, order, false);
    REQUIRE(result.candidates.size() == 1);
    CHECK(result.candidates[0].level == kHigh);
    CHECK(result.unmatched_patterns.empty());
  }
}

TEST_CASE("what is no regular file is rejected, and says what it is") {
  const std::vector<std::pair<FileKind, std::string>> kinds{
      {FileKind::kSymlink, "is a symbolic link: only regular files are kept"},
      {FileKind::kFifo, "is a named pipe: only regular files are kept"},
      {FileKind::kSocket, "is a socket: only regular files are kept"},
      {FileKind::kDevice, "is a device: only regular files are kept"},
  };
  for (const auto& [kind, message] : kinds) {
    const auto result = classify({{"output/a.csv", kind, 0}}, {spec(kModerate, "output/*.csv")}, false);
    CHECK(result.candidates.empty());
    REQUIRE(result.rejected.size() == 1);
    CHECK(result.rejected[0].verdict == Verdict::kRejected);
    CHECK(result.rejected[0].reasons.at(0).rule == "file.kind");
    CHECK(result.rejected[0].reasons.at(0).message == message);
    CHECK_FALSE(result.rejected[0].digest.has_value());
    CHECK(result.unmatched_patterns.empty());  // the action did make it
  }
}

TEST_CASE("hostile names that a pattern matches are rejected, escaped") {
  for (const std::string& name :
       {std::string("output/a\n.csv"), std::string("output/\xFF.csv"), std::string("output/\x1b[2J.csv"),
        std::string("output/\xE2\x80\xAE.csv"), "output/" + std::string(300, 'x') + ".csv"}) {
    const auto result = classify({regular(name)}, {spec(kModerate, "output/*.csv")}, false);
    CHECK(result.candidates.empty());
    REQUIRE(result.rejected.size() == 1);
    CHECK(result.rejected[0].reasons.at(0).rule == "name.unsafe");
    CHECK(RelPath::parse(result.rejected[0].path.substr(0, 200)).ok());
  }
}

TEST_CASE("no pattern reaches hidden names or our own folder") {
  const std::vector<OutputSpec> specs{spec(kHigh, "*/x.csv"), spec(kHigh, "output/*.csv")};
  const auto result = classify({regular(".git/x.csv"), regular("metadata/x.csv"), regular("output/.x.csv"),
                                regular("metadatas/x.csv"), regular(".glovebox/\n.csv")},
                               specs, false);
  CHECK(result.rejected.empty());
  REQUIRE(result.candidates.size() == 1);
  CHECK(result.candidates[0].path.str() == "metadatas/x.csv");
  CHECK(result.unmatched_patterns == std::vector<std::string>{"output/*.csv"});
}

TEST_CASE("a hostile file that no pattern matches is only named, escaped") {
  const auto result = classify({regular("cache/a\nb"), {"l", FileKind::kSymlink, 0}}, {}, false);
  CHECK(result.rejected.empty());
  CHECK(result.unmatched_files == std::vector<std::string>{"cache/a\\nb", "l"});
}

TEST_CASE("everything is collected where that was asked for") {
  const auto result = classify({regular("a"), regular("b/c.rds"), regular("x\n")}, {}, true);
  CHECK(result.candidates.size() == 2);
  CHECK(result.rejected.size() == 1);
  CHECK(result.unmatched_files.empty());
}

TEST_CASE("at most a hundred unmatched files are named, and all are counted") {
  std::vector<FoundFile> found;
  for (int i = 0; i < 250; ++i) found.push_back(regular("f" + std::to_string(i)));
  const auto result = classify(found, {}, false);
  CHECK(result.unmatched_files.size() == 100);
  CHECK(result.unmatched_count == 250);
}

TEST_CASE("names that are no sound paths are matched as well, so that they are rejected and not ignored") {
  const std::vector<OutputSpec> specs{{Level::kModeratelySensitive, "t", *Pattern::parse("*/a*b*.csv")}};
  const auto result = classify({regular("x/a\xff\nb.csv"), regular("x/a\xff.csv")}, specs, false);
  REQUIRE(result.rejected.size() == 1);
  CHECK(result.rejected[0].reasons.at(0).rule == "name.unsafe");
  CHECK(result.unmatched_count == 1);
}

TEST_CASE("hostile patterns and names are matched in time in proportion") {
  std::string stars;
  for (int i = 0; i < 120; ++i) stars += "a*";
  std::vector<OutputSpec> specs;
  for (int i = 0; i < 100; ++i) {
    specs.push_back(
        {Level::kModeratelySensitive, "t", *Pattern::parse(stars + "b" + std::to_string(i) + ".csv")});
  }
  std::vector<FoundFile> found;  // backtracking takes minutes over these
  for (int i = 0; i < 5000; ++i) found.push_back(regular(std::string(240, 'a') + std::to_string(i) + ".csv"));
  CHECK(classify(found, specs, false).unmatched_count == 5000);
}
