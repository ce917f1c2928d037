// The names that policies use for numbers of the kernel's interface: errno values and arguments of system
// calls.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glovebox {

// The errno values with which a policy may refuse: those that programs take for "not here" or "not
// permitted".
std::optional<int> errno_value(std::string_view name);
std::string errno_name(int value);  // the number itself where it has no name here
std::vector<std::string> errno_names();

// An argument's value by its name in the kernel's headers ("AF_UNIX").
std::optional<std::uint64_t> argument_value(std::string_view name);
std::vector<std::string> argument_names();

}  // namespace glovebox
