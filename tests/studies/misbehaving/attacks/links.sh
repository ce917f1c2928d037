# Puts everything that is not a file where a file is expected.
. attacks/report.sh

out=output/links
mkdir -p $out /tmp/elsewhere
echo 'a,b' >$out/fine.csv
echo 'a,b' >/tmp/elsewhere/inside.csv
ln -s /etc/passwd $out/to_host.csv
ln -s ../../project.yaml $out/to_code.csv
ln -s fine.csv $out/to_output.csv
ln -s /proc/self/environ $out/to_proc.csv
ln -s nowhere $out/to_nothing.csv
ln -s to_itself.csv $out/to_itself.csv
ln -s /tmp/elsewhere output/linked_folder
mkfifo $out/pipe.csv
mkdir $out/folder.csv
nc -l -U $out/socket.csv >/dev/null 2>&1 & # where this nc knows sockets
ln $out/fine.csv $out/hard.csv
fact 'made' "$(ls $out | tr '\n' ' ')"
