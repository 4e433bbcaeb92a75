/** Where a path leads, as the system would follow it, also where nothing is there. */
import { readlink, realpath } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** As many as the system follows. */
const mostLinks = 40;

/**
 * The path with every link followed, the last one too. What is not there, or may not be looked at, stays as it is
 * written, so that the answer does not depend on it. undefined = links lead around in circles.
 */
export async function followLinks(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
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
    const target = await readlink(join(at, part)).catch(() => undefined);
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

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}
