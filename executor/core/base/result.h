// Result<T>: a value or an Error. Every function that can fail returns one, and nobody may ignore it.
#pragma once
#include <optional>
#include <utility>
#include <variant>

#include "core/base/error.h"

namespace glovebox {

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose
  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // Precondition: ok().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  // Precondition: !ok().
  [[nodiscard]] const Error& error() const& { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// Status is the Result of a function that has nothing to say but whether it worked.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose
  [[nodiscard]] bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const& { return *error_; }
  [[nodiscard]] Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};
using Status = Result<void>;

namespace detail {
template <class T>
T take(Result<T>& r) {
  return std::move(r).value();
}
inline void take(Status&) {}
}  // namespace detail

}  // namespace glovebox

// The value of a Result, or return its Error from the enclosing function:
//   auto text = TRY(read_file(path));     TRY(check(text));
#define TRY(expression) GLOVEBOX_TRY_AS(GLOVEBOX_JOIN(try_result_, __COUNTER__), expression)
#define GLOVEBOX_JOIN(a, b) GLOVEBOX_JOIN_NOW(a, b)
#define GLOVEBOX_JOIN_NOW(a, b) a##b
// The name is fresh each time, so that one TRY may stand inside another.
#define GLOVEBOX_TRY_AS(name, expression)           \
  __extension__({                                   \
    auto name = (expression);                       \
    if (!name.ok()) return std::move(name).error(); \
    ::glovebox::detail::take(name);                 \
  })
