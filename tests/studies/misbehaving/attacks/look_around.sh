# What can be seen from inside: who, where, which limits. Everything is compared with what every action must see.
. attacks/report.sh

must_be 'host name' glovebox "$(hostname)"
must_be 'user' 1000 "$(id -u)"
must_be 'group' 1000 "$(id -g)"
must_be 'no further groups' 1000 "$(id -G)"
must_be 'one user is mapped' 1 "$(wc -l </proc/self/uid_map | tr -d ' ')"
must_be 'range of users mapped' 1 "$(awk '{n += $3} END {print n}' /proc/self/uid_map)"
must_be 'range of groups mapped' 1 "$(awk '{n += $3} END {print n}' /proc/self/gid_map)"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
  must_be "capabilities $set" 0000000000000000 "$(awk -v s="$set:" '$1 == s {print $2}' /proc/self/status)"
done
must_be 'no new privileges' 1 "$(awk '$1 == "NoNewPrivs:" {print $2}' /proc/self/status)"
must_be 'seccomp filters' 2 "$(awk '$1 == "Seccomp:" {print $2}' /proc/self/status)"
must_be 'working directory' /workspace "$(pwd)"
must_be 'standard input' /dev/null "$(readlink /proc/self/fd/0)"
must_fail 'no terminal' sh -c ': </dev/tty'

# The shell itself holds this script open, and for a moment the folder that it lists: gone when its link is read. No command
# substitution here, which would open a pipe under that number.
inherited=
for descriptor in /proc/$$/fd/*; do
  readlink "$descriptor" >/tmp/target || continue
  read -r target </tmp/target
  case ${descriptor##*/}$target in
    [012]/* | [012]pipe:* | *look_around.sh) ;;
    *) inherited="$inherited ${descriptor##*/}:$target" ;;
  esac
done
must_be 'no inherited descriptor' '' "$inherited"

must_be 'no /sys' '' "$(ls /sys 2>/dev/null)"
must_be 'one cgroup, without a host path' '' "$(grep -v ':/$' /proc/self/cgroup 2>/dev/null)"
must_be 'processes of its own only' '' "$(ls -d /proc/[0-9]* | awk -F/ '$3 > 1000')"
must_be 'core dumps' 0 "$(ulimit -c)"
fact 'open files' "$(ulimit -n)"
fact 'mounts' "$(wc -l </proc/self/mountinfo)"
cp /proc/self/mountinfo output/look_around_mounts.txt
for namespace in cgroup ipc mnt net pid user uts; do
  fact "namespace $namespace" "$(readlink /proc/self/ns/$namespace)"
done
env | sort >output/look_around_environment.txt
