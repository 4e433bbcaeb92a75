/** `nextflow.version`: compared part by part. */
import { Thing, type Value } from "./thing.ts";
import { illegal } from "./throwable.ts";

export class VersionNumber extends Thing {
  readonly type = "VersionNumber";
  readonly version: string;

  constructor(version: string) {
    super();
    this.version = version;
  }

  override text(): string {
    return this.version;
  }

  override key(): string {
    return `\u0000version:${this.version}`;
  }

  override compare(other: Value): number | undefined {
    if (!(other instanceof VersionNumber) && typeof other !== "string") return undefined;
    return compareVersions(this.version, other instanceof VersionNumber ? other.version : other);
  }

  override get(name: string): Value | undefined {
    const index = ["major", "minor", "patch"].indexOf(name);
    return index < 0 ? undefined : (this.version.split(/[.-]/)[index] ?? null);
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "matches") {
      const condition = String(given[0]);
      const answer =
        versionMatches(this.version, condition) ??
        illegal(`Not a valid version check condition: ${condition}`);
      return answer === "yes";
    }
    const getter = /^get([A-Z].*)$/.exec(name)?.[1]?.toLowerCase();
    return getter === undefined ? undefined : this.get(getter);
  }
}

export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(/[.-]/), b.split(/[.-]/)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x = "0", y = "0"] = [left[i], right[i]];
    const numbers = /^\d+$/.test(x) && /^\d+$/.test(y);
    const order = numbers ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (order !== 0) return order < 0 ? -1 : 1;
  }
  return 0;
}

/**
 * `>=24.04`, `24.04+`, `>=23.10,<25`: all conditions hold. `24.04+` is 24.04 or a later one of 24. undefined: it is not a
 * condition.
 */
export function versionMatches(version: string, condition: string): "yes" | "no" | undefined {
  let answer: "yes" | "no" = "yes";
  for (const each of condition.split(",").filter((text) => text !== "")) {
    const found = /^\s*([!<=>]+)?\s*([\w\-.]+)(\+)?\s*$/.exec(each);
    if (found === null) return undefined;
    const [, operator = "=", wanted = "", plus] = found;
    if (plus !== undefined && found[1] !== undefined) return undefined;
    const holds =
      plus === undefined ? holdsFor(operator, compareVersions(version, wanted)) : isLater(version, wanted);
    if (holds === undefined) return undefined;
    if (!holds) answer = "no";
  }
  return answer;
}

function holdsFor(operator: string, order: number): boolean | undefined {
  switch (operator) {
    case "=":
    case "==":
      return order === 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case "!=":
    case "<>":
      return order !== 0;
    default:
      return undefined;
  }
}

/** `1.2+`: all parts but the last are equal, and the last is not less. */
function isLater(version: string, least: string): boolean {
  const wanted = (least.endsWith(".") ? `${least}0` : least).split(/[.-]/);
  const parts = version.split(/[.-]/);
  const last = wanted.length - 1;
  return (
    wanted.slice(0, last).every((each, index) => each === (parts[index] ?? "0")) &&
    compareVersions(parts[last] ?? "0", wanted[last] ?? "0") >= 0
  );
}
