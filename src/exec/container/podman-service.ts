/**
 * A private API service of Podman, for the usual case that no socket is there: Podman needs none for itself. It starts
 * in some 40 ms, dies with Memoir (the containers do not: each has its own monitor), and is started again when it died.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AppError, type Ask, checkAsk, freshAsk, pause, systemErrorCode } from "../../kernel/index.ts";
import { describeOutcome, type ProgramOutcome, runProgram } from "../../process/index.ts";

const startLimitMs = 30_000;
const folderPrefix = "memoir-podman-";

export class PodmanService {
  readonly #program: string;
  readonly #env: Readonly<Record<string, string>>;
  #running: { readonly ended: Promise<ProgramOutcome>; readonly stop: AbortController } | undefined;
  #folder: string | undefined;
  #starting: Promise<string> | undefined;
  #closed = false;

  /** @param program absolute path of podman */
  constructor(program: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#env = env;
  }

  /** The path of a socket that answers; starts the service when it does not run. */
  socket(ask: Ask): Promise<string> {
    this.#starting ??= this.#ensure(ask).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    running?.stop.abort();
    await running?.ended.catch(() => undefined); // reported to whoever was waiting for the socket
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async #ensure(ask: Ask): Promise<string> {
    if (this.#closed)
      throw new AppError("EXEC_ENGINE_FAILED", "asking podman's service, which has been closed");
    if (this.#folder === undefined) {
      await removeDeadFolders();
      this.#folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
    }
    const socketPath = join(this.#folder, "api.sock");
    if (this.#running !== undefined && (await answers(socketPath))) return socketPath;
    this.#running ??= this.#launch(this.#folder, socketPath);
    let outcome: ProgramOutcome | undefined;
    this.#running.ended.then(
      (value) => {
        outcome = value;
      },
      () => {}, // it could not even be started: seen below as no answer
    );
    const until = Date.now() + startLimitMs;
    while (!(await answers(socketPath))) {
      checkAsk(ask, "starting podman's service");
      const over = this.#running === undefined || Date.now() > until || this.#closed;
      if (outcome !== undefined || over) throw await this.#failed(outcome);
      await pause(10, ask);
    }
    return socketPath;
  }

  #launch(folder: string, socketPath: string) {
    const stop = new AbortController();
    const ended = runProgram(
      {
        // Containers' monitors inherit descriptors and outlive the service; the supervisor's own must not go to them.
        command: "/bin/sh",
        args: [
          ...["-c", 'exec 9<&-; exec "$0" "$@"', this.#program],
          ...["system", "service", "--time=0", `unix://${socketPath}`],
        ],
        // Container monitors drop files into the service's working directory.
        cwd: folder,
        env: this.#env,
        stdout: { kind: "discard" },
        stderr: { kind: "file", path: join(folder, "stderr") },
      },
      { ...freshAsk(), signal: stop.signal },
    );
    const forget = () => {
      this.#running = undefined;
    };
    ended.then(forget, forget);
    return { ended, stop };
  }

  async #failed(outcome: ProgramOutcome | undefined): Promise<AppError> {
    const why = outcome === undefined ? "no answer" : describeOutcome(outcome);
    const words = (await readFile(join(this.#folder ?? "", "stderr"), "utf8").catch(() => "")).trim();
    return new AppError(
      "EXEC_ENGINE_FAILED",
      `starting \`podman system service\`: ${why}${words === "" ? "" : `: ${words.slice(-2000)}`}`,
    );
  }
}

/** Whether somebody listens at a unix socket. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** A Memoir that was killed leaves its folder (the service in it has died with it). */
async function removeDeadFolders(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = new RegExp(`^${folderPrefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {
      // Another user's: not ours to remove.
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}
