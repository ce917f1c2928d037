#include "shell/workspace/inputs.h"

#include "core/base/text.h"
#include "shell/sys/scan.h"

namespace glovebox {
namespace {

Error unusable(const WantedInput& input, const char* what) {
  return refused("input " + glovebox::quoted(input.path.str()) + " " + what,
                 "action " + glovebox::quoted(input.action.str()) + " makes it: run it again with --force");
}

}  // namespace

Result<std::vector<FoundInput>> find_inputs(const Study& study, const std::vector<WantedInput>& wanted,
                                            DigestCache& cache) {
  BeneathStat beneath(study.fd());
  std::vector<StampedPath> files;
  std::vector<FoundInput> found;
  files.reserve(wanted.size());
  found.reserve(wanted.size());
  for (const WantedInput& input : wanted) {
    const Result<struct stat> info = beneath.of(input.path);
    if (!info.ok()) return unusable(input, "is missing");
    if (!S_ISREG(info->st_mode)) return unusable(input, "is not a regular file");
    const FileStamp stamp = stamp_of(*info);
    files.push_back({input.path, stamp});
    found.push_back(
        {{input.path, input.digest, stamp.size, input.produced_by}, info->st_uid, info->st_gid, stamp});
  }
  const std::vector<Digest> digests = TRY(digests_of(study.fd(), files, cache, Writers::kRefused));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (digests[i] != wanted[i].digest) return unusable(wanted[i], "was changed since it was made");
  }
  return found;
}

}  // namespace glovebox
