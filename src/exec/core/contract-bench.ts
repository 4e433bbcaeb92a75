import {
  access,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type Ask, defined, freshAsk, invariant, pause } from "../../kernel/index.ts";
import { type AttemptFiles, type StagedInput, taskRoot } from "../../task/index.ts";
import type { Attempt, AttemptEnd, Executor, PinnedImage } from "./executor.ts";
import { SharedAttemptFiles } from "./shared-attempt-files.ts";

export interface ExecutorContract {
  readonly name: string;
  /** A new, opened executor on the same engine; asked for several times. */
  make(): Promise<Executor>;
  /** An image whose /bin/sh, head, tr, sleep, cat, id and env are there; asked for when the suite begins. */
  image?(): PinnedImage;
  /** The task gets TERM and time to act on it. */
  readonly graceful: boolean;
  /** Tasks do not see processes that are not theirs. */
  readonly hidesProcesses: boolean;
  /**
   * Where this machine sees the task root of an attempt that runs, for executors that share no files with it. Default: the
   * attempt's directory.
   */
  inside?(attempt: Attempt): Promise<string>;
}

export const mebibyte = 2 ** 20;

export class ContractBench {
  readonly contract: ExecutorContract;
  readonly ask = freshAsk();
  #serial = 0;
  #root: string | undefined;
  #executor: Executor | undefined;

  constructor(contract: ExecutorContract) {
    this.contract = contract;
  }

  async open(): Promise<void> {
    this.#root = await realpath(await mkdtemp(join(tmpdir(), "memoir-executor-")));
    this.#executor = await this.contract.make();
  }

  async close(): Promise<void> {
    await this.#executor?.close();
    if (this.#root !== undefined) await rm(this.#root, { recursive: true, force: true, maxRetries: 20 });
  }

  get root(): string {
    invariant(this.#root, "the bench is not open");
    return this.#root;
  }

  get executor(): Executor {
    invariant(this.#executor, "the bench is not open");
    return this.#executor;
  }

  /** A number for names. */
  next(): number {
    return this.#serial++;
  }

  /** An attempt whose script is `script`; its directory is there, as the engine makes it. */
  prepare = async (script: string, more: Partial<Attempt> = {}): Promise<Attempt> => {
    const id = `contract-${process.pid}-${Date.now().toString(36)}-${this.#serial++}`;
    const directory = more.directory ?? join(this.root, id);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "command"), script);
    const image = this.contract.image?.();
    return {
      id,
      directory,
      shell: ["/bin/sh"],
      inputs: [],
      env: {},
      ...defined({ image }),
      resources: { cpu: 1, memoryBytes: 256 * mebibyte, gpu: 0 },
      network: false,
      labels: { "memoir.test": "contract" },
      ...more,
    };
  };

  source = async (name: string, content: string): Promise<StagedInput["source"]> => {
    const location = join(this.root, `sources-${this.#serial++}`, name);
    await mkdir(join(location, ".."), { recursive: true });
    await writeFile(location, content);
    return { kind: "file", location, basename: basename(location) };
  };

  /** A folder with links of all kinds, in one with what they lead to. */
  folderOfHarm = async (): Promise<{
    readonly root: string;
    readonly source: StagedInput["source"];
  }> => {
    const home = join(this.root, `harm-${this.#serial++}`);
    const set = join(home, "set");
    for (const folder of [join(set, "sub"), join(home, "others")]) await mkdir(folder, { recursive: true });
    await writeFile(join(set, "a.txt"), "A\n");
    await writeFile(join(set, "sub/b.txt"), "B\n");
    await writeFile(join(home, "others/c.txt"), "C\n");
    await writeFile(join(home, "single.txt"), "A single one\n");
    await symlink("a.txt", join(set, "inside"));
    await symlink(join(set, "a.txt"), join(set, "absolute"));
    await symlink(join(home, "single.txt"), join(set, "outside"));
    await symlink(join(home, "others"), join(set, "linked"));
    return { root: home, source: { kind: "directory", location: set, basename: "set" } };
  };

  /** Everything that a task could have changed there. */
  snapshot = async (...paths: readonly string[]): Promise<readonly string[]> => {
    const seen: string[] = [];
    const look = async (path: string): Promise<void> => {
      const facts = await lstat(path);
      const kind = facts.isDirectory() ? "folder" : facts.isFile() ? "file" : "link";
      const content = kind === "file" ? await readFile(path, "latin1") : "";
      seen.push(`${path} ${kind} ${facts.mode} ${facts.ino} ${facts.mtimeMs} ${content}`);
      if (kind === "folder") for (const name of (await readdir(path)).sort()) await look(join(path, name));
    };
    for (const path of paths) await look(path);
    return seen;
  };

  run = async (attempt: Attempt, within: Ask = this.ask): Promise<AttemptEnd> => {
    await this.executor.start(attempt, within);
    const end = await this.executor.wait(attempt, within);
    await this.executor.remove(attempt, this.ask);
    return end;
  };

  exitCodeOf = async (script: string, more: Partial<Attempt> = {}): Promise<number> => {
    const end = await this.run(await this.prepare(script, more));
    if (end.kind !== "exited") throw new Error(`ended otherwise: ${JSON.stringify(end)}`);
    return end.exitCode;
  };

  /** Of an ended attempt, however its executor keeps them. */
  files = (attempt: Attempt): AttemptFiles => {
    if (this.executor.can.sharesFiles) return new SharedAttemptFiles(attempt);
    const files = this.executor.filesOf?.(attempt, this.ask);
    invariant(files, "an executor that shares no files says where they are");
    return files;
  };

  /** A file of an ended attempt, by its path below the task root. */
  read = (attempt: Attempt, name: string): Promise<string> =>
    this.executor.can.sharesFiles
      ? readFile(join(attempt.directory, name), "utf8")
      : this.files(attempt).readText(`${taskRoot}/${name}`);

  /** Waits until a task that runs has made a file. */
  appears = async (attempt: Attempt, name: string): Promise<void> => {
    const root = await this.#inside(attempt);
    await until(`${name} of ${attempt.id} is written`, async () =>
      access(join(root, name)).then(
        () => true,
        () => false,
      ),
    );
  };

  /** Makes a file for a task that runs. */
  leave = async (attempt: Attempt, name: string): Promise<void> => {
    const place = join(await this.#inside(attempt), name);
    // Where files are not shared, the working directory is made on the way to the task.
    await until(`there is a place for ${name} of ${attempt.id}`, () =>
      writeFile(place, "").then(
        () => true,
        () => false,
      ),
    );
  };

  #inside(attempt: Attempt): Promise<string> {
    return this.contract.inside?.(attempt) ?? Promise.resolve(attempt.directory);
  }
}

let lastSeconds = 0;

/** A number of seconds that no other `sleep` on this machine was given: its process can be recognised by it. */
export function uniqueSeconds(): string {
  lastSeconds = Math.max(lastSeconds + 1, Date.now() % 1_000_000_000);
  return `1${process.pid}${lastSeconds}`.slice(0, 15);
}

/** No live process has the word in its command line. */
export async function vanishes(word: string): Promise<void> {
  await until(`no process of \`sleep ${word}\` is left`, async () => {
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
      if (words.includes(word)) return false;
    }
    return true;
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await pause(20, freshAsk()))
    if (await holds()) return;
  throw new Error(`within 120 s it did not come about that ${what}`);
}
