#include "shell/workspace/stage.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <string_view>

#include "core/base/text.h"
#include "shell/sys/scan.h"
#include "shell/workspace/code_store.h"

namespace glovebox {
namespace {

Error changed(const RelPath& path) {
  return invalid(quoted(path.str()) + " was changed while the study was read", {},
                 "try again when it is at rest");
}

// The study's files as they are now: kinds, sizes, targets of links; no digests of files yet.
struct Survey {
  std::vector<CodeFile> files;
  std::vector<StampedPath> contents;  // of the regular ones
};

Result<std::string> target_of(BeneathStat& beneath, const RelPath& path) {
  const int folder = TRY(beneath.parent_of(path));
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length =
      ::readlinkat(folder, std::string(path.name()).c_str(), buffer.data(), buffer.size() - 1);
  if (length <= 0) return changed(path);
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

Result<Survey> survey(const Study& study, const std::vector<RelPath>& code) {
  BeneathStat beneath(study.fd());
  Survey found;
  found.files.reserve(code.size());
  ByteCount total = 0;
  for (const RelPath& path : code) {
    const Result<struct stat> info = beneath.of(path);
    if (!info.ok()) return changed(path);
    const EntryKind kind = kind_of(info->st_mode);
    if (kind == EntryKind::kLink) {
      std::string target = TRY(target_of(beneath, path));
      const Digest digest = Digest::of(target);
      found.files.push_back({path, CodeKind::kLink, target.size(), digest, std::move(target)});
      continue;
    }
    if (kind != EntryKind::kFile) return changed(path);
    const FileStamp stamp = stamp_of(*info);
    total += stamp.size;
    if (total > kMaxCodeBytes) {
      return refused("the study's code is larger than " + format_bytes(kMaxCodeBytes),
                     "have git ignore what is no code (.gitignore), or move it elsewhere");
    }
    const bool executable = (info->st_mode & S_IXUSR) != 0;
    found.files.push_back({path, executable ? CodeKind::kExecutable : CodeKind::kFile, stamp.size, {}, {}});
    found.contents.push_back({path, stamp});
  }
  return found;
}

Status copy_tree(int store, const Study& study, const StagedCode& code) {
  TRY(remove_abandoned_trees(store));
  NewTree tree = TRY(NewTree::begin(store));
  BeneathStat beneath(study.fd());
  for (const CodeFile& file : code.files) {
    if (file.kind == CodeKind::kLink) {
      TRY(tree.add_link(file));
      continue;
    }
    const int folder = TRY(beneath.parent_of(file.path));
    const UniqueFd from =
        TRY(open_beneath(folder, std::string(file.path.name()), O_RDONLY | O_NONBLOCK | O_NOCTTY));
    const auto info = TRY(stat_of(from.get()));
    if (!S_ISREG(info.st_mode)) return changed(file.path);
    TRY(tree.add_file(file, from.get()));
  }
  return tree.publish(code.tree);
}

}  // namespace

Digest code_digest(const std::vector<CodeFile>& files) {
  Hasher hasher;
  hasher.update("glovebox code 1\n");
  for (const CodeFile& file : files) {
    const char kind = file.kind == CodeKind::kLink ? 'l' : file.kind == CodeKind::kExecutable ? 'x' : 'f';
    std::string line{kind, '\0'};
    line += file.path.str();
    line += '\0';
    const auto& digest = file.digest.bytes();
    line.append(digest.begin(), digest.end());
    hasher.update(line);
  }
  return hasher.finish();
}

Result<StagedCode> stage_code(int store, const Study& study, const std::vector<RelPath>& code,
                              DigestCache& cache) {
  Survey found = TRY(survey(study, code));
  const std::vector<Digest> digests = TRY(digests_of(study.fd(), found.contents, cache));
  auto digest = digests.begin();
  for (CodeFile& file : found.files) {
    if (file.kind != CodeKind::kLink) file.digest = *digest++;
  }
  StagedCode staged{code_digest(found.files), std::move(found.files), {}};
  const bool there = TRY(has_tree(store, staged.tree));
  if (!there) TRY(copy_tree(store, study, staged));
  return staged;
}

}  // namespace glovebox
