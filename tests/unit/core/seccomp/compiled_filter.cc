#include "tests/unit/core/seccomp/compiled_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <stdexcept>

namespace glovebox::test {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

std::uint32_t action_of(const Json& entry, const char* action, const char* error) {
  const std::string name = entry.at(action).get<std::string>();
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(entry.at(error).get<std::uint32_t>());
  throw std::runtime_error("unexpected action " + name);
}

std::vector<scmp_arg_cmp> comparisons_of(const Json& entry) {
  std::vector<scmp_arg_cmp> comparisons;
  if (!entry.contains("args")) return comparisons;
  for (const Json& arg : entry["args"]) {
    if (arg.at("op") != "SCMP_CMP_MASKED_EQ") throw std::runtime_error("unexpected comparison");
    const auto index = arg.at("index").get<unsigned>();
    for (const scmp_arg_cmp& other : comparisons) {
      if (other.arg == index)
        throw std::runtime_error("two comparisons of one argument: runtimes split them");
    }
    comparisons.push_back({index, SCMP_CMP_MASKED_EQ, arg.at("value").get<std::uint64_t>(),
                           arg.at("valueTwo").get<std::uint64_t>()});
  }
  return comparisons;
}

void add_entry(scmp_filter_ctx context, const Json& entry, std::uint32_t default_action) {
  const std::uint32_t action = action_of(entry, "action", "errnoRet");
  if (action == default_action) return;
  const auto comparisons = comparisons_of(entry);
  for (const Json& name : entry.at("names")) {
    const int number = seccomp_syscall_resolve_name(name.get<std::string>().c_str());
    if (number == __NR_SCMP_ERROR) continue;
    const int status = seccomp_rule_add_array(context, action, number,
                                              static_cast<unsigned>(comparisons.size()), comparisons.data());
    if (status != 0)
      throw std::runtime_error("libseccomp refuses " + entry.dump() + ": " + std::strerror(-status));
  }
}

std::vector<sock_filter> exported(scmp_filter_ctx context) {
  const int fd = memfd_create("filter", MFD_CLOEXEC);
  if (fd < 0 || seccomp_export_bpf(context, fd) != 0) throw std::runtime_error("cannot export the filter");
  const auto bytes = static_cast<std::size_t>(lseek(fd, 0, SEEK_END));
  std::vector<sock_filter> program(bytes / sizeof(sock_filter));
  const bool complete = pread(fd, program.data(), bytes, 0) == static_cast<ssize_t>(bytes);
  close(fd);
  if (!complete) throw std::runtime_error("cannot read the exported filter");
  return program;
}

std::uint32_t load(const seccomp_data& data, std::uint32_t offset) {
  if (offset % 4 != 0 || offset + 4 > sizeof(data)) throw std::runtime_error("load outside of seccomp_data");
  std::uint32_t word = 0;
  std::memcpy(&word, reinterpret_cast<const char*>(&data) + offset, sizeof(word));
  return word;
}

bool jumps(const sock_filter& instruction, std::uint32_t accumulator) {
  switch (BPF_OP(instruction.code)) {
    case BPF_JEQ:
      return accumulator == instruction.k;
    case BPF_JGT:
      return accumulator > instruction.k;
    case BPF_JGE:
      return accumulator >= instruction.k;
    case BPF_JSET:
      return (accumulator & instruction.k) != 0;
    default:
      throw std::runtime_error("unexpected jump");
  }
}

}  // namespace

Result<CompiledFilter> CompiledFilter::compile(const Json& seccomp) {
  try {
    if (seccomp.at("architectures") != Json::array({"SCMP_ARCH_X86_64"})) {
      return invalid("architectures other than the native one");
    }
    const std::uint32_t default_action = action_of(seccomp, "defaultAction", "defaultErrnoRet");
    const Context context(seccomp_init(default_action), &seccomp_release);
    for (const Json& entry : seccomp.at("syscalls")) add_entry(context.get(), entry, default_action);
    CompiledFilter filter;
    filter.program_ = exported(context.get());
    return filter;
  } catch (const std::exception& e) {
    return invalid(e.what());
  }
}

Answer CompiledFilter::run(std::uint32_t architecture, std::uint32_t number,
                           const std::array<std::uint64_t, 6>& arguments) const {
  seccomp_data data{};
  data.nr = static_cast<int>(number);
  data.arch = architecture;
  for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments.at(i);
  std::uint32_t accumulator = 0;
  for (std::size_t at = 0; at < program_.size();) {
    const sock_filter& instruction = program_[at++];
    switch (instruction.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        accumulator = load(data, instruction.k);
        break;
      case BPF_ALU | BPF_AND | BPF_K:
        accumulator &= instruction.k;
        break;
      case BPF_JMP | BPF_JA:
        at += instruction.k;
        break;
      case BPF_RET | BPF_K:
        return {instruction.k & SECCOMP_RET_ACTION_FULL, static_cast<int>(instruction.k & SECCOMP_RET_DATA)};
      default:
        if (BPF_CLASS(instruction.code) != BPF_JMP) throw std::runtime_error("unexpected instruction");
        at += jumps(instruction, accumulator) ? instruction.jt : instruction.jf;
    }
  }
  throw std::runtime_error("the filter ends without an answer");
}

}  // namespace glovebox::test
