// Is there room on a disk for what is about to be written? Asked before, so that a full disk is found while
// nothing is lost yet.
#pragma once
#include <sys/stat.h>

#include <string>

#include "core/base/result.h"
#include "core/base/types.h"

namespace glovebox {

// Of the host's disk, for records and state (DESIGN.md §10).
inline constexpr ByteCount kDiskReserve = 256ULL << 20U;

// An attempt's scratch image in its run directory: a sparse file that grows to its length.
inline constexpr const char* kScratchImage = "scratch.img";

struct DiskUse {
  std::string what;         // "a scratch", for the message
  ByteCount wanted = 0;     // bytes that will be allocated
  std::string hint;         // what to do where there is no room
  int runs = -1;            // ROOT/run: what its scratch images may still grow by is not free; -1: not asked
  std::string except = {};  // the attempt whose own image grows no more
};

// kHost where the file system of `directory` has not that much free besides what is promised and reserved.
Status check_room(int directory, const DiskUse& use);

// What a file occupies, and so what a copy that keeps its holes will.
ByteCount allocated_bytes(const struct stat& info);

}  // namespace glovebox
