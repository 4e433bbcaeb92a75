/** `workflow` and `nextflow`: what a script may know of its run. */
import { Closure } from "../values/closure.ts";
import { GroovyMap } from "../values/map.ts";
import { textOf } from "../values/text.ts";
import { Unique, type Value } from "../values/thing.ts";
import { VersionNumber } from "../values/version-number.ts";
import { PackageValue } from "./package-value.ts";

export class WorkflowMetadata extends Unique {
  readonly type = "WorkflowMetadata";
  readonly #facts: Map<string, Value>;
  readonly onComplete: Closure[] = [];
  readonly onError: Closure[] = [];

  constructor(facts: Readonly<Record<string, Value>>) {
    super();
    this.#facts = new Map(Object.entries(facts));
  }

  put(name: string, value: Value): void {
    this.#facts.set(name, value);
  }

  override get(name: string): Value | undefined {
    const found = this.#facts.get(name);
    return found === undefined ? null : found;
  }

  override set(name: string, value: Value): boolean {
    return this.#handler(name, value);
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "toMap") return new GroovyMap(this.#facts.entries());
    const getter = /^get([A-Z].*)$/.exec(name)?.[1];
    if (getter !== undefined) return this.get(getter.slice(0, 1).toLowerCase() + getter.slice(1));
    return this.#handler(name, given[0] ?? null) ? null : undefined;
  }

  #handler(name: string, value: Value): boolean {
    if (!(value instanceof Closure)) return false;
    if (name === "onComplete") this.onComplete.push(value);
    else if (name === "onError") this.onError.push(value);
    else return false;
    return true;
  }
}

/** `workflow.manifest`: what is not written is null. */
export class Manifest extends Unique {
  readonly type = "Manifest";
  readonly #members: GroovyMap;

  constructor(members: GroovyMap) {
    super();
    this.#members = members;
  }

  override text(): string {
    return textOf(this.#members);
  }

  override get(name: string): Value | undefined {
    const found = this.#members.at(name);
    if (found !== undefined) return found;
    return name === "mainScript" ? "main.nf" : null;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "toMap") return new GroovyMap(this.#members.entries());
    if (name === "get") return this.get(textOf(given[0] ?? null));
    const getter = /^get([A-Z].*)$/.exec(name)?.[1];
    return getter === undefined ? undefined : this.get(getter.slice(0, 1).toLowerCase() + getter.slice(1));
  }
}

/** `nextflow.version`, and the switches `nextflow.enable.…` and `nextflow.preview.…`. */
export class NextflowMetadata extends Unique {
  readonly type = "NextflowMetadata";
  readonly #version: string;
  readonly switches = new GroovyMap([
    ["enable", new GroovyMap()],
    ["preview", new GroovyMap()],
  ]);

  constructor(version: string) {
    super();
    this.#version = version;
  }

  get version(): string {
    return `Nextflow ${this.#version}`;
  }

  override get(name: string): Value | undefined {
    switch (name) {
      case "version":
        return new VersionNumber(this.#version);
      case "build":
        return 0;
      case "timestamp":
        return "";
      case "extension":
      case "util":
        return new PackageValue(`nextflow.${name}`);
      default:
        return this.switches.at(name);
    }
  }
}
