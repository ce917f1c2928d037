// What every command that runs actions works with: the state directory, its stores, the policies and this
// host, opened once.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/policy/load.h"
#include "shell/attest/keys.h"
#include "shell/host/cgroup.h"
#include "shell/images/store.h"
#include "shell/store/store.h"
#include "shell/workspace/hashing.h"

namespace glovebox {

struct SessionOptions {
  std::string root;      // state directory; made where missing
  std::string policies;  // directory of the policy files
  std::string init;      // the static glovebox-init
  std::function<void(const std::string&)> progress;
};

class Session {
 public:
  // Needs root for now. Puts right what an earlier, killed command left behind (reconcile).
  static Result<Session> open(const SessionOptions& options);

  Store& store() { return *store_; }
  [[nodiscard]] const ImageStore& images() const { return *images_; }
  [[nodiscard]] const PolicySet& policies() const { return policies_; }
  // What the operator allows at most: site.yaml.
  [[nodiscard]] const Policy& site() const { return policies_.site; }
  [[nodiscard]] const HostFacts& host() const { return host_; }
  [[nodiscard]] const CgroupHost& cgroups() const { return cgroups_; }
  [[nodiscard]] const SigningKey& key() const { return *key_; }
  [[nodiscard]] const std::string& root() const { return options_.root; }
  [[nodiscard]] const std::string& runtime_version() const { return runtime_version_; }
  [[nodiscard]] const Digest& binary() const { return binary_; }
  [[nodiscard]] int runs() const { return runs_.get(); }
  [[nodiscard]] int templates() const { return templates_.get(); }
  // ROOT/manifests: for each study what its manifest says (shell/publish).
  [[nodiscard]] int manifests() const { return manifests_.get(); }
  [[nodiscard]] int code() const { return code_.get(); }
  DigestCache& digests() { return *digests_; }
  // The directory that holds .glovebox/init.
  [[nodiscard]] Result<UniqueFd> init_tree() const;

 private:
  Session() = default;
  Status open_folders();
  Status install_init();

  SessionOptions options_;
  UniqueFd folder_;
  UniqueFd runs_;
  UniqueFd templates_;
  UniqueFd manifests_;
  UniqueFd code_;
  UniqueFd init_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<DigestCache> digests_;
  std::unique_ptr<SigningKey> key_;
  PolicySet policies_;
  HostFacts host_;
  CgroupHost cgroups_;
  std::string runtime_version_;
  Digest binary_;
};

// The policies in `folder`. All errors of all files: the caller shows them.
Result<PolicyLoad> read_policies(const std::string& folder);

// A fresh id for an attempt: the time and 48 random bits, "20260102-030405-1f2e3d4c5b6a".
Result<AttemptId> new_attempt_id(const std::string& utc_time);

}  // namespace glovebox
