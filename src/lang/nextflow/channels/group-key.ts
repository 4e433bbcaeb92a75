/** `groupKey(key, size)`: a key that knows how many items its group has. */
import { methodOf } from "../stdlib/registry.ts";
import { compare, equal, truthOf } from "../values/compare.ts";
import { keyOf } from "../values/key.ts";
import { GroovyMap } from "../values/map.ts";
import { textOf } from "../values/text.ts";
import { Thing, type Value } from "../values/thing.ts";

export class GroupKey extends Thing {
  readonly type = "GroupKey";
  readonly target: Value;
  readonly size: number;

  constructor(target: Value, size: number) {
    super();
    this.target = target;
    this.size = size;
  }

  override text(): string {
    return textOf(this.target);
  }

  /** That of the key itself: they are one group. */
  override key(): string {
    return keyOf(this.target) as string;
  }

  override truth(): boolean {
    return truthOf(this.target);
  }

  override operand(): Value {
    return this.target;
  }

  override compare(other: Value): number | undefined {
    const right = other instanceof GroupKey ? other.target : other;
    return equal(this.target, right)
      ? 0
      : typeof right === typeof this.target
        ? compare(this.target, right)
        : undefined;
  }

  override get(name: string): Value | undefined {
    // Groovy shows the fields of a class although they are private.
    if (name === "groupTarget" || name === "target") return this.target;
    if (name === "groupSize" || name === "size") return this.size;
    if (this.target instanceof GroovyMap) return this.target.at(name) ?? null;
    return this.target instanceof Thing ? this.target.get(name) : undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name === "hasProperty")
      return ["groupSize", "groupTarget", "size", "target"].includes(textOf(given[0] ?? null)) ? true : null;
    if (name === "getGroupTarget") return this.target;
    if (name === "getGroupSize") return this.size;
    const own = this.target instanceof Thing ? this.target.invoke(name, given) : undefined;
    return own === undefined ? methodOf(this.target, name)?.(this.target, given) : own;
  }
}
