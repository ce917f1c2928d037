// What output checkers see of an action that is not run again: is it still what Glovebox put there?
#pragma once
#include <string>

#include "shell/pipeline/action_cache.h"
#include "shell/workspace/hashing.h"

namespace glovebox {

struct ShownPlace {
  std::string root;       // state directory, as it is called now
  int study = -1;         // the study's directory
  int manifests = -1;     // ROOT/manifests
  std::string study_key;  // the manifest's name there
};

// True where the study's medium-privacy tree has every file that the remembered run showed, with its digest,
// for each withheld file its message, no file in the place of one that was not to be shown, the log that is
// in the record, and the manifest that Glovebox published last. Reads nothing through links, and nothing
// longer than what it should be.
bool is_still_shown(const ShownPlace& place, const RememberedAction& remembered, DigestCache& cache);

}  // namespace glovebox
