/**
 * Where the web page of this home's server is: a file that only the home's user can read, because whoever knows the
 * secret in it can sign in.
 */
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { defined } from "../../kernel/index.ts";
import { isOwner, lifeOf, type Owner, thisOwner } from "../../process/index.ts";
import type { Environment } from "../environment.ts";

export interface PageAddress {
  readonly url: string;
  /** Absent where people sign in with access keys. */
  readonly secret?: string;
}

type Home = Pick<Environment, "home">;

function fileOf({ home }: Home): string {
  return join(home, "server", "page.json");
}

export async function announcePage(page: PageAddress, environment: Home): Promise<void> {
  const { url, secret } = page;
  const text = JSON.stringify({ url, ...defined({ secret }), owner: thisOwner() });
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

async function read(environment: Home): Promise<(PageAddress & { readonly owner: Owner }) | undefined> {
  try {
    const { url, secret, owner } = JSON.parse(await readFile(fileOf(environment), "utf8")) as Readonly<
      Record<string, unknown>
    >;
    if (typeof url !== "string" || !/^https?:\/\//.test(url) || !isOwner(owner)) return undefined;
    return { url, owner, ...(typeof secret === "string" ? { secret } : {}) };
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
