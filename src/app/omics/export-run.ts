/**
 * The export phase: what a run leaves in its output location.
 *
 *   <runOutputUri>/out/<output>/…     the final outputs
 *   <runOutputUri>/logs/outputs.json  where each of them is
 *   <runOutputUri>/pubdir/…, output/… what a Nextflow pipeline has published; no outputs.json
 *   <runOutputUri>/logs/engine.log    what happened
 */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readTree, realPathOf, spreadTree } from "../../files/index.ts";
import { byCodeUnit } from "../../hash/index.ts";
import { type Ask, mapBounded } from "../../kernel/index.ts";
import type { RunRecord } from "../../ledger/index.ts";
import type { Environment } from "../environment.ts";
import { openPlace } from "./locations.ts";
import type { AllowedPlaces } from "./places.ts";

const uploadsAtOnce = 8;

/**
 * What a pipeline has published, and nothing that a link in it leads to: scripts make links, too. Answers what was left
 * out.
 */
export async function exportPublished(
  run: RunRecord,
  folders: readonly { readonly name: string; readonly folder: string }[],
  place: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): Promise<readonly string[]> {
  const store = openPlace(run.runOutputUri, place.allowed, place.environment);
  const leftOut: string[] = [];
  try {
    await store.open(ask);
    for (const { name, folder } of folders) {
      const root = await realPathOf(folder);
      const members = await readTree(root, { doing: `exporting ${name}` });
      const files = members.flatMap((member): Exported[] => {
        if (member.kind === "file") return [{ name: member.path, source: join(root, member.path) }];
        if (member.kind === "empty") return [];
        const { end, path } = member;
        const source = end.kind === "inside" ? join(root, end.path) : undefined;
        if (source !== undefined && statSync(source).isFile()) return [{ name: path, source }];
        leftOut.push(`${name}/${path}`);
        return [];
      });
      await mapBounded(files, uploadsAtOnce, (file) =>
        store.putFile(`${name}/${file.name}`, file.source, ask),
      );
    }
  } finally {
    await store.close();
  }
  return leftOut;
}

/** `directory`: the run's folder on this machine, with `out/` and `outputs.json` as the engine wrote them. */
export async function exportOutputs(
  run: RunRecord,
  directory: string,
  place: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): Promise<void> {
  const store = openPlace(run.runOutputUri, place.allowed, place.environment);
  try {
    await store.open(ask);
    const files = await filesBelow(join(directory, "out"));
    await mapBounded(files, uploadsAtOnce, (file) => store.putFile(`out/${file.name}`, file.source, ask));
    const outputs = await readFile(join(directory, "outputs.json"), "utf8");
    const exported = relocated(outputs, join(directory, "out"), `${run.runOutputUri}/out`);
    await store.put("logs/outputs.json", Buffer.from(exported), ask);
  } finally {
    await store.close();
  }
}

export async function exportLog(
  run: RunRecord,
  text: string,
  place: { readonly allowed: AllowedPlaces; readonly environment: Environment },
  ask: Ask,
): Promise<void> {
  const store = openPlace(run.runOutputUri, place.allowed, place.environment);
  try {
    await store.open(ask);
    await store.put("logs/engine.log", Buffer.from(text), ask);
  } finally {
    await store.close();
  }
}

interface Exported {
  /** Relative to the folder. */
  readonly name: string;
  readonly source: string;
}

/**
 * Stores have no links: what a link leads to is exported in its place, that of a link to a folder without the links in
 * it, which may form cycles. A link to nothing has nothing to be exported.
 */
async function filesBelow(place: string): Promise<readonly Exported[]> {
  // A run without outputs has no such folder.
  const folder = await realPathOf(place).catch(() => undefined);
  if (folder === undefined) return [];
  const { files, links } = await spreadTree(folder, { doing: `exporting ${place}` });
  const exported = files.map(({ path, source }): Exported => ({ name: path, source }));
  for (const { path } of links) {
    const real = await realPathOf(join(folder, path)).catch(() => undefined);
    if (real === undefined) continue;
    for (const { source } of files)
      if (source === real || source.startsWith(`${real}/`))
        exported.push({ name: path + source.slice(real.length), source });
  }
  return exported.sort((a, b) => byCodeUnit(a.name, b.name));
}

/** In the text, so that numbers stay as the language writes them: 1.0, and integers of any size. */
export function relocated(json: string, from: string, to: string): string {
  const opening = (place: string) => JSON.stringify(`${place}/`).slice(0, -1);
  const asUri = opening(`file://${encodeURI(from)}`);
  const moved = json.replaceAll(opening(from), opening(to));
  if (!to.startsWith("s3://")) return moved.replaceAll(asUri, opening(to));
  // What follows is encoded as URIs are; a key of S3 is not.
  const rest = /^((?:[^"\\]|\\.)*)"/s;
  return moved
    .split(asUri)
    .map((piece, i) =>
      i === 0 ? piece : opening(to) + piece.replace(rest, (_, encoded: string) => `${decodedJson(encoded)}"`),
    )
    .join("");
}

function decodedJson(encoded: string): string {
  try {
    return JSON.stringify(decodeURIComponent(JSON.parse(`"${encoded}"`) as string)).slice(1, -1);
  } catch {
    // Not UTF-8: no key of S3 can be called so either.
    return encoded;
  }
}
