# Waits for ever. It would end if asked to: it is stopped at its time limit by SIGTERM.
. attacks/report.sh

fact 'started' yes
trap 'fact "asked to end" yes; exit 0' TERM
while :; do sleep 1; done
