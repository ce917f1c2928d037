#include "shell/collect/judge_copies.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/rules/judge.h"
#include "shell/sys/file.h"
#include "shell/sys/worker.h"

namespace glovebox {
namespace {

constexpr std::size_t kChunk = 256U << 10U;
constexpr Millis kLeastTime = 60'000;
constexpr Millis kMostTime = 3'600'000;
constexpr ByteCount kBytesPerMilli = 5'000;  // a tenth of what the slowest rule manages on a slow machine

void apply(Judgement judgement, OutputFile& file) {
  file.rows = judgement.rows;
  file.columns = judgement.columns;
  file.reasons = std::move(judgement.hits);
  file.verdict = file.reasons.empty() ? Verdict::kAccepted : Verdict::kWithheld;
}

Result<Judgement> judge_file(int folder, const std::string& name, FileJudge judge) {
  const UniqueFd fd = TRY(open_beneath(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  std::vector<char> buffer(kChunk);
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read a copy");
    if (n == 0) return judge.finish();
    judge.feed({buffer.data(), static_cast<std::size_t>(n)});
  }
}

struct Question {
  std::size_t output;
  std::string name;  // in the judge folder
  RelPath path;
  ByteCount size;
};

// Runs inside the worker.
Result<std::string> answer(const OutputRules& rules, const std::vector<Question>& questions) {
  const UniqueFd root = TRY(open_path("/", O_RDONLY | O_DIRECTORY));
  Json answers = Json::array();
  for (const Question& question : questions) {
    auto judgement = judge_file(root.get(), question.name, FileJudge(rules, question.path, question.size));
    answers.push_back(judgement_json(judgement.ok() ? *judgement : unreadable_judgement()));
  }
  return dump_json(answers);
}

// What the worker said, believed only where it is whole and well-formed.
std::vector<Judgement> read_answers(const Result<std::string>& said, std::size_t count) {
  std::vector<Judgement> judgements(count, unreadable_judgement());
  if (!said.ok()) return judgements;
  const auto json = parse_json(*said, "the judge's answer");
  if (!json || !json->is_array() || json->size() != count) return judgements;
  for (std::size_t i = 0; i < count; ++i) {
    if (auto judgement = judgement_from_json((*json)[i])) judgements[i] = std::move(judgement).value();
  }
  return judgements;
}

Millis time_for(const std::vector<Question>& questions) {
  ByteCount bytes = 0;
  for (const Question& question : questions) bytes += question.size;
  return std::min(kMostTime, kLeastTime + bytes / kBytesPerMilli);
}

Result<std::string> ask_worker(const CollectSpec& spec, const std::vector<Question>& questions) {
  const UniqueFd folder = TRY(open_beneath(spec.staging, kJudgeFolder, O_RDONLY | O_DIRECTORY));
  WorkerSpec worker;
  worker.name = "the judge of outputs";
  worker.power = WorkerPower::kRead;
  worker.uid = spec.worker_uid;
  worker.root = folder.get();
  worker.owner = ::geteuid();
  worker.group = ::getegid();
  worker.keep = {folder.get()};
  worker.time = time_for(questions);
  worker.cancel = spec.cancel;
  const OutputRules& rules = spec.plan->output_rules;
  return run_in_worker(worker, [&] { return answer(rules, questions); });
}

}  // namespace

Status judge_copies(const CollectSpec& spec, const std::vector<CopyToJudge>& copies,
                    std::vector<OutputFile>& outputs) {
  std::vector<Question> questions;
  for (const CopyToJudge& copy : copies) {
    OutputFile& file = outputs.at(copy.output);
    RelPath path = TRY(RelPath::parse(file.path));
    FileJudge judge(spec.plan->output_rules, path, file.size);
    if (!judge.wants_content()) {
      apply(judge.finish(), file);
      continue;
    }
    questions.push_back(
        {copy.output, copy.staged.substr(std::string(kJudgeFolder).size() + 1), std::move(path), file.size});
  }
  if (questions.empty()) return {};
  const Result<std::string> said = ask_worker(spec, questions);
  if (!said.ok() && said.error().kind == ErrorKind::kHost) return said.error();
  std::vector<Judgement> judgements = read_answers(said, questions.size());
  for (std::size_t i = 0; i < questions.size(); ++i) {
    apply(std::move(judgements[i]), outputs.at(questions[i].output));
  }
  return {};
}

}  // namespace glovebox
