#include "core/spec/rules.h"

#include <algorithm>
#include <array>
#include <set>

#include "core/base/text.h"

namespace glovebox::detail {
namespace {

// Linux: MAX_ARG_STRLEN, 32 pages, with the closing NUL.
constexpr std::size_t kMaxArgument = 131'071;
// Linux gives arguments and environment a quarter of the stack limit, 2 MiB by default.
constexpr std::size_t kMaxArguments = 1U << 20U;
constexpr std::size_t kMaxOutputName = 200;

// What may be shown to output checkers: facts of OpenSAFELY's level 4.
constexpr std::array<std::string_view, 11> kModerateExtensions{
    ".csv", ".jpg", ".jpeg", ".png", ".svg", ".svgz", ".html", ".txt", ".log", ".json", ".md"};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view command_of(const std::vector<std::string>& args) {
  return args.empty() ? std::string_view() : std::string_view(args.front());
}

// The value of `--flag X` or `--flag=X`, the first time it is given.
std::optional<std::string_view> flag_value(const std::vector<std::string>& args, std::string_view flag) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view word = args[i];
    if (word == flag) return i + 1 < args.size() ? std::string_view(args[i + 1]) : std::string_view();
    if (word.starts_with(flag) && word.substr(flag.size()).starts_with('='))
      return word.substr(flag.size() + 1);
  }
  return std::nullopt;
}

// "dir/:ext" and "dir:ext" mean files of that type in that folder. The pattern that they have to match, or
// nothing where `output` names one file.
std::optional<std::string> folder_pattern(std::string_view output) {
  const std::size_t colon = output.rfind(':');
  const std::size_t slash = output.rfind('/');
  if (colon == std::string_view::npos || (slash != std::string_view::npos && slash > colon))
    return std::nullopt;
  std::string_view folder = output.substr(0, colon);
  while (folder.ends_with('/')) folder.remove_suffix(1);
  return std::string(folder) + (folder.empty() ? "*." : "/*.") + std::string(output.substr(colon + 1));
}

std::optional<Problem> check_dataset(std::string_view action, std::string_view command,
                                     const std::vector<std::string>& args,
                                     const std::vector<OutputSpec>& outputs) {
  const std::string who = "action " + quoted(action) + " uses " + std::string(command);
  const auto exposed = std::find_if(outputs.begin(), outputs.end(), [](const OutputSpec& output) {
    return output.level != Level::kHighlySensitive;
  });
  if (exposed != outputs.end())
    return Problem{who + ", so all its outputs must be highly_sensitive", "move them to highly_sensitive"};
  const auto output = flag_value(args, "--output");
  if (!output.has_value() || output->empty()) {
    return Problem{who + " without --output",
                   "say where the dataset goes, for example --output " +
                       (outputs.empty() ? "output/dataset.csv" : outputs.front().pattern.str())};
  }
  const auto expected = folder_pattern(*output);
  if (!expected.has_value()) {
    const bool listed = std::any_of(outputs.begin(), outputs.end(),
                                    [&](const OutputSpec& spec) { return spec.pattern.str() == *output; });
    if (listed) return std::nullopt;
    return Problem{who + " with --output " + quoted(*output, 200) + ", which is not among its outputs",
                   "write the same path in run and in outputs"};
  }
  for (const OutputSpec& spec : outputs) {
    // A '*' in the pattern is taken as a character of a name: "dir/*.csv" matches "dir/*.csv".
    const auto wanted = Pattern::parse(*expected);
    const auto path = RelPath::parse(spec.pattern.str());
    if (wanted.ok() && path.ok() && wanted->matches(*path)) continue;
    return Problem{who + " with --output " + quoted(*output, 200) + ", but its output " +
                       quoted(spec.pattern.str(), 200) + " does not match " + quoted(*expected, 200),
                   "write the same folder and type in run and in outputs"};
  }
  return std::nullopt;
}

std::optional<Problem> check_cohort(std::string_view action, const std::vector<std::string>& args,
                                    const std::vector<OutputSpec>& outputs) {
  const std::string who = "action " + quoted(action) + " uses generate_cohort";
  std::set<Level> levels;
  std::set<std::string_view> folders;
  for (const OutputSpec& output : outputs) {
    const std::string_view path = output.pattern.str();
    const std::size_t slash = path.rfind('/');
    levels.insert(output.level);
    folders.insert(slash == std::string_view::npos ? std::string_view() : path.substr(0, slash));
  }
  if (levels.size() != 1)
    return Problem{who + ", so its outputs must be of one privacy level", "keep one level, highly_sensitive"};
  if (folders.size() == 1 || flag_value(args, "--output-dir").has_value()) return std::nullopt;
  return Problem{who + " with outputs in " + std::to_string(folders.size()) + " folders",
                 "put them in one folder, or give --output-dir in run"};
}

}  // namespace

Features features_of(int version) {
  return {version >= 2, version == 3, version <= 3, version <= 4};
}

bool is_database_command(const ImageName& image, const std::vector<std::string>& args) {
  const std::string_view command = command_of(args);
  if (image.name == "sqlrunner") return true;
  if (image.name == "ehrql") return is_one_of(command, {"generate-dataset", "generate-measures"});
  if (image.name == "cohortextractor")
    return is_one_of(command, {"generate_cohort", "generate_codelist_report"});
  return image.name == "databuilder" && command == "generate-dataset";
}

std::optional<Problem> check_arguments(const std::vector<std::string>& args) {
  std::size_t total = 0;
  for (const std::string& arg : args) {
    total += arg.size() + 1;
    if (arg.find('\0') != std::string::npos) return Problem{"an argument has a NUL byte", "remove it"};
    if (arg.size() > kMaxArgument)
      return Problem{"an argument is longer than 131,071 bytes", "pass what is long in a file of the study"};
  }
  if (total <= kMaxArguments) return std::nullopt;
  return Problem{"the arguments are longer than 1 MiB together", "pass what is long in a file of the study"};
}

std::optional<Problem> check_output_name(std::string_view name) {
  if (!name.empty() && name.size() <= kMaxOutputName && is_utf8(name) && !has_unprintable(name))
    return std::nullopt;
  return Problem{"output name " + quoted(name, 100) + " is not allowed",
                 "use 1 to 200 bytes without control or invisible characters"};
}

std::optional<Problem> check_level(Level level, const Pattern& pattern) {
  if (level != Level::kModeratelySensitive) return std::nullopt;
  const auto* const found =
      std::find(kModerateExtensions.begin(), kModerateExtensions.end(), pattern.extension());
  if (found != kModerateExtensions.end()) return std::nullopt;
  return Problem{"output pattern " + quoted(pattern.str(), 200) +
                     " has an extension that moderately_sensitive files may not have",
                 "it may be .csv, .jpg, .jpeg, .png, .svg, .svgz, .html, .txt, .log, .json or .md"};
}

std::optional<Problem> check_outputs_of_command(std::string_view action, const ImageName& image,
                                                const std::vector<std::string>& args,
                                                const std::vector<OutputSpec>& outputs) {
  const std::string_view command = command_of(args);
  if (is_one_of(image.name, {"ehrql", "databuilder"}) &&
      is_one_of(command, {"generate-dataset", "generate_dataset"}))
    return check_dataset(action, command, args, outputs);
  if (image.name == "cohortextractor" && command == "generate_cohort")
    return check_cohort(action, args, outputs);
  return std::nullopt;
}

}  // namespace glovebox::detail
