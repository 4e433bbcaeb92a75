/** At most so many requests in a period, as `100/minute`: a fixed window for each account. */
export interface Rate {
  readonly requests: number;
  readonly period: "second" | "minute" | "hour" | "day";
}

const seconds = { second: 1, minute: 60, hour: 3_600, day: 86_400 } as const;

/** undefined for what is not `N/second`, `N/minute`, `N/hour` or `N/day`. */
export function parseRate(text: string): Rate | undefined {
  const [, count, period] = /^(\d{1,9})\/(second|minute|hour|day)$/.exec(text) ?? [];
  const requests = Number(count);
  return requests > 0 ? { requests, period: period as Rate["period"] } : undefined;
}

export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => Date;
  readonly #windows = new Map<string, { readonly endsAt: number; used: number }>();

  constructor(rate: Rate, now: () => Date) {
    this.#rate = rate;
    this.#now = now;
  }

  /** Seconds after which the account may ask again; undefined = it may ask now. */
  take(account: string): number | undefined {
    const now = this.#now().getTime();
    const known = this.#windows.get(account);
    const window =
      known !== undefined && now < known.endsAt
        ? known
        : { endsAt: now + seconds[this.#rate.period] * 1000, used: 0 };
    this.#windows.set(account, window);
    if (window.used >= this.#rate.requests) return Math.max(1, Math.ceil((window.endsAt - now) / 1000));
    window.used++;
    return undefined;
  }

  /** As slowapi writes it. */
  get text(): string {
    return `${this.#rate.requests} per 1 ${this.#rate.period}`;
  }
}
