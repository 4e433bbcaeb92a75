/** Pipelines that are kept on this machine: what they are, their text, their removal, and copies of them. */
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AppError, type Ask, defined } from "../../../kernel/index.ts";
import type { Environment } from "../../environment.ts";
import { readConfiguration, textSetting } from "./configuration.ts";
import { findProject, gitIn, type Project, type ProjectRequest, projectAddress } from "./projects.ts";
import { scriptOf } from "./script.ts";

export interface ProjectFacts {
  readonly name: string;
  readonly repository: string;
  /** Folder of its files at the revision. */
  readonly folder: string;
  readonly mainScript: string;
  readonly description?: string;
  readonly author?: string;
  readonly homePage?: string;
  readonly revisions: readonly {
    readonly name: string;
    readonly kind: "branch" | "tag";
    readonly isDefault: boolean;
  }[];
}

type Kept = Pick<ProjectRequest, "name" | "revision">;

export async function projectFacts(request: Kept, environment: Environment, ask: Ask): Promise<ProjectFacts> {
  const { project, repository, url } = await keptProject(request, environment, ask);
  const git = gitIn(request.name, environment, ask);
  const place = {
    projectDir: project.folder,
    launchDir: environment.cwd,
    workDir: join(environment.cwd, "work"),
  };
  const configuration = await readConfiguration(
    { profiles: [], configs: [], onlyConfigs: [], params: {} },
    place,
    environment,
  );
  const manifest = (name: string) => textSetting(configuration.settings, `manifest.${name}`);
  const main = await git(["symbolic-ref", "--short", "HEAD"], repository).catch(() => "");
  const refs = await git(["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"], repository);
  return {
    name: request.name,
    repository: url,
    folder: project.folder,
    mainScript: scriptOf(project, {}, configuration),
    ...defined({
      description: manifest("description"),
      author: manifest("author"),
      homePage: manifest("homePage"),
    }),
    revisions: refs
      .split("\n")
      .filter((each) => each !== "")
      .map((each) => {
        const name = each.replace(/^refs\/(?:heads|tags)\//, "");
        const kind = each.startsWith("refs/heads/") ? "branch" : "tag";
        return { name, kind, isDefault: kind === "branch" && name === main };
      }),
  };
}

/** The main script, or the names of its files. */
export async function projectText(
  request: Kept & { readonly list: boolean },
  environment: Environment,
  ask: Ask,
): Promise<{ readonly path: string; readonly text: string }> {
  const { project } = await keptProject(request, environment, ask);
  if (request.list) {
    const names = (await readdir(project.folder)).sort();
    return { path: project.folder, text: names.map((name) => `${name}\n`).join("") };
  }
  const { mainScript } = await projectFacts(request, environment, ask);
  const path = join(project.folder, mainScript);
  return { path, text: await readFile(path, "utf8") };
}

/** Its repository and all its checkouts; the folder that they were in. */
export async function dropProject(request: Kept, environment: Environment, ask: Ask): Promise<string> {
  const { repository } = await keptProject(request, environment, ask);
  const folder = dirname(repository);
  await rm(folder, { recursive: true, force: true });
  return folder;
}

/** A working copy that its user may change; never into a folder that has something in it. */
export async function cloneProject(
  request: ProjectRequest,
  asked: string | undefined,
  environment: Environment,
  ask: Ask,
): Promise<string> {
  const { url, kept } = await projectAddress(request, environment);
  const shown = asked ?? basename(kept);
  const target = resolve(environment.cwd, shown);
  const found = await stat(target).catch(() => undefined);
  if (found?.isFile() === true)
    throw new AppError("CLI_USAGE", `A file with the same name already exists: ${shown}`);
  if (found !== undefined && (await readdir(target)).length > 0)
    throw new AppError("CLI_USAGE", `Clone target directory must be empty: ${shown}`);
  await mkdir(target, { recursive: true });
  const git = gitIn(request.name, environment, ask);
  await git(["clone", "--quiet", "--", url, target], environment.cwd);
  if (request.revision !== undefined) await git(["checkout", "--quiet", request.revision, "--"], target);
  return shown;
}

async function keptProject(
  request: Kept,
  environment: Environment,
  ask: Ask,
): Promise<{ readonly project: Project; readonly repository: string; readonly url: string }> {
  const project = await findProject({ ...request, offline: true }, environment, ask);
  if (project.repository === undefined)
    throw new AppError(
      "WORKFLOW_NOT_FOUND",
      `Unknown project \`${request.name}\`: it is a folder or a file, and not kept by Memoir -- \`nextflow list\` shows those that are`,
    );
  const { url } = project.repository;
  return { project, repository: join(dirname(dirname(project.folder)), "repository.git"), url };
}
