#include "shell/pipeline/session.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>

#include "core/base/text.h"
#include "shell/sys/file.h"
#include "shell/sys/random.h"

namespace glovebox {
namespace {

constexpr std::size_t kMaxPolicyBytes = 1U << 20U;
constexpr std::size_t kMaxPolicyFiles = 100;

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
  std::string digits;
  for (const char c : utc_time.substr(0, 19)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return AttemptId::parse(digits.substr(0, 8) + "-" + digits.substr(8) + "-" + TRY(random_hex(6)));
}

// ROOT/init/<digest>/.glovebox/init, so that an upgrade never changes what a running action has mounted.
Status Session::install_init(const std::string& file) {
  const auto unreadable = [](const Error& error) {
    return host_error("cannot read glovebox-init: " + error.message, "it belongs beside the glovebox binary");
  };
  const Result<Digest> digest = digest_of_file(file, digests());
  if (!digest.ok()) return unreadable(digest.error());
  const std::string path = "init/" + digest->hex();
  if (Result<UniqueFd> there = open_beneath(folder(), path + kInitPath, O_PATH); !there.ok()) {
    const Result<std::string> binary = read_file(file, 64U << 20U);
    if (!binary.ok()) return unreadable(binary.error());
    if (Digest::of(*binary) != *digest) return host_error("glovebox-init was replaced while it was read");
    TRY(make_directories(folder(), "init", 0700));
    const UniqueFd inner = TRY(make_directories(folder(), path + "/.glovebox", 0755));
    const UniqueFd outer = TRY(open_beneath(folder(), path, O_RDONLY | O_DIRECTORY));
    if (::fchmod(outer.get(), 0755) != 0) return errno_error("set the mode of init's folder");
    TRY(replace_file(inner.get(), "init", *binary, 0555));
  }
  init_ = TRY(open_beneath(folder(), path, O_RDONLY | O_DIRECTORY));
  return {};
}

Result<UniqueFd> Session::init_tree() const {
  return open_beneath(init_.get(), ".", O_RDONLY | O_DIRECTORY);
}

Result<Session> Session::open(const SessionOptions& options) {
  if (::geteuid() != 0) {
    return host_error("running actions needs root in this version", "run this command as root");
  }
  PolicyLoad policies = TRY(read_policies(options.policies));
  if (!policies.errors.empty()) return policies.errors.front();
  Session session(TRY(Installation::open(options.root)));
  session.policies_ = std::move(policies.set);
  session.templates_ = TRY(make_directories(session.folder(), "templates", 0700));
  session.code_ = TRY(make_directories(session.folder(), "code", 0700));
  session.images_ =
      std::make_unique<ImageStore>(TRY(ImageStore::open(session.folder(), {65534, {}, options.progress})));
  session.key_ = std::make_unique<SigningKey>(TRY(local_key(session.root())));
  TRY(session.install_init(options.init));
  return session;
}

}  // namespace glovebox
