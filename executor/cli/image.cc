// glovebox image import|list|inspect|verify|remove.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "core/base/text.h"
#include "shell/host/uids.h"
#include "shell/images/store.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

struct ImageArguments {
  std::string path;
  std::string name;
};

// The image store of ROOT, with a worker uid of its own for whatever has to be parsed.
struct OpenStore {
  UniqueFd root;
  UidLease worker;
  ImageStore images;
};

Result<OpenStore> open_store(const CliContext& context) {
  if (::geteuid() != 0) return host_error("images are kept by root", "run this command as root");
  if (::mkdir(context.root.c_str(), 0711) == 0) ::chmod(context.root.c_str(), 0711);
  UniqueFd root = TRY(open_path(context.root, O_RDONLY | O_DIRECTORY));
  UidLease worker = TRY(UidLease::take());
  ImageStoreOptions options;
  options.worker = worker.uid();
  options.progress = [](const std::string& text) { show_progress(text); };
  ImageStore images = TRY(ImageStore::open(root.get(), options));
  return OpenStore{std::move(root), std::move(worker), std::move(images)};
}

std::string image_line(const StoredImage& image) {
  return fmt::format("{:<14} {:>10}  {}\n", image.name, format_bytes(image.record.bytes),
                     image.record.manifest.digest.str());
}

Result<int> import_image(const CliContext& context, const ImageArguments& arguments) {
  OpenStore store = TRY(open_store(context));
  const StoredImage image = TRY(store.images.import(arguments.path, arguments.name));
  return print(context.json ? dump_json(inspect_json(image.record, image.name)) + "\n"
                            : "imported " + image_line(image));
}

Result<int> list_images(const CliContext& context) {
  const OpenStore store = TRY(open_store(context));
  Json list = Json::array();
  std::string text;
  for (const StoredImage& image : TRY(store.images.list())) {
    list.push_back(inspect_json(image.record, image.name));
    text += image_line(image);
  }
  if (list.empty() && !context.json) {
    say("glovebox: there are no images in " + quoted(context.root));
    say("glovebox: hint: take one in with: glovebox image import PATH");
  }
  return print(context.json ? dump_json(list) + "\n" : text);
}

Result<int> inspect_image(const CliContext& context, const ImageArguments& arguments) {
  const OpenStore store = TRY(open_store(context));
  const StoredImage image = TRY(store.images.find(TRY(ImageName::parse(arguments.name))));
  const Json json = inspect_json(image.record, image.name);
  return print(context.json ? dump_json(json) + "\n" : dump_json_pretty(json));
}

Result<int> verify_image(const CliContext& context, const ImageArguments& arguments) {
  const OpenStore store = TRY(open_store(context));
  const ImageName name = TRY(ImageName::parse(arguments.name));
  const std::vector<std::string> problems = TRY(store.images.verify(name));
  const Json json{
      {"image", name.str()}, {"verdict", problems.empty() ? "intact" : "changed"}, {"problems", problems}};
  std::string text;
  for (const std::string& problem : problems) text += problem + "\n";
  const int printed = print(context.json       ? dump_json(json) + "\n"
                            : problems.empty() ? name.str() + " is intact\n"
                                               : text);
  if (problems.empty()) return printed;
  return integrity(name.str() + " is not what was imported", "remove it and import it again");
}

Result<int> remove_image(const CliContext& context, const ImageArguments& arguments) {
  OpenStore store = TRY(open_store(context));
  const ImageName name = TRY(ImageName::parse(arguments.name));
  TRY(store.images.remove(name));
  return print(context.json ? dump_json(Json{{"removed", name.str()}}) + "\n"
                            : "removed " + name.str() + "\n");
}

template <class Command>
void set_callback(CLI::App* app, CliContext& context, Command command) {
  app->callback([&context, command] {
    const Result<int> done = command();
    context.exit = done.ok() ? *done : report(done.error());
  });
}

}  // namespace

void add_image_commands(CLI::App& app, CliContext& context) {
  CLI::App* image = app.add_subcommand("image", "The images that actions run in")->require_subcommand(1);
  const auto arguments = std::make_shared<ImageArguments>();
  CLI::App* import =
      image->add_subcommand("import", "Take in an OCI layout folder, an OCI archive or a docker archive");
  import->add_option("PATH", arguments->path, "the folder or archive")->required();
  import->add_option("NAME", arguments->name, "name:version, where the image has another or none");
  import->footer("Example: glovebox image import ./python-layout python:v2");
  set_callback(import, context, [&context, arguments] { return import_image(context, *arguments); });
  set_callback(image->add_subcommand("list", "List the images"), context,
               [&context] { return list_images(context); });
  const auto named = [&](const char* verb, const char* text) {
    CLI::App* command = image->add_subcommand(verb, text);
    command->add_option("NAME", arguments->name, "for example python:v2")->required();
    return command;
  };
  set_callback(named("inspect", "What an image says of itself, and its digests"), context,
               [&context, arguments] { return inspect_image(context, *arguments); });
  set_callback(named("verify", "Read every byte of an image again"), context,
               [&context, arguments] { return verify_image(context, *arguments); });
  set_callback(named("remove", "Forget an image"), context,
               [&context, arguments] { return remove_image(context, *arguments); });
}

}  // namespace glovebox
