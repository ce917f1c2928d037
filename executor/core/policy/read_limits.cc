#include <algorithm>

#include "core/base/text.h"
#include "core/policy/reader.h"

namespace glovebox {
namespace {

constexpr std::uint64_t kKiB = 1ULL << 10U;
constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kTiB = 1ULL << 40U;

// Outside these a number is a slip of the pen, or the kernel does not take it.
struct Range {
  std::uint64_t least;
  std::uint64_t most;
};
constexpr Range kMemory{8 * kMiB, 64 * kTiB};  // a runtime's own start needs 2 to 6 MiB
constexpr Range kProcesses{4, 1ULL << 22U};    // PID_MAX_LIMIT of 64-bit Linux
constexpr Range kTime{1'000, 366ULL * 24 * 3600 * 1000};
constexpr Range kGrace{0, 3'600'000};
constexpr Range kScratch{kMiB, 1024 * kTiB};
constexpr Range kInodes{64, 1ULL << 32U};          // what ext4 counts with
constexpr Range kMemoryDisk{4 * kKiB, 64 * kTiB};  // one page
constexpr Range kLog{kKiB, kTiB};
constexpr Range kOutputFiles{1, 10'000'000};
constexpr Range kOpenFiles{64, 1ULL << 20U};  // the kernel's default fs.nr_open
constexpr Range kFileSize{kKiB, 1024 * kTiB};
constexpr Range kCpus{1, 4'096'000};  // what parse_cpus takes

class LimitReader {
 public:
  explicit LimitReader(PolicyReader& reader) : reader_(reader) {}

  template <class T>
  std::optional<T> quantity(const YamlNode& node, const std::string& what,
                            Result<T> (*parse)(std::string_view), std::string (*show)(T), Range range) {
    if (!node.is_scalar()) return reader_.error(node, what + " must be one value"), std::nullopt;
    const Result<T> parsed = parse(node.text);
    if (!parsed.ok()) return reader_.error(node, parsed.error()), std::nullopt;
    if (*parsed >= range.least && *parsed <= range.most) return *parsed;
    reader_.error(node, what + " must be from " + show(static_cast<T>(range.least)) + " to " +
                            show(static_cast<T>(range.most)));
    return std::nullopt;
  }
  std::optional<ByteCount> bytes(const YamlNode& node, const std::string& what, Range range) {
    return quantity<ByteCount>(node, what, parse_bytes, format_bytes, range);
  }
  std::optional<Millis> duration(const YamlNode& node, const std::string& what, Range range) {
    return quantity<Millis>(node, what, parse_duration, format_duration, range);
  }
  std::optional<MilliCpus> cpus(const YamlNode& node, const std::string& what, Range range) {
    return quantity<MilliCpus>(node, what, parse_cpus, format_cpus, range);
  }
  std::optional<std::uint32_t> count32(const YamlNode& node, const std::string& what, Range range) {
    const auto value = reader_.number(node, what, range.least, range.most);
    return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
  }
  std::optional<std::uint64_t> count(const YamlNode& node, const std::string& what, Range range) {
    return reader_.number(node, what, range.least, range.most);
  }

  // {default: …, max: …}; a ceiling has only max. Keys beside the two are the caller's.
  template <class T, class Parse>
  void bound(const YamlNode& node, const std::string& what, Range range, Parse parse, Bound<T>& bound) {
    if (!node.is_map()) return;
    const YamlNode* fallback = reader_.optional(node, "default");
    const YamlNode* most = reader_.optional(node, "max");
    const bool ceiling = reader_.role() == PolicyRole::kCeiling;
    if (fallback != nullptr && ceiling) {
      reader_.error(*fallback, "a ceiling has no default", "give max alone");
      fallback = nullptr;
    }
    if (most != nullptr) {
      if (const auto value = (this->*parse)(*most, what + ".max", range))
        set(bound.most, *value, *most, bound);
    }
    if (fallback != nullptr) {
      if (const auto value = (this->*parse)(*fallback, what + ".default", range)) {
        set(bound.fallback, *value, *fallback, bound);
      }
    }
    if (ceiling) bound.fallback = bound.most;
    if (bound.fallback > bound.most && !bound.source.empty()) {
      reader_.error(fallback != nullptr ? *fallback : node, what + ": the default is above max");
    }
  }

  template <class T, class Parse>
  void fixed(const YamlNode* node, const std::string& what, Range range, Parse parse, Fixed<T>& fixed) {
    if (node == nullptr) return;
    if (const auto value = (this->*parse)(*node, what, range)) fixed = {*value, reader_.source(*node)};
  }

 private:
  template <class T>
  void set(T& field, T value, const YamlNode& node, Bound<T>& bound) {
    field = value;
    bound.source = reader_.source(node);
  }

  PolicyReader& reader_;
};

void read_scratch(PolicyReader& reader, LimitReader& read, const YamlNode& node, LimitPolicy& limits) {
  if (!reader.map(node, "limits.scratch", {"default", "max", "inodes", "on"})) return;
  read.bound(node, "limits.scratch", kScratch, &LimitReader::bytes, limits.scratch);
  read.fixed(reader.optional(node, "inodes"), "limits.scratch.inodes", kInodes, &LimitReader::count,
             limits.scratch_inodes);
  const YamlNode* on = reader.optional(node, "on");
  if (on == nullptr) return;
  if (const auto word = reader.choice(*on, "limits.scratch.on", {"disk", "tmpfs"})) {
    limits.scratch_on = {*word == "disk" ? ScratchKind::kDisk : ScratchKind::kTmpfs, reader.source(*on)};
  }
}

void read_chosen(PolicyReader& reader, LimitReader& read, const YamlNode& node, LimitPolicy& limits) {
  const auto simple = [&](const char* key) -> const YamlNode* {
    const YamlNode* found = reader.optional(node, key);
    const bool sound =
        found != nullptr && reader.map(*found, std::string("limits.") + key, {"default", "max"});
    return sound ? found : nullptr;
  };
  if (const YamlNode* memory = simple("memory")) {
    read.bound(*memory, "limits.memory", kMemory, &LimitReader::bytes, limits.memory);
  }
  if (const YamlNode* cpus = simple("cpus")) {
    read.bound(*cpus, "limits.cpus", kCpus, &LimitReader::cpus, limits.cpus);
  }
  if (const YamlNode* processes = simple("processes")) {
    read.bound(*processes, "limits.processes", kProcesses, &LimitReader::count32, limits.processes);
  }
  const YamlNode* time = reader.optional(node, "time");
  if (time != nullptr && reader.map(*time, "limits.time", {"default", "max", "grace"})) {
    read.bound(*time, "limits.time", kTime, &LimitReader::duration, limits.time);
    read.fixed(reader.optional(*time, "grace"), "limits.time.grace", kGrace, &LimitReader::duration,
               limits.grace);
  }
  if (const YamlNode* scratch = reader.optional(node, "scratch"))
    read_scratch(reader, read, *scratch, limits);
}

}  // namespace

void read_limits(PolicyReader& reader, const YamlNode& node, LimitPolicy& limits) {
  if (!reader.map(node, "limits",
                  {"memory", "cpus", "processes", "time", "scratch", "tmp", "shm", "log", "open_files",
                   "file_size", "outputs"})) {
    return;
  }
  LimitReader read(reader);
  read_chosen(reader, read, node, limits);
  read.fixed(reader.optional(node, "tmp"), "limits.tmp", kMemoryDisk, &LimitReader::bytes, limits.tmp);
  read.fixed(reader.optional(node, "shm"), "limits.shm", kMemoryDisk, &LimitReader::bytes, limits.shm);
  read.fixed(reader.optional(node, "log"), "limits.log", kLog, &LimitReader::bytes, limits.log);
  read.fixed(reader.optional(node, "open_files"), "limits.open_files", kOpenFiles, &LimitReader::count,
             limits.open_files);
  read.fixed(reader.optional(node, "file_size"), "limits.file_size", kFileSize, &LimitReader::bytes,
             limits.file_size);
  const YamlNode* outputs = reader.optional(node, "outputs");
  if (outputs == nullptr || !reader.map(*outputs, "limits.outputs", {"files", "bytes"})) return;
  read.fixed(reader.optional(*outputs, "files"), "limits.outputs.files", kOutputFiles, &LimitReader::count,
             limits.output_files);
  read.fixed(reader.optional(*outputs, "bytes"), "limits.outputs.bytes", kFileSize, &LimitReader::bytes,
             limits.output_bytes);
}

void read_outputs(PolicyReader& reader, const YamlNode& node, OutputPolicy& outputs) {
  if (!reader.map(node, "outputs", {"rules", "extensions", "file_bytes", "csv_rows"})) return;
  outputs.source = reader.source(node);
  LimitReader read(reader);
  if (const YamlNode* rules = reader.optional(node, "rules")) {
    if (const auto name = reader.choice(*rules, "outputs.rules", {"opensafely-level4"})) outputs.name = *name;
  }
  if (const YamlNode* extensions = reader.optional(node, "extensions")) {
    outputs.extensions.clear();
    for (const auto& [text, item] : reader.words(*extensions, "outputs.extensions")) {
      const bool sound = text.size() >= 2 && text.size() <= 32 && text[0] == '.' &&
                         text.find_first_of("./*\\", 1) == std::string::npos;
      if (!sound) reader.error(*item, quoted(text, 100) + " is not a file extension", "write it as .csv");
      outputs.extensions.insert(text);
    }
  }
  const auto narrowable = [&](const char* key, auto parse, Range range, auto& bound) {
    const YamlNode* found = reader.optional(node, key);
    if (found == nullptr) return;
    if (const auto value = (read.*parse)(*found, std::string("outputs.") + key, range)) {
      bound = {*value, *value, reader.source(*found)};
    }
  };
  narrowable("file_bytes", &LimitReader::bytes, Range{1, kTiB}, outputs.file_bytes);
  narrowable("csv_rows", &LimitReader::count, Range{1, 1'000'000'000}, outputs.csv_rows);
}

}  // namespace glovebox
