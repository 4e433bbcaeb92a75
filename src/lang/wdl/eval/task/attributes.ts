/**
 * The attributes of `runtime`, `requirements` and `hints`, and what they ask for. Names and aliases are those of the
 * specification, of Cromwell and of AWS HealthOmics; unknown ones are ignored, as the specification wants.
 * https://github.com/openwdl/wdl/blob/wdl-1.2/SPEC.md#-requirements-section
 */

import { posix } from "node:path";
import { defined } from "../../../../kernel/index.ts";
import { type AcceptedExit, type Resources, taskRoot } from "../../../../task/index.ts";
import { bytesPerUnit, parseSize } from "../../stdlib/units.ts";
import { ValueFailure } from "../../values/failure.ts";
import { parseFloatText, parseInteger } from "../../values/integer.ts";
import { render } from "../../values/render.ts";
import { describe, type WdlValue } from "../../values/value.ts";

/** By name. `hints` never make a task fail and give way to the other two. */
export interface Attributes {
  readonly requirements: ReadonlyMap<string, WdlValue>;
  readonly hints: ReadonlyMap<string, WdlValue>;
}

export interface TaskSettings {
  readonly images: readonly string[];
  readonly resources: Resources;
  /** Disks by their mount points; `undefined` is where the task works. Empty when none are asked for. */
  readonly disks: ReadonlyMap<string | undefined, number>;
  readonly acceptedExit: AcceptedExit;
  readonly maxRetries: number;
  readonly timeoutMs?: number;
  readonly network: boolean;
  /** Cromwell: anything on standard error is a failure. */
  readonly failOnStderr: boolean;
  /** `cacheable: false`. */
  readonly neverReuse: boolean;
}

const defaultMemory = 2 * 1024 ** 3;

export function taskSettingsOf(attributes: Attributes): TaskSettings {
  const asked = (...names: readonly string[]): Asked | undefined => {
    for (const source of [attributes.requirements, attributes.hints]) {
      for (const name of names) {
        const value = source.get(name);
        if (value !== undefined && value.kind !== "none") return { name, value };
      }
    }
    return undefined;
  };

  const timeoutMs = timeOf(asked);
  const disk = asked("disks", "disk");
  const disks = disk === undefined ? new Map<string | undefined, number>() : disksOf(disk);
  const cacheable = asked("cacheable");
  return {
    images: imagesOf(asked("container", "docker")),
    resources: {
      cpu: Math.max(0.01, numberOf(asked("cpu", "cpus")) ?? 1),
      memoryBytes: memoryOf(asked("memory")) ?? defaultMemory,
      gpu: gpusOf(asked),
      ...(disks.size === 0 ? {} : { diskBytes: [...disks.values()].reduce((sum, size) => sum + size, 0) }),
    },
    disks,
    acceptedExit: exitOf(asked("return_codes", "returnCodes", "continueOnReturnCode")),
    maxRetries: Math.max(0, numberOf(asked("max_retries", "maxRetries")) ?? 0),
    ...defined({ timeoutMs }),
    network: isTrue(asked("network")) || wantsNetwork(asked("docker_network")),
    failOnStderr: isTrue(asked("failOnStderr")),
    neverReuse: cacheable !== undefined && !isTrue(cacheable),
  };
}

interface Asked {
  readonly name: string;
  readonly value: WdlValue;
}
type Ask = (...names: readonly string[]) => Asked | undefined;

/** The value of an attribute that no task can be run with. */
export class AttributeFailure extends ValueFailure {
  override readonly name = "AttributeFailure";
  readonly attribute: string;

  constructor(attribute: string, message: string) {
    super(message);
    this.attribute = attribute;
  }
}

function refuse({ name, value }: Asked, expected: string): never {
  throw new AttributeFailure(name, `the attribute "${name}" is ${describe(value)}, expected ${expected}`);
}

