#include "shell/store/chain.h"

#include "core/base/text.h"

namespace glovebox {
namespace {

constexpr const char* kSelectLink = "SELECT sequence, id, path, digest FROM links ";

Result<StoredLink> link_of(const Statement& statement) {
  return StoredLink{static_cast<std::uint64_t>(statement.integer(0)), statement.text(1), statement.text(2),
                    TRY(statement.digest(3))};
}

Status insert_link(const Database& database, const StoredLink& link, const std::string* envelope) {
  Statement insert = TRY(database.prepare("INSERT INTO links VALUES (?1, ?2, ?3, ?4, ?5)"));
  insert.bind(1, static_cast<std::int64_t>(link.sequence)).bind(2, link.id).bind(3, link.path);
  insert.bind(4, link.digest);
  if (envelope != nullptr) {
    insert.bind(5, *envelope);
  } else {
    insert.bind_null(5);
  }
  return insert.run();
}

Result<std::int64_t> count_of(const Database& database, const char* sql, const std::string& id) {
  Statement count = TRY(database.prepare(sql));
  count.bind(1, id);
  if (!TRY(count.step())) return std::int64_t{0};
  return count.integer(0);
}

}  // namespace

Result<Reservation> next_link(Store& store) {
  const Database& database = store.database();
  Transaction transaction = TRY(Transaction::begin(database));
  ChainPlace place;
  {
    Statement last = TRY(database.prepare(std::string(kSelectLink) + "ORDER BY sequence DESC LIMIT 1"));
    if (TRY(last.step())) {
      const StoredLink link = TRY(link_of(last));
      place = {link.sequence + 1, link.digest};
    }
  }
  return Reservation(database, std::move(transaction), place);
}

Status Reservation::commit(const NewRecord& record, const AttemptChange& change) {
  if (TRY(count_of(*database_, "SELECT count(*) FROM links WHERE id = ?1", record.id)) != 0) {
    return invalid("the attempt " + quoted(record.id) + " already has a record");
  }
  const StoredLink link{place_.sequence, record.id, record.path, Digest::of(record.envelope)};
  TRY(insert_link(*database_, link, &record.envelope));
  if (TRY(count_of(*database_, "SELECT count(*) FROM attempts WHERE id = ?1", record.id)) != 0) {
    (void)TRY(advance_within(*database_, record.id, JobEvent::kRecorded, change));
  }
  return transaction_.commit();
}

Result<std::vector<StoredLink>> stored_links(const Store& store) {
  Statement statement = TRY(store.database().prepare(std::string(kSelectLink) + "ORDER BY sequence"));
  std::vector<StoredLink> links;
  while (TRY(statement.step())) links.push_back(TRY(link_of(statement)));
  return links;
}

Result<std::optional<StoredLink>> stored_link(const Store& store, const std::string& id) {
  Statement statement = TRY(store.database().prepare(std::string(kSelectLink) + "WHERE id = ?1"));
  statement.bind(1, id);
  if (!TRY(statement.step())) return std::optional<StoredLink>();
  return std::optional<StoredLink>(TRY(link_of(statement)));
}

Status settle(Store& store,
              const std::function<Status(const StoredLink& link, const std::string& envelope)>& write) {
  std::vector<std::pair<StoredLink, std::string>> unsettled;
  {
    Statement statement =
        TRY(store.database().prepare("SELECT sequence, id, path, digest, envelope FROM links WHERE envelope "
                                     "IS NOT NULL ORDER BY sequence"));
    while (TRY(statement.step())) unsettled.emplace_back(TRY(link_of(statement)), statement.text(4));
  }
  for (const auto& [link, envelope] : unsettled) {
    if (Digest::of(envelope) != link.digest) {
      return integrity("the record " + quoted(link.id) + " in the state database does not have its digest");
    }
    TRY(write(link, envelope));
    TRY(mark_settled(store, link.sequence));
  }
  return {};
}

Status mark_settled(Store& store, std::uint64_t sequence) {
  const RelaxedCommits relaxed = TRY(RelaxedCommits::on(store.database()));
  Statement clear = TRY(store.database().prepare("UPDATE links SET envelope = NULL WHERE sequence = ?1"));
  clear.bind(1, static_cast<std::int64_t>(sequence));
  return clear.run();
}

Result<bool> adopt_chain(Store& store, const std::vector<StoredLink>& links) {
  const Database& database = store.database();
  Transaction transaction = TRY(Transaction::begin(database));
  if (TRY(database.query_integer("SELECT count(*) FROM links")) != 0) return false;
  for (const StoredLink& link : links) TRY(insert_link(database, link, nullptr));
  TRY(transaction.commit());
  return true;
}

}  // namespace glovebox
