/**
 * The shell text of the group starter. It needs bash: only there a script may have job control without a terminal
 * (`set -m`), which puts every job into a process group of its own without one more program.
 *
 * Lines that it reads: `run ID TEXT` (shell text that sets the words) and `gone PID`. Lines that it and its groups write: `pid ID PID`, `end ID CODE`,
 * and empty ones. Every group is led by a fork of this shell that runs the script.
 */

/** `script`: the body of the function that every group runs. */
export function starterText(script: string): string {
  return `
exec 9<&3 3<&- || exit 125
set -m
export -n SHLVL OLDPWD
grace=$1
live=()
${script === "" ? "" : `script() {\n${script}\n}`}
# Becomes a command, without the socket: a task could pretend others' ends, or read what is not meant for it.
start() {
  exec 9<&-
  while [ "$1" != -- ]; do export "$1"; shift; done
  shift
  exec "$@"
}
lead() {
  set +m
  memoir_id=$1
  shift
  trap 'echo "end $memoir_id $?" >&9' EXIT
  script "$@"
}
trap : TERM INT HUP
while IFS=' ' read -r word number words <&9; do
  case $word in
    run)
      eval "$words" || { echo "end $number 125" >&9; continue; }
      ( lead "$number" "$@" ) < /dev/null &
      echo "pid $number $!" >&9
      live[$!]=1
      disown $!
      ;;
    gone) unset "live[$number]" ;;
  esac
done
# Memoir has ended. Groups are looked at often, so that no number is signalled that has come to mean another group.
trap '' TERM INT HUP PIPE
PATH=/usr/bin:/bin
for pid in "\${!live[@]}"; do kill -TERM -- "-$pid"; done
tenths=$((grace * 10))
while [ \${#live[@]} -gt 0 ] && [ $tenths -gt 0 ]; do
  sleep 0.1
  tenths=$((tenths - 1))
  for pid in "\${!live[@]}"; do kill -0 -- "-$pid" || unset "live[$pid]"; done
done
for pid in "\${!live[@]}"; do kill -KILL -- "-$pid"; done
`;
}
