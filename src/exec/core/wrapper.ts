/**
 * The shell text that stands around every task, inside the container or on the host. It runs the task's script with
 * both output streams in files, measures what was used, and writes `usage.json` and then, last, `rc`.
 *
 * It needs nothing of the image but /bin/sh (checked with dash, busybox and bash): figures come from cgroup files (v1
 * or v2) and /proc, read by the shell itself. It starts no further program, since a task that has used up its memory
 * or its processes may leave no room for one: `rc` is written in place with one write, and readers take it only when its
 * line is complete. The task runs in the background so that TERM can be handed on: inside a container to every process
 * (`kill -1` spares the caller and pid 1), on the host the whole group has got it already. A wait that TERM interrupts is
 * made again; it answers 127 when the first one had its answer after all, and bash 5.2 sometimes -1 when the task ended
 * in the same moment (143, the interrupted wait's answer, stays then).
 */

import { runnerLives } from "../../process/index.ts";

/**
 *   container: own process namespace; the cgroup files below /sys/fs/cgroup are the task's own, if `ownCgroup` (a
 *     rootless engine on cgroup v1 leaves its containers in the user's group, whose figures are everybody's)
 *   sandbox: own process namespace, in a cgroup (a folder, or empty = none) that was entered before
 *   host: enters the cgroup itself
 *   job: a job of a scheduler, which outlives Memoir; the job's script publishes the exit code (`inJob`)
 * Sandbox and host write no `rc` once Memoir has died: what ends then was ended by that, even where a task answers TERM
 * with exit code 0. They ask the very socket whose end makes the watchdog send TERM, so that no task can have got that
 * signal and still find Memoir alive. (Its pid shows less: a process that dies loses its sockets before its children.)
 */
export type WrapperPlace =
  | { readonly kind: "container"; readonly ownCgroup: boolean; readonly inJob?: true }
  | { readonly kind: "job" }
  | { readonly kind: "sandbox" | "host"; readonly cgroup: string };

/**
 * What an engine sends to end a container when Memoir did not ask for it: `docker stop`, the daemon's or the machine's
 * shutdown. The task gets TERM, and however it ends then is not its own end: no `rc` is written. TERM itself cannot be
 * this signal, since tasks send it to their whole group (`kill 0`), which the wrapper belongs to.
 */
export const containerStopSignal = { name: "USR1", linuxNumber: 10 } as const;

/**
 * The text itself, for a shell that has it as a function: its words are root, place, cgroup and those of the command.
 * Its variables have their own names, because a variable that the task was given would be handed on with the new value.
 * A fork of a shell keeps its `$$`, so the text says 0 and `self` where it means its own process.
 */
