/**
 * Environments of conda, mamba and micromamba for tasks: made once below Memoir's home, used by all runs, and known by
 * the packages that are in them.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { byCodeUnit, sha256 } from "../../../hash/index.ts";
import { AppError, type Ask, pause, systemErrorCode } from "../../../kernel/index.ts";
import type { Software, SoftwareOrder } from "../../../lang/core/index.ts";
import { describeOutcome, findProgram, runProgram } from "../../../process/index.ts";
import type { Environment } from "../../environment.ts";

/** Says that an environment is whole. */
const mark = ".memoir-environment";

export class CondaEnvironments {
  readonly #environment: Pick<Environment, "home" | "programs" | "cwd">;
  readonly #made = new Map<string, Promise<Software>>();

  constructor(environment: Pick<Environment, "home" | "programs" | "cwd">) {
    this.#environment = environment;
  }

  /** @throws AppError EXEC_SOFTWARE_NOT_MADE */
  make(order: SoftwareOrder, ask: Ask): Promise<Software> {
    const key = JSON.stringify(order);
    const known = this.#made.get(key) ?? this.#make(order, ask);
    this.#made.set(key, known);
    return known;
  }

  async #make(order: SoftwareOrder, ask: Ask): Promise<Software> {
    const { cwd, home, programs } = this.#environment;
    const spec = order.spec.trim();
    const file = resolve(cwd, spec);
    const isPath = spec.includes("/") && !/[\s=]/.test(spec) && existsSync(file);
    if (isPath && statSync(file).isDirectory()) return softwareIn(file);
    const isFile = isPath || (/\.(?:ya?ml|txt|lock)$/.test(spec) && existsSync(file));
    const content = isFile ? readFileSync(file, "utf8") : spec;
    const digest = sha256(JSON.stringify([content, order.channels, order.createOptions])).slice(0, 32);
    const folder = resolve(
      cwd,
      order.folder ?? programs["NXF_CONDA_CACHEDIR"] ?? join(home, "nextflow", "conda"),
    );
    const prefix = join(folder, `env-${digest}`);
    if (existsSync(join(prefix, mark))) return softwareIn(prefix);
    const tool = await this.#tool(order, spec);
    mkdirSync(folder, { recursive: true });
    const release = await lock(`${prefix}.lock`, ask);
    try {
      if (existsSync(join(prefix, mark))) return softwareIn(prefix);
      // What an interrupted run has begun is not whole.
      rmSync(prefix, { recursive: true, force: true });
      await this.#create(tool, createWords({ order, prefix, spec, ...(isFile && { file }) }), spec, ask);
      writeFileSync(join(prefix, mark), `${spec}\n`);
      return softwareIn(prefix);
    } finally {
      release();
    }
  }

  async #tool({ tool }: SoftwareOrder, spec: string): Promise<string> {
    const { programs } = this.#environment;
    const names = tool === "conda" ? ["conda", "mamba", "micromamba"] : [tool];
    for (const name of names) if ((await findProgram(name, programs, "/")) !== undefined) return name;
    throw unavailable(`making the conda environment ${spec}: ${names.join(", ")} is not on PATH`);
  }

  async #create(tool: string, words: readonly string[], spec: string, ask: Ask): Promise<void> {
    const { programs, cwd } = this.#environment;
    const outcome = await runProgram({ command: tool, args: words, cwd, env: programs }, ask);
    if (outcome.kind === "exited" && outcome.exitCode === 0) return;
    const lines = (outcome.stderr || outcome.stdout).trim().split("\n").slice(-5).join("\n");
    throw unavailable(`making the conda environment ${spec}: ${tool}: ${describeOutcome(outcome)}\n${lines}`);
  }
}

function unavailable(message: string): AppError {
  return new AppError("EXEC_SOFTWARE_NOT_MADE", message);
}

/** The arguments that Nextflow gives as well. */
function createWords(parts: {
  readonly order: SoftwareOrder;
  readonly prefix: string;
  readonly spec: string;
  readonly file?: string;
}): readonly string[] {
  const { order, prefix, spec, file } = parts;
  const options = order.createOptions.split(/\s+/).filter((word) => word !== "");
  const channels = order.channels.flatMap((each) => ["-c", each]);
  if (file !== undefined && /\.ya?ml$/.test(file))
    return [
      ...(order.tool === "micromamba" ? [] : ["env"]),
      "create",
      ...options,
      "--yes",
      "--prefix",
      prefix,
      "--file",
      file,
    ];
  const packages = file === undefined ? spec.split(/\s+/) : ["--file", file];
  return ["create", ...options, "--yes", "--quiet", "--prefix", prefix, ...channels, ...packages];
}

/** Equal packages are equal software, wherever they are and whoever asked for them. */
function softwareIn(folder: string): Software {
  const names = packagesIn(folder);
  if (names.length === 0) throw unavailable(`using the conda environment ${folder}: no packages are in it`);
  return { folder, identity: `sha256:${sha256(names.join("\n"))}` };
}

function packagesIn(folder: string): readonly string[] {
  const installed = namesIn(join(folder, "conda-meta")).filter((name) => name.endsWith(".json"));
  const libraries = namesIn(join(folder, "lib")).filter((name) => /^python\d/.test(name));
  const others = libraries.flatMap((name) =>
    namesIn(join(folder, "lib", name, "site-packages")).filter((each) => /\.(?:dist|egg)-info$/.test(each)),
  );
  return [...installed, ...others].sort(byCodeUnit);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT" || systemErrorCode(error) === "ENOTDIR") return [];
    throw error;
  }
}

/** One process at a time makes an environment; who has died does not keep others waiting. */
async function lock(path: string, ask: Ask): Promise<() => void> {
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST") throw error;
    }
    if (isLeft(path)) rmSync(path, { force: true });
    else await pause(200, ask);
  }
}

function isLeft(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    // Its number is written a moment after the file was made.
    if (pid === 0) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === "ESRCH";
  }
}
