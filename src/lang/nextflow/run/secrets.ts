/** `secrets`: what the user keeps under names. Never shown as a whole, and read when the first one is asked for. */
import { Unique, type Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";

export class Secrets extends Unique {
  readonly type = "Secrets";
  readonly #read: () => Readonly<Record<string, string>>;
  #known: ReadonlyMap<string, string> | undefined;
  /** Those that were asked for, by their names. */
  readonly #shown = new Map<string, string>();

  constructor(read: () => Readonly<Record<string, string>> = () => ({})) {
    super();
    this.#read = read;
  }

  override text(): string {
    return "[secrets]";
  }

  override get(name: string): Value | undefined {
    const value = this.#value(name);
    if (value === undefined) return null;
    this.#shown.set(name, value);
    return value;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    return (name === "get" || name === "getAt") && typeof given[0] === "string"
      ? this.get(given[0])
      : undefined;
  }

  /** Whether a script or configuration has read one. */
  get wereRead(): boolean {
    return this.#shown.size > 0;
  }

  /** For a task: a variable for each name. */
  variables(names: readonly string[]): Readonly<Record<string, string>> {
    return Object.fromEntries(
      names.map((name) => {
        const value =
          this.#value(name) ??
          fail(
            "ProcessUnrecoverableException",
            `Required secret is missing: ${name} -- \`memoir nextflow secrets set ${name}\` keeps one`,
          );
        return [name, value];
      }),
    );
  }

  /** The name of one that a script or configuration has read and a text contains. */
  in(texts: readonly string[]): string | undefined {
    for (const [name, value] of this.#shown)
      if (value !== "" && texts.some((text) => text.includes(value))) return name;
    return undefined;
  }

  #value(name: string): string | undefined {
    this.#known ??= new Map(Object.entries(this.#read()));
    return this.#known.get(name);
  }
}