export const wrapperScript = `
memoir_root=$1 memoir_place=$2 memoir_memory=$3 memoir_cpu=$3
shift 3
memoir_codes=rc
case $memoir_place in *-job) memoir_place=\${memoir_place%-job} memoir_codes=rc.new ;; esac
memoir_oom= memoir_peak= memoir_usec= memoir_ticks= memoir_wall= memoir_now= memoir_interrupted= memoir_outside=
memoir_uptime() {
  memoir_now=
  [ -r /proc/uptime ] || return 0
  read -r memoir_now memoir_rest < /proc/uptime
  memoir_now=\${memoir_now%.*}\${memoir_now#*.}
}
memoir_stop() {
  memoir_interrupted=1
  if [ "$memoir_place" = container ]; then kill -TERM -1 2>/dev/null; fi
}
if [ "$memoir_place$memoir_memory" = containerown ]; then
  memoir_memory= memoir_cpu=
  if [ -r /sys/fs/cgroup/memory.events ]; then memoir_memory=/sys/fs/cgroup memoir_cpu=/sys/fs/cgroup
  elif [ -r /sys/fs/cgroup/memory/memory.oom_control ]; then memoir_memory=/sys/fs/cgroup/memory memoir_cpu=/sys/fs/cgroup/cpuacct
  fi
elif [ "$memoir_place" = host ] && [ -n "$memoir_memory" ]; then echo 0 > "$memoir_memory/cgroup.procs" || exit 125
fi
cd "$memoir_root/work" || exit 125
# Permissions of what a task makes do not depend on who started Memoir; a container decides for itself.
[ "$memoir_place" = container ] || umask 022
trap memoir_stop TERM INT
[ "$memoir_place" != container ] || trap 'memoir_outside=1; memoir_stop' ${containerStopSignal.name}
memoir_uptime
memoir_began=$memoir_now
"$@" < /dev/null > "$memoir_root/stdout" 2> "$memoir_root/stderr" &
memoir_task=$!
wait $memoir_task
memoir_code=$?
while [ -n "$memoir_interrupted" ]; do
  memoir_interrupted=
  wait $memoir_task
  memoir_again=$?
  case $memoir_again in 127 | -*) ;; *) memoir_code=$memoir_again ;; esac
done
trap '' TERM INT
[ "$memoir_place" != container ] || trap '' ${containerStopSignal.name}
memoir_uptime
[ -z "$memoir_began" ] || memoir_wall=$((memoir_now - memoir_began))
if [ -r "$memoir_memory/memory.events" ]; then
  while read -r memoir_name memoir_value; do [ "$memoir_name" != oom_kill ] || memoir_oom=$memoir_value; done < "$memoir_memory/memory.events"
  [ ! -r "$memoir_memory/memory.peak" ] || read -r memoir_peak < "$memoir_memory/memory.peak"
elif [ -r "$memoir_memory/memory.oom_control" ]; then
  while read -r memoir_name memoir_value; do [ "$memoir_name" != oom_kill ] || memoir_oom=$memoir_value; done < "$memoir_memory/memory.oom_control"
  [ ! -r "$memoir_memory/memory.max_usage_in_bytes" ] || read -r memoir_peak < "$memoir_memory/memory.max_usage_in_bytes"
fi
if [ -r "$memoir_cpu/cpuacct.usage" ]; then
  read -r memoir_usec < "$memoir_cpu/cpuacct.usage"
  memoir_usec=$((memoir_usec / 1000))
elif [ -r "$memoir_cpu/cpu.stat" ]; then
  while read -r memoir_name memoir_value; do [ "$memoir_name" != usage_usec ] || memoir_usec=$memoir_value; done < "$memoir_cpu/cpu.stat"
fi
if [ -r /proc/self/stat ]; then
  read -r memoir_stat < /proc/self/stat
  set -- \${memoir_stat##*) }
  shift 13
  memoir_ticks=$(($1 + $2))
fi
printf '{"wallCentiseconds":%s,"cgroupCpuMicroseconds":%s,"cpuTicks":%s,"peakBytes":%s,"oomKills":%s}\\n' \\
  "\${memoir_wall:-null}" "\${memoir_usec:-null}" "\${memoir_ticks:-null}" "\${memoir_peak:-null}" "\${memoir_oom:-null}" > "$memoir_root/usage.json"
[ -z "$memoir_outside" ] || exit 125
[ "$memoir_place" = container ] || [ $memoir_codes = rc.new ] || ${runnerLives} || exit 125
echo $memoir_code > "$memoir_root/$memoir_codes"
exit $memoir_code
`;

/**
 * Arguments for `/bin/sh` that run one task.
 *
 * @param root the attempt's directory as the task sees it: the task root, or its host path
 * @param command the words to run, the script's path being the last
 */
export function wrapperArguments(
  root: string,
  place: WrapperPlace,
  command: readonly string[],
): readonly string[] {
  const [word, cgroup] = placeWords(place);
  return ["-c", wrapperScript, "memoir-task", root, word, cgroup, ...command];
}

/** In a job `rc.new` is written instead of `rc`: the job's script renames it once nothing of the task is left. */
function placeWords(place: WrapperPlace): readonly [word: string, cgroup: string] {
  switch (place.kind) {
    case "container":
      return [place.inJob === true ? "container-job" : "container", place.ownCgroup ? "own" : ""];
    case "job":
      return ["host-job", ""];
    default:
      return [place.kind, place.cgroup];
  }
}
