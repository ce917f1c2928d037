# Tries to reach anything at all: by address, by name, by raw packets, and this machine itself.
. attacks/report.sh

must_fail 'connect to a web server' sh -c 'echo GET / | nc -w 3 192.0.2.1 80'
must_fail 'connect to a name server' sh -c 'echo | nc -w 3 9.9.9.9 53'
must_fail 'resolve a name' nslookup example.org 9.9.9.9
must_fail 'ping' ping -c 1 -W 2 9.9.9.9
must_fail 'ping the router' ping -c 1 -W 2 10.0.0.1
must_fail 'connect to the host by loopback' sh -c 'echo | nc -w 3 127.0.0.1 22'
must_fail 'ask the cloud who this machine is' sh -c 'echo GET / | nc -w 3 169.254.169.254 80'
must_fail 'add an address' ip address add 192.0.2.7/24 dev lo
must_fail 'add a route' ip route add default dev lo
must_fail 'open a tunnel' tunctl -t tap0

interfaces=$(sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/net/dev 2>/dev/null | tr '\n' ' ')
must_be 'only lo is there' 'lo ' "${interfaces:-lo }"
must_be 'no route leads out' '' "$(sed 1d /proc/net/route 2>/dev/null)"
