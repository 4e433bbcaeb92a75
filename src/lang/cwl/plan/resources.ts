/** What a tool asks of the machine, and the `runtime` object that its expressions see: the same on every machine. */
import { type Resources, taskRoot, taskWork } from "../../../task/index.ts";
import type { Expr } from "../model/expression.ts";
import type { Resource } from "../model/requirements.ts";
import { type CwlRecord, cwlRecord } from "../values/value.ts";
import { failureAt } from "./failure.ts";
import type { Scope } from "./scope.ts";

export const taskTmp = `${taskRoot}/tmp`;

const mebibyte = 2 ** 20;

/** The output directory as expressions see it. */
export function outdirOf(runtime: CwlRecord): string {
  return String(runtime["outdir"]);
}

/** What expressions see before the resources are known. */
export const defaultRuntime: CwlRecord = cwlRecord([
  ["outdir", taskWork],
  ["tmpdir", taskTmp],
  ["cores", 1],
  ["ram", 256],
  ["outdirSize", 1024],
  ["tmpdirSize", 1024],
]);

export interface ToolResources {
  readonly runtime: CwlRecord;
  readonly resources: Resources;
}

/**
 * Cores and memory are what the document says, never what the machine has, so that equal calls have equal commands.
 * @throws CwlFailure for negative amounts and for a least that is above the most.
 */
export async function toolResources(resource: Resource | undefined, scope: Scope): Promise<ToolResources> {
  const bounds = async (name: string, least?: number | Expr, most?: number | Expr) => {
    const min = await amount(name, least, resource, scope);
    const max = await amount(name, most, resource, scope);
    if (resource !== undefined && min !== undefined && max !== undefined && min > max)
      throw failureAt(
        resource.place,
        "cwl-resources",
        `ResourceRequirement asks for at least ${min} and at most ${max} of ${name}`,
      );
    return { min: min ?? max, max: max ?? min };
  };
  const cores = await bounds("cores", resource?.coresMin, resource?.coresMax);
  const ram = await bounds("ram", resource?.ramMin, resource?.ramMax);
  const tmpdir = await bounds("tmpdir", resource?.tmpdirMin, resource?.tmpdirMax);
  const outdir = await bounds("outdir", resource?.outdirMin, resource?.outdirMax);
  const runtime = cwlRecord([
    ["outdir", outdirOf(scope.parts.runtime)],
    ["tmpdir", taskTmp],
    ["cores", Math.max(1, Math.ceil(cores.min ?? 1))],
    ["ram", Math.ceil(ram.min ?? 256)],
    ["outdirSize", Math.ceil(outdir.min ?? 1024)],
    ["tmpdirSize", Math.ceil(tmpdir.min ?? 1024)],
  ]);
  return {
    runtime,
    resources: {
      cpu: Math.max(cores.min ?? 1, 0.01),
      // A tool that names no amount is not held to the language's default of 256 MiB.
      memoryBytes: Math.ceil((ram.max ?? 0) * mebibyte),
      gpu: 0,
      ...(tmpdir.min === undefined && outdir.min === undefined
        ? {}
        : { diskBytes: Math.ceil(((tmpdir.min ?? 1024) + (outdir.min ?? 1024)) * mebibyte) }),
    },
  };
}

async function amount(
  name: string,
  written: number | Expr | undefined,
  resource: Resource | undefined,
  scope: Scope,
): Promise<number | undefined> {
  if (written === undefined || resource === undefined) return undefined;
  const value = typeof written === "number" ? written : await scope.evaluate(written);
  const found = typeof value === "bigint" ? Number(value) : value;
  if (typeof found === "number" && found >= 0) return found;
  if (found === null) return undefined;
  throw failureAt(
    typeof written === "number" ? resource.place : written.place,
    "cwl-resources",
    `ResourceRequirement: expected an amount of ${name} of 0 or more, got ${String(found)}`,
  );
}
