#include "shell/collect/collect.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/rules/classify.h"
#include "shell/collect/judge_copies.h"
#include "shell/collect/layer.h"
#include "shell/sys/clock.h"
#include "shell/sys/disk_room.h"
#include "shell/sys/file.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

FileKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::kRegular;
  if (S_ISLNK(mode)) return FileKind::kSymlink;
  if (S_ISFIFO(mode)) return FileKind::kFifo;
  if (S_ISSOCK(mode)) return FileKind::kSocket;
  if (S_ISCHR(mode) || S_ISBLK(mode)) return FileKind::kDevice;
  return FileKind::kOther;
}

ByteCount size_of(const struct stat& info) {
  return static_cast<ByteCount>(std::max<off_t>(info.st_size, 0));
}

class Collection {
 public:
  Collection(int upper, const CollectSpec& spec, RunFacts& facts)
      : upper_(upper),
        spec_(spec),
        facts_(facts),
        sorter_(spec.plan->outputs, spec.plan->collect_everything) {}

  Status run() {
    device_ = TRY(stat_of(upper_)).st_dev;
    // The scratch's own limit on inodes bounds the walk; names of hard links do not count as inodes.
    const std::size_t most = static_cast<std::size_t>(spec_.plan->limits.scratch_inodes) * 4 + 10'000;
    Status walked = walk_layer(
        upper_, most, [&](const std::string& path, const struct stat& info) { return find(path, info); });
    if (!walked.ok() && (walked.error().kind != ErrorKind::kRefused || is_readable(spec_.cancel)))
      return walked;
    bool over = !walked.ok();
    Classification found = sorter_.finish();
    facts_.unmatched_patterns = found.unmatched_patterns;
    facts_.unmatched_files = std::move(found.unmatched_files);
    facts_.end.missing = std::move(found.unmatched_patterns);
    for (OutputFile& file : found.rejected) add(std::move(file), "");
    over = over || is_over(found.candidates);
    if (!over) {
      TRY(check_space(found.candidates));
      TRY(copy_all(found.candidates));
    }
    facts_.end.outputs_over = over;
    sort_by_path();
    return {};
  }

 private:
  Status find(const std::string& path, const struct stat& info) {
    if (is_readable(spec_.cancel)) return refused("cancelled");
    if (monotonic_ms() - walk_start_ >= spec_.walk_time)
      return refused("the action left too much to look at");
    // Beyond the limit nothing is kept: no need to remember more than one file too many.
    if (sorter_.matched_count() > spec_.plan->limits.output_files && sorter_.level_of(path)) return {};
    if (S_ISREG(info.st_mode) && TRY(is_unchanged_code(path, info))) return {};
    sorter_.add({path, kind_of(info.st_mode), size_of(info)});
    return {};
  }

  // A file that the action opened for writing, or whose folder it renamed, is copied up by the overlay
  // without being a product of the action.
  Result<bool> is_unchanged_code(const std::string& path, const struct stat& info) {
    if (spec_.code < 0) return false;
    const auto original = open_beneath(spec_.code, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!original) return false;
    const auto before = TRY(stat_of(original->get()));
    if (!S_ISREG(before.st_mode) || before.st_size != info.st_size) return false;
    const auto copy = open_beneath(upper_, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!copy) return false;
    const ByteCount most = size_of(info);
    return TRY(hash_fd(original->get(), most, spec_.cancel)).digest ==
           TRY(hash_fd(copy->get(), most, spec_.cancel)).digest;
  }

  [[nodiscard]] bool is_over(const std::vector<Candidate>& candidates) const {
    const Limits& limits = spec_.plan->limits;
    ByteCount left = limits.output_bytes;
    for (const Candidate& candidate : candidates) {
      if (candidate.size > left) return true;
      left -= candidate.size;
    }
    return candidates.size() > limits.output_files;
  }

