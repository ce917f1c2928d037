// Our reading of .gitignore against git's own, on random trees and rules.
#include <random>

#include "shell/workspace/walk.h"
#include "tests/unit/shell/workspace/fixture.h"

namespace glovebox {
namespace {

const Paths kNames{"a",   "b",  "x.txt", "y.csv", "keep.csv", "out",
                   "sub", "!a", "#c",    "b c",   "a[b]",     "Keep.CSV"};
const Paths kRules{
    "*.csv",     "!*.csv",  "!keep.csv", "out/", "/out",         "sub/*",   "!sub/a", "**/x.txt",
    "a/**",      "a/**/b",  "!x.txt",    "*",    "!*/",          "sub/out", "[xy]*",  "\\!a",
    "x.t?t",     "!/a/",    "b ",        "#c",   "\\#c",         "**/out/", "/*.txt", "!a",
    "!b",        "sub/**/", "/sub/a",    "?",    "!out/",        "out/*",   "!out/*", "b\\ c",
    "a\\[b]",    "a[[]b]",  "[!a-k]*",   "**",   "/**",          "**/",     "a**",    "!**/a",
    "sub//",     "//a",     "/",         "!",    "\\",           "[",       "[a",     "[[:lower:]]",
    "a/**/**/b", "**/a/**", "*/",        "!*",   "[[:upper:]]*", "?[.]?*",  "!sub/",  "*/*/a"};

class RandomTree {
 public:
  explicit RandomTree(unsigned seed) : random_(seed) {
    study_.git("init -q");
    fill("", 0);
  }
  [[nodiscard]] const TestStudy& study() const { return study_; }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  void fill(const std::string& folder, int depth) {
    for (int i = 0; i < 5; ++i) {
      const std::string path = folder + kNames[below(kNames.size())];
      if (study_.has(path)) continue;
      if (depth < 3 && path.find('.') == std::string::npos && below(3) != 0) {
        fill(path + "/", depth + 1);
      } else {
        study_.write(path, "x");
      }
    }
    if (depth > 0 && below(2) == 0) return;
    std::string rules;
    for (std::size_t i = below(5) + 1; i > 0; --i) rules += kRules[below(kRules.size())] + "\n";
    study_.write(folder + ".gitignore", rules);
  }
  std::mt19937 random_;
  TestStudy study_;
};

Paths as_git_says(const TestStudy& study) {
  study.git("ls-files -o --exclude-standard -z > .git/listed");
  const auto listed = read_beneath(study.fd(), ".git/listed", 1U << 20U);
  REQUIRE(listed.ok());
  Paths paths;
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = listed->find('\0', begin)) != std::string::npos; begin = end + 1) {
    paths.push_back(listed->substr(begin, end - begin));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

TEST_CASE("what git ignores is what we ignore, on random trees and rules") {
  const TrackedFiles nothing;
  WalkRules rules;
  rules.tracked = &nothing;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const RandomTree tree(seed);
    const auto walked = walk_tree(tree.study().fd(), rules);
    REQUIRE(walked.ok());
    CHECK_MESSAGE(texts(walked->others) == as_git_says(tree.study()), "seed " << seed);
  }
}

}  // namespace
}  // namespace glovebox
