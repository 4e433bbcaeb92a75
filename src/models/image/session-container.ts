/**
 * The container of a session: started by `serve`, used by every run of the session, removed by `close`. A watcher,
 * a process apart, removes it when the session's file is missing or its shell has ended; if somebody ends the watcher, too, the
 * next container that Memoir starts finds what was left.
 */
import { spawn } from "node:child_process";
import { type Ask, freshAsk } from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
import { openContainer } from "./image-runner.ts";
import { type ModelImage, removeContainer } from "./model-container.ts";

export interface SessionContainer {
  readonly name: string;
  readonly engine: ModelImage["engine"];
}

export interface SessionOfContainer {
  /** The file of the session, which holds the container's name as long as the session is open. */
  readonly file: string;
  /** The process whose end ends the session; undefined = only `close` does. */
  readonly shell?: { readonly pid: number; readonly start: string };
}

interface Place {
  readonly env: Readonly<Record<string, string>>;
  readonly tempDir?: string;
}

/** Started, and its server answers. Write its name into the session's file, then call `watchSession`. */
export async function startSessionContainer(
  image: ModelImage,
  { session, ...place }: Place & { readonly session: SessionOfContainer },
  ask: Ask,
): Promise<SessionContainer> {
  const { container } = await openContainer(image, { ...place, sessionFile: session.file }, ask);
  await container.leave();
  return { name: container.name, engine: image.engine };
}

export async function stopSessionContainer(
  { name, engine }: SessionContainer,
  { env }: Place,
): Promise<void> {
  await removeContainer({ name, engine }, env, freshAsk());
}

/** Ends by itself, within seconds after the session. */
export async function watchSession(
  { name, engine }: SessionContainer,
  { session, env }: Place & { readonly session: SessionOfContainer },
): Promise<void> {
  const program = await findProgram(engine, env, "/");
  if (program === undefined) return;
  const { pid = "", start = "" } = session.shell ?? {};
  const child = spawn(
    "/bin/sh",
    ["-c", watcher, "memoir-session", name, session.file, `${pid}`, start, program],
    {
      ...{ cwd: "/", env: { ...env }, detached: true, stdio: "ignore" },
    },
  );
  child.on("error", () => {});
  child.unref();
}

/** $1 container, $2 session file, $3 and $4 the shell's id and start time, where one ends the session, $5 the engine. */
const watcher = `
container=$1 file=$2 pid=$3 start=$4 program=$5
while grep -q "$container" "$file" 2>/dev/null; do
  if [ -n "$pid" ]; then
    kill -0 "$pid" 2>/dev/null || break
    fields=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null) || fields=
    if [ -n "$fields" ]; then
      set -- $fields
      [ "$1" = Z ] && break
      shift 19
      [ "$1" = "$start" ] || break
    fi
  fi
  sleep 2
done
exec "$program" rm --force --volumes "$container"
`;
