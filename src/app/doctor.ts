/** What is installed and reachable on this machine, and what each missing thing would enable. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { makeFolders } from "../files/index.ts";
import { type Ask, isAppError, messageOf, withTimeout } from "../kernel/index.ts";
import { createCanonicalizer, listModels } from "../models/index.ts";
import type { PredictionTier } from "../store/predictions/index.ts";
import type { Environment } from "./environment.ts";
import type { TierWish } from "./stored.ts";
import { createCloudTier, createLocalTier, placesOf } from "./tiers.ts";

export interface Finding {
  readonly name: string;
  /** `trouble`: it is meant to be used and does not work. `absent`: nothing needs it, but it would enable more. */
  readonly state: "ok" | "trouble" | "absent";
  /** Version, address or reason. */
  readonly detail: string;
  /** What it is for. */
  readonly enables: string;
}

export interface DoctorResult {
  readonly findings: readonly Finding[];
}

export async function doctor(wish: TierWish, environment: Environment, ask: Ask): Promise<DoctorResult> {
  const places = placesOf(wish, environment);
  const checks: readonly Promise<Finding>[] = [
    node(),
    home(environment),
    tier("local cache", "reuse of predictions on this machine", ask, () =>
      createLocalTier(places.local, wish, () => {}),
    ),
    tier("cloud cache", "reuse of predictions across machines", ask, () =>
      createCloudTier(places.cloud, environment, () => {}),
    ),
    toolkit(ask),
    modelsHere(environment, ask),
    ...programs.map((one) => program(one, environment)),
  ];
  return { findings: await Promise.all(checks) };
}

async function node(): Promise<Finding> {
  return { name: "Node.js", state: "ok", detail: process.version, enables: "Memoir itself" };
}

async function home({ home: folder }: Environment): Promise<Finding> {
  const finding = { name: "home", enables: "sessions, models and the embedded caches" };
  try {
    await makeFolders(folder);
    await access(folder, constants.W_OK);
    return { ...finding, state: "ok", detail: folder };
  } catch (error) {
    return { ...finding, state: "trouble", detail: messageOf(error) };
  }
}

async function tier(name: string, enables: string, ask: Ask, create: () => PredictionTier): Promise<Finding> {
  const limited = withTimeout(ask, 5_000);
  try {
    const opened = create();
    try {
      await opened.open(limited.ask);
      return { name, state: "ok", detail: opened.name, enables };
    } finally {
      await opened.close();
    }
  } catch (error) {
    const hint = isAppError(error) ? ` (${error.code}: ${error.hint})` : "";
    return { name, state: "trouble", detail: messageOf(error) + hint, enables };
  } finally {
    limited.done();
  }
}

async function toolkit(ask: Ask): Promise<Finding> {
  const finding = { name: "RDKit", enables: "the built-in models and --match canonical" };
  try {
    const canonicalizer = await createCanonicalizer({}, ask);
    await canonicalizer.close();
    return { ...finding, state: "ok", detail: canonicalizer.toolkit };
  } catch (error) {
    return { ...finding, state: "trouble", detail: messageOf(error) };
  }
}

async function modelsHere({ home: folder }: Environment, ask: Ask): Promise<Finding> {
  const { models, broken } = await listModels(folder, ask);
  const finding = { name: "models", enables: "predictions" };
  const known = models.map((model) => model.id).join(", ");
  if (broken.length === 0) return { ...finding, state: "ok", detail: known };
  const words = broken.map(({ id, problem }) => `${id} cannot be read: ${problem.message}`).join("; ");
  return { ...finding, state: "trouble", detail: words };
}

interface Program {
  readonly name: string;
  readonly versionFlag: string;
  readonly enables: string;
}

const programs: readonly Program[] = [
  { name: "bash", versionFlag: "--version", enables: "models that are run as scripts" },
  { name: "git", versionFlag: "--version", enables: "memoir fetch from git" },
  { name: "git-lfs", versionFlag: "version", enables: "models whose weights are Git-LFS files" },
  { name: "podman", versionFlag: "--version", enables: "tasks in containers, without a daemon" },
  { name: "docker", versionFlag: "--version", enables: "tasks in containers" },
  { name: "bwrap", versionFlag: "--version", enables: "isolated tasks on this machine (--isolate)" },
];

async function program(wanted: Program, { programs: env }: Environment): Promise<Finding> {
  const { name, enables } = wanted;
  const path = await findProgram(name, env["PATH"] ?? "");
  if (path === undefined) return { name, state: "absent", detail: "not on PATH", enables };
  try {
    const { stdout } = await promisify(execFile)(path, [wanted.versionFlag], { env, timeout: 5_000 });
    return { name, state: "ok", detail: stdout.split("\n")[0] ?? path, enables };
  } catch (error) {
    // Installed and broken is as good as absent: nothing needs it.
    return {
      name,
      state: "absent",
      detail: `does not work: ${messageOf(error).split("\n")[0] ?? ""}`,
      enables,
    };
  }
}

async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter).filter((part) => part !== "")) {
    const path = join(folder, name);
    const runs = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return path;
  }
  return undefined;
}
