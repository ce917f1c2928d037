// What an action may do, as policies/*.yaml say it (documented in policies/README.md).
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/types.h"

namespace glovebox {

// Where in the policy files a value comes from: "policies/python.yaml:31".
using Source = std::string;

enum class Network {
  kNone,
  kLoopback
};  // loopback: AF_INET and AF_INET6 sockets may be made; only `lo` exists
enum class ScratchKind { kDisk, kTmpfs };

// A value that a request may choose up to a ceiling.
template <class T>
struct Bound {
  T fallback{};  // where the request says nothing
  T most{};
  Source source;
};

// A value that policy alone sets.
template <class T>
struct Fixed {
  T value{};
  Source source;
};

struct LimitPolicy {
  Bound<ByteCount> memory;  // with swap
  Bound<MilliCpus> cpus;
  Bound<std::uint32_t> processes;
  Bound<Millis> time;
  Fixed<Millis> grace;  // from SIGTERM to SIGKILL
  Bound<ByteCount> scratch;
  Fixed<std::uint64_t> scratch_inodes;
  Fixed<ScratchKind> scratch_on;
  Fixed<ByteCount> tmp;
  Fixed<ByteCount> shm;
  Fixed<ByteCount> log;  // bytes kept of stdout and stderr together: half from the head, half from the tail
  Fixed<std::uint64_t> output_files;
  Fixed<ByteCount> output_bytes;
  Fixed<std::uint64_t> open_files;  // RLIMIT_NOFILE
  Fixed<ByteCount> file_size;       // RLIMIT_FSIZE
};

// One condition on one argument of a system call. True where ((value & mask) is one of `any_of`).
struct ArgumentTest {
  unsigned index = 0;  // 0 to 5
  std::uint64_t mask = 0xffff'ffff'ffff'ffffULL;
  std::vector<std::uint64_t> any_of;  // sorted, unique, each within mask
  std::vector<std::string>
      names;  // as written, in the order of any_of, for explain ("AF_UNIX"); may be numbers
  bool operator==(const ArgumentTest&) const = default;
};

// A system call is allowed where one of `when` holds; an alternative is a conjunction of tests; `when` empty:
// always.
struct AllowRule {
  std::vector<std::vector<ArgumentTest>> when;
  int refusal_errno = 0;  // for the arguments that are not allowed
  Source source;
};

struct SyscallGroup {
  std::string name;     // "loopback-sockets"
  std::string because;  // the reason reviewers read
  Source source;
  std::vector<std::string> allows;         // names, in file order
  std::vector<std::string> refuses;        // names, in file order; a group has one of the two
  std::map<std::string, std::string> why;  // reasons for single names, beside `because`
};

struct SyscallPolicy {
  std::map<std::string, AllowRule> allow;  // by system call name
  std::map<std::string, int>
      refuse;             // known dangerous or otherwise named: errno (EPERM, EAFNOSUPPORT, ENOSYS)
  int unknown_errno = 0;  // everything named nowhere (ENOSYS)
  std::vector<SyscallGroup> groups;  // for people
};

struct EnvironmentPolicy {
  std::map<std::string, Source> pass;             // names that a request may set
  std::map<std::string, Fixed<std::string>> set;  // what policy sets
  // Names set to the number of CPUs, rounded up to a whole one (OPENBLAS_NUM_THREADS …): programs see the
  // host's cores otherwise.
  std::map<std::string, Source> cpu_count;
};

// The rules for moderately sensitive files (facts: OpenSAFELY's level 4), named in a policy as `outputs:
// opensafely-level4`.
struct OutputPolicy {
  std::string name;
  std::set<std::string> extensions;  // with the dot
  Bound<ByteCount> file_bytes;       // fallback == most unless a request narrows it
  Bound<std::uint64_t> csv_rows;
  Source source;
};

// One file of policies/ with what it extends already put together.
struct Policy {
  std::string name;
  std::string summary;
  std::vector<std::string> images;  // image names without version
  Fixed<Network> network;
  EnvironmentPolicy environment;
  LimitPolicy limits;
  SyscallPolicy syscalls;
  std::map<std::string, Source> secrets;   // names that a request may bring
  std::map<std::string, Source> runtimes;  // "crun", "runc"
  OutputPolicy outputs;
  std::map<std::string, Source> waived;  // unsafe_… tokens in force (local policy only)
  Source source;
};

// What the operator allows at most: site.yaml (root) or local.yaml. It is a Policy whose `images` is empty.
// A request narrows within the result; see core/plan.
//
// Combination of an image's policy with the site's: every limit the smaller, every set the intersection,
// every refusal kept (G14). The result's sources name whichever file decided.
Policy narrowed(const Policy& image, const Policy& site);

// The digest of what was in force: SHA-256 of policy_json(policy).
Digest policy_digest(const Policy& policy);

}  // namespace glovebox