function imagesOf(asked: Asked | undefined): string[] {
  if (asked === undefined) return [];
  const { value } = asked;
  const listed = value.kind === "array" ? value.items : [value];
  return listed
    .map((item) =>
      item.kind === "string" ? item.value.trim() : refuse(asked, "an image name or an array of them"),
    )
    .map((name) => name.replace(/^docker:\/\//, ""))
    .filter((name) => name !== "*" && name !== "");
}

function numberOf(asked: Asked | undefined): number | undefined {
  if (asked === undefined) return undefined;
  const { value } = asked;
  if (value.kind === "int" || value.kind === "float") return Number(value.value);
  const number = value.kind === "string" ? parseFloatText(value.value) : undefined;
  return number ?? refuse(asked, "a number");
}

function memoryOf(asked: Asked | undefined): number | undefined {
  if (asked === undefined) return undefined;
  const { value } = asked;
  if (value.kind === "int" || value.kind === "float") return Math.ceil(Number(value.value));
  const bytes = value.kind === "string" ? parseSize(value.value) : undefined;
  return bytes === undefined ? refuse(asked, 'bytes or a size such as "4 GiB"') : Math.ceil(bytes);
}

/** `accelerator*` wins over `gpu*` (HealthOmics); `gpu: true` is one. */
function gpusOf(asked: Ask): number {
  const counted = numberOf(asked("acceleratorCount")) ?? numberOf(asked("gpuCount"));
  if (counted !== undefined) return Math.max(0, Math.floor(counted));
  if (asked("acceleratorType", "gpuType") !== undefined) return 1;
  const gpu = asked("gpu")?.value;
  if (gpu?.kind === "boolean") return gpu.value ? 1 : 0;
  return gpu?.kind === "int" ? Math.max(0, Number(gpu.value)) : gpu === undefined ? 0 : 1;
}

/** `10`, `"10 GiB"`, `"/mnt/x 10 GiB"`, `"local-disk 10 SSD"`, several in an array or separated by commas. */
function disksOf(asked: Asked): ReadonlyMap<string | undefined, number> {
  const { value } = asked;
  const gib = 1024 ** 3;
  if (value.kind === "int" || value.kind === "float")
    return new Map([[undefined, Math.ceil(Number(value.value) * gib)]]);
  const specs = value.kind === "array" ? value.items.map(render) : render(value).split(",");
  const disks = new Map<string | undefined, number>();
  for (const spec of specs) {
    const words = spec.trim().split(/\s+/);
    const at = words.findIndex((word) => /^[0-9.]+[A-Za-z]*$/.test(word) && !word.startsWith("/"));
    const amount = at < 0 ? undefined : (words[at] ?? "");
    const unit = words[at + 1] ?? "";
    const size =
      amount === undefined
        ? undefined
        : parseSize(
            /^[0-9.]+$/.test(amount) && bytesPerUnit(unit) !== undefined ? `${amount} ${unit}` : amount,
            "GiB",
          );
    if (size === undefined) return refuse(asked, 'GiB or a size such as "/mnt/data 10 GiB"');
    const place = words[0]?.startsWith("/") === true ? mountPoint(words[0], asked) : undefined;
    disks.set(place, (disks.get(place) ?? 0) + Math.ceil(size));
  }
  return disks;
}

/** Where the engine keeps what it needs itself, nothing can be mounted. */
function mountPoint(path: string, asked: Asked): string {
  const place = posix.normalize(path).replace(/(?<=.)\/+$/, "");
  const around = (other: string) => other === place || other.startsWith(place === "/" ? place : `${place}/`);
  const isTaken =
    place.startsWith(`${taskRoot}/`) || around(taskRoot) || /^\/(proc|sys|dev)(\/|$)/.test(place);
  return isTaken ? refuse(asked, `another mount point than ${place}, which is taken`) : place;
}

function exitOf(asked: Asked | undefined): AcceptedExit {
  if (asked === undefined) return { kind: "codes", codes: [0] };
  const { value } = asked;
  if (value.kind === "boolean") return value.value ? { kind: "any" } : { kind: "codes", codes: [0] };
  if (value.kind === "string" && value.value.trim() === "*") return { kind: "any" };
  const listed = value.kind === "array" ? value.items : [value];
  const codes = listed.map((item) => {
    const code =
      item.kind === "int" ? item.value : item.kind === "string" ? parseInteger(item.value) : undefined;
    return code === undefined ? refuse(asked, 'an Int, an array of Int or "*"') : Number(code);
  });
  return { kind: "codes", codes: [...new Set(codes)].sort((a, b) => a - b) };
}

/** `omicsTimeout` counts seconds, whole minutes, at least one; `time_minutes` and its spellings count minutes. */
function timeOf(asked: Ask): number | undefined {
  const omics = numberOf(asked("omicsTimeout"));
  if (omics !== undefined) return Math.max(1, Math.floor(omics / 60)) * 60_000;
  const minutes = numberOf(asked("time_minutes", "timeMinutes", "runtime_minutes"));
  return minutes === undefined || minutes <= 0 ? undefined : Math.ceil(minutes * 60_000);
}

function isTrue(asked: Asked | undefined): boolean {
  if (asked === undefined) return false;
  const { value } = asked;
  return value.kind === "boolean"
    ? value.value
    : value.kind === "string" && value.value.toLowerCase() === "true";
}

function wantsNetwork(asked: Asked | undefined): boolean {
  return asked?.value.kind === "string" && asked.value.value !== "none";
}
