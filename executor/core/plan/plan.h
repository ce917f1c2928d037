// Everything that will be done for one action, decided. The effects carry it out and hold no policy of their
// own.
#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/policy/policy.h"
#include "core/spec/project.h"

namespace glovebox {

// What an image says of itself, from its OCI configuration; the image is the one with this manifest digest.
struct ImageInfo {
  std::string name;  // "python:v2"
  Digest manifest;
  Digest config;
  Digest tree;  // of the unpacked files (shell/images)
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;
  std::map<std::string, std::string> labels;
};

// What this host can enforce, probed once (shell/host).
struct HostFacts {
  bool root = false;
  std::string kernel;                           // uname -r
  std::string cgroup;                           // "v1", "hybrid", "v2", "none"
  std::map<std::string, std::string> runtimes;  // "crun" -> absolute path
  unsigned cpus = 0;
  ByteCount memory = 0;
};

struct InputFile {
  RelPath path;  // below /workspace, the same as in the study
  Digest digest;
  ByteCount size = 0;
  std::string produced_by;  // attempt id of the producing action; empty where unknown
};

// What the caller asks for, already parsed. `action` of a study, or one exec command.
struct Request {
  std::string workspace;  // label for records
  std::string action;
  ImageName image;
  std::vector<std::string> args;
  std::map<std::string, std::string> environment;
  std::vector<OutputSpec> outputs;
  bool collect_everything = false;  // exec: every new or changed file, not judged
  bool database = false;
  Digest code;                    // of the code tree
  std::string repository;         // recorded, may be empty
  std::string commit;             // 40 hex, or empty for a working tree
  std::vector<InputFile> inputs;  // sorted by path
  std::optional<ByteCount> memory;
  std::optional<MilliCpus> cpus;
  std::optional<Millis> time;
  std::optional<ByteCount> scratch;
  std::optional<ByteCount> output_file_bytes;
  std::optional<std::uint64_t> output_csv_rows;
};

struct Limits {
  ByteCount memory = 0;
  MilliCpus cpus = 0;
  std::uint32_t processes = 0;
  Millis time = 0;
  Millis grace = 0;
  ByteCount scratch = 0;
  std::uint64_t scratch_inodes = 0;
  ScratchKind scratch_on = ScratchKind::kDisk;
  ByteCount tmp = 0;
  ByteCount shm = 0;
  ByteCount log = 0;
  std::uint64_t output_files = 0;
  ByteCount output_bytes = 0;
  std::uint64_t open_files = 0;
  ByteCount file_size = 0;
};

struct OutputRules {
  std::set<std::string> extensions;
  ByteCount file_bytes = 0;
  std::uint64_t csv_rows = 0;
};

struct Plan {
  std::string workspace;
  std::string action;
  ImageInfo image;
  std::vector<std::string> argv;  // entry point and arguments
  std::map<std::string, std::string> environment;
  std::vector<std::string> secrets;
  Network network = Network::kNone;
  Limits limits;
  Json seccomp;  // the linux.seccomp object
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  Digest code;
  std::string repository;
  std::string commit;
  std::vector<InputFile> inputs;
  std::vector<OutputSpec> outputs;
  bool collect_everything = false;
  OutputRules output_rules;
  std::string runtime;
  std::string policy;  // name
  Digest policy_digest;
  std::vector<std::string> waived;
  // Field ("limits.memory") to where it comes from ("project request; at most policies/site.yaml:12").
  std::map<std::string, std::string> reasons;
};

// Inside every action.
inline constexpr unsigned kActionUid = 1000;  // the one id that is mapped
inline constexpr const char* kWorkspace = "/workspace";
inline constexpr const char* kHostName = "glovebox";
inline constexpr const char* kInitPath = "/.glovebox/init";

// The decision. `policy` is the image's, `site` what the operator allows. Errors: kRefused with the field and
// the rule that refuses.
Result<Plan> make_plan(const Request& request, const Policy& policy, const Policy& site,
                       const ImageInfo& image, const HostFacts& host);

// Byte-equal for equal plans (G15). The digest is SHA-256 of dump_json(plan_json(plan)).
Json plan_json(const Plan& plan);
Digest plan_digest(const Plan& plan);

}  // namespace glovebox
