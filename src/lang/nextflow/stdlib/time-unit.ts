/** Units of time of Java: `TimeUnit.HOURS.toMinutes(2)`. */
import { isNumber, toBigInt } from "../values/number.ts";
import { Thing, type Value } from "../values/thing.ts";

/** In nanoseconds. */
export const timeUnits: Readonly<Record<string, bigint>> = {
  NANOSECONDS: 1n,
  MICROSECONDS: 1000n,
  MILLISECONDS: 1_000_000n,
  SECONDS: 1_000_000_000n,
  MINUTES: 60_000_000_000n,
  HOURS: 3_600_000_000_000n,
  DAYS: 86_400_000_000_000n,
};

export class TimeUnit extends Thing {
  readonly type = "TimeUnit";
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }

  override text(): string {
    return this.name;
  }

  override key(): string {
    return `\u0000time-unit:${this.name}`;
  }

  override invoke(name: string, [amount = null]: readonly Value[]): Value | undefined {
    const target = name === "toMillis" ? "MILLISECONDS" : name.slice(2).toUpperCase();
    const [from, to] = [timeUnits[this.name], timeUnits[target]];
    if (!name.startsWith("to") || from === undefined || to === undefined || !isNumber(amount))
      return undefined;
    return (toBigInt(amount) * from) / to;
  }
}
