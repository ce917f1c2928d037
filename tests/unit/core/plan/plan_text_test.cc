#include "core/plan/plan_text.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/text.h"
#include "core/policy/load.h"
#include "tests/unit/core/policy/policy_samples.h"

namespace glovebox {
namespace {

Request request() {
  Request request;
  request.workspace = "diabetes";
  request.action = "table1";
  request.image = ImageName::parse("python:v2").value();
  request.args = {"python", "analysis/my table.py"};
  request.environment = {{"OPENSAFELY_BACKEND", "tpp"}};
  request.code = Digest::of("code");
  request.outputs = {{Level::kModeratelySensitive, "table", Pattern::parse("output/*.csv").value()}};
  request.inputs = {{RelPath::parse("output/a.csv").value(), Digest::of("a"), 2048, "attempt-1"}};
  return request;
}

Plan plan_of(const Request& asked) {
  const PolicySet set = test::shipped_policies();
  ImageInfo image;
  image.name = "python:v2";
  image.manifest = Digest::of("manifest");
  image.entrypoint = {"/entrypoint"};
  const HostFacts host{true, "6.18.0", "hybrid", {{"crun", "/usr/bin/crun"}}, 4, 16ULL << 30U};
  return make_plan(asked, set.images.at("python"), set.site, image, host).value();
}

bool has_line(const std::string& text, const std::string& start, const std::string& end) {
  const std::vector<std::string_view> lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
    return line.starts_with(start) && line.find(end) != std::string_view::npos;
  });
}

TEST_CASE("a plan is a page that says what, where from, and what is allowed") {
  const std::string text = plan_text(plan_of(request()));
  CAPTURE(text);
  CHECK(text.starts_with("table1 of diabetes\n"));
  CHECK(has_line(text, "  command         /entrypoint python \"analysis/my table.py\"", ""));
  CHECK(has_line(text, "  image           python:v2", "python is the policy that names it"));
  CHECK(has_line(text, "  code            the working tree", ""));
  CHECK(has_line(text, "  network         loopback alone", "policies/python.yaml:"));
  CHECK(has_line(text, "  memory          4 GiB", "default of policies/base.yaml:"));
  CHECK(has_line(text, "  time            24 h", "policies/base.yaml:"));
  CHECK(has_line(text, "  /tmp            its own, ", "policies/base.yaml:"));
  CHECK(has_line(text, "    output/a.csv  (2 KiB, made by attempt-1)", ""));
  CHECK(has_line(text, "  OPENSAFELY_BACKEND=tpp ", "asked for; passed by policies/base.yaml:"));
  CHECK(has_line(text, "  moderately_sensitive   output/*.csv", ""));
  CHECK(has_line(text, "  rows of CSV     at most 5000", "policies/"));
  CHECK(text.find("the plan is " + plan_digest(plan_of(request())).str()) != std::string::npos);
  CHECK(split(text, '\n').size() < 100);
}

TEST_CASE("its system calls are counted, each once, and those with conditions are named") {
  const Plan plan = plan_of(request());
  const PolicySet set = test::shipped_policies();
  std::size_t always = 0;
  for (const auto& [name, rule] : narrowed(set.images.at("python"), set.site).syscalls.allow)
    always += rule.when.empty() ? 1 : 0;
  CHECK(
      has_line(plan_text(plan), "  allowed         " + std::to_string(always) + " ", "policies/python.yaml"));
  CHECK(has_line(plan_text(plan), "  in part         arch_prctl ", " clone "));
  CHECK(has_line(plan_text(plan), "                  ", " socket "));
}

TEST_CASE("every limit of a plan, variable and waiver is on the page with its reason") {
  Plan plan = plan_of(request());
  plan.waived = {"unsafe_no_cpu_limit"};
  plan.reasons["waived.unsafe_no_cpu_limit"] = "policies/local.yaml:3";
  const std::string text = plan_text(plan);
  for (auto& [field, reason] : plan.reasons) {
    if (field == "masked_paths" || field == "readonly_paths" || field == "argv") continue;
    CAPTURE(field);
    Plan marked = plan;
    marked.reasons[field] = "marked-reason";
    CHECK(plan_text(marked).find("marked-reason") != std::string::npos);
  }
}

TEST_CASE("equal plans give equal pages, and very many inputs and patterns are counted") {
  CHECK(plan_text(plan_of(request())) == plan_text(plan_of(request())));
  Plan plan = plan_of(request());
  for (int i = 0; i < 5000; ++i) {
    plan.inputs.push_back(plan.inputs.front());
    plan.outputs.push_back(plan.outputs.front());
  }
  const std::string text = plan_text(plan);
  CHECK(has_line(text, "  inputs          5001, read-only", ""));
  CHECK(has_line(text, "  and 4981 more inputs", ""));
  CHECK(has_line(text, "  and 4981 more patterns", ""));
  CHECK(split(text, '\n').size() < 150);
}

TEST_CASE("what others wrote cannot act on a terminal, nor begin a line of its own") {
  Request asked = request();
  asked.args = {"a\x1b[2J", "b\nnetwork  all of it", ""};
  asked.environment = {{"OPENSAFELY_BACKEND", "x\ny\x1b]0;"}};
  const std::string text = plan_text(plan_of(asked));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("\nnetwork  all") == std::string::npos);
  CHECK(has_line(text, "  OPENSAFELY_BACKEND=x\\ny\\x1B]0; ", "asked for"));
  CHECK(has_line(text, "  command ", " \"\""));
}

TEST_CASE("a commit is named, and exec's outputs are told to be everything") {
  Request asked = request();
  asked.commit = std::string(40, 'a');
  asked.collect_everything = true;
  asked.outputs.clear();
  const std::string text = plan_text(plan_of(asked));
  CHECK(has_line(text, "  code            commit " + asked.commit, ""));
  CHECK(has_line(text, "  every new or changed file, not judged", ""));
  CHECK(text.find("rows of CSV") == std::string::npos);
}

}  // namespace
}  // namespace glovebox
