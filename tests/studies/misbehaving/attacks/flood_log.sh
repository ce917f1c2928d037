# Says more than anybody will read: 100 MB in lines, then 100 MB in one.
. attacks/report.sh

echo 'the first line'
yes 'the same line, over and over again, and nothing in it worth a look' | head -c 100000000
head -c 100000000 /dev/zero | tr '\0' x
echo
echo 'the last line'
fact 'said everything' yes
