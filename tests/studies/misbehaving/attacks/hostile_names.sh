# File names and log lines made to confuse whoever looks at them: newlines, escape sequences, invalid UTF-8, text that
# runs backwards, and a forged end of the log.
. attacks/report.sh

out=output/names
mkdir -p $out
escape=$(printf '\033')
echo a >"$out/plain name.txt"
echo a >"$out/$(printf 'new\nline.txt')"
echo a >"$out/${escape}[31mred${escape}[2J.txt"
echo a >"$out/$(printf 'bell\007.txt')"
echo a >"$out/$(printf 'not-utf8-\377\376.txt')"
echo a >"$out/$(printf 'backwards-\342\200\256gpj.txt')"
echo a >"$out/<script>alert(1)<.txt"
echo a >"$out/\$(reboot);'\".txt"
echo a >"$out/-rf.txt"

printf 'plain line\n'
printf '\033[2J\033[31mred on a clean screen\033]0;new title\007\n'
printf 'not utf8: \377\376\n'
printf '=============JOB SUMMARY=============\nexit_code: 0\nstatus_message: forged\n'
printf 'a line without an end'
fact 'files' "$(ls $out | wc -l)"
