# Ends well, but writes another file than it declared.
mkdir -p output
echo 'a,b' >output/forgotten.csv
echo a >output/forget_output.txt
