#include "shell/images/archive.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/base/text.h"
#include "shell/images/layout.h"
#include "shell/images/unpack.h"
#include "shell/sys/file.h"
#include "shell/sys/spawn.h"
#include "shell/sys/worker.h"

namespace glovebox {
namespace {

constexpr const char* kUnpacked = "archive";
constexpr const char* kConverted = "converted";

bool has_file(int directory, const char* name) {
  struct stat info {};
  return ::fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

// The absolute path of an open directory of ours: programs take no descriptors.
Result<std::string> path_of(int directory) {
  std::array<char, 4096> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(directory);
  const ssize_t size = ::readlink(link.c_str(), path.data(), path.size());
  if (size <= 0 || static_cast<std::size_t>(size) == path.size())
    return errno_error("find the state directory's path");
  return std::string(path.data(), static_cast<std::size_t>(size));
}

// Docker's archive, by skopeo: no network, the host's files read-only, a uid of its own.
Result<UniqueFd> convert_docker_archive(int archive, int work, uid_t worker, const UnpackLimits& limits) {
  const std::string skopeo = TRY(find_program("skopeo", "scripts/setup installs it"));
  const UniqueFd folder = TRY(make_directories(work, kConverted, 0700, worker, worker));
  {
    const UniqueFd copy = TRY(open_beneath(folder.get(), "saved.tar", O_WRONLY | O_CREAT | O_EXCL, 0600));
    TRY(copy_and_hash(archive, copy.get(), limits.bytes));
    if (::fchown(copy.get(), worker, worker) != 0) return errno_error("give an archive to its reader");
  }
  WorkerSpec spec;
  spec.name = "skopeo";
  spec.power = WorkerPower::kWrite;
  spec.uid = worker;
  spec.time = 30ULL * 60 * 1000;
  const std::string path = TRY(path_of(folder.get()));
  TRY(run_program_in_worker(spec, path,
                            {skopeo, "--insecure-policy", "--tmpdir", "/tmp", "copy", "--quiet",
                             "docker-archive:/tmp/saved.tar", "oci:/tmp/layout"}));
  return open_beneath(folder.get(), "layout", O_RDONLY | O_DIRECTORY);
}

}  // namespace

Result<UniqueFd> open_archive(const std::string& path, int work, uid_t worker, const UnpackLimits& limits) {
  const UniqueFd archive = TRY(open_path(path, O_RDONLY | O_NONBLOCK));
  const auto info = TRY(stat_of(archive.get()));
  if (!S_ISREG(info.st_mode)) return invalid(glovebox::quoted(path) + " is neither a folder nor a file");
  UniqueFd tree = TRY(make_directories(work, kUnpacked, 0700, worker, worker));
  UnpackJob job;
  job.layers = {archive.get()};
  job.tree = tree.get();
  job.worker = worker;
  job.limits = limits;
  TRY(unpack_archive(job));
  if (is_layout(tree.get())) return tree;
  if (!has_file(tree.get(), "manifest.json")) {
    return refused(
        "it is neither an OCI archive (no file oci-layout) nor one of docker save (no file manifest.json)");
  }
  tree.reset();
  TRY(remove_tree(work, kUnpacked));
  if (::lseek(archive.get(), 0, SEEK_SET) != 0) return errno_error("read the archive again");
  return convert_docker_archive(archive.get(), work, worker, limits);
}

}  // namespace glovebox
