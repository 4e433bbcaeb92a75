/**
 * The script that a scheduler runs on a node, for one attempt. It gives the task its own session, ends what the task leaves
 * behind, and only then publishes the exit code, by rename. A task that was ended from outside gets no exit code: however it
 * ended, that is not its own end.
 *
 * Schedulers end jobs in different ways: with a signal to one process, to all of them, or with KILL at once. So a watcher in
 * a separate session looks for the file `cancel`, by which Memoir ends the task, and ends the task if this script was killed.
 *
 * Each attempt is run once. The job first makes the folder `claim`; a job that finds it there (one that was started again, or
 * whose submission was repeated because the answer was lost) leaves at once. So does one that the attempt no longer counts on.
 */

export interface JobScriptOrder {
  /** Of the submission. */
  readonly token: string;
  /** Of the attempt. */
  readonly directory: string;
  readonly timeoutMs: number | undefined;
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
}

/** A word for /bin/sh. */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** May hold bytes that are not UTF-8, as names of files do: write it with `bytesOfText`. */
export function jobScript({ token, directory, timeoutMs, graceMs }: JobScriptOrder): string {
  const limit = timeoutMs === undefined ? "" : String(timeoutMs / 1000);
  return `#!/bin/sh
memoir_dir=${quoted(directory)} memoir_limit=${limit}
memoir_token=${quoted(token)} memoir_grace=${graceMs / 1000}
${fixedText}`;
}

/** Helpers have their own sessions, so that nothing that signals the job's processes hits them by their group. */
const fixedText = `
PATH=$PATH:/usr/bin:/bin
cd / || exit 1
memoir_job=$memoir_dir/job
read -r memoir_expected < "$memoir_job/submission" && [ "$memoir_expected" = "$memoir_token" ] || exit 0
mkdir "$memoir_job/claim" || exit 0
memoir_why= memoir_task= memoir_timer= memoir_killer= memoir_watcher=
memoir_after() { setsid /bin/sh -c 'trap "" TERM; sleep "$1"; kill "$2" "$3" 2>/dev/null' memoir-timer "$@" > /dev/null 2>&1 < /dev/null & }
memoir_stop() {
  memoir_why=\${memoir_why:-$1}
  [ -n "$memoir_task" ] || return 0
  kill -TERM "-$memoir_task" 2>/dev/null
  [ -z "$memoir_killer" ] || return 0
  memoir_after "$memoir_grace" -KILL "-$memoir_task"
  memoir_killer=$!
}
trap 'memoir_stop outside' TERM INT
trap 'memoir_stop timed-out' USR1
trap 'memoir_stop outside' USR2
setsid /bin/sh "$memoir_job/run" < /dev/null &
memoir_task=$!
setsid /bin/sh -c '
trap "" TERM INT
memoir_asked=
while kill -0 "$1" 2>/dev/null; do
  [ -n "$memoir_asked" ] || [ ! -e "$3/cancel" ] || { memoir_asked=yes; kill -USR2 "$1" 2>/dev/null; }
  sleep 0.5 || sleep 1
done
kill -KILL "-$2" 2>/dev/null
' memoir-watcher "$$" "$memoir_task" "$memoir_job" > /dev/null 2>&1 < /dev/null &
memoir_watcher=$!
[ -z "$memoir_why" ] || memoir_stop "$memoir_why"
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
kill -KILL "-$memoir_task" "-$memoir_watcher" \${memoir_timer:+"-$memoir_timer"} \${memoir_killer:+"-$memoir_killer"} 2>/dev/null
# What is being killed may still write for a moment.
memoir_looks=0
while kill -0 "-$memoir_task" 2>/dev/null && [ $memoir_looks -lt 100 ]; do
  sleep 0.05 || sleep 1
  memoir_looks=$((memoir_looks + 1))
done
[ ! -f "$memoir_job/after" ] || . "$memoir_job/after"
if [ -z "$memoir_why" ] && [ ! -f "$memoir_dir/rc.new" ]; then
  # 125: the task never came to run. After anything else there was no place for its word, or it killed whoever writes it.
  if [ "$memoir_code" = 125 ]; then memoir_why="unstarted $memoir_code"
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

/** Scripts rarely quote what the task root becomes, so the node gets a plain name for an odd path. */
export function aliasScripts({ directory, alias }: { readonly directory: string; readonly alias: string }): {
  readonly before: string;
  readonly after: string;
} {
  const [to, at] = [quoted(directory), quoted(alias)];
  return {
    before: `ln -sn ${to} ${at} 2>/dev/null || [ "$(readlink ${at})" = ${to} ] || exit 125\n`,
    after: `rm -f ${at}\n`,
  };
}

/** Of an attempt whose path needs quoting: on the node, where only its job needs it. */
export function aliasOf(attemptId: string): string {
  return `/tmp/${attemptId}`;
}
