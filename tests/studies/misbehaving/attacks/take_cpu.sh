# Wants four CPUs for four seconds; the CPU limit decides what it gets.
. attacks/report.sh

before=$(awk '{print $1}' /proc/uptime)
for _ in 1 2 3 4; do timeout 4 sh -c 'while :; do :; done' & done
wait
fact 'seconds' "$(awk -v b="$before" '{print $1 - b}' /proc/uptime)"
fact 'CPU seconds of children' "$(times | tail -n 1 | awk '{print $1}')"
