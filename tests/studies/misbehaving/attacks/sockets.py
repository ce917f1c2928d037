"""Tries every way out by sockets, from an image whose policy allows loopback; and that loopback works."""

import ctypes
import errno
import socket
import threading

from report import must_fail, must_work

REFUSED_FAMILIES = {
    "AF_AX25": 3, "AF_KEY": 15, "AF_NETLINK": 16, "AF_PACKET": 17, "AF_RDS": 21, "AF_CAN": 29, "AF_TIPC": 30,
    "AF_BLUETOOTH": 31, "AF_ALG": 38, "AF_NFC": 39, "AF_VSOCK": 40, "AF_KCM": 41, "AF_QIPCRTR": 42, "AF_SMC": 43,
    "AF_XDP": 44,
}  # fmt: skip
OUTSIDE = "192.0.2.1"


def connect(family, kind, address):
    with socket.socket(family, kind) as one:
        one.settimeout(3)
        one.connect(address)


def raw_socket_call(family: int):
    """The system call with all 64 bits of its first argument, of which the kernel looks at 32."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(41), ctypes.c_ulong(family), ctypes.c_long(3), ctypes.c_long(0))
    if result < 0:
        raise OSError(ctypes.get_errno(), "socket")
    return result


def echo_on_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            peer, _ = server.accept()
            with peer:
                peer.sendall(peer.recv(100))

        threading.Thread(target=answer).start()
        with socket.create_connection(server.getsockname(), timeout=3) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"


def socket_of_any_type(family):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            return socket.socket(family, kind)
        except OSError as error:
            if error.errno != errno.EAFNOSUPPORT:
                raise
    return socket.socket(family, socket.SOCK_STREAM)


for name, number in REFUSED_FAMILIES.items():
    must_fail(f"make a socket of {name}", lambda n=number: socket_of_any_type(n), "EAFNOSUPPORT")
must_fail("make a netlink socket with high bits set", lambda: raw_socket_call((1 << 32) | 16), "EAFNOSUPPORT")
must_fail("make a raw socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
must_fail("connect by TCP", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, (OUTSIDE, 80)), "ENETUNREACH")
must_fail("connect by UDP", lambda: connect(socket.AF_INET, socket.SOCK_DGRAM, (OUTSIDE, 53)), "EAFNOSUPPORT")
for name, family in {"IPv4": socket.AF_INET, "IPv6": socket.AF_INET6, "AF_UNIX": socket.AF_UNIX}.items():
    must_fail(f"make a datagram socket of {name}", lambda f=family: socket.socket(f, socket.SOCK_DGRAM), "EAFNOSUPPORT")
must_fail("connect by TCP over IPv6", lambda: connect(socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::1", 80)))
must_fail("connect to the host by loopback", lambda: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 22)))
must_fail("resolve a name", lambda: socket.getaddrinfo("example.org", 80))
must_fail("connect to the system bus", lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "/run/dbus/system_bus_socket"))
must_fail("connect to a hidden socket of the host", lambda: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0glovebox-can" "ary"))
must_work("talk to itself on 127.0.0.1", echo_on_loopback)
