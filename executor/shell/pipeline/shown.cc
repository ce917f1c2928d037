#include "shell/pipeline/shown.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/rules/message_file.h"
#include "core/rules/publication.h"
#include "shell/attest/records.h"
#include "shell/publish/publish.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

bool is_shown(const OutputFile& file) {
  return file.level == Level::kModeratelySensitive && file.verdict == Verdict::kAccepted;
}

// The medium-privacy tree, looked at file by file.
class ShownTree {
 public:
  ShownTree(int tree, DigestCache& cache) : tree_(tree), cache_(cache), files_(tree) {}

  [[nodiscard]] bool has_none(const std::string& path) {
    const Result<RelPath> where = RelPath::parse(path);
    return where.ok() && !files_.of(*where).ok();
  }
  // Regular, of this length, and at the next all_as_expected() to have this digest.
  [[nodiscard]] bool expect(const std::string& path, ByteCount size, const Digest& digest) {
    const Result<RelPath> where = RelPath::parse(path);
    if (!where.ok()) return false;
    const Result<struct stat> info = files_.of(*where);
    if (!info.ok() || !S_ISREG(info->st_mode) || static_cast<ByteCount>(info->st_size) != size) return false;
    expected_.push_back(digest);
    stamped_.push_back({*where, stamp_of(*info)});
    return true;
  }
  // The same file as one of ours elsewhere.
  [[nodiscard]] bool expect_same(const std::string& path, int ours, const std::string& name) {
    BeneathStat kept(ours);
    const Result<RelPath> where = RelPath::parse(name);
    const Result<struct stat> info = where.ok() ? kept.of(*where) : Result<struct stat>(where.error());
    if (!info.ok() || !S_ISREG(info->st_mode)) return false;
    const auto digests = digests_of(ours, {{*where, stamp_of(*info)}}, cache_);
    return digests.ok() && expect(path, static_cast<ByteCount>(info->st_size), digests->front());
  }
  // The message that stands in a withheld file's place, under any of its names.
  [[nodiscard]] bool has_message(const OutputFile& file) {
    const std::vector<std::string> paths = message_paths(file.path);
    const std::string text = message_text(file);
    return paths.empty() || std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
             return expect(path, text.size(), Digest::of(text));
           });
  }
  [[nodiscard]] bool all_as_expected() const {
    const auto digests = digests_of(tree_, stamped_, cache_);
    return digests.ok() && *digests == expected_;
  }

 private:
  int tree_;
  DigestCache& cache_;
  BeneathStat files_;
  std::vector<StampedPath> stamped_;
  std::vector<Digest> expected_;
};

bool outputs_shown(ShownTree& tree, const RememberedAction& remembered) {
  const std::vector<OutputFile> kept = kept_outputs(remembered);
  return std::all_of(kept.begin(), kept.end(), [&](const OutputFile& file) {
    if (is_shown(file)) return tree.expect(file.path, file.size, *file.digest);
    return tree.has_none(file.path) && (file.verdict != Verdict::kWithheld || tree.has_message(file));
  });
}

bool log_shown(ShownTree& tree, const std::string& root, const RememberedAction& remembered) {
  const std::string month = remembered.facts.started.substr(0, std::string_view("2026-01").size());
  const Result<UniqueFd> record =
      open_path(root + "/records/" + month + "/" + remembered.id, O_RDONLY | O_DIRECTORY);
  return record.ok() && tree.expect_same(remembered.log, record->get(), kLogFile);
}

}  // namespace

bool is_still_shown(const ShownPlace& place, const RememberedAction& remembered, DigestCache& cache) {
  const Result<UniqueFd> medium = open_beneath(place.study, kLocalMedium, O_RDONLY | O_DIRECTORY);
  if (!medium.ok()) return false;
  ShownTree tree(medium->get(), cache);
  return outputs_shown(tree, remembered) && log_shown(tree, place.root, remembered) &&
         tree.expect_same(kManifestPath, place.manifests, place.study_key + ".json") &&
         tree.all_as_expected();
}

}  // namespace glovebox
