/**
 * Pipelines by path, git address or `owner/name`, at a revision. Repositories are kept below the home, each with its
 * checkouts by commit, so that what was run once runs without a network.
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { sha256 } from "../../../hash/index.ts";
import { AppError, type Ask } from "../../../kernel/index.ts";
import { describeOutcome, runProgram } from "../../../process/index.ts";
import type { Environment } from "../../environment.ts";

export interface ProjectRequest {
  /** A script, a folder, a git address, `owner/name`, or the name of one that is kept. */
  readonly name: string;
  readonly revision?: string;
  /** Where `owner/name` is: `github`, `gitlab`, `bitbucket`, or the beginning of an address. */
  readonly hub?: string;
  /** Asks for what is new. */
  readonly latest?: boolean;
  readonly offline?: boolean;
}

export interface Project {
  /** Absolute. */
  readonly folder: string;
  /** Where the user named a file: its name in `folder`. */
  readonly script?: string;
  /** What people call it. */
  readonly shown: string;
  /** Of a pipeline from a repository. */
  readonly repository?: { readonly url: string; readonly commit: string; readonly revision: string };
}

const hubs: Readonly<Record<string, string>> = {
  github: "https://github.com",
  gitlab: "https://gitlab.com",
  bitbucket: "https://bitbucket.org",
};

export async function findProject(
  request: ProjectRequest,
  environment: Environment,
  ask: Ask,
): Promise<Project> {
  const { name } = request;
  const path = resolve(environment.cwd, name);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return { folder: path, shown: name };
  if (found !== undefined) return { folder: dirname(path), script: basename(path), shown: name };
  if (!isAddress(name) && (/^[./]/.test(name) || /\.nf$/.test(name)))
    throw new AppError("WORKFLOW_NOT_FOUND", `Cannot find script file: ${name}`);
  return repositoryProject(request, environment, ask);
}

/** `owner/name` of every kept pipeline. */
export async function keptProjects(environment: Environment): Promise<readonly string[]> {
  const root = rootOf(environment);
  const owners = await readdir(root).catch(() => []);
  const all = await Promise.all(
    owners.map(async (owner) => (await readdir(join(root, owner))).map((name) => `${owner}/${name}`)),
  );
  // A folder without a repository is what a fetch left that failed.
  const names = all.flat().sort();
  const kept = await Promise.all(
    names.map((name) =>
      stat(join(root, name, "repository.git")).then(
        () => [name],
        () => [],
      ),
    ),
  );
  return kept.flat();
}

function rootOf({ home }: Pick<Environment, "home">): string {
  return join(home, "pipelines");
}

function isAddress(name: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(name) || /^[\w.-]+@[\w.-]+:/.test(name);
}

