#include "core/policy/constants.h"

#include <asm/prctl.h>
#include <linux/prctl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace glovebox {
namespace {

struct Constant {
  std::string_view name;
  std::uint64_t value;
};

// Linux 6.1 has no header name for it on Debian 12: arch/x86/include/uapi/asm/prctl.h of that time.
constexpr std::uint64_t kArchCetStatus = 0x3001;

#define NAMED(constant) \
  Constant {            \
#constant, constant \
  }
constexpr std::array kErrnos{
    NAMED(EPERM),  NAMED(EACCES),       NAMED(EINVAL),     NAMED(ENOTTY),
    NAMED(ENOSYS), NAMED(EAFNOSUPPORT), NAMED(EOPNOTSUPP), NAMED(ENOPROTOOPT),
};

constexpr std::array kArguments{
    NAMED(AF_UNIX),
    NAMED(AF_INET),
    NAMED(AF_INET6),
    NAMED(SOCK_STREAM),
    NAMED(SOCK_DGRAM),
    NAMED(SOCK_SEQPACKET),
    NAMED(SOL_SOCKET),
    NAMED(IPPROTO_IP),
    NAMED(IPPROTO_TCP),
    NAMED(IPPROTO_UDP),
    NAMED(IPPROTO_IPV6),
    NAMED(SO_REUSEADDR),
    NAMED(SO_BROADCAST),
    NAMED(SO_SNDBUF),
    NAMED(SO_RCVBUF),
    NAMED(SO_KEEPALIVE),
    NAMED(SO_OOBINLINE),
    NAMED(SO_LINGER),
    NAMED(SO_REUSEPORT),
    NAMED(SO_PASSCRED),
    NAMED(SO_RCVTIMEO),
    NAMED(SO_SNDTIMEO),
    NAMED(TCP_NODELAY),
    NAMED(TCP_KEEPIDLE),
    NAMED(TCP_KEEPINTVL),
    NAMED(TCP_KEEPCNT),
    NAMED(TCP_QUICKACK),
    NAMED(TCP_USER_TIMEOUT),
    NAMED(IP_TOS),
    NAMED(IP_RECVERR),
    NAMED(IPV6_RECVERR),
    NAMED(IPV6_V6ONLY),
    NAMED(TCGETS),
    NAMED(TIOCGPGRP),
    NAMED(TIOCGWINSZ),
    NAMED(FIONREAD),
    NAMED(FIONBIO),
    NAMED(FIONCLEX),
    NAMED(FIOCLEX),
    NAMED(PR_SET_NAME),
    NAMED(PR_GET_NAME),
    NAMED(PR_SET_PDEATHSIG),
    NAMED(PR_GET_PDEATHSIG),
    NAMED(PR_SET_DUMPABLE),
    NAMED(PR_GET_DUMPABLE),
    NAMED(PR_SET_NO_NEW_PRIVS),
    NAMED(PR_GET_NO_NEW_PRIVS),
    NAMED(PR_GET_SECCOMP),
    NAMED(PR_GET_KEEPCAPS),
    NAMED(PR_SET_KEEPCAPS),
    NAMED(PR_CAPBSET_READ),
    NAMED(PR_CAPBSET_DROP),
    NAMED(PR_CAP_AMBIENT),
    NAMED(PR_SET_VMA),
    NAMED(ARCH_SET_FS),
    NAMED(ARCH_GET_FS),
    Constant{"ARCH_CET_STATUS", kArchCetStatus},
    NAMED(S_IFIFO),
};
#undef NAMED

template <class Table>
std::optional<std::uint64_t> value_in(const Table& table, std::string_view name) {
  for (const Constant& constant : table) {
    if (constant.name == name) return constant.value;
  }
  return std::nullopt;
}

template <class Table>
std::vector<std::string> names_in(const Table& table) {
  std::vector<std::string> names;
  names.reserve(table.size());
  for (const Constant& constant : table) names.emplace_back(constant.name);
  return names;
}

}  // namespace

std::optional<int> errno_value(std::string_view name) {
  const auto value = value_in(kErrnos, name);
  return value ? std::optional(static_cast<int>(*value)) : std::nullopt;
}

std::string errno_name(int value) {
  for (const Constant& constant : kErrnos) {
    if (static_cast<int>(constant.value) == value) return std::string(constant.name);
  }
  return std::to_string(value);
}

std::vector<std::string> errno_names() {
  return names_in(kErrnos);
}

std::optional<std::uint64_t> argument_value(std::string_view name) {
  return value_in(kArguments, name);
}

std::vector<std::string> argument_names() {
  return names_in(kArguments);
}

}  // namespace glovebox
