// glovebox key init|show.
#include <unistd.h>

#include <array>

#include "cli/cli.h"
#include "core/provenance/ed25519.h"
#include "shell/attest/keys.h"

namespace glovebox {
namespace {

Result<int> show_keys(const CliContext& context, const std::vector<SigningKey>& keys) {
  Json all = Json::array();
  std::string text;
  for (const SigningKey& key : keys) {
    all.push_back(key_json(key));
    text += "# " + key.builder_id + "\n" + public_key_pem(key.public_key);
  }
  return print(context.json ? dump_json(all) + "\n" : text);
}

Result<int> init(const CliContext& context) {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return errno_error("read the host's name");
  return show_keys(context, {TRY(make_record_key(context.root, name.data()))});
}

Result<int> show(const CliContext& context) {
  return show_keys(context, TRY(all_keys(context.root)));
}

}  // namespace

void add_key_commands(CLI::App& app, CliContext& context) {
  CLI::App* key = app.add_subcommand("key", "The keys that sign records")->require_subcommand(1);
  const auto finish = [&context](const Result<int>& done) {
    context.exit = done.ok() ? *done : report(done.error());
  };
  key->add_subcommand("init", "Make this host's key for production records")->callback([&context, finish] {
    finish(init(context));
  });
  key->add_subcommand("show", "Print the public keys")->callback([&context, finish] {
    finish(show(context));
  });
}

}  // namespace glovebox
