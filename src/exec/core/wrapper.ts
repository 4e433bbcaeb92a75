/**
 * The shell text that stands around every task, inside the container or on the host. It runs the task's script with
 * both output streams in files, measures what was used, and writes `usage.json` and then, last, `rc`.
 *
 * It needs nothing of the image but /bin/sh (checked with dash, busybox and bash): figures come from cgroup files (v1
 * or v2) and /proc, read by the shell itself. It starts no program of its own, since a task that has used up its memory
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
 * Sandbox and host write no `rc` once Memoir has died: what ends then was ended by that, even where a task answers TERM
 * with exit code 0. They ask the very socket whose end makes the watchdog send TERM, so that no task can have got that
 * signal and still find Memoir alive. (Its pid tells less: a process that dies loses its sockets before its children.)
 */
export type WrapperPlace =
  | { readonly kind: "container"; readonly ownCgroup: boolean }
  | { readonly kind: "sandbox" | "host"; readonly cgroup: string };

/**
 * What an engine sends to end a container when Memoir did not ask for it: `docker stop`, the daemon's or the machine's
 * shutdown. The task gets TERM, and however it ends then is not its own end: no `rc` is written. TERM itself will not do
 * for telling, since tasks send it to their whole group (`kill 0`), which the wrapper belongs to.
 */
export const containerStopSignal = { name: "USR1", linuxNumber: 10 } as const;

/**
 * The text itself, for a shell that has it as a function: its words are root, place, cgroup and those of the command.
 * A fork of a shell keeps its `$$`, so the text says 0 and `self` where it means its own process.
 */
export const wrapperScript = `
root=$1 place=$2 memory=$3 cpu=$3
shift 3
oom= peak= usec= ticks= wall= now= interrupted= outside=
uptime() {
  now=
  [ -r /proc/uptime ] || return 0
  read -r now rest < /proc/uptime
  now=\${now%.*}\${now#*.}
}
stop() {
  interrupted=1
  if [ "$place" = container ]; then kill -TERM -1 2>/dev/null; fi
}
if [ "$place$memory" = containerown ]; then
  memory= cpu=
  if [ -r /sys/fs/cgroup/memory.events ]; then memory=/sys/fs/cgroup cpu=/sys/fs/cgroup
  elif [ -r /sys/fs/cgroup/memory/memory.oom_control ]; then memory=/sys/fs/cgroup/memory cpu=/sys/fs/cgroup/cpuacct
  fi
elif [ "$place" = host ] && [ -n "$memory" ]; then echo 0 > "$memory/cgroup.procs" || exit 125
fi
cd "$root/work" || exit 125
trap stop TERM INT
[ "$place" != container ] || trap 'outside=1; stop' ${containerStopSignal.name}
uptime
began=$now
"$@" < /dev/null > "$root/stdout" 2> "$root/stderr" &
task=$!
wait $task
code=$?
while [ -n "$interrupted" ]; do
  interrupted=
  wait $task
  again=$?
  case $again in 127 | -*) ;; *) code=$again ;; esac
done
trap '' TERM INT
[ "$place" != container ] || trap '' ${containerStopSignal.name}
uptime
[ -z "$began" ] || wall=$((now - began))
if [ -r "$memory/memory.events" ]; then
  while read -r name value; do [ "$name" != oom_kill ] || oom=$value; done < "$memory/memory.events"
  [ ! -r "$memory/memory.peak" ] || read -r peak < "$memory/memory.peak"
elif [ -r "$memory/memory.oom_control" ]; then
  while read -r name value; do [ "$name" != oom_kill ] || oom=$value; done < "$memory/memory.oom_control"
  [ ! -r "$memory/memory.max_usage_in_bytes" ] || read -r peak < "$memory/memory.max_usage_in_bytes"
fi
if [ -r "$cpu/cpuacct.usage" ]; then
  read -r usec < "$cpu/cpuacct.usage"
  usec=$((usec / 1000))
elif [ -r "$cpu/cpu.stat" ]; then
  while read -r name value; do [ "$name" != usage_usec ] || usec=$value; done < "$cpu/cpu.stat"
fi
if [ -r /proc/self/stat ]; then
  read -r stat < /proc/self/stat
  set -- \${stat##*) }
  shift 13
  ticks=$(($1 + $2))
fi
printf '{"wallCentiseconds":%s,"cgroupCpuMicroseconds":%s,"cpuTicks":%s,"peakBytes":%s,"oomKills":%s}\\n' \\
  "\${wall:-null}" "\${usec:-null}" "\${ticks:-null}" "\${peak:-null}" "\${oom:-null}" > "$root/usage.json"
[ -z "$outside" ] || exit 125
[ "$place" = container ] || ${runnerLives} || exit 125
echo $code > "$root/rc"
exit $code
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
  const cgroup = place.kind !== "container" ? place.cgroup : place.ownCgroup ? "own" : "";
  return ["-c", wrapperScript, "memoir-task", root, place.kind, cgroup, ...command];
}
