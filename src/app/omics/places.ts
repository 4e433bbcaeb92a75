/**
 * Which places of the server's own machine a request may name. Accounts are kept apart in the ledger, not on the disk:
 * where there are several, S3 is the place for data, and folders only where the operator says so.
 */
import { normalize } from "node:path";
import type { DocumentLimits, ValueLimits } from "../../lang/core/index.ts";
import type { ProgramOrder } from "../workflows/load.ts";

export type AllowedPlaces =
  /** Nobody is checked and everybody is on this machine. */
  | { readonly kind: "all" }
  /** Absolute folder; undefined = no folder at all. */
  | { readonly kind: "below"; readonly folder: string | undefined };

/** Why a `file://` location may not be used; undefined when it may. */
export function locationTrouble(uri: string, allowed: AllowedPlaces): string | undefined {
  return uri.startsWith("s3://") ? undefined : placeTrouble(uri, allowed);
}

/** Why a value of a parameter that may be a file is refused. Names relative to the run's own folder are harmless. */
export function inputTrouble(value: string, allowed: AllowedPlaces): string | undefined {
  const reachesOut = /^(\/|~|[a-z][a-z0-9+.-]*:)/i.test(value) || value.split("/").includes("..");
  return reachesOut ? locationTrouble(value, allowed) : undefined;
}

function placeTrouble(uri: string, allowed: AllowedPlaces): string | undefined {
  if (allowed.kind === "all") return undefined;
  const path = pathOf(uri);
  const { folder } = allowed;
  if (path !== undefined && folder !== undefined && `${path}/`.startsWith(`${folder}/`)) return undefined;
  return placesOf(allowed);
}

/** What a client may name, in words. */
export function placesOf(allowed: AllowedPlaces): string {
  const folder = allowed.kind === "below" ? allowed.folder : undefined;
  const where = folder === undefined ? "" : `, or file:// below ${folder}`;
  return `this server allows s3:// locations${where} only`;
}

/** The folder that no link may lead out of. */
export function withinOf(allowed: AllowedPlaces): { readonly within?: string } {
  return allowed.kind === "all" || allowed.folder === undefined ? {} : { within: allowed.folder };
}

/**
 * Expressions are evaluated by the process that answers everybody: what is made at once takes a tenth of a second. Other
 * engines read 128 KB at most; scatters of the service have 100,000 shards.
 */
const serverLimits: ValueLimits = {
  items: 250_000,
  itemsInAll: 500_000,
  characters: 16 * 1024 * 1024,
  readBytes: 8 * 1024 * 1024,
  runItems: 5_000_000,
};

/**
 * Of one document, and of all of them together: runs read them in the process that answers everybody else, and no
 * workflow that people wrote is anywhere near. YAML takes four times as long to read as JSON.
 */
export const documentLimits: DocumentLimits = {
  documentBytes: 1024 * 1024,
  yamlCharacters: 192 * 1024,
  bytes: 16 * 1024 * 1024,
};

/**
 * What documents of bundles may read: files in the run's own folders and its inputs. Where places are restricted, inputs
 * are, too, nothing comes from web sites, and documents may read where the operator says so.
 */
export function boundsOf(
  allowed: AllowedPlaces,
  own: readonly string[],
): Pick<ProgramOrder, "bounds" | "network" | "limits" | "documents"> {
  const sizes = { limits: serverLimits, documents: documentLimits };
  if (allowed.kind === "all")
    return { ...sizes, bounds: { folders: own, inputs: "anywhere", web: "allowed" } };
  const folders = allowed.folder === undefined ? own : [...own, allowed.folder];
  return { ...sizes, bounds: { folders, inputs: "within", web: "refused" }, network: "refused" };
}

/** undefined for what names no absolute path. */
function pathOf(uri: string): string | undefined {
  if (uri.startsWith("/")) return normalize(uri).replace(/\/+$/, "");
  if (!/^file:\/\/\//i.test(uri)) return undefined;
  try {
    return normalize(decodeURIComponent(new URL(uri).pathname)).replace(/\/+$/, "");
  } catch {
    return undefined;
  }
}
