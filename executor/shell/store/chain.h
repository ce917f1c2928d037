// The chain of records: every record has the next sequence number and the digest of the record before it, so
// that one taken away or exchanged later shows.
//
// The database's commit is the instant at which a record exists. The envelope is committed together with its
// place in the chain and written to its file afterwards: killed before the commit, there is no record and no
// number was used; killed after it, settle() writes the file. So no two records ever have one number,
// whatever dies when, and a gap or an unknown envelope always means tampering.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shell/store/sqlite.h"
#include "shell/store/store.h"

namespace glovebox {

// Where the next record stands.
struct ChainPlace {
  std::uint64_t sequence = 1;      // from 1
  std::optional<Digest> previous;  // SHA-256 of the previous envelope's bytes; none for the first
};

// A record that is in the chain.
struct StoredLink {
  std::uint64_t sequence = 0;
  std::string id;
  std::string path;  // of the envelope, relative to ROOT
  Digest digest;     // SHA-256 of the envelope's bytes
};

struct NewRecord {
  std::string id;
  std::string path;
  std::string envelope;
};

// A place in the chain that nobody else can take while this lives. Signing happens meanwhile, so it should
// live for milliseconds. Dropped without commit(), it was never there. Must not outlive the store.
class Reservation {
 public:
  [[nodiscard]] const ChainPlace& place() const { return place_; }
  // Enters the record and, in the same transaction, finalizes its attempt (kRecorded with `change`), where
  // the database knows one by that id. An id that already has a record: kInvalid.
  Status commit(const NewRecord& record, const AttemptChange& change);

 private:
  friend Result<Reservation> next_link(Store& store);
  Reservation(const Database& database, Transaction transaction, ChainPlace place)
      : database_(&database), transaction_(std::move(transaction)), place_(place) {}
  const Database* database_;
  Transaction transaction_;
  ChainPlace place_;
};

// Waits until no other process holds a reservation.
Result<Reservation> next_link(Store& store);

// The whole chain in order, or the link of one attempt.
Result<std::vector<StoredLink>> stored_links(const Store& store);
Result<std::optional<StoredLink>> stored_link(const Store& store, const std::string& id);

// Hands every record whose file is not known to be durable (its writer was killed) to `write`, which makes it
// so, and remembers those for which it succeeded. The first error ends it. Next to free where there is none.
Status settle(Store& store,
              const std::function<Status(const StoredLink& link, const std::string& envelope)>& write);

// The file of this record is durable: the database no longer needs the envelope. (Lost in a power cut, this
// is done again.)
Status mark_settled(Store& store, std::uint64_t sequence);

// Takes up a chain from records found on disk into a database that has none (it was lost or is new). False,
// changing nothing, where it has one.
Result<bool> adopt_chain(Store& store, const std::vector<StoredLink>& links);

}  // namespace glovebox
