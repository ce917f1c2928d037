// What came of a run, as the supervisor hands it on: facts come out.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/outcome/outcome.h"
#include "core/outcome/run_end.h"

namespace glovebox {

struct RunFacts {
  RunEnd end;
  std::string problem;  // where there is a fault: what it is, and what to do
  std::string hint;
  std::string started;  // RFC 3339 UTC, when the gate was opened; empty where it never was
  std::string finished;
  std::optional<Facts> facts;
  Usage usage;
  std::vector<OutputFile> outputs;
  std::vector<std::string>
      staged;  // for each output the name of our copy in the staging directory; empty where rejected
  std::vector<std::string> unmatched_patterns;
  std::vector<std::string> unmatched_files;
};

Json run_facts_json(const RunFacts& facts);
// Exactly what run_facts_json writes: a member that is missing, of the wrong type, unknown or out of its
// range is kInvalid.
Result<RunFacts> run_facts_from_json(const Json& json);

}  // namespace glovebox
