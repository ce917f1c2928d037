/* PID 1 of every action: a gate, a lifeline, a reaper and a truthful reporter. Static, so that it runs in any
 * image; under the action's own seccomp policy, so that it can do nothing that the action cannot.
 *
 * Descriptor 3 is a SOCK_SEQPACKET socket to the supervisor. Messages to us, one per packet:
 *
 * - "E NAME=VALUE": one more variable for the study's first process (secrets: they are in no file).
 * - "G": the gate opens, start the program.
 * - "S" and a number: send this signal to the program's process group.
 *
 * Its closing is the lifeline: whoever holds the other end has died, and everything here ends at once. From
 * us:
 *
 * - "R": ready, waiting at the gate.
 * - "X" and the program's wait status as a decimal number.
 * - "F" and errno: it could not be started.
 *
 * The supervisor trusts none of it for a guarantee.
 *
 * Study code never has descriptor 3: it is close-on-exec, and /proc/1 is closed to it because we are not
 * dumpable. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kChannel = 3, kMaxMessage = 128 * 1024, kMaxVariables = 4096 };

static char message[kMaxMessage + 1];
static char* variables[kMaxVariables + 1];
static int variable_count;

static void send_text(const char* text) {
  while (send(kChannel, text, strlen(text), MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

/* The process that is PID 1 ends: the kernel kills everything else in its namespace. */
static void end_everything(void) {
  _exit(137);
}

/* One packet into `message`, NUL-terminated. The lifeline's end does not return. */
static size_t receive(void) {
  for (;;) {
    const ssize_t n = recv(kChannel, message, kMaxMessage, 0);
    if (n > 0) {
      message[n] = '\0';
      return (size_t)n;
    }
    if (n == 0 || (errno != EINTR && errno != EAGAIN)) end_everything();
  }
}

static void add_variable(const char* text) {
  if (variable_count == kMaxVariables) end_everything();
  variables[variable_count] = strdup(text);
  if (variables[variable_count++] == NULL) end_everything();
}

static void wait_at_gate(void) {
  for (char** inherited = environ; *inherited != NULL; ++inherited) add_variable(*inherited);
  send_text("R");
  for (;;) {
    const size_t length = receive();
    if (message[0] == 'G') return;
    if (message[0] == 'E' && length > 2) add_variable(message + 2);
    explicit_bzero(message, sizeof message);
  }
}

/* Forks and executes; a failure to execute travels back through a close-on-exec pipe. */
static pid_t start(char** arguments, const sigset_t* original) {
  int failure[2];
  if (pipe2(failure, O_CLOEXEC) != 0) end_everything();
  const pid_t child = fork();
  if (child < 0) {
    close(failure[0]);
    close(failure[1]);
    return -1;
  }
  if (child == 0) {
    close(kChannel);
    setsid();
    sigprocmask(SIG_SETMASK, original, NULL);
    execvpe(arguments[0], arguments, variables);
    const int number = errno;
    (void)!write(failure[1], &number, sizeof number);
    _exit(127);
  }
  for (int i = 0; i < variable_count; ++i) explicit_bzero(variables[i], strlen(variables[i]));
  close(failure[1]);
  int number = 0;
  ssize_t got;
  while ((got = read(failure[0], &number, sizeof number)) < 0 && errno == EINTR) {
  }
  close(failure[0]);
  if (got != (ssize_t)sizeof number) return child;
  waitpid(child, NULL, 0);
  errno = number;
  return -1;
}

/* Reaps whatever has ended. When it is the program itself, tells how and ends: what it left behind ends with
 * us. */
static void reap(pid_t program) {
  int status;
  pid_t gone;
  while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
    if (gone != program) continue;
    char report[32];
    snprintf(report, sizeof report, "X%d", status);
    send_text(report);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
}

static void watch(pid_t program, int signals) {
  struct pollfd ready[2] = {{kChannel, POLLIN, 0}, {signals, POLLIN, 0}};
  for (;;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) end_everything();
    if (ready[0].revents != 0) {
      receive();
      if (message[0] == 'S') kill(-program, atoi(message + 1));
    }
    if (ready[1].revents != 0) {
      struct signalfd_siginfo info;
      while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGCHLD) kill(-program, (int)info.ssi_signo);
      }
    }
    reap(program);
  }
}

int main(int count, char** arguments) {
  if (count < 3 || strcmp(arguments[1], "--") != 0) return 125;
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return 125;
  if (fcntl(kChannel, F_SETFD, FD_CLOEXEC) != 0) return 125;
  sigset_t caught, original;
  sigemptyset(&caught);
  const int passed_on[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  for (size_t i = 0; i < sizeof passed_on / sizeof *passed_on; ++i) sigaddset(&caught, passed_on[i]);
  sigprocmask(SIG_SETMASK, &caught, &original);
  const int signals = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) return 125;
  wait_at_gate();
  const pid_t program = start(arguments + 2, &original);
  if (program < 0) {
    char report[32];
    const int number = errno;
    snprintf(report, sizeof report, "F%d", number);
    fprintf(stderr, "cannot start %s: %s\n", arguments[2], strerror(number));
    send_text(report);
    return number == ENOENT ? 127 : 126;
  }
  watch(program, signals);
}
