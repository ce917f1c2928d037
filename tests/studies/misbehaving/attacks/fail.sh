# An honest failure: writes something, then ends with status 3.
. attacks/report.sh

echo 'a,b' >output/fail.csv
fact 'ends with' 3
exit 3
