#include "shell/pipeline/installation.h"

#include <sys/stat.h>

#include <cerrno>
#include <ctime>

#include "core/base/text.h"
#include "shell/host/facts.h"
#include "shell/pipeline/reconcile.h"
#include "shell/sys/file.h"
#include "shell/sys/random.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

constexpr ByteCount kMaxBinary = 1ULL << 30U;

// The store's memory of file digests, in the form in which the workspace asks for it.
class StoreDigests : public DigestCache {
 public:
  explicit StoreDigests(Store& store) : store_(&store) {}
  Result<std::vector<std::optional<Digest>>> lookup(const std::vector<FileStamp>& stamps) override {
    return store_->file_digests(stamps);
  }
  Status remember(const std::vector<FileDigest>& digests, std::int64_t hashed_at_ns) override {
    const Result<std::size_t> kept = store_->keep_file_digests(digests, hashed_at_ns);
    return kept.ok() ? Status() : Status(kept.error());
  }

 private:
  Store* store_;
};

// The first line of `crun --version`.
Result<std::string> ask_version(const std::string& program) {
  Pipe output = TRY(make_pipe());
  SpawnSpec spec;
  spec.argv = {program, "--version"};
  spec.stdout_fd = output.write.get();
  const Child child = TRY(spawn(spec));
  output.write.reset();
  const std::string text = TRY(read_all(output.read.get(), 64U << 10U));
  TRY(child.wait());
  return printable(text.substr(0, text.find('\n')), 100);
}

// The same, asked once per binary: ROOT/runtime-version has the answer and what the binary looked like then.
Result<std::string> version_of(const std::string& program, int root) {
  const UniqueFd binary = TRY(open_path(program, O_PATH));
  const FileStamp stamp = stamp_of(TRY(stat_of(binary.get())));
  const std::string key = std::to_string(stamp.device) + ":" + std::to_string(stamp.inode) + ":" +
                          std::to_string(stamp.size) + ":" + std::to_string(stamp.mtime_ns) + ":" +
                          std::to_string(stamp.ctime_ns) + " ";
  if (const auto known = read_beneath(root, "runtime-version", 4096); known.ok() && known->starts_with(key)) {
    return known->substr(key.size());
  }
  const std::string version = TRY(ask_version(program));
  TRY(replace_file(root, "runtime-version", key + version, 0600));
  return version;
}

}  // namespace

Result<Digest> digest_of_file(const std::string& path, DigestCache& cache) {
  const UniqueFd fd = TRY(open_path(path, O_RDONLY));
  const FileStamp stamp = stamp_of(TRY(stat_of(fd.get())));
  const auto known = TRY(cache.lookup({stamp}));
  if (known.at(0)) return *known[0];
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const Copied hashed = TRY(hash_fd(fd.get(), kMaxBinary));
  TRY(cache.remember({{stamp, hashed.digest}},
                     static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec));
  return hashed.digest;
}

Status Installation::open_folders() {
  if (::mkdir(root_.c_str(), 0711) == 0) {
    if (::chmod(root_.c_str(), 0711) != 0) return errno_error("set the mode of " + quoted(root_));
  } else if (errno != EEXIST) {
    return errno_error("make the state directory " + quoted(root_));
  }
  folder_ = TRY(open_path(root_, O_RDONLY | O_DIRECTORY));
  runs_ = TRY(make_directories(folder_.get(), "run", 0700));
  locks_ = TRY(make_directories(folder_.get(), "locks", 0700));
  manifests_ = TRY(make_directories(folder_.get(), "manifests", 0700));
  return {};
}

Status Installation::ask_programs() {
  binary_ = TRY(digest_of_file("/proc/self/exe", *digests_));
  if (const auto crun = host_.runtimes.find("crun"); crun != host_.runtimes.end()) {
    runtime_version_ = TRY(version_of(crun->second, folder_.get()));
  }
  return {};
}

Result<RecordContext> Installation::record_context(const std::string& builder) const {
  RecordContext context;
  context.builder = builder;
  context.version = GLOVEBOX_VERSION;
  context.kernel = host_.kernel;
  context.runtime_version = runtime_version_;
  context.binary = binary_;
  context.nonce = TRY(random_hex(16));
  return context;
}

Result<Installation> Installation::open(const std::string& root) {
  Installation installation;
  installation.root_ = root;
  installation.host_ = probe_host();
  installation.cgroups_ = CgroupHost::probe();
  TRY(installation.open_folders());
  installation.store_ = std::make_unique<Store>(TRY(Store::open(installation.root_)));
  installation.digests_ = std::make_unique<StoreDigests>(*installation.store_);
  TRY(installation.ask_programs());
  TRY(reconcile(installation));
  return installation;
}

}  // namespace glovebox
