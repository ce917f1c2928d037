# Will not end when asked to, and neither will its children: only SIGKILL helps.
. attacks/report.sh

trap '' TERM INT HUP QUIT
fact 'started' yes
for _ in 1 2 3; do (while :; do sleep 1; done) & done
while :; do sleep 1; done
