/**
 * The script that a scheduler runs on a node, for one attempt. It gives the task its own session, ends what the task leaves
 * behind, and only then publishes the exit code, by rename. A task that was ended from outside (the scheduler's time limit,
 * an administrator, preemption) gets no exit code: however it ended, that is not its own end.
 *
 * Each attempt is run once. The job first makes the folder `claim`; a job that finds it there (one that was started again, or
 * whose submission was repeated because the answer was lost) leaves at once. So does one that the attempt no longer counts on.
 */

export interface JobScriptOrder {
  /** Shell text that sets what `attemptText` sets, for the attempt that the job runs. */
  readonly attempt: string;
  /** First line of the attempt's record of its submission. */
  readonly submission: string;
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
  /** Shell words for the file `began`. */
  readonly began?: string;
  /**
   * For schedulers of which it is not known how they end jobs: with a signal to one process, to all of them, or with KILL at
   * once. A watcher in a separate session looks for the file `cancel`, by which Memoir ends the task, and ends the task if
   * the script was killed.
   */
  readonly hasWatcher: boolean;
}

export interface JobAttempt {
  /** Of the attempt. */
  readonly directory: string;
  readonly timeoutMs: number | undefined;
}

/** A word for /bin/sh. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Shell text without a line feed. */
export function attemptText({ directory, timeoutMs }: JobAttempt): string {
  return `memoir_dir=${quoted(directory)} memoir_limit=${timeoutMs === undefined ? "" : timeoutMs / 1000}`;
}

/**
 * May hold bytes that are not UTF-8, as names of files do: write it with `bytesOfText`. Helpers have their own sessions, so
 * that nothing that signals the job's processes hits them by their group, and ignore TERM, which Slurm sends to every process
 * of a job.
 */
export function jobScript({ attempt, submission, graceMs, began, hasWatcher }: JobScriptOrder): string {
  return `#!/bin/sh
${attempt}
memoir_submission=${quoted(submission)} memoir_grace=${graceMs / 1000}

PATH=$PATH:/usr/bin:/bin
cd / || exit 1
memoir_job=$memoir_dir/job
read -r memoir_expected < "$memoir_job/submission" && [ "$memoir_expected" = "$memoir_submission" ] || exit 0
mkdir "$memoir_job/claim" || exit 0
${began === undefined ? "" : `echo ${began} > "$memoir_job/began"\n`}${beginText}${hasWatcher ? watcherText : ""}${endText}`;
}

const beginText = `memoir_why= memoir_task= memoir_timer= memoir_killer= memoir_watcher=
memoir_after() { setsid /bin/sh -c 'trap "" TERM; sleep "$1"; kill "$2" "$3" 2>/dev/null' memoir-timer "$@" > /dev/null 2>&1 < /dev/null & }
memoir_stop() {
  memoir_why=\${memoir_why:-$1}
  [ -n "$memoir_task" ] || return 0
  kill -TERM "-$memoir_task" 2>/dev/null
  [ -z "$memoir_killer" ] || return 0
  memoir_after "$memoir_grace" -KILL "-$memoir_task"
  memoir_killer=$!
}
trap 'memoir_stop outside' TERM INT USR2
trap 'memoir_stop timed-out' USR1
setsid /bin/sh "$memoir_job/run" < /dev/null &
memoir_task=$!
`;

const watcherText = `setsid /bin/sh -c '
trap "" TERM INT
memoir_asked=
while kill -0 "$1" 2>/dev/null; do
  [ -n "$memoir_asked" ] || [ ! -e "$3/cancel" ] || { memoir_asked=yes; kill -USR2 "$1" 2>/dev/null; }
  sleep 0.5 || sleep 1
done
kill -KILL "-$2" 2>/dev/null
' memoir-watcher "$$" "$memoir_task" "$memoir_job" > /dev/null 2>&1 < /dev/null &
memoir_watcher=$!
`;

const endText = `[ -z "$memoir_why" ] || memoir_stop "$memoir_why"
if [ -n "$memoir_limit" ]; then
  memoir_after "$memoir_limit" -USR1 "$$"
  memoir_timer=$!
fi
while :; do
  wait "$memoir_task"
  memoir_again=$?
  [ $memoir_again = 127 ] && [ -n "\${memoir_code-}" ] || memoir_code=$memoir_again
  kill -0 "$memoir_task" 2>/dev/null || break
done
trap 'memoir_why=\${memoir_why:-outside}' TERM INT USR2
trap '' USR1
# The scheduler may signal every process of a job, one after the other: the task may have got it first.
[ -n "$memoir_why" ] || [ "$memoir_code" -lt 128 ] || sleep 1
kill -KILL "-$memoir_task" \${memoir_watcher:+"-$memoir_watcher"} \${memoir_timer:+"-$memoir_timer"} \${memoir_killer:+"-$memoir_killer"} 2>/dev/null
# What is being killed may still write for a moment.
memoir_looks=0
while kill -0 "-$memoir_task" 2>/dev/null && [ $memoir_looks -lt 100 ]; do
  sleep 0.05 || sleep 1
  memoir_looks=$((memoir_looks + 1))
done
[ ! -f "$memoir_job/after" ] || . "$memoir_job/after"
if [ -z "$memoir_why" ] && [ ! -f "$memoir_dir/rc.new" ]; then
  # 125: the task never came to run. After anything else there was no place for its word, or it killed whoever writes it.
  if [ "$memoir_code" = 125 ] || [ -f "$memoir_job/contained" ]; then memoir_why="unstarted $memoir_code"
  else echo "$memoir_code" > "$memoir_dir/rc.new" || memoir_why="unwritten $memoir_code"
  fi
fi
if [ -z "$memoir_why" ]; then
  mv -f "$memoir_dir/rc.new" "$memoir_dir/rc" && exit 0
  memoir_why="unwritten $memoir_code"
fi
echo "$memoir_why" > "$memoir_job/end.new" && mv -f "$memoir_job/end.new" "$memoir_job/end"
exit 1
`;

/** Becomes the task: `words` with nothing in the environment but `env`. */
export function runScript(env: Readonly<Record<string, string>>, words: readonly string[]): string {
  const pairs = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`));
  return `exec /usr/bin/env -i ${[...pairs, ...words.map(quoted)].join(" ")}\n`;
}
