// Carries out a Publication so that it is done wholly or can be taken up again (G12).
//
// First the journal, with the digest of every file, is made durable in the attempt's run directory. Then each
// step is idempotent: a file is renamed into place (copied beside it first where it lies on another file
// system), a step that finds its work done does nothing. Everything is made durable before the last step,
// which replaces the manifest: readers go by it. At the end our own copy of the manifest is kept, and the
// journal goes.
//
// Every path is reached beneath the trees' descriptors without following links: a link at any component is
// refused, a link at the place of the file itself is replaced and never written through.
#pragma once
#include <sys/types.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/rules/publication.h"
#include "shell/sys/fd.h"

namespace glovebox {

// The two trees of a workspace, and whose the files in them are.
struct PublishTarget {
  UniqueFd high;
  UniqueFd medium;
  uid_t owner = 0;
  gid_t group = 0;
  mode_t file_mode = 0644;
  mode_t folder_mode = 0755;
};

inline constexpr const char* kLocalMedium = ".glovebox/level4";

// Local mode: the study itself is the high-privacy tree, DIR/.glovebox/level4 the medium one, and files
// belong to the study's owner. kRefused where `.glovebox` or `metadata` is a link or no folder.
Result<PublishTarget> local_target(int study);

// What we put into a study is not its code, and patient data must not get into a repository by `git add -A`:
// a .gitignore in `folder` of the study, which is made where it is missing, says so. One that is there stays.
Status keep_from_git(int study, const char* folder, const PublishTarget& target);

// The attempt's own directories.
struct PublishSource {
  int run = -1;      // the journal lies here
  int staging = -1;  // what the steps' `staged` is relative to
  // ROOT/manifests, where our own copy of a study's manifest is kept under the study's key; -1: there is
  // none.
  int manifests = -1;
  std::string study_key = {};
};

// The paths of all files that actions ever left in a study's high tree, those of failed actions included, and
// that are still there. They are data, whatever the project says of them by now.
Result<std::set<std::string>> ever_published(const PublishSource& source);

// Adds to them, durably. `study`: its folder. Precondition: as for publish(), and before it.
Status remember_published(const PublishSource& source, int study, const std::vector<OutputFile>& outputs);

// Called before step number n is carried out, and with the number of steps at the end; for tests of crashes.
using StepHook = std::function<void(std::size_t)>;

// Precondition: the caller holds the workspace's lock from before the old manifest was read until this
// returns. kRefused, with nothing changed, where a target's place is taken by a folder or lies behind a link.
Status publish(const PublishTarget& target, const PublishSource& source, const Publication& publication,
               const StepHook& hook = {});

// After a crash: finishes what the journal says, as strictly as publish(), with the same precondition.
// Without a journal there is nothing to do, and false comes back. kIntegrity where a file is neither in
// staging nor in its place.
Result<bool> roll_forward(const PublishTarget& target, const PublishSource& source,
                          const StepHook& hook = {});

// The manifest that Glovebox published last, from its own copy: the one in the study is never read, since its
// owner can write anything into it (G18). Empty where none was published. kInvalid where it is longer than
// 64 MiB, which none of ours is (kMaxManifest).
Result<Json> last_manifest(const PublishSource& source, const std::string& workspace);

inline constexpr const char* kJournalName = "publish.json";

}  // namespace glovebox
