#include "shell/workspace/walk.h"

#include <algorithm>
#include <memory>

#include "core/base/text.h"
#include "core/spec/ignore.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxIgnoreBytes = 1U << 20U;
constexpr std::size_t kMaxEntries = 2'000'000;  // looked at, in all
constexpr std::size_t kMaxPathBytes = 1024;     // as RelPath

using IgnoreChain = std::vector<std::shared_ptr<const IgnoreFile>>;

struct Folder {
  std::string path;      // "" for the root
  bool ignored = false;  // then only what git tracks counts
  IgnoreChain chain;     // of its parents
};

std::string beneath(const Folder& folder, const std::string& name) {
  return folder.path.empty() ? name : folder.path + "/" + name;
}

class Walk {
 public:
  Walk(int root, const WalkRules& rules) : root_(root), rules_(rules) {}

  Result<WalkedTree> run() {
    Folder top;
    if (rules_.tracked != nullptr) {
      const Result<UniqueFd> info = open_beneath(root_, ".git/info", O_PATH | O_DIRECTORY);
      if (info.ok()) TRY(read_rules(info->get(), "exclude", "", top.chain));
    }
    todo_.push_back(std::move(top));
    while (!todo_.empty()) {
      const Folder folder = std::move(todo_.back());
      todo_.pop_back();
      TRY(enter(folder));
    }
    std::sort(tree_.tracked.begin(), tree_.tracked.end());
    std::sort(tree_.others.begin(), tree_.others.end());
    return std::move(tree_);
  }

 private:
  Status read_rules(int directory, const std::string& file, const std::string& folder, IgnoreChain& chain) {
    struct stat info {};
    // As git does, a link is no file of rules.
    if (::fstatat(directory, file.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(info.st_mode))
      return {};
    Result<std::string> text = read_beneath(directory, file, kMaxIgnoreBytes);
    if (!text.ok())
      return text.error().because("cannot read the ignore rules in " + glovebox::quoted("/" + folder));
    chain.push_back(std::make_shared<IgnoreFile>(folder, *text));
    return {};
  }

  Status enter(const Folder& folder) {
    const std::string name = folder.path.empty() ? "." : folder.path;
    UniqueFd fd = TRY(open_beneath(root_, name, O_RDONLY | O_DIRECTORY));
    const std::vector<Entry> entries = TRY(scan_directory(std::move(fd), kMaxEntries));
    seen_ += entries.size();
    if (seen_ > kMaxEntries) return too_many();
    const auto has = [&](const char* name) {
      return std::any_of(entries.begin(), entries.end(), [&](const Entry& e) { return e.name == name; });
    };
    if (rules_.tracked != nullptr && !folder.path.empty() && has(".git") && !tracks_folder(folder.path)) {
      warn(folder.path, "is a git repository of its own: left out");
      return {};
    }
    IgnoreChain chain = folder.chain;
    if (rules_.tracked != nullptr && has(".gitignore"))
      TRY(read_rules(root_, beneath(folder, ".gitignore"), folder.path, chain));
    for (const Entry& entry : entries) {
      if (entry.name == ".git" || (folder.path.empty() && rules_.leave_out.contains(entry.name))) continue;
      std::string path = beneath(folder, entry.name);
      TRY(entry.kind == EntryKind::kDirectory ? meet_folder(std::move(path), folder.ignored, chain)
                                              : meet_file(path, entry.kind, folder.ignored, chain));
    }
    return {};
  }

  bool ignored(const IgnoreChain& chain, const std::string& path, bool is_directory) const {
    std::vector<const IgnoreFile*> files;
    for (const auto& file : chain) files.push_back(file.get());
    return is_ignored(files, path, is_directory);
  }

  bool tracks_folder(const std::string& path) const { return rules_.tracked->folders.contains(path); }

  Status meet_folder(std::string path, bool parent_ignored, const IgnoreChain& chain) {
    if (path.size() > kMaxPathBytes)
      return invalid("the study has folders nested too deeply: " + glovebox::quoted(path, 100));
    if (rules_.tracked == nullptr) {
      todo_.push_back({std::move(path), false, {}});
      return {};
    }
    if (rules_.tracked->submodules.contains(path)) {
      warn(path, "is a submodule: left out");
      return {};
    }
    const bool skip = parent_ignored || ignored(chain, path, true);
    if (skip && !tracks_folder(path)) return {};
    todo_.push_back({std::move(path), skip, chain});
    return {};
  }

  Status meet_file(const std::string& path, EntryKind kind, bool parent_ignored, const IgnoreChain& chain) {
    const bool is_tracked = rules_.tracked != nullptr && rules_.tracked->files.contains(path);
    if (!is_tracked && rules_.tracked != nullptr && (parent_ignored || ignored(chain, path, false)))
      return {};
    if (kind == EntryKind::kLink && !rules_.links) return {};
    if (kind == EntryKind::kOther) {
      warn(path, "is neither a file nor a link: left out");
      return {};
    }
    const Result<RelPath> name = RelPath::parse(path);
    if (!name.ok()) return bad_name(name.error());
    if (!is_tracked && rules_.outputs != nullptr && rules_.outputs->find(*name).pattern != nullptr) return {};
    (is_tracked ? tree_.tracked : tree_.others).push_back(*name);
    return tree_.tracked.size() + tree_.others.size() > kMaxCodeFiles ? too_many() : Status();
  }

  Error bad_name(const Error& why) const {
    const bool git = rules_.tracked != nullptr;
    return invalid("a file of the study has a name that cannot be used: " + why.message, {},
                   git ? "rename it, or have git ignore it (.gitignore)" : "rename it, or move it elsewhere");
  }

  Status too_many() const {
    return refused("the study has more than " + std::to_string(kMaxCodeFiles) + " files of code",
                   "have git ignore what is no code (.gitignore), or move it elsewhere");
  }

  void warn(const std::string& path, const char* what) {
    if (tree_.warnings.size() < kMaxWarnings) tree_.warnings.push_back(glovebox::quoted(path) + " " + what);
  }

  int root_;
  const WalkRules& rules_;
  std::vector<Folder> todo_;
  std::size_t seen_ = 0;
  WalkedTree tree_;
};

}  // namespace

Result<WalkedTree> walk_tree(int root, const WalkRules& rules) {
  return Walk(root, rules).run();
}

}  // namespace glovebox
