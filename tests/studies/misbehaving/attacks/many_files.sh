# Makes 100,000 outputs.
. attacks/report.sh

mkdir -p output/many
(cd output/many && seq -f '%.0f.txt' 1 100000 | xargs touch)
fact 'files' "$(ls output/many | wc -l)"
