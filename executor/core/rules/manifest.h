// metadata/manifest.json of a workspace, as other programs read it (facts: OpenSAFELY, "files that other
// programs read").
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/outcome/outcome.h"

namespace glovebox {

struct ManifestOutput {
  OutputFile file;
  double modified = 0;  // seconds since 1970 with fractions, as readers of the manifest expect
};

// One finished run, as the manifest sees it.
struct ManifestRun {
  std::string workspace;
  std::string action;
  std::string job_id;
  std::string job_request;
  std::string user;
  std::string repo;
  std::string commit;
  bool succeeded = false;
  std::vector<ManifestOutput> outputs;  // rejected ones are ignored
  // The actions of the study's project file; none where it is not known, and then nothing is said about them.
  std::optional<std::set<std::string>> project_actions;
};

// A manifest without outputs.
Json empty_manifest(const std::string& workspace);

// Bytes of a manifest's text. Whoever reads one should take some more: a run without outputs is never
// refused, and may add a few bytes to each entry.
inline constexpr std::size_t kMaxManifest = 56U << 20U;

// The manifest after `run`; `old` as it was (an error, kIntegrity, where it is no manifest). Entries are
// sorted by path.
//  - A run that succeeded replaces the entries of its outputs. One that did not changes none: what it made is
//    not a product, and the files that the entries describe are still what the medium-privacy tree shows.
//  - out_of_date_output: true for the action's earlier outputs that this run did not produce, so for all of
//    them where it failed; false for those that it did.
//  - out_of_date_action: for every entry, whether its action is gone from the project.
//  - Where its text would be longer than kMaxManifest, entries that are out of date in either way are left
//  out.
//    kRefused where the run's outputs make it too long even so.
Result<Json> manifest_update(const Json& old, const ManifestRun& run);

// The paths of all outputs in a manifest, and the action that made each.
Result<std::map<std::string, std::string>> manifest_paths(const Json& manifest);

}  // namespace glovebox
