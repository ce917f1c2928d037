// The level 4 rules: may this moderately sensitive file be shown to output checkers? One pass over its bytes,
// bounded memory, and everything that cannot be read is withheld.
//
// Rules, by id (facts: OpenSAFELY's level 4 checks, with their holes closed):
//   size            larger than the limit; such a file is not read at all
//   type.ext        its extension (as written, from the last dot on) is not on the policy's list
//   type.content    its bytes are not what its extension says: the start of another format, NUL bytes or
//                   undecodable text in a text format, a picture without its format's signature
//   csv.rows        more data rows than the limit
//   csv.patient-id  a column called patient_id, in any disguise that csv.h knows
//   csv.control     control characters other than tab, CR and LF: some readers end rows at them
//   csv.unparsable  cannot be read reliably: undecodable, unterminated quotes, an overlong field
//   unreadable      what was read is not the whole file, or the judge failed
#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "core/outcome/outcome.h"
#include "core/plan/plan.h"

namespace glovebox {

struct Judgement {
  std::vector<RuleHit> hits;          // empty: accepted
  std::optional<std::uint64_t> rows;  // CSV that could be read
  std::optional<std::uint64_t> columns;
};

// What stands for a judgement that could not be made. Fail closed.
Judgement unreadable_judgement();

// Judges one file. Make it, feed() the whole content in any pieces where wants_content(), then finish() once.
class FileJudge {
 public:
  FileJudge(const OutputRules& rules, const RelPath& path, ByteCount size);
  FileJudge(FileJudge&&) noexcept;
  FileJudge& operator=(FileJudge&&) noexcept;
  ~FileJudge();
  // False where the verdict is clear without the content.
  [[nodiscard]] bool wants_content() const;
  void feed(std::string_view chunk);
  Judgement finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All of it at once.
Judgement judge(const OutputRules& rules, const RelPath& path, std::string_view content);

// A judgement as it comes back from a worker. Reading is strict: anything odd is an error, and then
// unreadable_judgement() is what holds.
Json judgement_json(const Judgement& judgement);
Result<Judgement> judgement_from_json(const Json& json);

}  // namespace glovebox
