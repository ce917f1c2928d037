// What output checkers see in place of a file that was withheld.
#pragma once
#include <functional>
#include <string>

#include "core/outcome/outcome.h"

namespace glovebox {

// Where the message for `path` stands: `<path>.txt`, or where that is the name of a real output
// `<path>.withheld.txt`, `<path>.withheld-2.txt`, … `is_output` says whether a path is one, of this run or of
// an earlier one. None where the name would be too long for a file system: then there is no message file.
std::optional<std::string> message_path(const std::string& path,
                                        const std::function<bool(const std::string&)>& is_output);

// Every name under which a message for `path` may stand from an earlier run, so that it can be removed.
std::vector<std::string> message_paths(const std::string& path);

// One line of reasons for the manifest: "csv.rows: has more than 5000 rows of data".
std::string reasons_line(const OutputFile& file);

// The file's text: why it is withheld, and what to do. Names the file, the rules and their numbers only.
std::string message_text(const OutputFile& file);

}  // namespace glovebox
