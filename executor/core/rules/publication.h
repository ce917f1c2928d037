// What is put where when an attempt is over: decided here, carried out by shell/publish step by step, and
// written down first, so that a crash at any point can be rolled forward.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/outcome/outcome.h"

namespace glovebox {

enum class Tree { kHigh, kMedium };

struct PublishStep {
  enum class Kind {
    kMove,    // the staged file becomes the one at `path`
    kCopy,    // the same, and the staged file stays for a later step
    kRemove,  // whatever file stands at `path` goes; none there is fine
  };
  Kind kind = Kind::kMove;
  Tree tree = Tree::kHigh;
  RelPath path;
  std::string staged;  // path in the staging directory
  Digest digest;       // of the staged file
  ByteCount size = 0;
};

// One text that is written into staging before the steps are carried out.
struct StagedText {
  std::string staged;
  std::string text;
};

struct Publication {
  std::vector<StagedText> texts;
  // In this order; the last one replaces the manifest where there is one, and is the commit point.
  std::vector<PublishStep> steps;
};

// A file of ours in staging.
struct StagedFile {
  std::string staged;
  Digest digest;
  ByteCount size = 0;
};

struct PublicationRequest {
  std::string action;
  Reason reason = Reason::kNone;
  const std::vector<OutputFile>* outputs = nullptr;  // of the attempt
  const std::vector<std::string>* staged = nullptr;  // for each output its copy; empty where rejected
  StagedFile log;                                    // the whole log with its summary
  std::map<std::string, std::string> earlier;        // outputs in the manifest as it was, and their actions
  std::optional<std::string> manifest;               // the new one's text; none: it stays as it is
};

// May this attempt's outputs be kept at all? Not where it was cancelled, exceeded the total of outputs, never
// ran, or cannot be trusted.
bool keeps_outputs(Reason reason);

// - succeeded: accepted and withheld outputs to the high-privacy tree, accepted moderately sensitive ones to
// the
//   medium one too; for a withheld one its message there instead of the file. What an earlier run left in the
//   medium tree and no longer holds (a file now withheld or more sensitive, a message now outdated) is
//   removed, but never another output.
// - failed or stopped: outputs to the high-privacy tree alone.
// - otherwise: the log alone.
// The log goes to both trees.
Result<Publication> plan_publication(const PublicationRequest& request);

// The journal, and back: strict, since it is carried out.
Json journal_json(const std::vector<PublishStep>& steps);
Result<std::vector<PublishStep>> journal_from_json(const Json& json);

inline constexpr const char* kManifestPath = "metadata/manifest.json";
inline constexpr const char* kStagedManifest = "manifest.json";  // stays in staging: its step is a copy

}  // namespace glovebox
