#include "shell/pipeline/recovery.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "shell/workspace/study.h"

namespace glovebox {

Result<StudyMark> mark_of(int study, std::string path) {
  const auto info = TRY(stat_of(study));
  return StudyMark{std::move(path), info.st_dev, info.st_ino};
}

Result<RunFolder> RunFolder::make(int runs, const std::string& id) {
  UniqueFd folder = TRY(make_directories(runs, id, 0711));
  FileLock lock = TRY(FileLock::attempt(folder.get(), kRunLock));
  if (!lock.held()) return host_error("another process works in run/" + id);
  UniqueFd staging = TRY(make_directories(folder.get(), kStaging, 0700));
  return RunFolder(std::move(folder), std::move(staging), std::move(lock));
}

Status RunFolder::keep_draft(const Attempt& lost, const Json& statement, const StudyMark& study,
                             bool exec) const {
  const Json draft{{"study", study.path}, {"device", study.device},  {"inode", study.inode},
                   {"exec", exec},        {"started", lost.started}, {"statement", statement}};
  const UniqueFd file = TRY(open_beneath(fd(), kDraft, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return write_all(file.get(), dump_json(draft));
}

Status RunFolder::keep_statement(const Json& statement) const {
  return replace_file(fd(), kDecided, dump_json(statement), 0600);
}

std::string exec_folder(const std::string& id) {
  return std::string(kOwnFolder) + "/exec/" + id;
}

Result<PublishTarget> publish_target(int study, bool exec, const std::string& id) {
  if (!exec) return local_target(study);
  const auto owner = TRY(stat_of(study));
  PublishTarget target;
  target.owner = owner.st_uid;
  target.group = owner.st_gid;
  target.high = TRY(make_directories(study, exec_folder(id), 0755, owner.st_uid, owner.st_gid));
  target.medium =
      TRY(open_beneath(target.high.get(), ".", O_RDONLY | O_DIRECTORY));  // one tree: nothing is judged
  return target;
}

}  // namespace glovebox
