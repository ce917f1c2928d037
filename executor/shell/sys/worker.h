// A process without power, for reading bytes that an action or a study wrote (G18).
//
// The worker is a fork of the caller that never executes anything: it gives up every descriptor but those it
// was given, takes a uid of its own, becomes undumpable and unprivileged, is bounded in memory, CPU time and
// wall time, and installs a default-deny seccomp filter before `body` runs. It answers with one string, which
// the caller must treat as hostile too.
#pragma once
#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "core/base/types.h"
#include "shell/sys/fd.h"

namespace glovebox {

enum class WorkerPower {
  kParse,  // computes; reads and writes descriptors it was given; opens nothing
  kRead,   // also opens and lists what is beneath its root, which is mounted read-only
  kWrite,  // also creates, links, renames and removes beneath its root
};

struct WorkerSpec {
  std::string name;  // what messages call it: "the reader of project.yaml"
  WorkerPower power = WorkerPower::kParse;
  uid_t uid = 0;  // used as gid too; ignored where the caller is not root, who keeps its own id
  int root =
      -1;  // directory that becomes "/" (kRead, kWrite); kRead maps `owner` to `uid`, so that 0600 files open
  uid_t owner = 0;  // who owns the files beneath root on the host
  gid_t group = 0;
  std::vector<int> keep;  // descriptors that stay open, at their numbers
  // Where set, runs in the worker when its other descriptors are closed and before it gives up its powers:
  // for what only it may open (the signer's key). Nothing hostile has been read yet.
  std::function<void()> prepare;
  ByteCount memory = 1ULL << 30U;
  ByteCount file_size = ~0ULL;    // longest file that it may write (RLIMIT_FSIZE); all ones: no bound
  Millis time = 60'000;           // wall clock; CPU time is bounded by the same number of seconds
  ByteCount answer = 64U << 20U;  // longest answer
  int cancel = -1;                // readable: the worker is stopped
};

// Runs `body` in a worker and hands back what it returned, Error included. A worker that dies, hangs, exceeds
// a bound or calls what it must not: kRefused "<name> was stopped: …". What cannot be set up: kHost, and
// nothing ran.
Result<std::string> run_in_worker(const WorkerSpec& spec, const std::function<Result<std::string>()>& body);

// A program of the host's, executed in a worker of power kWrite but with the host's files in place of a root,
// everything read-only except the directory `writable`, which it sees as /tmp and starts in, in an empty
// network namespace. Its stdout comes back; its stderr, escaped and cut, is in the Error.
Result<std::string> run_program_in_worker(const WorkerSpec& spec, const std::string& writable,
                                          const std::vector<std::string>& argv);

}  // namespace glovebox
