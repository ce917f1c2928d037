#include "shell/attest/verify.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <set>

#include "core/base/text.h"
#include "shell/attest/records.h"
#include "shell/sys/file.h"

namespace glovebox {
namespace {

constexpr ByteCount kMostFile = ByteCount{1} << 40U;  // larger than any log

const Json* at(const Json& json, std::initializer_list<const char*> path) {
  const Json* here = &json;
  for (const char* key : path) {
    if (!here->is_object()) return nullptr;
    const auto found = here->find(key);
    if (found == here->end()) return nullptr;
    here = &*found;
  }
  return here;
}

std::string text_at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = at(json, path);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

// One record against the chain and its files.
class RecordCheck {
 public:
  // `before`: the link before this one, null where there is none.
  RecordCheck(int root, const StoredLink& link, const StoredLink* before,
              std::vector<RecordProblem>& problems)
      : root_(root), link_(link), before_(before), problems_(problems) {}

  void run(const std::vector<TrustedKey>& keys) {
    const auto text = read_beneath(root_, link_.path, kMaxEnvelope);
    if (!text.ok()) return say(kEnvelopeFile, missing_or(kEnvelopeFile, text.error()));
    if (Digest::of(*text) != link_.digest) {
      say(kEnvelopeFile, "it is not the envelope that stands in the chain (" + Digest::of(*text).hex() +
                             " instead of " + link_.digest.hex() + ")");
    }
    const auto envelope = parse_envelope(*text, kEnvelopeFile);
    if (!envelope.ok()) return say(kEnvelopeFile, envelope.error().message);
    const auto record = verify_envelope(*envelope, keys);
    if (!record.ok()) return say(kEnvelopeFile, record.error().message);
    check_place(*record, *text);
    check_files(*record);
  }

 private:
  void say(const std::string& file, const std::string& message) {
    const std::string folder = link_.path.substr(0, link_.path.rfind('/') + 1);
    problems_.push_back({link_.sequence, link_.id, file.empty() ? "" : folder + file, message});
  }

