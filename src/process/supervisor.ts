/**
 * The shell text that is in front of every program. It leaves a watchdog in the program's process group and then
 * becomes the program itself (`exec`), so exit codes and signals arrive unchanged. The watchdog holds one end of a
 * socket whose other end only the runner has:
 *   - the runner writes a line: the program has ended, the watchdog leaves;
 *   - the socket ends (the runner died, even by kill -9): TERM, then KILL for the whole group.
 * The group cannot be mistaken for another one, because the watchdog is a member of it for as long as it may signal it.
 *
 * Why the details: the watchdog is started by a subshell that ends, so that it is not a child of the program (a program
 * that waits for "any child" would hang on it); descriptor 3 moves to 9, so that scripts may use 3 to 8, and stays open
 * in the program's descendants, so that the runner sees the socket end when the last of them has gone.
 */
const supervisorText = `
exec 9<&3 3<&- || exit 125
(
  (
    trap '' TERM INT HUP
    PATH=/usr/bin:/bin
    if read -r word; then exit 0; fi
    kill -TERM -$$
    sleep "$1"
    kill -KILL -$$
  ) <&9 9<&- >/dev/null 2>&1 &
)
shift
exec "$@"
`;

/**
 * A command for shell scripts that `runProgram` starts: it succeeds while the runner lives. Once the watchdog may have
 * signalled the group it fails, or the shell dies of it (SIGPIPE). It asks the watchdog's own socket, which the runner's
 * end leaves before anything else describes its death.
 */
export const runnerLives = "echo >&9";

/** Which program Node really starts. The group's id is the pid of this program. */
export function supervised(request: {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly graceMs: number;
}): { readonly file: string; readonly args: readonly string[] } {
  // Shells drop variables whose names they cannot write (exported bash functions of HPC modules have such names).
  const oddVariables = Object.entries(request.env)
    .filter(([name]) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const carried = oddVariables.length === 0 ? [] : ["/usr/bin/env", ...oddVariables];
  const graceSeconds = String(Math.max(1, Math.ceil(request.graceMs / 1000)));
  return {
    file: "/bin/sh",
    args: [
      "-c",
      supervisorText,
      "memoir-supervisor",
      graceSeconds,
      ...carried,
      request.file,
      ...request.args,
    ],
  };
}
