// The rules of .gitignore files, as gitignore(5) states them. Ours, because libgit2 1.5 drops a negation
// ("!keep.csv") whose counterpart stands in a file further up: a code list would silently be missing.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glovebox {

// The rules of one .gitignore file (or .git/info/exclude). Any bytes parse: what means nothing matches
// nothing.
class IgnoreFile {
 public:
  // `folder`: the directory that holds it, "" for the study's own, else "a/b": its rules only concern what is
  // beneath that.
  IgnoreFile(std::string folder, std::string_view text);

  // What the last rule that matches says: true ignored, false explicitly not; nothing where none matches.
  // Precondition: `path` is beneath the folder.
  [[nodiscard]] std::optional<bool> verdict(std::string_view path, bool is_directory) const;
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  struct Rule {
    std::vector<std::string> parts;  // of the pattern, between slashes
    bool negated = false;
    bool directories_only = false;
    bool anchored = false;  // else it is matched with the last component alone
  };
  void add(std::string_view line);
  std::string folder_;
  std::vector<Rule> rules_;
};

// Whether `path` itself is ignored; later files of `files` are deeper and win. The caller asks for the
// parents first: nothing beneath an ignored directory can be taken back.
bool is_ignored(const std::vector<const IgnoreFile*>& files, std::string_view path, bool is_directory);

// Shell wildcards within one path component: * ? [a-z] [!a] [[:alpha:]] and \ before a literal character.
// Takes time proportional to the product of the lengths at most.
bool wildcard_match(std::string_view pattern, std::string_view name);

}  // namespace glovebox
