# Claims files of ten terabytes and of ninety gigabytes that occupy nothing; the latter is within the limit of one file.
. attacks/report.sh

echo 'a,b' >output/huge_fine.csv
truncate -s 10995116277760 output/huge_10t.csv
fact 'truncate to ten terabytes ended with' $?
truncate -s 96636764160 output/huge_90g.csv
fact 'truncate to ninety gigabytes ended with' $?
dd if=/dev/null of=output/huge_dd.csv bs=1M seek=10485760 2>/dev/null
fact 'dd ended with' $?
fact 'apparent bytes' "$(stat -c '%n %s' output/huge_*.csv | tr '\n' ' ')"
