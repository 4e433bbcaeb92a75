/** Where a path leads, as the system would follow it, also where nothing is there. */
import { readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { nameOfBytes, onDisk } from "../kernel/index.ts";
import { realPathOf } from "./tree.ts";

/** As many as the system follows. */
const mostLinks = 40;

/**
 * The path with every link followed, the last one too. What is not there, or may not be looked at, stays as it is
 * written, so that the answer does not depend on it. undefined = links form a cycle.
 */
export async function followLinks(path: string): Promise<string | undefined> {
  try {
    return await realPathOf(path);
  } catch {
    return walk(path);
  }
}

/** Part by part. `..` after a link leads above what the link leads to. */
async function walk(path: string): Promise<string | undefined> {
  const left = partsOf(path.startsWith("/") ? path : `${resolve(".")}/${path}`).reverse();
  let at = "/";
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    if (part === "..") {
      at = dirname(at);
      continue;
    }
    const target = await targetOf(join(at, part));
    if (target === undefined) {
      at = join(at, part);
      continue;
    }
    if (++links > mostLinks) return undefined;
    if (target.startsWith("/")) at = "/";
    left.push(...partsOf(target).reverse());
  }
  return at;
}

async function targetOf(link: string): Promise<string | undefined> {
  try {
    return nameOfBytes(await readlink(onDisk(link), { encoding: "buffer" }));
  } catch {
    return undefined;
  }
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
