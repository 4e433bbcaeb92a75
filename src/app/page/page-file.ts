/**
 * Where the web page of this home's server is: a file that only the home's user can read, because whoever knows the
 * secret in it can sign in.
 */
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Ask, defined, pause } from "../../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "../../process/index.ts";
import type { Environment } from "../environment.ts";

export interface PageAddress {
  readonly url: string;
  /** Absent where people sign in with access keys. */
  readonly secret?: string;
  /** Of `memoir ui`, which makes way for a server. */
  readonly by?: "ui";
}

type Home = Pick<Environment, "home">;

function fileOf({ home }: Home): string {
  return join(home, "server", "page.json");
}

export async function announcePage(page: PageAddress, environment: Home): Promise<void> {
  const { url, secret, by } = page;
  const text = JSON.stringify({ url, ...defined({ secret, by }), owner: thisOwner() });
  await writeOwn(fileOf(environment), `${text}\n`);
}

/** Removes the file if this process wrote it. */
export async function withdrawPage(environment: Home): Promise<void> {
  const found = await read(environment);
  const { pid, host } = thisOwner();
  if (found?.owner.pid === pid && found.owner.host === host) await rm(fileOf(environment), { force: true });
}

/** undefined = no server of this home runs on this machine. */
export async function runningPage(environment: Home): Promise<PageAddress | undefined> {
  const found = await read(environment);
  if (found === undefined || lifeOf(found.owner) !== "alive") return undefined;
  const { url, secret } = found;
  return { url, ...defined({ secret }) };
}

/**
 * Ends the `memoir ui` of this home, for a server that serves the same and more; answers whether there was one. Its
 * process is known by its id and its start, so that no other one is ever ended.
 */
export async function endUi(environment: Home, ask: Ask): Promise<boolean> {
  const found = await read(environment);
  if (found?.by !== "ui" || lifeOf(found.owner) !== "alive") return false;
  await writeOwn(takenOverFile(environment), "");
  process.kill(found.owner.pid, "SIGTERM");
  while (lifeOf(found.owner) === "alive") await pause(lookAgainMs, ask);
  return true;
}

/** Whether this home's page was ended by `endUi`; true once. */
export async function wasTakenOver(environment: Home): Promise<boolean> {
  return rm(takenOverFile(environment)).then(
    () => true,
    () => false,
  );
}

const lookAgainMs = 50;

function takenOverFile({ home }: Home): string {
  return join(home, "server", "page-taken-over");
}

async function read(environment: Home): Promise<(PageAddress & { readonly owner: Owner }) | undefined> {
  try {
    const { url, secret, owner, by } = JSON.parse(await readFile(fileOf(environment), "utf8")) as Readonly<
      Record<string, unknown>
    >;
    if (typeof url !== "string" || !/^https?:\/\//.test(url) || !isOwner(owner)) return undefined;
    return {
      ...{ url, owner },
      ...(typeof secret === "string" ? { secret } : {}),
      ...(by === "ui" ? { by } : {}),
    };
  } catch {
    return undefined;
  }
}

/** Replaces a file by one that only its owner can read, from its first byte on. */
export async function writeOwn(path: string, text: string): Promise<void> {
  const temp = `${path}.${process.pid}.tmp`;
  await rm(temp, { force: true });
  const file = await open(temp, "wx", 0o600);
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
  await rename(temp, path);
}
