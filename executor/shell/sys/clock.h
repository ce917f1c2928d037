// Time, for those in the shell who need it; the core is given it.
#pragma once
#include <chrono>
#include <ctime>
#include <string>

#include "core/base/types.h"

namespace glovebox {

// Now, RFC 3339 in UTC with milliseconds: "2026-01-02T03:04:05.678Z".
inline std::string utc_now() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string stamp(text, length);
  const std::string fraction = std::to_string(1000 + millis).substr(1);
  return stamp + "." + fraction + "Z";
}

// Milliseconds since some fixed moment; never goes back.
inline Millis monotonic_ms() {
  return static_cast<Millis>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                 std::chrono::steady_clock::now().time_since_epoch())
                                 .count());
}

}  // namespace glovebox
