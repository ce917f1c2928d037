// Any bytes as a policy file: every answer is a list of errors that can be shown, or a policy that compiles.
#include <cstdlib>
#include <string>

#include "core/base/text.h"
#include "core/policy/load.h"
#include "core/seccomp/seccomp.h"

namespace {

using glovebox::Error;
using glovebox::Policy;
using glovebox::PolicyLoad;

constexpr const char* kBase = R"(policy: base
summary: what the other files extend
network: none
runtimes: [crun]
limits:
  memory: {default: 1GiB, max: 2GiB}
  cpus: {default: 1, max: 2}
  processes: {default: 10, max: 20}
  time: {default: 1h, max: 2h, grace: 1s}
  scratch: {default: 1GiB, max: 2GiB, inodes: 1000, on: disk}
  tmp: 1MiB
  shm: 1MiB
  log: 1MiB
  open_files: 100
  file_size: 1GiB
  outputs: {files: 10, bytes: 1GiB}
outputs: {rules: opensafely-level4, extensions: [.csv], file_bytes: 1MiB, csv_rows: 10}
syscalls:
  io: {because: reading and writing, allow: [read, write]}
  sockets:
    because: local workers
    allow: {socket: {arg: 0, mask: 0xffffffff, in: network}}
    else: EAFNOSUPPORT
  unknown: ENOSYS
)";

void require(bool sound) {
  if (!sound) std::abort();
}

void check_errors(const PolicyLoad& load) {
  for (const Error& error : load.errors) {
    require(!error.message.empty() && glovebox::is_utf8(error.message));
    require(!glovebox::has_unprintable(error.message) && !glovebox::has_unprintable(error.hint));
    require(error.where.starts_with("policies"));
  }
}

// The families in the filter are those of `network`, and narrowing by itself changes nothing.
void check_policy(const Policy& policy) {
  const bool inet = glovebox::decide(policy.syscalls, "socket", {2}).allowed;
  require(!inet || policy.network.value == glovebox::Network::kLoopback);
  const Policy same = glovebox::narrowed(policy, policy);
  require(glovebox::policy_digest(glovebox::narrowed(same, policy)) == glovebox::policy_digest(same));
  const auto config = glovebox::seccomp_config(policy.syscalls);
  require(config.ok() || config.error().message.ends_with("need more than 1,000 rules"));
}

void check(const std::map<std::string, std::string>& files) {
  const PolicyLoad load = glovebox::load_policies(files, "policies");
  check_errors(load);
  if (!load.errors.empty()) return;
  for (const auto& [name, policy] : load.set.images) {
    if (!policy.images.empty()) check_policy(policy);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::string site = "policy: site\nextends: base\nsummary: the site\n";
  const std::string local = "policy: local\nextends: base\nsummary: a laptop\n";
  check({{"base.yaml", kBase}, {"site.yaml", site}, {"local.yaml", local}, {"fuzz.yaml", text}});
  check({{"base.yaml", text}, {"site.yaml", site}, {"local.yaml", text}});
  return 0;
}
