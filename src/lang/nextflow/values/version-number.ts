/** `nextflow.version`: compared part by part. */
import { Thing, type Value } from "./thing.ts";

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
    if (name === "matches") return versionMatches(this.version, String(given[0]));
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

/** `>=24.04`, `24.04+`, `>=23.10,<25`, `!>=25.04` (the `!` says what happens otherwise). */
export function versionMatches(version: string, condition: string): boolean {
  return condition
    .replace(/^\s*!/, "")
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "")
    .every((each) => {
      const plus = /^(\d[\w.-]*)\+$/.exec(each);
      if (plus?.[1] !== undefined) return compareVersions(version, plus[1]) >= 0;
      const [, operator = "==", wanted = ""] = /^(>=|<=|>|<|==|=|!=)?\s*(.*)$/.exec(each) ?? [];
      const order = compareVersions(version, wanted);
      switch (operator) {
        case ">=":
          return order >= 0;
        case "<=":
          return order <= 0;
        case ">":
          return order > 0;
        case "<":
          return order < 0;
        case "!=":
          return order !== 0;
        default:
          return order === 0;
      }
    });
}
