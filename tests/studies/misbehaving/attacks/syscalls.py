"""Makes the system calls that lead out of sandboxes, directly. Each must be refused by the filter: with EPERM or ENOSYS,
not with an error of the call itself, which would mean that the kernel's code was reached."""

import ctypes
import mmap
import os
import signal

from report import broken, held, must_fail

libc = ctypes.CDLL(None, use_errno=True)

# name: number on x86-64 and arguments that would do something, or at least get past the first checks.
CALLS = {
    "ptrace": (101, 0, 0, 0, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "process_vm_writev": (311, 1, 0, 0, 0, 0, 0),
    "kcmp": (312, 1, 1, 0, 0, 0),
    "bpf": (321, 0, 0, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    "io_uring_setup": (425, 1, 0),
    "io_uring_enter": (426, 0, 0, 0, 0, 0, 0),
    "io_uring_register": (427, 0, 0, 0, 0),
    "userfaultfd": (323, 1),
    "keyctl": (250, 0, -3, 1, 0, 0),
    "add_key": (248, b"user", b"mine", b"x", 1, -3),
    "request_key": (249, b"user", b"mine", 0, -3),
    "mount": (165, b"none", b"/tmp", b"tmpfs", 0, 0),
    "umount2": (166, b"/tmp", 2),
    "pivot_root": (155, b"/tmp", b"/tmp"),
    "chroot": (161, b"/tmp"),
    "fsopen": (430, b"tmpfs", 0),
    "fsmount": (432, 0, 0, 0),
    "fspick": (433, -100, b"/", 0),
    "open_tree": (428, -100, b"/", 1),
    "move_mount": (429, -100, b"/", -100, b"/tmp", 0),
    "mount_setattr": (442, -100, b"/", 0, 0, 0),
    "unshare user": (272, 0x10000000),
    "unshare mount": (272, 0x00020000),
    "unshare net": (272, 0x40000000),
    "setns": (308, 0, 0),
    "clone3": (435, 0, 0),
    "name_to_handle_at": (303, -100, b"/", 0, 0, 0),
    "open_by_handle_at": (304, -100, 0, 0),
    "memfd_secret": (447, 0),
    "pidfd_getfd": (438, 0, 0, 0),
    "process_madvise": (440, 0, 0, 0, 0, 0),
    "init_module": (175, 0, 0, b""),
    "finit_module": (313, 0, b"", 0),
    "delete_module": (176, b"none", 0),
    "kexec_load": (246, 0, 0, 0, 0),
    "swapon": (167, b"/tmp", 0),
    "reboot": (169, 0, 0, 0, 0),
    "settimeofday": (164, 0, 0),
    "clock_settime": (227, 0, 0),
    "sethostname": (170, b"other", 5),
    "setdomainname": (171, b"other", 5),
    "acct": (163, 0),
    "quotactl": (179, 0, 0, 0, 0),
    "iopl": (172, 3),
    "ioperm": (173, 0, 1, 1),
    "modify_ldt": (154, 0, 0, 0),
    "personality without randomised addresses": (135, 0x0040000),
    "syslog": (103, 3, 0, 0),
    "vhangup": (153,),
    "lookup_dcookie": (212, 0, 0, 0),
    "move_pages": (279, 0, 0, 0, 0, 0, 0),
    "migrate_pages": (256, 0, 0, 0, 0),
    "mknod of a disk": (133, b"/tmp/disk", 0o60600, 0x800),
    "fanotify_init": (300, 0, 0),
    "a call of the future": (600, 0),
}  # fmt: skip


def argument(value):
    return ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_long(value)


def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *map(argument, arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result


def clone(flags):
    child = call(56, flags | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return child


def ends_by_signal(sentence, attempt):
    """Runs `attempt` in a child, which the filter must kill, or fail with ENOSYS."""
    child = os.fork()
    if child == 0:
        try:
            attempt()
        except OSError as error:
            os._exit(100 + error.errno % 100)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        (held if os.WTERMSIG(status) == signal.SIGSYS else broken)(sentence, signal.Signals(os.WTERMSIG(status)).name)
    else:
        (held if os.WEXITSTATUS(status) in (101, 138) else broken)(sentence, f"status {os.WEXITSTATUS(status)}")


def getpid_the_32_bit_way():
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("b814000000" "cd80" "c3"))  # mov eax, 20; int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    result = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    if result < 0:
        raise OSError(-result, "refused")


for name, (number, *arguments) in CALLS.items():
    must_fail(name, lambda n=number, a=arguments: call(n, *a), "EPERM", "ENOSYS")
for name, flag in {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "cgroup": 0x02000000}.items():
    must_fail(f"clone into a new {name} namespace", lambda f=flag: clone(f), "EPERM", "ENOSYS")
must_fail("become root", lambda: os.setuid(0))
must_fail("become root's group", lambda: os.setgid(0))
must_fail("join root's groups", lambda: os.setgroups([0]))
must_fail("push characters into a terminal", lambda: call(16, 1, 0x5412, 0))
must_fail("the same with a high bit set", lambda: call(16, 1, 0x1_0000_5412, 0))
ends_by_signal("a system call of the 32-bit kind", getpid_the_32_bit_way)
ends_by_signal("a system call of the x32 kind", lambda: call(0x40000000 | 39))
