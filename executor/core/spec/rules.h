// The rules of project.yaml that look at values rather than at text: shared by check_project, which knows
// where each value stands, and report_from_json, which does not trust the worker that read the file. Private
// to core/spec.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/spec/project.h"

namespace glovebox::detail {

inline constexpr int kOldestVersion = 1;
inline constexpr int kNewestVersion = 5;
// The reserved name that asks for every action.
inline constexpr const char* kRunAll = "run_all";

// Output patterns of one action: each is asked about every file that the action leaves. Studies have a
// handful.
inline constexpr std::size_t kMaxOutputs = 1000;

// A broken rule, without its place.
struct Problem {
  std::string message;
  std::string hint;
};

// What changes between the versions of the format.
struct Features {
  bool unique_outputs = false;         // from 2: no pattern twice
  bool expectations_required = false;  // 3
  bool cohortextractor = false;        // up to 3: its actions, and `expectations`
  bool latest_and_run_all = false;     // up to 4: the tag `latest`, an action called run_all
};
Features features_of(int version);

// Does the reference give this command a database?
bool is_database_command(const ImageName& image, const std::vector<std::string>& args);

// Arguments that cannot be handed to a program: with a NUL byte, or longer than Linux takes.
std::optional<Problem> check_arguments(const std::vector<std::string>& args);
// The key of an output ("table").
std::optional<Problem> check_output_name(std::string_view name);
// May a file of this pattern be of this level?
std::optional<Problem> check_level(Level level, const Pattern& pattern);
// What ehrql, databuilder and cohortextractor demand of an action's outputs. `action` names it in messages.
std::optional<Problem> check_outputs_of_command(std::string_view action, const ImageName& image,
                                                const std::vector<std::string>& args,
                                                const std::vector<OutputSpec>& outputs);

// Who needs whom, by index.
using Graph = std::vector<std::vector<std::size_t>>;

struct Cycle {
  std::size_t from = 0;  // graph[from][need] closes the cycle
  std::size_t need = 0;
  std::vector<std::size_t>
      shown;  // its members from the first on; in a long cycle only the first ones and `from`
  bool shortened = false;
};
// At least one cycle of every knot, none where there is none. Linear, and without recursion: chains may be as
// long as the file.
std::vector<Cycle> find_cycles(const Graph& graph);
// "a needs b, b needs c, c needs a" told short: "a -> b -> c -> a". `names` by index.
std::string describe(const Cycle& cycle, const std::vector<std::string>& names);

}  // namespace glovebox::detail
