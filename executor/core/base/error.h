// What went wrong, in a form that a person and a program can both act on.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace glovebox {

// Who has to act. The exit statuses of DESIGN.md §6 follow from it (core/outcome).
enum class ErrorKind {
  kInvalid,    // the command line, project, request or policy is wrong: its author must change it
  kRefused,    // well-formed, but policy, an input or an image forbids it
  kHost,       // Glovebox or this machine failed; trying again may help
  kIntegrity,  // a digest, signature or chain does not verify
  kCancelled,  // somebody asked to stop
};

// One failure. Never carries data of a study: messages leave the host (G17).
struct Error {
  ErrorKind kind = ErrorKind::kHost;
  std::string message;  // lower case, no full stop; hostile text in it is already escaped
  std::string where;    // "project.yaml:12:5", or empty
  std::string hint;     // what to do about it, or empty
  std::string excerpt;  // the offending line and a caret below it, or empty

  // The same error with what was being attempted put in front: "cannot import x: <message>".
  [[nodiscard]] Error because(std::string_view attempt) const& {
    Error e = *this;
    e.message = std::string(attempt) + ": " + message;
    return e;
  }
};

inline Error invalid(std::string message, std::string where = {}, std::string hint = {}) {
  return {ErrorKind::kInvalid, std::move(message), std::move(where), std::move(hint), {}};
}
inline Error refused(std::string message, std::string hint = {}) {
  return {ErrorKind::kRefused, std::move(message), {}, std::move(hint), {}};
}
inline Error host_error(std::string message, std::string hint = {}) {
  return {ErrorKind::kHost, std::move(message), {}, std::move(hint), {}};
}
inline Error integrity(std::string message, std::string hint = {}) {
  return {ErrorKind::kIntegrity, std::move(message), {}, std::move(hint), {}};
}

}  // namespace glovebox
