# Dies by a signal of its own.
. attacks/report.sh

fact 'started' yes
kill -SEGV $$
