// From the text of policies/*.yaml to Policy values. Strict: every mistake is an error with file, line,
// column, line and caret.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/policy/policy.h"

namespace glovebox {

struct PolicySet {
  std::map<std::string, Policy>
      images;    // by policy name; `base`, having no images, is only there to be extended
  Policy site;   // of site.yaml
  Policy local;  // of local.yaml
};

// `files`: file name ("python.yaml") to its text; `folder` is put in front in sources ("policies"). All
// errors, not the first.
struct PolicyLoad {
  PolicySet set;  // only to be used where errors is empty
  std::vector<Error> errors;
};
PolicyLoad load_policies(const std::map<std::string, std::string>& files, const std::string& folder);

// The one policy that names `image`; none or several is an error (refused).
Result<const Policy*> policy_for_image(const PolicySet& set, const std::string& image);

// The whole policy without sources, keys in a fixed order: what policy_digest hashes and what tools print.
Json policy_json(const Policy& policy);

}  // namespace glovebox
