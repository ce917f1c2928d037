#include "shell/workspace/commit.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "core/base/json.h"
#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/worker.h"
#include "shell/workspace/code_store.h"
#include "shell/workspace/git_objects.h"
#include "shell/workspace/walk.h"

namespace glovebox {
namespace {

Status check_spec(const CommitSpec& spec) {
  if (spec.commit.size() != 40 || spec.commit.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return invalid("not the id of a commit: " + glovebox::quoted(spec.commit, 100), {},
                   "give all 40 hexadecimal digits, in lower case");
  }
  if (!spec.branch.empty()) TRY(RelPath::parse(spec.branch));
  return {};
}

Json commit_json(const CommitTree& tree) {
  Json entries = Json::array();
  for (const CommitEntry& entry : tree.entries) {
    entries.push_back(Json::array({entry.path, static_cast<int>(entry.kind), entry.size}));
  }
  return Json{{"entries", std::move(entries)}, {"warnings", tree.warnings}};
}

// --- what the worker answered and wrote is hostile
// -----------------------------------------------------------

Error nonsense(const char* what) {
  return refused(std::string("the reader of the commit answered nonsense: ") + what);
}

// A file of the commit, and where its content is.
struct SpooledFile {
  CodeFile file;
  off_t offset = 0;
};

Result<std::string> content_of(int spool, const SpooledFile& spooled) {
  std::string content(spooled.file.size, '\0');
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::pread(spool, content.data() + done, content.size() - done,
                              spooled.offset + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read a file of the commit");
    if (n == 0) return nonsense("less content than it said");
    done += static_cast<std::size_t>(n);
  }
  return content;
}

Result<SpooledFile> spooled_from(const Json& item) {
  const bool sound = item.is_array() && item.size() == 3 && item[0].is_string() &&
                     item[1].is_number_unsigned() && item[2].is_number_unsigned() &&
                     item[1].get<std::uint64_t>() <= static_cast<std::uint64_t>(CodeKind::kLink) &&
                     item[2].get<std::uint64_t>() <= kMaxBlobBytes;
  if (!sound) return nonsense("no list of files");
  RelPath path = TRY(RelPath::parse(item[0].get_ref<const std::string&>()));
  const auto kind = static_cast<CodeKind>(item[1].get<int>());
  return SpooledFile{{std::move(path), kind, item[2].get<ByteCount>(), {}, {}}, 0};
}

Result<std::vector<SpooledFile>> spooled_files(const Json& entries) {
  if (!entries.is_array() || entries.size() > kMaxCodeFiles) return nonsense("no list of files");
  std::vector<SpooledFile> files;
  ByteCount offset = 0;
  for (const Json& item : entries) {
    SpooledFile spooled = TRY(spooled_from(item));
    spooled.offset = static_cast<off_t>(offset);
    offset += spooled.file.size;
    if (offset > kMaxCommitBytes) return nonsense("too many bytes");
    files.push_back(std::move(spooled));
  }
  std::sort(files.begin(), files.end(),
            [](const SpooledFile& a, const SpooledFile& b) { return a.file.path < b.file.path; });
  // A hostile tree can have the same name twice, as a file and as a folder too.
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i - 1].file.path == files[i].file.path)
      return invalid("the commit has a path twice: " + glovebox::quoted(files[i].file.path.str()));
  }
  return files;
}

// A file may not stand where another needs a folder. `files` is sorted and has no path twice.
Status check_folders(const std::vector<SpooledFile>& files) {
  const auto has = [&](std::string_view path) {
    const auto found =
        std::lower_bound(files.begin(), files.end(), path,
                         [](const SpooledFile& a, std::string_view b) { return a.file.path.str() < b; });
    return found != files.end() && found->file.path.str() == path;
  };
  for (const SpooledFile& spooled : files) {
    const std::string_view path = spooled.file.path.str();
    for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
         slash = path.find('/', slash + 1)) {
      if (has(path.substr(0, slash)))
        return invalid("the commit has a path twice: " + glovebox::quoted(path.substr(0, slash)));
    }
  }
  return {};
}

Status fill_in(int spool, CodeFile& file, off_t offset) {
  std::string content = TRY(content_of(spool, {file, offset}));
  file.digest = Digest::of(content);
  if (file.kind != CodeKind::kLink) return {};
  if (content.empty() || content.size() >= PATH_MAX || content.find('\0') != std::string::npos)
    return invalid("the commit has a link without a sound target: " + glovebox::quoted(file.path.str()));
  file.target = std::move(content);
  return {};
}

Status copy_tree(int store, int spool, const StagedCode& code, const std::vector<SpooledFile>& spooled) {
  TRY(remove_abandoned_trees(store));
  NewTree tree = TRY(NewTree::begin(store));
  for (std::size_t i = 0; i < code.files.size(); ++i) {
    if (code.files[i].kind == CodeKind::kLink) {
      TRY(tree.add_link(code.files[i]));
      continue;
    }
    const std::string content = TRY(content_of(spool, spooled[i]));
    TRY(tree.add_content(code.files[i], content));
  }
  return tree.publish(code.tree);
}

Result<StagedCode> stage_spool(int store, int spool, const std::string& answer) {
  const Json json = TRY(parse_json(answer, "commit"));
  JsonObject object = TRY(JsonObject::of(json, ""));
  const Json* entries = TRY(object.required("entries"));
  const Json* warnings = TRY(object.required("warnings"));
  const std::vector<SpooledFile> spooled = TRY(spooled_files(*entries));
  TRY(check_folders(spooled));
  StagedCode staged;
  if (!warnings->is_array() || warnings->size() > kMaxWarnings) return nonsense("no list of warnings");
  for (const Json& item : *warnings) {
    if (!item.is_string()) return nonsense("a warning that is no string");
    staged.warnings.push_back(printable(item.get_ref<const std::string&>(), 1500));
  }
  for (const SpooledFile& source : spooled) {
    staged.files.push_back(source.file);
    TRY(fill_in(spool, staged.files.back(), source.offset));
  }
  staged.tree = code_digest(staged.files);
  const bool there = TRY(has_tree(store, staged.tree));
  if (!there) TRY(copy_tree(store, spool, staged, spooled));
  return staged;
}

}  // namespace

Result<StagedCode> stage_commit(int store, int repository, const CommitSpec& spec, uid_t worker_uid) {
  TRY(check_spec(spec));
  const auto info = TRY(stat_of(repository));
  const UniqueFd root = TRY(open_beneath(repository, ".", O_RDONLY | O_DIRECTORY));
  const UniqueFd spool = TRY(open_beneath(store, ".", O_TMPFILE | O_RDWR, 0600));
  WorkerSpec worker;
  worker.name = "the reader of the commit";
  worker.power = WorkerPower::kRead;
  worker.uid = worker_uid;
  worker.root = root.get();
  worker.owner = info.st_uid;
  worker.group = info.st_gid;
  worker.keep = {spool.get()};
  worker.file_size = kMaxCommitBytes;
  const Result<std::string> answer = run_in_worker(worker, [&]() -> Result<std::string> {
    const UniqueFd top = TRY(open_path("/", O_RDONLY | O_DIRECTORY));
    const CommitTree tree = TRY(read_commit(
        top.get(), "", spec, [&](std::string_view content) { return write_all(spool.get(), content); }));
    return dump_json(commit_json(tree));
  });
  if (!answer.ok()) return answer.error();
  return stage_spool(store, spool.get(), *answer);
}

}  // namespace glovebox
