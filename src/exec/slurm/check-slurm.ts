/** What `memoir doctor` says of Slurm. */
import { existsSync } from "node:fs";
import type { Ask } from "../../kernel/index.ts";
import { findProgram } from "../../process/index.ts";
import type { CheckAnswer } from "../core/index.ts";
import { configArguments, partitionsArguments } from "./command-lines.ts";
import { parseConfig, parsePartitions } from "./parse-answers.ts";
import { createSlurmClient } from "./slurm-client.ts";

const needed = ["sbatch", "squeue", "scancel", "scontrol"];
/** What jobs run images with, should the nodes have what this machine has. */
const engines = ["apptainer", "singularity", "podman", "ch-run"];
const limitMs = 10_000;

export async function checkSlurm(env: Readonly<Record<string, string>>, ask: Ask): Promise<CheckAnswer> {
  const found = await Promise.all(
    needed.map(async (name) => [name, await findProgram(name, env, "/")] as const),
  );
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length === needed.length) return { state: "absent", detail: "sbatch is not on PATH" };
  if (missing.length > 0) return { state: "trouble", detail: `${missing.join(", ")} is not on PATH` };
  const client = createSlurmClient(env);
  const within = { ask: { signal: AbortSignal.any([ask.signal, AbortSignal.timeout(limitMs)]) } };
  const config = await client("scontrol", configArguments, within);
  if (config.kind === "failed" && !isConfigured(env, config.words))
    return { state: "absent", detail: "Slurm's commands are installed, but no cluster is configured" };
  if (config.kind !== "answered")
    return { state: "trouble", detail: config.kind === "failed" ? config.words : `no ${config.program}` };
  const {
    cluster = "unnamed",
    version = "of unknown version",
    accounting,
    limitsMemory,
  } = parseConfig(config.stdout);
  const listed = await client("sinfo", partitionsArguments, within);
  const partitions =
    listed.kind === "answered" ? parsePartitions(listed.stdout).filter(({ isUp }) => isUp) : [];
  const nodes = partitions.map(({ name, nodes }) => `${name} (${nodes} nodes)`).join(", ");
  const facts = [
    `Slurm ${version}, cluster ${cluster}`,
    nodes === "" ? "no partition is up" : `partitions ${nodes}`,
    accounting ? "with accounting" : "without accounting",
    limitsMemory ? "memory limits enforced" : "memory limits not enforced by control groups",
  ];
  const here = (
    await Promise.all(engines.map(async (name) => ((await findProgram(name, env, "/")) ? name : undefined)))
  ).filter((name) => name !== undefined);
  facts.push(`for images in jobs this machine has ${here.length === 0 ? "no program" : here.join(", ")}`);
  return { state: nodes === "" ? "trouble" : "ok", detail: facts.join("; ") };
}

/** The commands alone are often installed where no cluster is, and then nothing there is meant to be used. */
function isConfigured(env: Readonly<Record<string, string>>, words: string): boolean {
  return (
    (env["SLURM_CONF"] ?? env["SLURM_CONF_SERVER"] ?? "") !== "" ||
    existsSync("/etc/slurm/slurm.conf") ||
    /unable to contact slurm controller|transport endpoint/i.test(words)
  );
}
