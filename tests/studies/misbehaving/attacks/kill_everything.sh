# Signals everything that it can see, its first process included.
. attacks/report.sh

trap '' TERM INT HUP # which the first process passes on
for signal in TERM INT HUP STOP SEGV KILL; do kill -$signal 1 2>/dev/null; done
must_be 'the first process is still there' 'yes' "$([ -d /proc/1 ] && echo yes)"
must_fail 'write to the first process by its descriptor' sh -c 'echo done >/proc/1/fd/3'
must_fail 'write to the memory of the first process' sh -c 'echo done >/proc/1/mem'
fact 'ended' yes
