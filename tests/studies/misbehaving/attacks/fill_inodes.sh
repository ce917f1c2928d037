# Makes empty files until no more can be made.
. attacks/report.sh

fact 'started' yes
mkdir -p many
i=0
while (cd many && seq 1 1000 | sed "s/^/f$i-/" | xargs touch); do i=$((i + 1)); done
fact 'thousands of files' $i
exit 1
