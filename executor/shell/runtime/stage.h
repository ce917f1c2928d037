// The action's whole root, assembled in the supervisor's own mount namespace before the runtime is called
// (DESIGN.md §9): image, init, code, scratch and inputs under neutral names, so that nothing inside tells
// where they lie on the host.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "core/plan/plan.h"
#include "shell/runtime/scratch.h"
#include "shell/sys/fd.h"
#include "shell/sys/file_stamp.h"

namespace glovebox {

// Directories that a stage is built from; none is changed.
struct StageSources {
  UniqueFd image;  // an image's unpacked tree
  UniqueFd init;   // holds .glovebox/init
  UniqueFd code;   // the study code, root-owned
  UniqueFd study;  // what the inputs' paths are relative to; not needed where there are none
  std::vector<FileStamp>
      stamps;  // of the plan's inputs, in their order, from when their digests were checked
};

struct StampedInput {
  const InputFile* file;  // of the plan
  FileStamp stamp;
};

// Inputs of one owner on the host: an idmapped mount shows the files of one owner as the action's own.
struct InputGroup {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<StampedInput> inputs;
  UniqueFd tree;
};

// Copies of the sources' mounts, attached nowhere yet.
struct DetachedSources {
  UniqueFd image;
  UniqueFd init;
  UniqueFd code;
  std::vector<InputGroup> inputs;
};

// Must run before unshare_mounts(): a mount can only be copied within the namespace that it belongs to.
// kIntegrity, naming it, where an input is no longer the file whose digest was checked.
Result<DetachedSources> detach_sources(const Plan& plan, const StageSources& sources);

// Puts devices of our own over the host's in /dev, for this mount namespace alone: a runtime without the
// right to make devices binds those, and a lock held on an inode of the host's, or its times, would pass from
// action to action. Their nodes come to be in `place`/dev. Precondition: unshare_mounts() was called.
Status replace_devices(const std::string& place);

// `place` is an empty directory that holds a mounted Scratch; its parents must let everybody pass (0711).
// Precondition: unshare_mounts() was called; everything mounted here vanishes with the calling process. The
// assembled root is `place`/root. Whoever owns the study may rename its folders meanwhile: each input is
// compared with its stamp by the very descriptor that is then mounted, and no link is followed; kIntegrity
// as above.
Status assemble_root(const Plan& plan, uid_t host_uid, const DetachedSources& sources,
                     const std::string& place);

// Are the mounted inputs, whatever lies at their paths by now, still as they were stamped? kIntegrity, naming
// one that is not. Asked when the action is over: a record never names a digest that the action may not have
// read.
Status check_inputs(const DetachedSources& sources, const std::string& place);

}  // namespace glovebox
