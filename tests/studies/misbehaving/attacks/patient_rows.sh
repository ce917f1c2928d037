# Writes patient rows as moderately sensitive files, in the ways that a careless or a clever author would. Beside them
# stands one table that may be seen.
. attacks/report.sh

out=output/release
mkdir -p $out
rows() { awk -v first="$1" -v last="$2" 'BEGIN { for (i = first; i <= last; ++i) print i ",1" }'; }

printf 'age_band,deaths\n50-59,35\n60-69,120\n' >$out/fine.csv
{ echo 'number,value'; rows 1 5000; } >$out/just_enough_rows.csv

printf 'patient_id,died\n1,0\n2,1\n' >$out/plain.csv
printf '\357\273\277patient_id,died\n1,0\n' >$out/byte_order_mark.csv
printf 'Patient_ID,died\n1,0\n' >$out/capitals.csv
printf ' "patient_id" ,died\n1,0\n' >$out/quoted.csv
printf 'patient_id;died\n1;0\n' >$out/semicolons.csv
printf 'patient_id\tdied\n1\t0\n' >$out/tabs.csv
printf 'patient_id|died\n1|0\n' >$out/bars.csv
printf '\n\npatient_id,died\n1,0\n' >$out/blank_lines.csv
printf 'p\0a\0t\0i\0e\0n\0t\0_\0i\0d\0,\0d\0\n\0001\0,\0000\0' >$out/two_byte_letters.csv
printf 'died,patient_id\r1,7\r0,8\r' >$out/old_line_ends.csv
{ echo 'number,value'; rows 1 5001; } >$out/too_many_rows.csv
{ printf 'number,value\r'; rows 1 5001 | tr '\n' '\r'; } >$out/too_many_rows_with_old_line_ends.csv
printf 'number,value\n"never closed,1\n' >$out/unreadable.csv
{ echo '<html>'; head -c 17000000 /dev/zero | tr '\0' x; } >$out/too_big.html
fact 'files written' "$(ls $out | wc -l)"
