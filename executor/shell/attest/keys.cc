#include "shell/attest/keys.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/text.h"
#include "core/provenance/statement.h"
#include "shell/attest/signer.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr const char* kBuilderFile = "builder-id";
constexpr std::size_t kMostKeys = 1000;

std::string keys_path(const std::string& root) {
  return root + "/keys";
}

Status check_private_folder(const struct stat& info, const std::string& path) {
  if (info.st_uid == ::geteuid() && (info.st_mode & 077) == 0) return {};
  return host_error("others may reach into the key folder " + quoted(path),
                    "chown " + std::to_string(::geteuid()) + " and chmod 700 " + quoted(path) +
                        "; if somebody may have read the key, make a new one");
}

Result<UniqueFd> open_keys(const std::string& root) {
  const UniqueFd state = TRY(open_path(root, O_RDONLY | O_DIRECTORY));
  UniqueFd keys = TRY(make_directories(state.get(), "keys", 0700));
  TRY(check_private_folder(TRY(stat_of(keys.get())), keys_path(root)));
  return keys;
}

bool exists(int directory, const std::string& name) {
  return ::faccessat(directory, name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<SigningKey> read_public_part(int keys, const std::string& path, const std::string& name) {
  const UniqueFd folder = TRY(open_beneath(keys, name, O_RDONLY | O_DIRECTORY));
  SigningKey key{name, path + "/" + name, {}, {}};
  const auto parsed = parse_public_key_pem(TRY(read_beneath(folder.get(), kPublicKeyFile, 4096)));
  if (!parsed) return integrity(quoted(key.path + "/" + kPublicKeyFile) + ": " + parsed.error().message);
  key.public_key = *parsed;
  key.builder_id = TRY(read_beneath(folder.get(), kBuilderFile, 400));
  while (!key.builder_id.empty() && key.builder_id.back() == '\n') key.builder_id.pop_back();
  if (key.builder_id.empty() || has_unprintable(key.builder_id)) {
    return integrity(quoted(key.path + "/" + kBuilderFile) + " does not hold a builder.id");
  }
  return key;
}

// Makes the folder under another name, complete and durable, and gives it its name last: a key is there
// altogether or not at all.
Result<SigningKey> make_key(const std::string& root, const std::string& name, const std::string& builder) {
  const UniqueFd keys = TRY(open_keys(root));
  const FileLock making = TRY(FileLock::take(keys.get(), ".lock"));
  if (exists(keys.get(), name)) return read_public_part(keys.get(), keys_path(root), name);
  const std::string fresh = "." + name + ".new";
  TRY(remove_tree(keys.get(), fresh));
  const UniqueFd folder = TRY(make_directories(keys.get(), fresh, 0700));
  const PublicKey public_key = TRY(generate_key(folder.get()));
  TRY(replace_file(folder.get(), kPublicKeyFile, public_key_pem(public_key), 0644));
  TRY(replace_file(folder.get(), kBuilderFile, builder + "\n", 0644));
  if (::renameat(keys.get(), fresh.c_str(), keys.get(), name.c_str()) != 0) {
    return errno_error("put the key " + quoted(name) + " in place");
  }
  TRY(sync_fd(keys.get()));
  return SigningKey{name, keys_path(root) + "/" + name, public_key, builder};
}

bool is_host_name(const std::string& host) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), fits);  // RFC 1123
}

}  // namespace

Status check_private_file(const struct stat& info, const std::string& path) {
  if (!S_ISREG(info.st_mode)) return host_error("the private key " + quoted(path) + " is not a file");
  if (info.st_uid != ::geteuid()) {
    return host_error("the private key " + quoted(path) + " belongs to uid " + std::to_string(info.st_uid),
                      "make a new key; that user can forge records with this one");
  }
  if ((info.st_mode & 077) != 0) {
    return host_error("others may read the private key " + quoted(path),
                      "chmod 600 " + quoted(path) + "; if somebody may have read it, make a new key");
  }
  return {};
}

Result<SigningKey> load_key(const std::string& root, const std::string& name) {
  const UniqueFd keys = TRY(open_keys(root));
  if (!exists(keys.get(), name)) {
    return invalid("there is no key " + quoted(name) + " in " + quoted(keys_path(root)), {},
                   "make it with `glovebox key init`");
  }
  SigningKey key = TRY(read_public_part(keys.get(), keys_path(root), name));
  const UniqueFd folder = TRY(open_beneath(keys.get(), name, O_RDONLY | O_DIRECTORY));
  TRY(check_private_folder(TRY(stat_of(folder.get())), key.path));
  struct stat info {};
  if (::fstatat(folder.get(), kPrivateKeyFile, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno_error("find the private key " + quoted(key.path + "/" + kPrivateKeyFile));
  }
  TRY(check_private_file(info, key.path + "/" + kPrivateKeyFile));
  return key;
}

Result<SigningKey> local_key(const std::string& root) {
  const UniqueFd keys = TRY(open_keys(root));
  if (!exists(keys.get(), kLocalKey)) (void)TRY(make_key(root, kLocalKey, std::string(kLocalBuilder)));
  return load_key(root, kLocalKey);
}

Result<SigningKey> make_record_key(const std::string& root, const std::string& host) {
  if (!is_host_name(host)) return invalid(quoted(host) + " is not a host name");
  const UniqueFd keys = TRY(open_keys(root));
  if (exists(keys.get(), kRecordKey)) {
    return invalid("there is already a key for records in " + quoted(keys_path(root) + "/" + kRecordKey), {},
                   "print it with `glovebox key show`");
  }
  return make_key(root, kRecordKey, builder_id(host));
}

Result<std::vector<SigningKey>> all_keys(const std::string& root) {
  const UniqueFd keys = TRY(open_keys(root));
  std::vector<SigningKey> found;
  for (const std::string& name : TRY(list_directory(keys.get(), kMostKeys))) {
    if (name[0] == '.') continue;
    found.push_back(TRY(read_public_part(keys.get(), keys_path(root), name)));
  }
  return found;
}

std::vector<TrustedKey> trusted(const std::vector<SigningKey>& keys) {
  std::vector<TrustedKey> out;
  out.reserve(keys.size());
  for (const SigningKey& key : keys) out.push_back({key.public_key, key.builder_id});
  return out;
}

Json key_json(const SigningKey& key) {
  Json json;
  json["name"] = key.name;
  json["keyid"] = key_id(key.public_key);
  json["builder_id"] = key.builder_id;
  json["public_key"] = public_key_pem(key.public_key);
  json["path"] = key.path + "/" + kPublicKeyFile;
  return json;
}

}  // namespace glovebox