  [[nodiscard]] std::string missing_or(const char* name, const Error& error) const {
    const std::string path = link_.path.substr(0, link_.path.rfind('/') + 1) + name;
    const bool there = ::faccessat(root_, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    return there ? error.message : "it is missing";
  }

  void check_place(const VerifiedRecord& record, const std::string& text) {
    const auto place = chain_link(record, text);
    if (!place.ok()) return say(kEnvelopeFile, place.error().message);
    if (place->seq != link_.sequence) {
      say(kEnvelopeFile, "it is record " + std::to_string(place->seq) +
                             " and stands in the place of record " + std::to_string(link_.sequence));
    }
    if (!follows(place->previous)) say(kEnvelopeFile, "it does not follow the record before it");
    const std::string id = text_at(record.statement, {"predicate", "runDetails", "metadata", "invocationId"});
    if (id != link_.id) say(kEnvelopeFile, "it is the record of another attempt, " + quoted(id, 100));
  }

  // Behind a gap there is nothing to compare with; the gap itself is told.
  [[nodiscard]] bool follows(const std::optional<Digest>& previous) const {
    if (link_.sequence == 1) return !previous.has_value();
    if (before_ == nullptr || before_->sequence + 1 != link_.sequence) return previous.has_value();
    return previous == before_->digest;
  }

  void check_file(const char* name, const Digest& digest) {
    const std::string path = link_.path.substr(0, link_.path.rfind('/') + 1) + name;
    const auto fd = open_beneath(root_, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (!fd.ok()) return say(name, missing_or(name, fd.error()));
    const auto info = stat_of(fd->get());
    if (!info.ok() || !S_ISREG(info->st_mode)) return say(name, "it is not a file");
    const auto found = hash_fd(fd->get(), kMostFile);
    if (!found.ok()) return say(name, found.error().message);
    if (found->digest != digest) {
      say(name, "it was changed (" + found->digest.hex() + " instead of " + digest.hex() + ")");
    }
  }

  void check_files(const VerifiedRecord& record) {
    const auto files = recorded_files(record);
    if (!files.ok()) return say(kEnvelopeFile, files.error().message);
    for (const RecordedFile& file : *files) {
      if (file.disposition == "log") check_file(kLogFile, file.digest);
      if (file.disposition.empty() && file.name == kEventsFile) check_file(kEventsFile, file.digest);
    }
    if (const Json* asked = at(record.statement, {"predicate", "buildDefinition", "externalParameters"})) {
      check_file(kRequestFile, Digest::of(dump_json(*asked)));
    } else {
      say(kEnvelopeFile, "it does not say what was asked for");
    }
    const std::string plan =
        text_at(record.statement, {"predicate", "buildDefinition", "internalParameters", "glovebox_plan"});
    if (plan.empty()) return;  // refused before there was one
    const auto digest = Digest::parse(plan);
    if (!digest.ok()) return say(kEnvelopeFile, "the digest of its plan is damaged");
    check_file(kPlanFile, *digest);
  }

  int root_;
  const StoredLink& link_;
  const StoredLink* before_;
  std::vector<RecordProblem>& problems_;
};

// The chain to verify against: the database's, or the records' own where it has none.
Result<std::vector<StoredLink>> chain_of(const Store& store, const std::vector<TrustedKey>& keys) {
  std::vector<StoredLink> links = TRY(stored_links(store));
  if (!links.empty()) return links;
  return chain_on_disk(store.root(), keys);
}

void check_numbers(const std::vector<StoredLink>& links, std::vector<RecordProblem>& problems) {
  std::uint64_t expected = 1;
  for (const StoredLink& link : links) {
    if (link.sequence > expected) {
      const std::string range =
          link.sequence - 1 == expected
              ? "record " + std::to_string(expected) + " is"
              : "records " + std::to_string(expected) + " to " + std::to_string(link.sequence - 1) + " are";
      problems.push_back({expected, "", "", range + " missing from the chain"});
    }
    expected = link.sequence + 1;
  }
}

// What lies in ROOT/records beside the records of the chain.
Status check_strangers(const Store& store, int root, const std::vector<StoredLink>& links,
                       std::vector<RecordProblem>& problems) {
  std::set<std::string> known;
  for (const StoredLink& link : links) known.insert(link.path);
  for (const FolderOnDisk& folder : TRY(record_folders(store.root()))) {
    const std::string envelope = folder.path + "/" + kEnvelopeFile;
    if (known.count(envelope) != 0) continue;
    if (::faccessat(root, envelope.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      problems.push_back({0, printable(folder.id), printable(envelope), "it is not in the chain"});
      continue;
    }
    const auto attempt = TRY(store.attempt(folder.id));
    const bool under_way = attempt && attempt->state != JobState::kFinalized;
    if (!under_way)
      problems.push_back({0, printable(folder.id), printable(folder.path), "it has no envelope"});
  }
  return {};
}

}  // namespace

Result<VerifyReport> verify_records(const Store& store, const std::vector<TrustedKey>& keys,
                                    const std::vector<std::string>& ids) {
  const UniqueFd root = TRY(open_path(store.root(), O_RDONLY | O_DIRECTORY));
  const std::vector<StoredLink> links = TRY(chain_of(store, keys));
  const std::set<std::string> wanted(ids.begin(), ids.end());
  VerifyReport report;
  if (wanted.empty()) check_numbers(links, report.problems);
  for (std::size_t i = 0; i < links.size(); ++i) {
    if (!wanted.empty() && wanted.count(links[i].id) == 0) continue;
    ++report.checked;
    RecordCheck(root.get(), links[i], i == 0 ? nullptr : &links[i - 1], report.problems).run(keys);
  }
  if (wanted.empty()) TRY(check_strangers(store, root.get(), links, report.problems));
  return report;
}

Status VerifyReport::status() const {
  if (problems.empty()) return {};
  return integrity(std::to_string(problems.size()) +
                   (problems.size() == 1 ? " thing does not verify" : " things do not verify"));
}

Json verify_json(const VerifyReport& report) {
  Json json;
  json["verified"] = report.problems.empty();
  json["records"] = report.checked;
  json["problems"] = Json::array();
  for (const RecordProblem& problem : report.problems) {
    json["problems"].push_back({{"seq", problem.sequence == 0 ? Json(nullptr) : Json(problem.sequence)},
                                {"id", problem.id},
                                {"file", problem.file},
                                {"message", problem.message}});
  }
  return json;
}

std::string verify_text(const VerifyReport& report) {
  std::string text;
  for (const RecordProblem& problem : report.problems) {
    if (problem.sequence != 0) text += "record " + std::to_string(problem.sequence) + ": ";
    if (!problem.file.empty()) text += problem.file + ": ";
    text += problem.message + "\n";
  }
  const std::string count = std::to_string(report.checked) + (report.checked == 1 ? " record" : " records");
  if (report.problems.empty()) return text + count + " verified\n";
  return text + count + " checked, " + std::to_string(report.problems.size()) +
         (report.problems.size() == 1 ? " problem\n" : " problems\n");
}

}  // namespace glovebox
