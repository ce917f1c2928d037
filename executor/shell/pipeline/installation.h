// One Glovebox installation: its state directory and the host it is on, opened once by every command that
// looks at attempts or makes them.
#pragma once
#include <memory>
#include <string>

#include "core/plan/plan.h"
#include "core/provenance/statement.h"
#include "shell/host/cgroup.h"
#include "shell/store/store.h"
#include "shell/workspace/hashing.h"

namespace glovebox {

// Of a program's file, hashed once per version of it. Absolute or relative path; links are followed.
Result<Digest> digest_of_file(const std::string& path, DigestCache& cache);

class Installation {
 public:
  // Makes ROOT where it is missing, and puts right what an earlier, killed command left behind (reconcile).
  // `root` is absolute: supervisors change their working directory.
  static Result<Installation> open(const std::string& root);

  Store& store() { return *store_; }
  DigestCache& digests() { return *digests_; }
  [[nodiscard]] const HostFacts& host() const { return host_; }
  [[nodiscard]] const CgroupHost& cgroups() const { return cgroups_; }
  [[nodiscard]] const std::string& root() const { return root_; }  // absolute
  // Directories of ROOT.
  [[nodiscard]] int folder() const { return folder_.get(); }
  [[nodiscard]] int runs() const { return runs_.get(); }
  [[nodiscard]] int locks() const { return locks_.get(); }
  // For each study what its manifest says (shell/publish).
  [[nodiscard]] int manifests() const { return manifests_.get(); }
  // What every record says of the Glovebox and the host that made it; the nonce is fresh.
  [[nodiscard]] Result<RecordContext> record_context(const std::string& builder) const;

 private:
  Installation() = default;
  Status open_folders();
  Status ask_programs();

  std::string root_;
  UniqueFd folder_;
  UniqueFd runs_;
  UniqueFd locks_;
  UniqueFd manifests_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<DigestCache> digests_;
  HostFacts host_;
  CgroupHost cgroups_;
  std::string runtime_version_;
  Digest binary_;
};

}  // namespace glovebox
