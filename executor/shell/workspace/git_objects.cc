#include "shell/workspace/git_objects.h"

#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/repository.h>

#include <memory>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"
#include "shell/workspace/git_library.h"
#include "shell/workspace/walk.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxRefBytes = 64U << 20U;
constexpr std::size_t kMaxTrees = 1'000'000;
constexpr std::size_t kMaxObjects = 1'000'000;  // in one folder
constexpr unsigned kMaxObjectDepth = 3;         // objects/info/commit-graphs/x is the deepest that git makes

template <class T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* object) const { kFree(object); }
};
using Odb = std::unique_ptr<git_odb, Freed<git_odb, git_odb_free>>;
using Repository = std::unique_ptr<git_repository, Freed<git_repository, git_repository_free>>;
using Object = std::unique_ptr<git_odb_object, Freed<git_odb_object, git_odb_object_free>>;
using Commit = std::unique_ptr<git_commit, Freed<git_commit, git_commit_free>>;
using Tree = std::unique_ptr<git_tree, Freed<git_tree, git_tree_free>>;

bool is_commit_id(std::string_view text) {
  return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The folder of the repository itself, beneath root: "" where it is bare, ".git" otherwise.
Result<std::string> git_folder(int root) {
  for (const std::string folder : {".git", ""}) {
    const std::string objects = folder.empty() ? "objects" : folder + "/objects";
    if (open_beneath(root, objects, O_PATH | O_DIRECTORY).ok()) return folder;
  }
  return invalid("not a git repository with objects of its own", {}, "use a bare or an ordinary clone");
}

// The commit at the tip of `branch`, from its own file or from packed-refs.
Result<std::string> tip_of(int root, const std::string& folder, const std::string& branch) {
  const std::string prefix = folder.empty() ? "" : folder + "/";
  const std::string name = "refs/heads/" + branch;
  const Result<std::string> loose = read_beneath(root, prefix + name, 1000);
  if (loose.ok()) {
    const std::string_view id = std::string_view(*loose).substr(0, loose->find_first_of("\r\n"));
    if (is_commit_id(id)) return std::string(id);
    return invalid("branch " + glovebox::quoted(branch) + " does not name a commit");
  }
  const Result<std::string> packed = read_beneath(root, prefix + "packed-refs", kMaxRefBytes);
  if (packed.ok()) {
    for (const std::string_view line : split(*packed, '\n')) {
      if (line.size() > 41 && line.substr(41) == name && is_commit_id(line.substr(0, 40)))
        return std::string(line.substr(0, 40));
    }
  }
  return invalid("no branch " + glovebox::quoted(branch) + " in the repository");
}

// The library opens whatever has the right name: a FIFO would keep it waiting for ever.
Status check_regular(int root, const std::string& folder, unsigned depth) {
  UniqueFd directory = TRY(open_beneath(root, folder, O_RDONLY | O_DIRECTORY));
  for (const Entry& entry : TRY(scan_directory(std::move(directory), kMaxObjects))) {
    const std::string path = folder + "/" + entry.name;
    if (entry.kind == EntryKind::kDirectory && depth < kMaxObjectDepth) {
      TRY(check_regular(root, path, depth + 1));
    } else if (entry.kind != EntryKind::kFile) {
      return invalid("the repository has something that is no file among its objects: " +
                     glovebox::quoted(path));
    }
  }
  return {};
}

struct PendingTree {
  std::string path;  // "" for the top
  git_oid id;
};

class CommitReader {
 public:
  CommitReader(const GitLibrary& library, const std::function<Status(std::string_view)>& sink)
      : library_(library), sink_(sink) {}

  // The loose objects and packs in `objects`, and nothing that a file there points to.
  Status open(const std::string& objects) {
    git_odb* odb = nullptr;
    git_repository* repository = nullptr;
    git_odb_backend* loose = nullptr;
    git_odb_backend* packs = nullptr;
    if (git_odb_new(&odb) != 0) return library_.error("cannot read the repository");
    odb_.reset(odb);
    if (git_odb_backend_loose(&loose, objects.c_str(), -1, 0, 0, 0) != 0 ||
        git_odb_add_backend(odb, loose, 1) != 0 || git_odb_backend_pack(&packs, objects.c_str()) != 0 ||
        git_odb_add_backend(odb, packs, 2) != 0 || git_repository_wrap_odb(&repository, odb) != 0) {
      return library_.error("cannot read the repository");
    }
    repository_.reset(repository);
    return {};
  }

  Status check_on_branch(const CommitSpec& spec, const std::string& tip) {
    git_oid wanted{};
    git_oid newest{};
    git_oid_fromstr(&wanted, spec.commit.c_str());
    git_oid_fromstr(&newest, tip.c_str());
    const int reached =
        git_oid_equal(&wanted, &newest) ? 1 : git_graph_descendant_of(repository_.get(), &newest, &wanted);
    if (reached < 0)
      return library_.error("cannot follow the history of branch " + glovebox::quoted(spec.branch));
    if (reached == 0)
      return refused("commit " + spec.commit + " is not on branch " + glovebox::quoted(spec.branch));
    return {};
  }

  Result<CommitTree> read(const CommitSpec& spec) {
    git_oid id{};
    git_oid_fromstr(&id, spec.commit.c_str());
    git_commit* raw = nullptr;
    const int failed = git_commit_lookup(&raw, repository_.get(), &id);
    const Commit commit(raw);
    if (failed != 0) return missing("commit " + spec.commit);
    todo_.push_back({"", *git_commit_tree_id(commit.get())});
    while (!todo_.empty()) {
      const PendingTree tree = todo_.back();
      todo_.pop_back();
      if (++trees_ > kMaxTrees) return too_many();
      TRY(read_tree(tree));
    }
    return std::move(found_);
  }

 private:
  Error missing(const std::string& what) const {
    return library_.error("cannot read " + what,
                          "the repository must hold its objects itself: alternates are not "
                          "followed");
  }
  static Error too_many() {
    return refused("the commit has more than " + std::to_string(kMaxCodeFiles) + " files");
  }

  Status read_tree(const PendingTree& pending) {
    git_tree* raw = nullptr;
    const int failed = git_tree_lookup(&raw, repository_.get(), &pending.id);
    const Tree tree(raw);
    if (failed != 0) return missing("a tree of the commit");
    const std::size_t count = git_tree_entrycount(tree.get());
    for (std::size_t i = 0; i < count; ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree.get(), i);
      const std::string name = git_tree_entry_name(entry);
      const std::string path = pending.path.empty() ? name : pending.path + "/" + name;
      if (name == ".git" || name.find('/') != std::string::npos || !RelPath::parse(path).ok()) {
        return invalid("the commit has a file with a name that cannot be used: " +
                       glovebox::quoted(path, 200));
      }
      TRY(read_entry(entry, path));
    }
    return {};
  }

  Status read_entry(const git_tree_entry* entry, const std::string& path) {
    const git_oid& id = *git_tree_entry_id(entry);
    switch (git_tree_entry_filemode(entry)) {
      case GIT_FILEMODE_TREE:
        todo_.push_back({path, id});
        return {};
      case GIT_FILEMODE_COMMIT:
        if (found_.warnings.size() < kMaxWarnings)
          found_.warnings.push_back(glovebox::quoted(path) + " is a submodule: left out");
        return {};
      case GIT_FILEMODE_BLOB:
        return read_blob(id, path, CodeKind::kFile);
      case GIT_FILEMODE_BLOB_EXECUTABLE:
        return read_blob(id, path, CodeKind::kExecutable);
      case GIT_FILEMODE_LINK:
        return read_blob(id, path, CodeKind::kLink);
      default:
        return invalid("the commit has something that is no file: " + glovebox::quoted(path));
    }
  }

  Status read_blob(const git_oid& id, const std::string& path, CodeKind kind) {
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    // The size first: a few hundred bytes of an object can unpack to gigabytes.
    if (git_odb_read_header(&size, &type, odb_.get(), &id) != 0 || type != GIT_OBJECT_BLOB)
      return missing(glovebox::quoted(path));
    total_ += size;
    if (size > kMaxBlobBytes)
      return refused(glovebox::quoted(path) + " is larger than " + format_bytes(kMaxBlobBytes));
    if (total_ > kMaxCommitBytes)
      return refused("the commit is larger than " + format_bytes(kMaxCommitBytes));
    git_odb_object* raw = nullptr;
    const int failed = git_odb_read(&raw, odb_.get(), &id);
    const Object object(raw);
    if (failed != 0 || git_odb_object_size(object.get()) != size) return missing(glovebox::quoted(path));
    TRY(sink_({static_cast<const char*>(git_odb_object_data(object.get())), size}));
    found_.entries.push_back({path, kind, size});
    return found_.entries.size() > kMaxCodeFiles ? too_many() : Status();
  }

  const GitLibrary& library_;
  const std::function<Status(std::string_view)>& sink_;
  Odb odb_;
  Repository repository_;
  std::vector<PendingTree> todo_;
  std::size_t trees_ = 0;
  ByteCount total_ = 0;
  CommitTree found_;
};

}  // namespace

Result<CommitTree> read_commit(int root, const std::string& root_path, const CommitSpec& spec,
                               const std::function<Status(std::string_view)>& sink) {
  const std::string folder = TRY(git_folder(root));
  const std::string objects = (folder.empty() ? "" : folder + "/") + "objects";
  TRY(check_regular(root, objects, 1));
  const GitLibrary library = TRY(GitLibrary::start());
  CommitReader reader(library, sink);
  TRY(reader.open(root_path + "/" + objects));
  if (!spec.branch.empty()) {
    const std::string tip = TRY(tip_of(root, folder, spec.branch));
    TRY(reader.check_on_branch(spec, tip));
  }
  return reader.read(spec);
}

}  // namespace glovebox
