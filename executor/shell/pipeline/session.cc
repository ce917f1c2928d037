#include "shell/pipeline/session.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <map>

#include "core/base/text.h"
#include "shell/host/facts.h"
#include "shell/pipeline/reconcile.h"
#include "shell/sys/clock.h"
#include "shell/sys/file.h"
#include "shell/sys/spawn.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxPolicyBytes = 1U << 20U;
constexpr std::size_t kMaxPolicyFiles = 100;
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
  const std::string text = TRY(read_all(output.read.get(), 64 * 1024));
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

}  // namespace

Result<PolicyLoad> read_policies(const std::string& folder) {
  const Result<UniqueFd> directory = open_path(folder, O_RDONLY | O_DIRECTORY);
  if (!directory.ok()) {
    return invalid("cannot read the policies: " + directory.error().message, folder,
                   "name their directory with --policies DIR");
  }
  std::map<std::string, std::string> files;
  for (const std::string& name : TRY(list_directory(directory->get(), 10'000))) {
    if (!name.ends_with(".yaml")) continue;
    if (files.size() == kMaxPolicyFiles) return invalid("more than 100 policy files", folder);
    Result<std::string> text = read_file(folder + "/" + name, kMaxPolicyBytes);
    if (!text.ok()) return invalid("cannot read a policy: " + text.error().message, folder + "/" + name);
    files.emplace(name, std::move(text).value());
  }
  if (files.empty())
    return invalid("there are no policy files (*.yaml)", folder, "name their directory with --policies DIR");
  const std::string shown =
      folder.substr(folder.find_last_not_of('/') == std::string::npos ? 0 : folder.rfind('/') + 1);
  return load_policies(files, shown.empty() ? "policies" : shown);
}

Result<AttemptId> new_attempt_id(const std::string& utc_time) {
  std::array<char, 6> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return errno_error("get random bytes");
  std::string digits;
  for (const char c : utc_time.substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return AttemptId::parse(digits.substr(0, 8) + "-" + digits.substr(8) + "-" +
                          hex_encode({random.data(), random.size()}));
}

Status Session::open_folders() {
  if (::mkdir(options_.root.c_str(), 0711) == 0) {
    if (::chmod(options_.root.c_str(), 0711) != 0)
      return errno_error("set the mode of " + quoted(options_.root));
  } else if (errno != EEXIST) {
    return errno_error("make the state directory " + quoted(options_.root));
  }
  folder_ = TRY(open_path(options_.root, O_RDONLY | O_DIRECTORY));
  // The action's own id must be able to pass through to its root, but not to look around.
  runs_ = TRY(make_directories(folder_.get(), "run", 0711));
  templates_ = TRY(make_directories(folder_.get(), "templates", 0700));
  manifests_ = TRY(make_directories(folder_.get(), "manifests", 0700));
  code_ = TRY(make_directories(folder_.get(), "code", 0700));
  return {};
}

// ROOT/init/<digest>/.glovebox/init, so that an upgrade never changes what a running action has mounted.
Status Session::install_init() {
  const Result<std::string> binary = read_file(options_.init, 64U << 20U);
  if (!binary.ok())
    return host_error("cannot read glovebox-init: " + binary.error().message,
                      "it belongs beside the glovebox binary");
  const std::string path = "init/" + Digest::of(*binary).hex();
  if (Result<UniqueFd> there = open_beneath(folder_.get(), path + kInitPath, O_PATH); !there.ok()) {
    TRY(make_directories(folder_.get(), "init", 0700));
    const UniqueFd inner = TRY(make_directories(folder_.get(), path + "/.glovebox", 0755));
    const UniqueFd outer = TRY(open_beneath(folder_.get(), path, O_RDONLY | O_DIRECTORY));
    if (::fchmod(outer.get(), 0755) != 0) return errno_error("set the mode of init's folder");
    TRY(replace_file(inner.get(), "init", *binary, 0555));
  }
  init_ = TRY(open_beneath(folder_.get(), path, O_RDONLY | O_DIRECTORY));
  return {};
}

Result<UniqueFd> Session::init_tree() const {
  return open_beneath(init_.get(), ".", O_RDONLY | O_DIRECTORY);
}

Result<Session> Session::open(const SessionOptions& options) {
  Session session;
  session.options_ = options;
  session.host_ = probe_host();
  session.cgroups_ = CgroupHost::probe();
  if (!session.host_.root) {
    return host_error("running actions needs root in this version", "run this command as root");
  }
  PolicyLoad policies = TRY(read_policies(options.policies));
  if (!policies.errors.empty()) return policies.errors.front();
  session.policies_ = std::move(policies.set);
  TRY(session.open_folders());
  session.store_ = std::make_unique<Store>(TRY(Store::open(options.root)));
  session.digests_ = std::make_unique<StoreDigests>(*session.store_);
  session.images_ = std::make_unique<ImageStore>(
      TRY(ImageStore::open(session.folder_.get(), {65534, {}, options.progress})));
  session.key_ = std::make_unique<SigningKey>(TRY(local_key(options.root)));
  TRY(session.install_init());
  session.binary_ = TRY(digest_of_file("/proc/self/exe", *session.digests_));
  if (const auto crun = session.host_.runtimes.find("crun"); crun != session.host_.runtimes.end()) {
    session.runtime_version_ = TRY(version_of(crun->second, session.folder_.get()));
  }
  TRY(reconcile(session));
  return session;
}

}  // namespace glovebox
