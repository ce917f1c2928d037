// What every command that runs actions works with beyond the installation: policies, images and a key to sign
// with.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "core/policy/load.h"
#include "shell/attest/keys.h"
#include "shell/images/store.h"
#include "shell/pipeline/installation.h"

namespace glovebox {

struct SessionOptions {
  std::string root;      // state directory; made where missing
  std::string policies;  // directory of the policy files
  std::string init;      // the static glovebox-init
  std::function<void(const std::string&)> progress;
};

class Session : public Installation {
 public:
  // Needs root for now.
  static Result<Session> open(const SessionOptions& options);

  [[nodiscard]] const ImageStore& images() const { return *images_; }
  [[nodiscard]] const PolicySet& policies() const { return policies_; }
  // What the operator allows at most: site.yaml.
  [[nodiscard]] const Policy& site() const { return policies_.site; }
  [[nodiscard]] const SigningKey& key() const { return *key_; }
  [[nodiscard]] int templates() const { return templates_.get(); }
  [[nodiscard]] int code() const { return code_.get(); }
  // The directory that holds .glovebox/init.
  [[nodiscard]] Result<UniqueFd> init_tree() const;

 private:
  explicit Session(Installation installation) : Installation(std::move(installation)) {}
  Status install_init(const std::string& file);

  UniqueFd templates_;
  UniqueFd code_;
  UniqueFd init_;
  std::unique_ptr<ImageStore> images_;
  std::unique_ptr<SigningKey> key_;
  PolicySet policies_;
};

// The policies in `folder`. All errors of all files: the caller shows them.
Result<PolicyLoad> read_policies(const std::string& folder);

// A fresh id for an attempt: the time and 48 random bits, "20260102-030405-1f2e3d4c5b6a".
Result<AttemptId> new_attempt_id(const std::string& utc_time);

}  // namespace glovebox
