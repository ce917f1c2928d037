// The tables of state.sqlite and how an older database becomes a present one.
#pragma once
#include "shell/store/sqlite.h"

namespace glovebox {

// The number of the present schema, kept in the database's user_version.
std::int64_t schema_version();

// Brings `database` to the present schema, each step in a transaction of its own. kHost where it was written
// by a newer Glovebox, kIntegrity where it is some other program's database.
Status migrate(const Database& database);

}  // namespace glovebox
