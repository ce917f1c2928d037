# An honest action: the input that the others go for.
mkdir -p output
printf 'id,value\n1,original\n2,original\n' >output/input.csv
