# Claims ten terabytes that occupy nothing.
. attacks/report.sh

echo 'a,b' >output/huge_fine.csv
truncate -s 10995116277760 output/huge.csv
fact 'truncate ended with' $?
dd if=/dev/null of=output/huge_too.csv bs=1M seek=10485760 2>/dev/null
fact 'dd ended with' $?
fact 'apparent bytes' "$(stat -c %s output/huge.csv 2>/dev/null)"
