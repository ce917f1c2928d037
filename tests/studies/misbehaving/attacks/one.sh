# An honest action that ends at once.
mkdir -p output && echo 1 >output/one.txt
