#include "core/policy/conditions.h"

#include <algorithm>
#include <tuple>

namespace glovebox {
namespace {

bool test_holds(const ArgumentTest& test, const Arguments& arguments) {
  return std::binary_search(test.any_of.begin(), test.any_of.end(), arguments.at(test.index) & test.mask);
}

bool same_bits(const ArgumentTest& a, const ArgumentTest& b) {
  return a.index == b.index && a.mask == b.mask;
}

// `a` with the values that `b` has too; same_bits(a, b).
ArgumentTest intersected(const ArgumentTest& a, const ArgumentTest& b) {
  ArgumentTest result{a.index, a.mask, {}, {}};
  for (std::size_t i = 0; i < a.any_of.size(); ++i) {
    if (!std::binary_search(b.any_of.begin(), b.any_of.end(), a.any_of[i])) continue;
    result.any_of.push_back(a.any_of[i]);
    if (i < a.names.size()) result.names.push_back(a.names[i]);
  }
  return result;
}

// One test for each (index, mask), in that order; none where two of them leave no value.
std::optional<Conjunction> joined(const Conjunction& a, const Conjunction& b) {
  Conjunction result;
  for (const Conjunction* part : {&a, &b}) {
    for (const ArgumentTest& test : *part) {
      const auto twin = std::find_if(result.begin(), result.end(),
                                     [&](const ArgumentTest& other) { return same_bits(test, other); });
      if (twin == result.end()) {
        result.push_back(test);
      } else {
        *twin = intersected(*twin, test);
      }
    }
  }
  const auto empty = [](const ArgumentTest& test) { return test.any_of.empty(); };
  if (std::any_of(result.begin(), result.end(), empty)) return std::nullopt;
  std::stable_sort(result.begin(), result.end(), [](const ArgumentTest& x, const ArgumentTest& y) {
    return std::tie(x.index, x.mask) < std::tie(y.index, y.mask);
  });
  return result;
}

// Whatever satisfies `narrow` satisfies `wide` (sufficient, not necessary).
bool implies(const Conjunction& narrow, const Conjunction& wide) {
  return std::all_of(wide.begin(), wide.end(), [&](const ArgumentTest& test) {
    return std::any_of(narrow.begin(), narrow.end(), [&](const ArgumentTest& other) {
      return same_bits(test, other) &&
             std::includes(test.any_of.begin(), test.any_of.end(), other.any_of.begin(), other.any_of.end());
    });
  });
}

// Without the alternatives that another one covers; of two equal ones the first stays.
std::vector<Conjunction> without_covered(const std::vector<Conjunction>& all) {
  std::vector<Conjunction> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    bool covered = false;
    for (std::size_t k = 0; k < all.size() && !covered; ++k) {
      covered = k != i && implies(all[i], all[k]) && (k < i || !implies(all[k], all[i]));
    }
    if (!covered) kept.push_back(all[i]);
  }
  return kept;
}

}  // namespace

bool holds(const std::vector<Conjunction>& when, const Arguments& arguments) {
  if (when.empty()) return true;
  return std::any_of(when.begin(), when.end(), [&](const Conjunction& alternative) {
    return std::all_of(alternative.begin(), alternative.end(),
                       [&](const ArgumentTest& test) { return test_holds(test, arguments); });
  });
}

std::optional<std::vector<Conjunction>> both(const std::vector<Conjunction>& a,
                                             const std::vector<Conjunction>& b) {
  if (a.empty() && b.empty()) return std::vector<Conjunction>{};
  const std::vector<Conjunction> always{Conjunction{}};
  std::vector<Conjunction> all;
  for (const Conjunction& left : a.empty() ? always : a) {
    for (const Conjunction& right : b.empty() ? always : b) {
      if (auto alternative = joined(left, right)) all.push_back(*std::move(alternative));
    }
  }
  if (all.empty()) return std::nullopt;
  return without_covered(all);
}

}  // namespace glovebox
