# Leaves processes behind that go on writing after the action is over, and ends well.
. attacks/report.sh

mkdir -p output
echo 'before' >output/daemon.txt
for _ in 1 2 3; do
  setsid sh -c 'trap "" TERM HUP; while :; do echo after >>output/daemon.txt; usleep 1000; done' >/dev/null 2>&1 &
done
(setsid sh -c 'sh -c "while :; do echo after >>output/daemon.txt; usleep 1000; done" &' >/dev/null 2>&1 &)
usleep 100000
fact 'left behind' 'four processes'
