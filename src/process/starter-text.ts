/**
 * The shell text of the group starter. It needs bash: only there a script may have job control without a terminal
 * (`set -m`), which puts every job into its own process group without one more program.
 *
 * Lines that it reads, all with the id of a group:
 *   run ID TEXT    TEXT is shell text that sets the words
 *   term ID, kill ID
 *   ended ID       after `end`; answers `gone ID` when nobody is left in the group, else `left ID`
 *   left ID        asks that again
 *   look           answers `end ID killed` for every group whose first process has vanished silently
 * Lines that it and its groups write: `ready`, `pid ID PID`, `end ID CODE`, those answers, and empty ones. Every group is
 * led by a fork of this shell that runs the script. Groups are signalled here, because in a separate process
 * namespace they have other numbers outside.
 */

/**
 * `script`: the body of the function that every group runs. Variables have their own names: one that came with the
 * environment would be handed on to tasks with the new value.
 */
export function starterText(script: string): string {
  return `
exec 9<&3 3<&- || exit 125
set -m
export -n SHLVL OLDPWD
memoir_grace=$1 memoir_trial=$2
memoir_live=()
memoir_told=()
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
alive() {
  if kill -0 -- "-$1"; then echo "left $2" >&9; else echo "gone $2" >&9; unset "memoir_live[$2]" "memoir_told[$2]"; fi
}
trap : TERM INT HUP
if [ -n "$memoir_trial" ]; then
  # What is mounted read-only must be so for this process, which has no more rights than a task.
  if ( echo changed > "$memoir_trial" ); then exit 123; fi
  read -r memoir_word < "$memoir_trial"
  [ "$memoir_word" = original ] || exit 124
fi
echo ready >&9
while IFS=' ' read -r memoir_word memoir_number memoir_words <&9; do
  case $memoir_word in
    run)
      eval "$memoir_words" || { echo "end $memoir_number 125" >&9; continue; }
      ( lead "$memoir_number" "$@" ) < /dev/null &
      echo "pid $memoir_number $!" >&9
      memoir_live[$memoir_number]=$!
      ;;
    ended)
      memoir_pid=\${memoir_live[$memoir_number]}
      wait "$memoir_pid"
      alive "$memoir_pid" "$memoir_number"
      ;;
    left) alive "\${memoir_live[$memoir_number]}" "$memoir_number" ;;
    term) kill -TERM -- "-\${memoir_live[$memoir_number]}" ;;
    kill) kill -KILL -- "-\${memoir_live[$memoir_number]}" ;;
    look)
      for memoir_number in "\${!memoir_live[@]}"; do
        [ -z "\${memoir_told[$memoir_number]}" ] || continue
        kill -0 -- "\${memoir_live[$memoir_number]}" && continue
        memoir_told[$memoir_number]=1
        echo "end $memoir_number killed" >&9
      done
      ;;
  esac
done
# Memoir has ended. Groups are looked at often, so that no number is signalled that has come to mean another group.
trap '' TERM INT HUP PIPE
PATH=/usr/bin:/bin
for memoir_pid in "\${memoir_live[@]}"; do kill -TERM -- "-$memoir_pid"; done
memoir_tenths=$((memoir_grace * 10))
while [ \${#memoir_live[@]} -gt 0 ] && [ $memoir_tenths -gt 0 ]; do
  sleep 0.1
  memoir_tenths=$((memoir_tenths - 1))
  for memoir_number in "\${!memoir_live[@]}"; do
    kill -0 -- "-\${memoir_live[$memoir_number]}" || unset "memoir_live[$memoir_number]"
  done
done
for memoir_pid in "\${memoir_live[@]}"; do kill -KILL -- "-$memoir_pid"; done
`;
}

/**
 * The first process of a process namespace, which has a mount namespace as well. It alone may mount; it starts the
 * starter with fewer rights, and mounts on request. The kernel ends everybody in the namespace when it ends.
 *
 * Words: the folder of the tables, the path of \`mount\`, then the command of the starter. Descriptor 3 is the starter's
 * socket, 4 its own. Line that it reads: \`mount N\`: everything that the table N lists, in the format of fstab; it answers
 * \`mounted N\` or \`refused N\`, with mount's words in \`errors\`.
 *
 * Why bash: as the first process it is given the orphans of all tasks, and bash buries them while it reads.
 */
export const keeperText = `
exec 8<&4 4<&-
memoir_folder=$1 memoir_mount=$2
shift 2
read -r memoir_pid memoir_rest < /proc/self/stat
[ $$ = 1 ] && [ "$memoir_pid" = 1 ] || { echo "/proc does not show the process namespace of the run" >&2; exit 122; }
"$memoir_mount" -n -a -T "$memoir_folder/trial" || exit 121
memoir_end() {
  exec 2> /dev/null
  PATH=/usr/bin:/bin
  "\${memoir_mount%mount}umount" -n "$memoir_folder/place"
  rm -rf -- "$memoir_folder"
  exit
}
# When the starter ends nobody of its groups may stay, whatever has left them. The namespace ends with it: a task can have
# killed the starter, and Memoir, which learns of that from the end of \`unshare\`, would wait for its tasks for ever.
trap memoir_end USR1
( exec 8<&-; "$@"; kill -KILL -1; kill -USR1 1 ) &
memoir_child=$!
exec 3<&-
trap : TERM INT HUP
memoir_line=
while :; do
  if IFS= read -t 1 -r memoir_part <&8; then
    memoir_number=\${memoir_line}$memoir_part memoir_line=
    memoir_number=\${memoir_number#mount }
    if "$memoir_mount" -n -a -T "$memoir_folder/$memoir_number" 2> "$memoir_folder/errors" 8<&-
    then echo "mounted $memoir_number" >&8
    else echo "refused $memoir_number" >&8
    fi
  elif [ $? -le 128 ]; then break
  else
    # What was read of a line so far is kept: on a busy machine the time can be over in the middle of one.
    memoir_line+=$memoir_part
    # A signal that comes just before read waits is seen only after it, and a task can kill whoever sends it.
    kill -0 "$memoir_child" 2> /dev/null || memoir_end
  fi
done
trap '' TERM INT HUP PIPE USR1
wait
memoir_end
`;
