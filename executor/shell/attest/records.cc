#include "shell/attest/records.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/text.h"
#include "shell/attest/signer.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr const char* kRecords = "records";
constexpr std::size_t kMostFolders = 10'000'000;
constexpr std::size_t kMostFiles = 100;  // of one record

std::string file_of(const RecordFolder& folder, const char* name) {
  return folder.path + "/" + name;
}

Result<UniqueFd> open_state(const std::string& root) {
  return open_path(root, O_RDONLY | O_DIRECTORY);
}

// "2026-11" of "2026-11-22T04:28:01.000Z".
Result<std::string> month_of(const std::string& started) {
  const auto digits = [&](std::size_t from, std::size_t count) {
    return std::all_of(started.begin() + static_cast<std::ptrdiff_t>(from),
                       started.begin() + static_cast<std::ptrdiff_t>(from + count),
                       [](char c) { return c >= '0' && c <= '9'; });
  };
  if (started.size() < 8 || !digits(0, 4) || started[4] != '-' || !digits(5, 2) || started[7] != '-') {
    return invalid(quoted(started, 40) + " is not a time");
  }
  return started.substr(0, 7);
}

// The statement names these files by their digests: they must not be lost where it is not. Their names and
// the folder's own are durable with the two directories; ROOT/records is made so when it is made.
Status make_durable(int root, const RecordFolder& folder) {
  for (const std::string& name : TRY(list_directory(folder.fd.get(), kMostFiles))) {
    const UniqueFd file = TRY(open_beneath(folder.fd.get(), name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
    TRY(sync_fd(file.get()));
  }
  TRY(sync_fd(folder.fd.get()));
  const std::string month = folder.path.substr(0, folder.path.rfind('/'));
  const UniqueFd parent = TRY(open_beneath(root, month, O_RDONLY | O_DIRECTORY));
  return sync_fd(parent.get());
}

Result<std::string> sealed(const SigningKey& key, std::string payload) {
  Envelope envelope;
  envelope.payload_type = kInTotoType;
  const Signature signature = TRY(sign(key, dsse_pae(kInTotoType, payload)));
  envelope.payload = std::move(payload);
  envelope.signatures.push_back({std::string(signature.begin(), signature.end()), key_id(key.public_key)});
  return envelope_text(envelope);
}

// Writes an envelope that the chain has. One that is there is left alone: it is whole (a file is renamed into
// place), and if it is another one, `record verify` must see that.
Status write_envelope(int root, const StoredLink& link, const std::string& envelope) {
  if (::faccessat(root, link.path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return {};
  const std::string folder = link.path.substr(0, link.path.rfind('/'));
  TRY(make_directories(root, folder, 0700));
  return replace_file(root, link.path, envelope, 0600);
}

// The state database is new, yet there may be records of before: the chain goes on where they end, rather
// than beginning again at 1.
Result<bool> take_up_chain(Store& store) {
  const std::vector<StoredLink> links =
      TRY(chain_on_disk(store.root(), trusted(TRY(all_keys(store.root())))));
  if (links.empty()) return false;
  return adopt_chain(store, links);
}

Result<Reservation> next_place(Store& store) {
  {
    Reservation reservation = TRY(next_link(store));
    if (reservation.place().sequence > 1) return reservation;
  }
  (void)TRY(take_up_chain(store));
  return next_link(store);
}

const Json* member(const Json* json, const char* key) {
  if (json == nullptr || !json->is_object()) return nullptr;
  const auto found = json->find(key);
  return found == json->end() ? nullptr : &*found;
}

std::string text_in(const Json& json, std::initializer_list<const char*> path) {
  const Json* at = &json;
  for (const char* key : path) at = member(at, key);
  return at != nullptr && at->is_string() ? printable(at->get<std::string>(), 200) : std::string();
}

}  // namespace

Result<RecordFolder> make_record_folder(const std::string& root, const AttemptId& id,
                                        const std::string& started) {
  const std::string path = std::string(kRecords) + "/" + TRY(month_of(started)) + "/" + id.str();
  const UniqueFd state = TRY(open_state(root));
  const bool fresh = ::faccessat(state.get(), kRecords, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  UniqueFd folder = TRY(make_directories(state.get(), path, 0700));
  if (fresh) {
    const UniqueFd records = TRY(open_beneath(state.get(), kRecords, O_RDONLY | O_DIRECTORY));
    TRY(sync_fd(records.get()));
    TRY(sync_fd(state.get()));
  }
  return RecordFolder{id, path, std::move(folder)};
}

Status put_record_file(const RecordFolder& folder, const char* name, const std::string& text) {
  const UniqueFd file = TRY(open_beneath(folder.fd.get(), name, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  return write_all(file.get(), text);
}

Result<WrittenRecord> write_record(Store& store, const SigningKey& key, const RecordFolder& folder,
                                   const StatementAt& statement_at, const AttemptChange& change) {
  const UniqueFd root = TRY(open_state(store.root()));
  TRY(settle_records(store));
  TRY(make_durable(root.get(), folder));
  Reservation reservation = TRY(next_place(store));
  const std::string envelope = TRY(sealed(key, TRY(statement_at(reservation.place()))));
  if (envelope.size() > kMaxEnvelope) {  // nobody could verify it, nor the chain with it, ever again
    return host_error("the record is larger than " + format_bytes(kMaxEnvelope),
                      "it takes no place in the chain");
  }
  const StoredLink link{reservation.place().sequence, folder.id.str(), file_of(folder, kEnvelopeFile),
                        Digest::of(envelope)};
  TRY(reservation.commit({link.id, link.path, envelope}, change));
  // A file there now is of no record: only this attempt writes here, and it has had none until this commit.
  TRY(replace_file(root.get(), link.path, envelope, 0600));
  TRY(mark_settled(store, link.sequence));
  return WrittenRecord{link.sequence, store.root() + "/" + link.path, link.digest};
}

Status settle_records(Store& store) {
  const UniqueFd root = TRY(open_state(store.root()));
  return settle(store, [&](const StoredLink& link, const std::string& envelope) {
    return write_envelope(root.get(), link, envelope);
  });
}

Result<std::string> read_envelope(const std::string& root, const StoredLink& link) {
  const UniqueFd state = TRY(open_state(root));
  return read_beneath(state.get(), link.path, kMaxEnvelope);
}

Result<Json> read_statement(const std::string& root, const StoredLink& link) {
  const Envelope envelope = TRY(parse_envelope(TRY(read_envelope(root, link)), link.path));
  return parse_json(envelope.payload, link.path);
}

Result<std::vector<RecordSummary>> list_records(const Store& store, std::size_t most) {
  std::vector<StoredLink> links = TRY(stored_links(store));
  std::reverse(links.begin(), links.end());
  if (links.size() > most) links.resize(most);
  std::vector<RecordSummary> summaries;
  for (const StoredLink& link : links) {
    RecordSummary summary;
    summary.sequence = link.sequence;
    summary.id = link.id;
    summary.path = link.path;
    const auto statement = read_statement(store.root(), link);
    if (statement.ok()) {
      summary.workspace =
          text_in(*statement, {"predicate", "buildDefinition", "externalParameters", "workspace"});
      summary.action = text_in(*statement, {"predicate", "buildDefinition", "externalParameters", "action"});
      summary.status = text_in(*statement, {"predicate", "runDetails", "glovebox_result", "status"});
      summary.started = text_in(*statement, {"predicate", "runDetails", "metadata", "startedOn"});
      summary.finished = text_in(*statement, {"predicate", "runDetails", "metadata", "finishedOn"});
    } else {
      summary.status = "unreadable";
    }
    summaries.push_back(std::move(summary));
  }
  return summaries;
}

Json summary_json(const RecordSummary& summary) {
  Json json;
  json["seq"] = summary.sequence;
  json["id"] = summary.id;
  json["workspace"] = summary.workspace;
  json["action"] = summary.action;
  json["status"] = summary.status;
  json["started"] = summary.started;
  json["finished"] = summary.finished;
  json["path"] = summary.path;
  return json;
}

Result<StoredLink> find_record(const Store& store, const std::string& text) {
  std::optional<StoredLink> found;
  std::size_t matches = 0;
  for (StoredLink& link : TRY(stored_links(store))) {
    if (link.id == text) return std::move(link);
    if (text.empty() || !link.id.starts_with(text)) continue;
    ++matches;
    found = std::move(link);
  }
  if (matches == 1) return *std::move(found);
  if (matches > 1) {
    return invalid(std::to_string(matches) + " records begin with " + quoted(text), {},
                   "give more of the id");
  }
  if (TRY(store.attempt(text))) {
    return invalid("the attempt " + quoted(text) + " has no record yet", {},
                   "it is running, or was cut off: the next `glovebox run` records that");
  }
  return invalid("there is no record " + quoted(text), {}, "see glovebox record list");
}

Result<std::vector<FolderOnDisk>> record_folders(const std::string& root) {
  const UniqueFd state = TRY(open_state(root));
  std::vector<FolderOnDisk> folders;
  if (::faccessat(state.get(), kRecords, F_OK, AT_SYMLINK_NOFOLLOW) != 0) return folders;
  const UniqueFd records = TRY(open_beneath(state.get(), kRecords, O_RDONLY | O_DIRECTORY));
  for (const std::string& month : TRY(list_directory(records.get(), kMostFolders))) {
    const std::string path = std::string(kRecords) + "/" + month;
    const auto directory = open_beneath(records.get(), month, O_RDONLY | O_DIRECTORY);
    if (!directory.ok()) {
      folders.push_back({month, path});  // not ours: `record verify` tells
      continue;
    }
    for (const std::string& id : TRY(list_directory(directory->get(), kMostFolders))) {
      folders.push_back({id, path + "/" + id});
    }
  }
  return folders;
}

Result<std::vector<StoredLink>> chain_on_disk(const std::string& root, const std::vector<TrustedKey>& keys) {
  std::vector<StoredLink> links;
  for (const FolderOnDisk& folder : TRY(record_folders(root))) {
    StoredLink link{0, folder.id, folder.path + "/" + kEnvelopeFile, {}};
    const auto text = read_envelope(root, link);
    const auto envelope = text.ok() ? parse_envelope(*text, link.path) : Result<Envelope>(text.error());
    if (!envelope.ok()) continue;
    const auto record = verify_envelope(*envelope, keys);
    const auto place = record.ok() ? chain_link(*record, *text) : Result<ChainLink>(record.error());
    if (!place.ok()) continue;
    link.sequence = place->seq;
    link.digest = place->envelope;
    links.push_back(std::move(link));
  }
  std::sort(links.begin(), links.end(),
            [](const StoredLink& a, const StoredLink& b) { return a.sequence < b.sequence; });
  const auto same = [](const StoredLink& a, const StoredLink& b) { return a.sequence == b.sequence; };
  links.erase(std::unique(links.begin(), links.end(), same), links.end());
  return links;
}

}  // namespace glovebox
