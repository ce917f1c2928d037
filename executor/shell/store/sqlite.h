// SQLite with one owner per handle and errors as values. Everything else of the store is written on this.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/types.h"

struct sqlite3;
struct sqlite3_stmt;

namespace glovebox {

// A prepared statement. Reset and reused for batches: bind(1, …), then step() until it says false.
class Statement {
 public:
  // Positions count from 1. Text and blobs must outlive the next step().
  Statement& bind(int position, std::int64_t value);
  Statement& bind(int position, std::string_view text);
  Statement& bind(int position, const Digest& digest);
  Statement& bind_null(int position);
  // True: there is a row. False: done.
  Result<bool> step();
  // step() until done, then ready to be bound anew.
  Status run();
  void reset();
  // Columns count from 0; valid until the next step().
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  // kIntegrity where the column does not hold 32 bytes.
  [[nodiscard]] Result<Digest> digest(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* database, sqlite3_stmt* statement, const std::string* path)
      : database_(database), statement_(statement), path_(path) {}
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::string* path_;
  int bound_ = 0;  // the first failure of a bind, told by the next step
};

// An open database. Not to be used on both sides of a fork.
class Database {
 public:
  // `path` must exist (an empty file is an empty database). WAL, synchronous=FULL; a busy database is waited
  // for.
  static Result<Database> open(const std::string& path);
  Result<Statement> prepare(std::string_view sql) const;
  // One or several statements without parameters and rows.
  Status execute(const char* sql) const;
  // The single integer of a query such as a PRAGMA.
  Result<std::int64_t> query_integer(std::string_view sql) const;
  // Rows changed by the last statement.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] const std::string& path() const { return *path_; }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Database(sqlite3* database, std::string path)
      : database_(database), path_(std::make_unique<std::string>(std::move(path))) {}
  std::unique_ptr<sqlite3, Close> database_;
  std::unique_ptr<std::string> path_;  // statements point to it, so it must not move with us
};

// A write transaction (BEGIN IMMEDIATE: nobody else writes meanwhile), rolled back unless committed. After a
// successful commit() what it wrote survives a power cut.
class Transaction {
 public:
  static Result<Transaction> begin(const Database& database);
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&& other) noexcept;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(const Database& database) : database_(&database) {}
  const Database* database_;
};

// While this lives, a commit is atomic and ordered after the earlier ones, but reaches the disk only with a
// later one: for what may be lost in a power cut. Made outside of transactions.
class RelaxedCommits {
 public:
  static Result<RelaxedCommits> on(const Database& database);
  RelaxedCommits(RelaxedCommits&& other) noexcept;
  RelaxedCommits& operator=(RelaxedCommits&&) = delete;
  ~RelaxedCommits();

 private:
  explicit RelaxedCommits(const Database& database) : database_(&database) {}
  const Database* database_;
};

}  // namespace glovebox
