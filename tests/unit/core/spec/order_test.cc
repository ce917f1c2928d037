#include "support.h"

namespace glovebox::spec_tests {
namespace {

std::string order(const Project& p, const std::vector<std::string>& wanted) {
  const auto ordered = p.order(wanted);
  if (!ordered.ok()) return ordered.error().message + " | " + ordered.error().hint;
  std::string text;
  for (const ActionSpec* one : *ordered) text += (text.empty() ? "" : " ") + one->name.str();
  return text;
}

std::string name(int i) {
  return "a" + std::to_string(i);
}

}  // namespace

TEST_CASE("needed actions come first, and otherwise the file's order holds") {
  const Project p = project_of(project(action("last", "needs: [mid, late]") + action("alone") +
                                       action("mid", "needs: [early]") + action("late") + action("early")));
  CHECK(order(p, {"run_all"}) == "early mid late last alone");
  CHECK(order(p, {"last"}) == "early mid late last");
  CHECK(order(p, {"late", "alone", "mid", "alone"}) == "alone early mid late");
  CHECK(order(p, {"early"}) == "early");
  CHECK(order(p, {}).empty());
  CHECK(p.find("mid")->name.str() == "mid");
  CHECK(p.find("run_all") == nullptr);
}

TEST_CASE("an unknown action is refused with the one that was meant") {
  const Project p = project_of(project(action("describe")));
  CHECK(order(p, {"descrbe"}) == "the project has no action \"descrbe\" | did you mean \"describe\"?");
  CHECK(order(p, {"describe", "x\n"}) ==
        "the project has no action \"x\\n\" | \"glovebox project check\" lists the actions");
  CHECK(order(p, {"run-all"}) == "the project has no action \"run-all\" | did you mean \"run_all\"?");
  CHECK(p.order({"x"}).error().kind == ErrorKind::kInvalid);
}

TEST_CASE("a chain as long as a file may hold is followed to its end") {
  std::string text;
  for (int i = 0; i < 20'000; ++i)
    text += action(name(i), i + 1 < 20'000 ? "needs: [" + name(i + 1) + "]" : "");
  const Project p = project_of(project(text));
  const auto ordered = p.order({"a0"});
  REQUIRE(ordered.ok());
  REQUIRE(ordered->size() == 20'000);
  CHECK(ordered->front()->name.str() == "a19999");
  CHECK(ordered->back()->name.str() == "a0");
}

TEST_CASE("a long circle is told short") {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += action(name(i), "needs: [" + name((i + 1) % 2000) + "]");
  CHECK(error_of(project(text)) ==
        "8002:13 actions need each other in a circle: a0 -> a1 -> a2 -> a3 -> a4 -> a5 -> a6 -> … -> a1999 "
        "-> a0 | remove one of these "
        "needs");
}

TEST_CASE("a hand-made project with a circle still has an order") {
  Project p = project_of(project(action("a") + action("b", "needs: [a]")));
  p.actions[0].needs.push_back(p.actions[1].name);
  CHECK(order(p, {"run_all"}) == "b a");
}

}  // namespace glovebox::spec_tests
