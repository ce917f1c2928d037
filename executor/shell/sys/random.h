// Random numbers from the kernel.
#pragma once
#include <cstddef>
#include <string>

#include "core/base/result.h"

namespace glovebox {

// As many random bytes, at most 256, in hexadecimal.
Result<std::string> random_hex(std::size_t bytes);

}  // namespace glovebox
