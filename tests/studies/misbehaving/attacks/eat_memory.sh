# Doubles a string until there is no more memory.
. attacks/report.sh

fact 'started' yes
awk 'BEGIN { s = "0123456789abcdef"; for (;;) s = s s }'
status=$?
fact 'survived with status' $status
exit $status
