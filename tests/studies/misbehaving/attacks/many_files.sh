# Makes 100,000 outputs.
. attacks/report.sh

mkdir -p output/many
(cd output/many && seq 1 100000 | sed 's/$/.txt/' | xargs touch)
fact 'files' "$(ls output/many | wc -l)"
