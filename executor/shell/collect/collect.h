// From what an action left in its scratch to files of ours with a verdict (G8).
//
// Preconditions: the action's last process is gone and its layer is mounted read-only, so that nothing
// changes while we look. Even so, everything is reached from the layer's descriptor without following links,
// every file is opened once, examined by its descriptor, and copied and hashed in the same pass; rules are
// asked about our copy, in a worker without power (G18).
#pragma once
#include <sys/types.h>

#include <string>

#include "core/outcome/run_facts.h"
#include "core/plan/plan.h"
#include "shell/sys/fd.h"

namespace glovebox {

struct CollectSpec {
  const Plan* plan = nullptr;
  int code = -1;               // the study code that lay below the scratch; -1: none
  int staging = -1;            // an empty directory of ours, 0700
  uid_t owner = 0;             // host uid of the action: files of anybody else are rejected
  uid_t worker_uid = 0;        // of the worker that judges
  int cancel = -1;             // readable: stop
  Millis walk_time = 300'000;  // to look through what the action left; longer is over the limit
  int runs = -1;    // ROOT/run, and the name of this attempt's own directory in it: what the scratch
  std::string run;  // space of others may still take is not free
};

// Fills `outputs` (sorted by path), `staged`, `unmatched_patterns`, `unmatched_files`, and of `end` `missing`
// and `outputs_over`. Copies are 0600. Their time of modification is when the kernel last saw a change of the
// original, in whole seconds: an action can set a modification time at will, eight bytes of message for each
// file that is shown to output checkers. Their names in staging are numbers, those of files that were judged
// begin with "judge/".
//
// Over the limit on count or bytes, or where the walk finds more names than it is made for
// (shell/collect/layer.h) or takes longer than `walk_time`, nothing is copied and only rejected files are in
// `outputs`. Besides core/rules/classify.h, these are rejected: a file of another owner or file system
// (file.owner), and one with more than kMaxHoles of holes (file.sparse), which would fill a disk for nothing.
// A worker that fails withholds every file that it had to judge.
//
// The copies keep the holes of their originals, and before the first is made there must be room for all of
// them, and for those that output checkers will see: else kHost. Also kHost where a copy cannot be made, and
// kRefused where `cancel` became readable; then nothing in `facts` or staging is to be used.
Status collect_outputs(int upper, const CollectSpec& spec, RunFacts& facts);

inline constexpr ByteCount kMaxHoles = 1ULL << 30U;
inline constexpr const char* kJudgeFolder = "judge";

}  // namespace glovebox
