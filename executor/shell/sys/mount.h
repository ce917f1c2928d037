// Mounts by the kernel's descriptor calls: nothing is mounted by a name that somebody else could swap.
#pragma once
#include <sys/types.h>

#include <string>

#include "core/base/result.h"
#include "shell/sys/fd.h"

namespace glovebox {

// Takes a mount namespace of our own in which nothing propagates in or out.
Status unshare_mounts();

// A user namespace that maps host id `from` (as files have it) to host id `to` (as the action sees it), for
// idmapped mounts.
Result<UniqueFd> idmap_namespace(uid_t from_uid, gid_t from_gid, uid_t to_uid, gid_t to_gid);

enum MountFlags : unsigned { kReadOnly = 1, kNoSuid = 2, kNoDev = 4, kNoExec = 8 };

// A detached copy of the mount at `path` beneath `directory` (may be "" for the descriptor itself), files or
// directories.
Result<UniqueFd> clone_mount(int directory, const std::string& path);
// Sets flags on the mount that the descriptor is the root of, and an idmap where `user_namespace` >= 0.
Status restrict_mount(int mount, unsigned flags, int user_namespace);
// Attaches a detached mount at `path` beneath `directory`; "" is the directory itself.
Status attach_mount(int mount, int directory, const std::string& path);

Status mount_tmpfs(const std::string& target, const std::string& options, unsigned flags);
// An overlay with `options` as given; relative paths in it are looked up from the working directory.
Status mount_overlay(const std::string& target, const std::string& options, unsigned flags);
// Moves a mount to the existing directory `target`.
Status move_mount_to(const std::string& mount, const std::string& target);
Status unmount(const std::string& target);

}  // namespace glovebox
