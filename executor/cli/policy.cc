// glovebox policy check.
#include <fmt/format.h>

#include "cli/cli.h"
#include "core/base/text.h"

namespace glovebox {
namespace {

std::string policies_text(const PolicySet& set) {
  std::string text = fmt::format("{:<8}  {:<8}  {:>5}  {}\n", "policy", "images", "calls", "for");
  const auto line = [&](const Policy& policy) {
    text += fmt::format("{:<8}  {:<8}  {:>5}  {}\n", policy.name,
                        policy.images.empty() ? "-" : join(policy.images, ", "), policy.syscalls.allow.size(),
                        policy.summary);
  };
  for (const auto& [name, policy] : set.images) line(policy);
  line(set.site);
  line(set.local);
  return text + "all policies are sound\n";
}

Json policies_json(const PolicySet& set) {
  Json list = Json::array();
  const auto entry = [&](const Policy& policy) {
    list.push_back(
        {{"policy", policy.name}, {"digest", policy_digest(policy).str()}, {"images", policy.images}});
  };
  for (const auto& [name, policy] : set.images) entry(policy);
  entry(set.site);
  entry(set.local);
  return Json{{"verdict", "valid"}, {"policies", std::move(list)}};
}

int check_command(const CliContext& context, const std::string& folder) {
  const Result<PolicyLoad> load = read_policies(folder.empty() ? policies_folder(context) : folder);
  const std::vector<Error> errors = load.ok() ? load->errors : std::vector<Error>{load.error()};
  if (!errors.empty()) {
    if (context.json) print(dump_json(invalid_json(errors)) + "\n");
    report(errors);
    return 2;
  }
  return print(context.json ? dump_json(policies_json(load->set)) + "\n" : policies_text(load->set));
}

}  // namespace

void add_policy_commands(CLI::App& app, CliContext& context) {
  CLI::App* policy = app.add_subcommand("policy", "What actions may do")->require_subcommand(1);
  const auto folder = std::make_shared<std::string>();
  CLI::App* check = policy->add_subcommand("check", "Judge every policy file; needs no root");
  check->add_option("DIR", *folder, "directory of the policy files");
  check->footer("Example: glovebox policy check policies/");
  check->callback([&context, folder] { context.exit = check_command(context, *folder); });
}

}  // namespace glovebox
