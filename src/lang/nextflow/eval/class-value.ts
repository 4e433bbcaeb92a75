/** A class by its name: `Math.max(…)`, `instanceof`, `filter(Number)`. */
import { Thing, type Value } from "../values/thing.ts";
import { fullName, isInstance } from "../values/type-name.ts";

export class ClassValue extends Thing {
  readonly type = "Class";
  readonly name: string;
  readonly #statics: (name: string, given: readonly Value[]) => Value | undefined;

  constructor(
    name: string,
    statics: (name: string, given: readonly Value[]) => Value | undefined = () => undefined,
  ) {
    super();
    this.name = name;
    this.#statics = statics;
  }

  isInstance(value: Value): boolean {
    return isInstance(value, this.name);
  }

  override text(): string {
    return `class ${fullName(this.name)}`;
  }

  override key(): string {
    return `\u0000class:${fullName(this.name)}`;
  }

  override get(name: string): Value | undefined {
    if (name === "simpleName") return this.name.split(".").at(-1) ?? this.name;
    if (name === "name" || name === "canonicalName" || name === "typeName") return fullName(this.name);
    return this.#statics(`.${name}`, []);
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "getSimpleName" || name === "getName")
      return this.get(name === "getName" ? "name" : "simpleName");
    return this.#statics(name, given);
  }
}
