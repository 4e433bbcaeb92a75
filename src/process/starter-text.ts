/**
 * The shell text of the group starter. It needs bash: only there a script may have job control without a terminal
 * (`set -m`), which puts every job into a process group of its own without one more program.
 *
 * Lines that it reads: `run ID TEXT` (shell text that sets the words) and `gone PID`. Lines that it and its groups write: `pid ID PID`, `end ID CODE`,
 * and empty ones. Every group is led by a fork of this shell that runs the script.
 */

/**
 * `script`: the body of the function that every group runs. Variables have names of their own: one that came with the
 * environment would be handed on to tasks with the new value.
 */
export function starterText(script: string): string {
  return `
exec 9<&3 3<&- || exit 125
set -m
export -n SHLVL OLDPWD
memoir_grace=$1
memoir_live=()
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
while IFS=' ' read -r memoir_word memoir_number memoir_words <&9; do
  case $memoir_word in
    run)
      eval "$memoir_words" || { echo "end $memoir_number 125" >&9; continue; }
      ( lead "$memoir_number" "$@" ) < /dev/null &
      echo "pid $memoir_number $!" >&9
      memoir_live[$!]=1
      disown $!
      ;;
    gone) unset "memoir_live[$memoir_number]" ;;
  esac
done
# Memoir has ended. Groups are looked at often, so that no number is signalled that has come to mean another group.
trap '' TERM INT HUP PIPE
PATH=/usr/bin:/bin
for memoir_pid in "\${!memoir_live[@]}"; do kill -TERM -- "-$memoir_pid"; done
memoir_tenths=$((memoir_grace * 10))
while [ \${#memoir_live[@]} -gt 0 ] && [ $memoir_tenths -gt 0 ]; do
  sleep 0.1
  memoir_tenths=$((memoir_tenths - 1))
  for memoir_pid in "\${!memoir_live[@]}"; do kill -0 -- "-$memoir_pid" || unset "memoir_live[$memoir_pid]"; done
done
for memoir_pid in "\${!memoir_live[@]}"; do kill -KILL -- "-$memoir_pid"; done
`;
}
