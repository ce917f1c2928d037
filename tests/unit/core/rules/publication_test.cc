#include "core/rules/publication.h"

#include <doctest/doctest.h>

using namespace glovebox;

namespace {

OutputFile output(const std::string& path, Level level, Verdict verdict = Verdict::kAccepted) {
  OutputFile file;
  file.path = path;
  file.level = level;
  file.verdict = verdict;
  if (verdict != Verdict::kRejected) file.digest = Digest::of(path);
  if (verdict != Verdict::kAccepted) file.reasons = {{"size", "is larger than 1 byte"}};
  return file;
}
constexpr Level kHigh = Level::kHighlySensitive;
constexpr Level kModerate = Level::kModeratelySensitive;

struct Case {
  Reason reason = Reason::kNone;
  std::vector<OutputFile> outputs;
  std::map<std::string, std::string> earlier;
  std::optional<std::string> manifest = "{}";
};

// "move high output/a.csv" …, one per step.
std::vector<std::string> steps_of(const Case& given) {
  std::vector<std::string> staged;
  for (const OutputFile& file : given.outputs) {
    staged.push_back(file.verdict == Verdict::kRejected ? "" : std::to_string(staged.size()));
  }
  PublicationRequest request;
  request.action = "table1";
  request.reason = given.reason;
  request.outputs = &given.outputs;
  request.staged = &staged;
  request.log = {"log", Digest::of("log"), 3};
  request.earlier = given.earlier;
  request.manifest = given.manifest;
  std::vector<std::string> words;
  const Publication plan = plan_publication(request).value();
  for (const PublishStep& step : plan.steps) {
    const char* kinds[] = {"move", "copy", "remove"};
    words.push_back(std::string(kinds[static_cast<int>(step.kind)]) +
                    (step.tree == Tree::kHigh ? " high " : " medium ") + step.path.str());
  }
  return words;
}

const std::vector<std::string> kLogOnly{"copy medium metadata/table1.log", "move high metadata/table1.log"};
using Words = std::vector<std::string>;
bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

TEST_CASE(
    "an accepted output is shown in the medium tree and kept in the high one; the manifest comes last") {
  const Words words =
      steps_of({Reason::kNone, {output("o/t.csv", kModerate), output("o/c.rds", kHigh)}, {}, "{}"});
  CHECK(has(words, "copy medium o/t.csv"));
  CHECK(has(words, "move high o/t.csv"));
  CHECK(has(words, "remove medium o/t.csv.txt"));
  CHECK(has(words, "move high o/c.rds"));
  CHECK_FALSE(has(words, "copy medium o/c.rds"));
  CHECK(has(words, "remove medium o/c.rds"));  // it may have been less sensitive once
  CHECK(words.back() == "copy medium metadata/manifest.json");
}

TEST_CASE("a withheld output is kept, its message stands in its place, its older version goes") {
  const Words words = steps_of({Reason::kNone, {output("o/t.csv", kModerate, Verdict::kWithheld)}, {}, "{}"});
  CHECK(has(words, "move high o/t.csv"));
  CHECK(has(words, "remove medium o/t.csv"));
  CHECK(has(words, "move medium o/t.csv.txt"));
  CHECK_FALSE(has(words, "copy medium o/t.csv"));
  CHECK_FALSE(has(words, "remove medium o/t.csv.txt"));
}

TEST_CASE("a message never takes the place of an output, nor is an output removed as a message") {
  const Words same_run =
      steps_of({Reason::kNone,
                {output("o/t.csv", kModerate, Verdict::kWithheld), output("o/t.csv.txt", kModerate)},
                {},
                "{}"});
  CHECK(has(same_run, "copy medium o/t.csv.txt"));
  CHECK(has(same_run, "move medium o/t.csv.withheld.txt"));
  CHECK_FALSE(has(same_run, "remove medium o/t.csv.txt"));
  const Words other_run =
      steps_of({Reason::kNone, {output("o/t.csv", kModerate)}, {{"o/t.csv.txt", "other"}}, "{}"});
  CHECK_FALSE(has(other_run, "remove medium o/t.csv.txt"));
  const Words folder =
      steps_of({Reason::kNone,
                {output("o/t.csv", kModerate, Verdict::kWithheld), output("o/t.csv.txt/a.csv", kHigh)},
                {},
                "{}"});
  CHECK(has(folder, "move medium o/t.csv.withheld.txt"));
  CHECK_FALSE(has(folder, "remove medium o/t.csv.txt"));
}

TEST_CASE("a failed or stopped action's outputs stay in the high tree alone") {
  for (const Reason reason : {Reason::kExit, Reason::kSignal, Reason::kMissing, Reason::kMemory,
                              Reason::kTime, Reason::kProcesses, Reason::kScratch}) {
    const Words words = steps_of({reason, {output("o/t.csv", kModerate)}, {}, std::nullopt});
    CHECK(words ==
          Words{"move high o/t.csv", "copy medium metadata/table1.log", "move high metadata/table1.log"});
  }
}

TEST_CASE("cancelled, over the total, refused or not to be trusted: the log alone") {
  for (const Reason reason : {Reason::kCancelled, Reason::kOutput, Reason::kPolicy, Reason::kInput,
                              Reason::kImage, Reason::kDependency, Reason::kHost, Reason::kLost}) {
    CHECK(steps_of({reason, {output("o/t.csv", kModerate)}, {}, std::nullopt}) == kLogOnly);
  }
}

TEST_CASE("a rejected output is nowhere") {
  CHECK(steps_of({Reason::kNone, {output("o/l.csv", kModerate, Verdict::kRejected)}, {}, std::nullopt}) ==
        kLogOnly);
}

TEST_CASE("an output without a copy is an error, not a hole") {
  const std::vector<OutputFile> outputs{output("o/t.csv", kHigh)};
  const std::vector<std::string> staged{""};
  PublicationRequest request;
  request.action = "a";
  request.outputs = &outputs;
  request.staged = &staged;
  CHECK_FALSE(plan_publication(request).ok());
}

TEST_CASE("a journal is read back as it was written, and a changed one is refused") {
  const std::vector<PublishStep> steps{
      {PublishStep::Kind::kCopy, Tree::kMedium, RelPath::parse("o/t.csv").value(), "judge/1", Digest::of("x"),
       3},
      {PublishStep::Kind::kRemove, Tree::kHigh, RelPath::parse("o").value(), "", Digest(), 0}};
  const Json json = journal_json(steps);
  CHECK(journal_json(journal_from_json(json).value()) == json);
  for (const char* change : {"kind", "tree", "path", "staged", "sha256", "size"}) {
    Json changed = json;
    changed["steps"][0][change] = "../x";
    CAPTURE(change);
    CHECK_FALSE(journal_from_json(changed).ok());
    changed["steps"][0].erase(change);
    CHECK_FALSE(journal_from_json(changed).ok());
  }
  CHECK_FALSE(journal_from_json(parse_json("{}", "j").value()).ok());
}
