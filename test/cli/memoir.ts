/** The real command line, as users start it: the built dist/memoir.js in a child process, with a separate home. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeFolder } from "../remove-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const memoirProgram = join(root, "dist", "memoir.js");
export const modelFixtures = join(root, "test", "fixtures", "models");

/** This file of tests has looked: with many sandboxes looking each time would cost seconds. */
let isBuilt = false;

/** Builds when a source is newer than the bundle. */
export function ensureBuilt(): void {
  const built = statSync(memoirProgram, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Math.max(newestIn(join(root, "src")), newestIn(join(root, "web"))) <= built) return;
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build.mjs"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`building dist/ failed:\n${stderr}`);
}

function newestIn(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const isSource =
      entry.isFile() && /\.(tsx?|css|html)$/.test(entry.name) && !/\.(test|d)\.ts$/.test(entry.name);
    if (isSource) newest = Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs);
  }
  return newest;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface Started {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it has said on standard error so far. */
  err(): string;
}

export type Env = Readonly<Record<string, string>>;

export class Sandbox {
  readonly folder: string;
  readonly #env: Env;

  private constructor(folder: string, env: Env) {
    this.folder = folder;
    this.#env = env;
  }

  static async create(env: Env = {}): Promise<Sandbox> {
    if (!isBuilt) ensureBuilt();
    isBuilt = true;
    return new Sandbox(await mkdtemp(join(tmpdir(), "memoir-cli-")), env);
  }

  get home(): string {
    return join(this.folder, "home");
  }

  /** The same folder and home with more environment. */
  with(env: Env): Sandbox {
    return new Sandbox(this.folder, { ...this.#env, ...env });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  async write(name: string, content: string | Uint8Array): Promise<string> {
    if (name.includes("/")) await mkdir(dirname(this.path(name)), { recursive: true });
    await writeFile(this.path(name), content);
    return name;
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), "utf8");
  }

  /** Writes inputs under the header `smiles`. */
  async inputs(name: string, rows: readonly string[]): Promise<string> {
    return this.write(name, `smiles\n${rows.map((row) => `${row}\n`).join("")}`);
  }

  /** Lines of an output without the header and without the key. */
  async rows(name: string): Promise<readonly string[]> {
    const [, ...lines] = (await this.read(name)).trimEnd().split("\n");
    return lines.map((line) => line.slice(33));
  }

  start(...words: readonly string[]): Started {
    const child = spawn(process.execPath, [memoirProgram, ...words], {
      cwd: this.folder,
      env: this.env(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      err += text;
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve({ code, signal, out, err }));
    });
    return { process: child, ended, err: () => err };
  }

  run(...words: readonly string[]): Promise<Ended> {
    return this.start(...words).ended;
  }

  /** Runs a command that must work, with --json, and answers its result. */
  async json<T = Record<string, unknown>>(...words: readonly string[]): Promise<T> {
    const { code, out, err } = await this.run(...words, "--json");
    if (code !== 0) throw new Error(`memoir ${words.join(" ")} ended with ${code}:\n${err}`);
    return JSON.parse(out) as T;
  }

  /** A line for the shell with `memoir` on its PATH. */
  shell(line: string): Ended {
    const script = `memoir() { "${process.execPath}" "${memoirProgram}" "$@"; }\n${line}`;
    const { status, signal, stdout, stderr } = spawnSync("bash", ["-c", script], {
      cwd: this.folder,
      env: this.env(),
      encoding: "utf8",
    });
    return { code: status, signal, out: stdout, err: stderr };
  }

  env(): NodeJS.ProcessEnv {
    const kept = Object.fromEntries(
      ["PATH", "HOME", "TMPDIR", "LANG"].flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
    return { ...kept, MEMOIR_HOME: this.home, ...this.#env };
  }

  remove(): void {
    removeFolder(this.folder);
  }
}
