# A child takes all the memory and is killed for it; the parent looks away and claims success.
. attacks/report.sh

fact 'started' yes
awk 'BEGIN { s = "0123456789abcdef"; for (;;) s = s s }' || true
fact 'claims' success
exit 0
