// policy.schema.json is for editors; the loader is what counts. They must not drift apart.
#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "core/base/text.h"
#include "core/policy/constants.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

Json schema() {
  std::ifstream stream(GLOVEBOX_SOURCE_DIR "/policies/policy.schema.json");
  return parse_json(std::string(std::istreambuf_iterator<char>(stream), {}), "policy.schema.json").value();
}

std::set<std::string> keys_of(const Json& object) {
  std::set<std::string> keys;
  for (const auto& [key, unused] : object.items()) keys.insert(key);
  return keys;
}

// The keys that the loader takes at a place: it lists them when one is far from all of them. `body` has the
// key "zzzzzzzzzzzz" there.
std::set<std::string> loader_keys(const std::string& body) {
  auto files = test::shipped_policy_files();
  files["extra.yaml"] = "policy: extra\nextends: base\nsummary: a test\n" + body;
  for (const Error& error : load_policies(files, "policies").errors) {
    const std::string start = "the keys are: ";
    if (error.message.find("zzzzzzzzzzzz") == std::string::npos || !error.hint.starts_with(start)) continue;
    std::set<std::string> keys;
    for (const std::string_view key : split(std::string_view(error.hint).substr(start.size()), ',')) {
      keys.emplace(key.substr(key.find_first_not_of(' ')));
    }
    return keys;
  }
  return {};
}

TEST_CASE("the schema for editors has exactly the keys that the loader takes") {
  const Json document = schema();
  const Json& top = document["properties"];
  const Json& limits = top["limits"]["properties"];
  const Json& group = document["$defs"]["group"]["properties"];
  const Json& argument_test = document["$defs"]["test"]["properties"];
  CHECK(keys_of(top) == loader_keys("zzzzzzzzzzzz: 1\n"));
  CHECK(keys_of(top["environment"]["properties"]) == loader_keys("environment: {zzzzzzzzzzzz: 1}\n"));
  CHECK(keys_of(top["outputs"]["properties"]) == loader_keys("outputs: {zzzzzzzzzzzz: 1}\n"));
  CHECK(keys_of(limits) == loader_keys("limits: {zzzzzzzzzzzz: 1}\n"));
  for (const char* name : {"memory", "cpus", "processes", "time", "scratch", "outputs"}) {
    CAPTURE(name);
    const std::string body = std::string("limits: {") + name + ": {zzzzzzzzzzzz: 1}}\n";
    CHECK(keys_of(limits[name]["properties"]) == loader_keys(body));
  }
  CHECK(keys_of(group) == loader_keys("syscalls: {g: {zzzzzzzzzzzz: 1}}\n"));
  CHECK(keys_of(argument_test) ==
        loader_keys("syscalls: {g: {because: a, else: EPERM, allow: {tee: {zzzzzzzzzzzz: 1}}}}\n"));
}

TEST_CASE("the schema for editors has the errno values that the loader takes") {
  const Json document = schema();
  std::set<std::string> known;
  for (const std::string& name : errno_names()) known.insert(name);
  for (const char* key : {"else", "with"}) {
    std::set<std::string> listed;
    for (const Json& name : document["$defs"]["group"]["properties"][key]["enum"]) listed.insert(name);
    CHECK(listed == known);
  }
}

}  // namespace
}  // namespace glovebox
