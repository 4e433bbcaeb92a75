/** `java.util.UUID`: a name with dots that ends in a class. */
import { ClassValue } from "../eval/class-value.ts";
import { callStatic } from "../stdlib/statics.ts";
import { Thing, type Value } from "../values/thing.ts";

export class PackageValue extends Thing {
  readonly type = "Package";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  override text(): string {
    return this.name;
  }

  override key(): string {
    return `\u0000package:${this.name}`;
  }

  override get(member: string): Value | undefined {
    const whole = `${this.name}.${member}`;
    return /^[A-Z]/.test(member) ? classOf(whole) : new PackageValue(whole);
  }
}

export function classOf(
  name: string,
  more?: (name: string, given: readonly Value[]) => Value | undefined,
): ClassValue {
  return new ClassValue(name, (method, given) => {
    const own = more?.(method, given);
    return own === undefined ? callStatic(name, method, given) : own;
  });
}
