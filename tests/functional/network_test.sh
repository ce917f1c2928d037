#!/usr/bin/env bash
# G1: an action reaches nothing. Where policy says loopback, it reaches itself and nothing else.
. "$(dirname "$0")/lib.sh"
needs_root
needs_images minimal python
new_study misbehaving

# Something that listens on the host, at addresses that an action might try.
python3 - "$work/port" <<'LISTENER' &
import socket, sys, time
hidden = socket.socket(socket.AF_UNIX); hidden.bind("\0glovebox-can" "ary"); hidden.listen()
server = socket.socket(); server.bind(("0.0.0.0", 0)); server.listen()
print(server.getsockname()[1], file=open(sys.argv[1], "w"), flush=True)
time.sleep(600)
LISTENER
tidy_up="kill $!"
until [ -s "$work/port" ]; do sleep 0.05; done
port=$(cat "$work/port")
ok 'the listener can be reached from the host' bash -c ": >/dev/tcp/127.0.0.1/$port"

run network sockets
attack network 11
attack sockets 28
ok 'no socket of the network families is made without loopback in the policy' \
  not grep -E 'Connection refused|Network is unreachable' "$study/output/network.txt"

cd "$study" || exit 1 # exec takes this folder in
glovebox exec minimal:v1 sh -c "echo | nc -w 2 127.0.0.1 $port"
ok 'the host cannot be reached at 127.0.0.1' equal 1 "$status"
glovebox exec python:v2 python -c "
import socket
try: socket.create_connection(('127.0.0.1', $port), 2)
except ConnectionRefusedError: print('refused')"
is 'the host cannot be reached at 127.0.0.1 where loopback is allowed' refused "$(tail -n 1 "$work/out")"

# G6: what waits in sockets is memory, too, and of the whole host.
cat >fill_sockets.py <<'PYTHON'
import socket
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(512)
kept, sent = [], 0
for _ in range(400):
    if sent > 600_000_000: break
    client = socket.create_connection(listener.getsockname()); kept += [client, listener.accept()[0]]
    client.setblocking(False)
    try:
        while sent <= 600_000_000: sent += client.send(bytes(1 << 20))
    except BlockingIOError: pass
print(sent)
PYTHON
glovebox exec python:v2 python fill_sockets.py
ok 'sockets on the loopback hold little' at_most 150000000 "$(tail -n 1 "$work/out")"
cd "$top" || exit 1
nothing_left_behind 'afterwards'
