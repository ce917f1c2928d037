// The unpacked files of an image: made harmless once, listed, and compared with the listing ever after. Walks
// by descriptor, follows no link, reads file contents only to hash them.
#pragma once
#include <string>
#include <vector>

#include "core/base/types.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Makes the sandbox's mount points real directories (DESIGN.md §9, preflight): /dev /proc /sys /tmp
// /workspace and /.glovebox. Missing ones are made; kRefused where one is a link or a file, since older
// runtimes follow links there.
Status prepare_mount_points(int tree);

// A listing is held in memory, and twice to compare it. The largest image known to be used by studies has one
// of 17 MB.
inline constexpr std::size_t kMaxListingBytes = 256U << 20U;

// One line per entry below the root, parents first, names in byte order, every string ended by NUL:
//   d PATH   f PATH SHA256   x PATH SHA256 (executable)   l PATH TARGET
// The image's tree digest is the digest of this text.
struct Listing {
  std::string text;
  std::uint64_t entries = 0;
  ByteCount bytes = 0;                // of regular files
  std::vector<std::string> problems;  // inspect_tree: what is not as normalise_tree left it, at most 100
  [[nodiscard]] Digest digest() const { return Digest::of(text); }
};

// Gives everything to root, mode 0755 or 0644 (0755 where anybody could execute it), without extended
// attributes, and lists it. kRefused for what is neither file, directory nor link, and where the listing
// would be larger than `most` bytes.
Result<Listing> normalise_tree(int tree, std::size_t most = kMaxListingBytes);

// Lists without changing anything.
Result<Listing> inspect_tree(int tree, std::size_t most = kMaxListingBytes);

// What differs, in words: `changed "usr/bin/x"`, `missing "…"`, `added "…"`; at most `most`.
std::vector<std::string> compare_listings(const std::string& stored, const std::string& present,
                                          std::size_t most);

}  // namespace glovebox
