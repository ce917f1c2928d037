# How an attack tells what it tried and what came of it; sourced by the others. It writes output/<attack>.txt:
#
#   held    <what was tried> (<the error>)       it failed, as it must
#   BROKEN  <what was tried> (<what came out>)   it worked
#   fact    <name>: <value>                      something seen from inside
#
# shellcheck shell=sh

# Outside a sandbox some of this would do harm.
if ! grep -q '^CapEff:.0*$' /proc/self/status || ! grep -q '^Seccomp:.2$' /proc/self/status; then
  echo 'refusing to attack: this process is not confined' >&2
  exit 99
fi

name=$(basename "$0" .sh)
mkdir -p output
report=output/$name.txt
: >"$report"

say() { printf '%s\n' "$*" | tee -a "$report"; }
fact() { say "fact    $1: $2"; }

# must_fail SENTENCE COMMAND…
must_fail() {
  sentence=$1
  shift
  message=$("$@" 2>&1)
  status=$?
  message=$(printf '%s' "$message" | tail -n 1 | cut -c 1-200)
  if [ $status -eq 0 ]; then
    say "BROKEN  $sentence ($message)"
  elif [ $status -ge 126 ] && [ $status -le 192 ]; then
    say "BROKEN  $sentence (could not be tried: status $status, $message)"
  else
    say "held    $sentence ($message)"
  fi
}

# must_be SENTENCE EXPECTED ACTUAL
must_be() {
  if [ "$2" = "$3" ]; then say "held    $1 ($3)"; else say "BROKEN  $1 ($3, not $2)"; fi
}
