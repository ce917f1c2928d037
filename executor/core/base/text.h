// Text that other people wrote: is it sound, and how to show it (G9).
#pragma once
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace glovebox {

// Well-formed UTF-8: no overlong forms, surrogates or code points past U+10FFFF.
bool is_utf8(std::string_view text);

// True where `text` holds a C0 or C1 control, DEL, or a code point that reorders or hides text (bidirectional
// controls, zero-width, line and paragraph separators, byte-order mark). Precondition: is_utf8(text).
bool has_unprintable(std::string_view text);

// `text` made safe for a terminal, a log line or a message: what is not printable becomes \n, \t, \xHH or
// \u{H}, and more than `max_bytes` of result is cut with "…". Never throws, any bytes.
std::string printable(std::string_view text, std::size_t max_bytes = 400);

// printable() in quotes, for names in messages: "a b.csv". An object and not a function, so that std::quoted
// is never found in its place where <iomanip> is included.
struct InQuotes {
  std::string operator()(std::string_view text, std::size_t max_bytes = 400) const;
};
inline constexpr InQuotes quoted;

// Words of a POSIX shell command line as Python's shlex.split(s) reads them (quotes and backslashes, no
// expansion, no comments). False, with the reason in `error`, for an unclosed quote or a trailing backslash.
bool shell_split(std::string_view text, std::vector<std::string>& words, std::string& error);

// The parts are views of `text`, which must outlive them: a temporary string is refused.
std::vector<std::string_view> split(std::string_view text, char separator);
template <std::same_as<std::string> Temporary>
std::vector<std::string_view> split(Temporary&& text, char separator) = delete;
std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string base64_encode(std::string_view data);  // standard alphabet, padded
// The standard or the URL-safe alphabet, not both in one text; padding may be left out. Nothing for any other
// character (white space too), a wrong length, or bits set that no byte takes.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex_encode(std::string_view data);

// The candidate nearest to `word` (edit distance at most 2 and below half its length), or empty: "did you
// mean".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace glovebox
