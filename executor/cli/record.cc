// glovebox record list|show|verify.
#include <fmt/format.h>

#include "cli/cli.h"
#include "core/base/text.h"
#include "shell/attest/records.h"
#include "shell/attest/verify.h"
#include "shell/sys/fd.h"

namespace glovebox {
namespace {

constexpr std::size_t kListed = 1000;  // newest records

// A mistyped ROOT must not look like one whose records are all in order.
Result<Installation> open_records(const CliContext& context) {
  if (!open_path(context.root + "/state.sqlite", O_PATH).ok()) {
    return invalid("there are no records in " + quoted(context.root), {},
                   "name the state directory with --root DIR");
  }
  return Installation::open(context.root);
}

Result<int> list(const CliContext& context) {
  Installation home = TRY(open_records(context));
  Json all = Json::array();
  std::string text;
  for (const RecordSummary& record : TRY(list_records(home.store(), kListed))) {
    all.push_back(summary_json(record));
    text += fmt::format("{:>6}  {}  {:<9}  {:<16}  {}\n", record.sequence, record.id, record.status,
                        printable(record.workspace, 60), printable(record.action, 130));
  }
  if (all.empty() && !context.json) say("glovebox: there are no records in " + quoted(context.root) + " yet");
  return print(context.json ? dump_json(all) + "\n" : text);
}

Result<int> show(const CliContext& context, const std::string& id) {
  Installation home = TRY(open_records(context));
  const StoredLink link = TRY(find_record(home.store(), id));
  if (context.json) return print(TRY(read_envelope(context.root, link)));
  return print(dump_json_pretty(TRY(read_statement(context.root, link))));
}

Result<int> verify(const CliContext& context, const std::vector<std::string>& ids) {
  Installation home = TRY(open_records(context));
  std::vector<std::string> whole;
  for (const std::string& id : ids) whole.push_back(TRY(find_record(home.store(), id)).id);
  const VerifyReport found = TRY(verify_records(home.store(), trusted(TRY(all_keys(context.root))), whole));
  const int printed = print(context.json ? dump_json(verify_json(found)) + "\n" : verify_text(found));
  TRY(found.status());
  return printed;
}

}  // namespace

void add_record_commands(CLI::App& app, CliContext& context) {
  CLI::App* record =
      app.add_subcommand("record", "The signed records of all attempts")->require_subcommand(1);
  const auto ids = std::make_shared<std::vector<std::string>>();
  const auto finish = [&context](const Result<int>& done) {
    context.exit = done.ok() ? *done : report(done.error());
  };
  record->add_subcommand("list", "The newest records, newest first")->callback([&context, finish] {
    finish(list(context));
  });
  CLI::App* shown =
      record->add_subcommand("show", "The statement of one record (with --json its signed envelope)");
  shown->add_option("ID", *ids, "an attempt's id, or the beginning of one")->required()->expected(1);
  shown->callback([&context, ids, finish] { finish(show(context, ids->at(0))); });
  CLI::App* verified = record->add_subcommand("verify", "Check signatures, files and the chain of records");
  verified->add_option("ID", *ids, "attempts; none named: all, and the chain as a whole");
  verified->footer("Example: glovebox record verify");
  verified->callback([&context, ids, finish] { finish(verify(context, *ids)); });
}

}  // namespace glovebox
