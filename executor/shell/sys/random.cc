#include "shell/sys/random.h"

#include <sys/random.h>

#include "core/base/text.h"
#include "shell/sys/file.h"

namespace glovebox {

Result<std::string> random_hex(std::size_t bytes) {
  std::string random(bytes, '\0');
  // Up to 256 bytes come whole, or not at all (getrandom(2)).
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return errno_error("get random bytes");
  return hex_encode(random);
}

}  // namespace glovebox