async function repositoryProject(
  request: ProjectRequest,
  environment: Environment,
  ask: Ask,
): Promise<Project> {
  const { url, kept } = await projectAddress(request, environment);
  const folder = join(rootOf(environment), ...kept.split("/"));
  const repository = join(folder, "repository.git");
  const git = gitIn(request.name, environment, ask);
  const offline = request.offline === true;
  if ((await stat(repository).catch(() => undefined)) === undefined) {
    if (offline)
      throw new AppError(
        "WORKFLOW_NOT_FOUND",
        `Unknown project \`${request.name}\`: it is not kept on this machine, and the run is offline`,
      );
    await mkdir(folder, { recursive: true });
    const partial = join(folder, `.clone-${process.pid}`);
    try {
      await git(["clone", "--quiet", "--mirror", "--", url, partial], folder);
      await rename(partial, repository).catch(async (error) => {
        // Another process was faster.
        if ((await stat(repository).catch(() => undefined)) === undefined) throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } else if (request.latest === true && !offline) await git(["remote", "update", "--prune"], repository);
  const wanted = request.revision ?? "HEAD";
  const commitOf = () =>
    git(["rev-parse", "--verify", "--quiet", `${wanted}^{commit}`], repository).catch(() => undefined);
  let commit = await commitOf();
  if (commit === undefined && !offline) {
    await git(["remote", "update", "--prune"], repository);
    commit = await commitOf();
  }
  if (commit === undefined)
    throw new AppError(
      "WORKFLOW_NOT_FOUND",
      `Cannot find revision \`${wanted}\` -- Make sure that it exists in the remote repository \`${url}\``,
    );
  const revision =
    request.revision ??
    (await git(["symbolic-ref", "--short", "HEAD"], repository).catch(() => commit.slice(0, 10)));
  return {
    folder: await checkout({ git, repository, folder, commit }),
    shown: request.name,
    repository: { url, commit, revision },
  };
}

type Git = (args: readonly string[], cwd: string, more?: Readonly<Record<string, string>>) => Promise<string>;

/** The files of a commit never change: they are made once, next to their place, and moved there. */
async function checkout({
  git,
  repository,
  folder,
  commit,
}: {
  readonly git: Git;
  readonly repository: string;
  readonly folder: string;
  readonly commit: string;
}): Promise<string> {
  const target = join(folder, "checkouts", commit);
  if ((await stat(target).catch(() => undefined)) !== undefined) return target;
  const partial = join(folder, "checkouts", `.${commit}-${process.pid}`);
  await mkdir(partial, { recursive: true });
  const index = `${partial}.index`;
  try {
    await git([`--work-tree=${partial}`, "checkout", "--quiet", "--force", commit, "--", "."], repository, {
      GIT_DIR: repository,
      GIT_INDEX_FILE: index,
    });
    await rename(partial, target).catch(async (error) => {
      if ((await stat(target).catch(() => undefined)) === undefined) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
    await rm(index, { force: true });
  }
  return target;
}

/** Where a pipeline is fetched from, and the folder below those that are kept. */
export async function projectAddress(
  { name, hub = "github" }: ProjectRequest,
  environment: Environment,
): Promise<{ readonly url: string; readonly kept: string }> {
  if (isAddress(name)) {
    const path = name
      .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, "")
      .replace(/^[^/]*:/, "")
      .replace(/\.git$/, "");
    const parts = path.split("/").filter((part) => /^[\w.-]+$/.test(part) && !part.startsWith("."));
    const [last = "pipeline"] = parts.slice(-1);
    // Two repositories of one name are two: the address is part of where an unusual one is kept.
    const usual = /^https:\/\/github\.com\//i.test(name) && parts.length === 2;
    return { url: name, kept: usual ? parts.join("/") : `${sha256(name).slice(0, 12)}/${last}` };
  }
  const base = hubs[hub] ?? (isAddress(hub) ? hub.replace(/\/+$/, "") : undefined);
  if (base === undefined)
    throw new AppError(
      "CLI_USAGE",
      `Unknown hub: ${hub}; there are ${Object.keys(hubs).join(", ")}, or an address`,
    );
  const full = name.includes("/") ? name : await keptName(name, environment);
  if (!/^[\w.-]+\/[\w.-]+$/.test(full) || full.split("/").some((part) => part.startsWith(".")))
    throw new AppError(
      "WORKFLOW_NOT_FOUND",
      `Cannot find script file: ${name}: it is neither a file, a folder, a git address nor owner/name`,
    );
  const [owner = "", repository = ""] = full.split("/");
  const kept = hub === "github" ? full : `${sha256(`${base}/${owner}`).slice(0, 12)}/${repository}`;
  return { url: `${base}/${full}`, kept };
}

/** `hello` is the kept one of this name, else one of Nextflow's own examples. */
async function keptName(name: string, environment: Environment): Promise<string> {
  const all = (await keptProjects(environment)).filter((each) => each.endsWith(`/${name}`));
  const [only, ...others] = all;
  if (only === undefined) return `nextflow-io/${name}`;
  if (others.length === 0) return only;
  throw new AppError("CLI_USAGE", `Which one do you mean? ${all.join(", ")}`);
}

export function gitIn(name: string, { programs }: Environment, ask: Ask): Git {
  return async (args, cwd, more = {}) => {
    const outcome = await runProgram(
      {
        command: "git",
        args,
        cwd,
        // No prompts, and no transports that run commands.
        env: {
          ...programs,
          GIT_TERMINAL_PROMPT: "0",
          GIT_ALLOW_PROTOCOL: "file:git:http:https:ssh",
          LC_ALL: "C",
          ...more,
        },
      },
      ask,
    );
    if (outcome.kind === "exited" && outcome.exitCode === 0) return outcome.stdout.trim();
    if (outcome.kind === "cancelled") throw new AppError("RUN_INTERRUPTED", `fetching ${name} was stopped`);
    const words = outcome.stderr.trim().split("\n").slice(-3).join(" ");
    throw new AppError(
      "WORKFLOW_FETCH_FAILED",
      `fetching ${name}: git ${args[0]}: ${words === "" ? describeOutcome(outcome) : words}`,
    );
  };
}