  // Hard links share their blocks here, but each is copied.
  Status check_space(const std::vector<Candidate>& candidates) const {
    BeneathStat layer(upper_);
    DiskUse use;
    use.what = "copies of the outputs";
    use.hint = "make room on the disk of the state directory, then run the action again";
    use.runs = spec_.runs;
    use.except = spec_.run;
    for (const Candidate& candidate : candidates) {
      const ByteCount bytes = allocated_bytes(TRY(layer.of(candidate.path)));
      const bool may_be_shown = candidate.level == Level::kModeratelySensitive &&
                                candidate.size <= spec_.plan->output_rules.file_bytes;
      use.wanted += may_be_shown ? 2 * bytes : bytes;
    }
    return check_room(spec_.staging, use);
  }

  Status copy_all(const std::vector<Candidate>& candidates) {
    std::vector<CopyToJudge> to_judge;
    for (const Candidate& candidate : candidates) {
      const bool judged = candidate.level == Level::kModeratelySensitive && !spec_.plan->collect_everything;
      TRY(copy(candidate, judged));
      if (judged && facts_.outputs.back().verdict != Verdict::kRejected) {
        to_judge.push_back({facts_.outputs.size() - 1, facts_.staged.back()});
      }
    }
    return judge_copies(spec_, to_judge, facts_.outputs);
  }

  Status copy(const Candidate& candidate, bool judged) {
    OutputFile file;
    file.path = candidate.path.str();
    file.level = candidate.level;
    const UniqueFd from = TRY(open_beneath(upper_, file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
    const auto info = TRY(stat_of(from.get()));
    file.size = size_of(info);
    if (auto rejection = rejection_by_descriptor(info)) {
      file.verdict = Verdict::kRejected;
      file.reasons.push_back(*std::move(rejection));
      add(std::move(file), "");
      return {};
    }
    const std::string number = std::to_string(facts_.outputs.size());
    if (judged && !judge_folder_made_) {
      TRY(make_directories(spec_.staging, kJudgeFolder, 0700));
      judge_folder_made_ = true;
    }
    std::string name = judged ? std::string(kJudgeFolder) + "/" + number : number;
    const UniqueFd to =
        TRY(open_beneath(spec_.staging, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    const Copied copied = TRY(copy_and_hash(from.get(), to.get(), file.size, spec_.cancel));
    if (copied.size != file.size) return host_error("an output changed while it was copied");
    const timespec changed{info.st_ctim.tv_sec, 0};
    const timespec times[2] = {changed, changed};
    if (::futimens(to.get(), times) != 0) return errno_error("set the time of an output");
    file.digest = copied.digest;
    add(std::move(file), std::move(name));
    return {};
  }

  [[nodiscard]] std::optional<RuleHit> rejection_by_descriptor(const struct stat& info) const {
    if (!S_ISREG(info.st_mode)) return RuleHit{"file.kind", "is not a regular file"};
    if (info.st_dev != device_ || info.st_uid != spec_.owner) {
      return RuleHit{"file.owner", "does not belong to the action"};
    }
    const ByteCount present = allocated_bytes(info);
    const ByteCount size = size_of(info);
    if (size > present && size - present > kMaxHoles) {
      return RuleHit{"file.sparse", "has more than " + format_bytes(kMaxHoles) + " of holes"};
    }
    return std::nullopt;
  }

  void add(OutputFile file, std::string staged) {
    facts_.outputs.push_back(std::move(file));
    facts_.staged.push_back(std::move(staged));
  }

  void sort_by_path() {
    std::vector<std::size_t> order(facts_.outputs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return facts_.outputs[a].path < facts_.outputs[b].path; });
    std::vector<OutputFile> outputs;
    std::vector<std::string> staged;
    for (const std::size_t i : order) {
      outputs.push_back(std::move(facts_.outputs[i]));
      staged.push_back(std::move(facts_.staged[i]));
    }
    facts_.outputs = std::move(outputs);
    facts_.staged = std::move(staged);
  }

  int upper_;
  const CollectSpec& spec_;
  RunFacts& facts_;
  Classifier sorter_;
  const Millis walk_start_ = monotonic_ms();
  dev_t device_ = 0;
  bool judge_folder_made_ = false;
};

}  // namespace

Status collect_outputs(int upper, const CollectSpec& spec, RunFacts& facts) {
  return Collection(upper, spec, facts).run();
}

}  // namespace glovebox
