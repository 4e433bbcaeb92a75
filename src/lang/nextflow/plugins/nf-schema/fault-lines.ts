/** Faults as people read them, in the words of nf-schema. */
import type { Session } from "../../run/session.ts";
import { setting } from "./schema-file.ts";
import { allFailed, type Fault, isArray, isObject, type Json } from "./validate.ts";

/** Of parameters, of rows of a samplesheet, or of any value. */
export type FaultsOf = "parameter" | "field" | "object";

export function faultLines(
  faults: readonly Fault[],
  input: Json,
  { of, session }: { readonly of: FaultsOf; readonly session: Session },
): readonly string[] {
  const lines = faults
    .filter(({ message }) => of !== "parameter" || !message.startsWith(allFailed))
    .map((fault) => line(fault, input, of, session));
  return [...new Set(lines)];
}

function line({ path, message, missing }: Fault, input: Json, of: FaultsOf, session: Session): string {
  const value = shownValue(memberAt(input, path), session);
  if (of === "object") return `${path.length === 0 ? "" : `/${path.join("/")} `}(${value}): ${message}`;
  const words = missing === undefined ? message : message.replace("required field(s)", `required ${of}(s)`);
  if (of === "parameter")
    return path.length === 0 ? `* ${words}` : `* --${path.join(".")} (${value}): ${words}`;
  const [row, ...rest] = path;
  if (typeof row !== "number") return `-> ${words}`;
  return `-> Entry ${row + 1}: ${rest.length === 0 ? words : `Error for field '${rest.join("/")}' (${value}): ${words}`}`;
}

function memberAt(value: Json | undefined, path: readonly (string | number)[]): Json | undefined {
  let found: Json | undefined = value;
  for (const step of path)
    found = isArray(found) ? found[Number(step)] : isObject(found) ? found[String(step)] : undefined;
  return found;
}

/** Long values lose their middle: `validation.maxErrValSize` characters are shown. */
function shownValue(value: Json | undefined, session: Session): string {
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);
  const asked = setting(session, "maxErrValSize");
  const most = typeof asked === "number" && (asked >= 1 || asked === -1) ? asked : 150;
  if (most < 1 || text.length <= most) return text;
  const half = Math.max(1, Math.floor(most / 2));
  return `${text.slice(0, half)}...${text.slice(-half)}`;
}
