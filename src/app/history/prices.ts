/** What computing costs, as people set it for savings in money. Zero until then. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolders } from "../../files/index.ts";
import { AppError, messageOf, systemErrorCode } from "../../kernel/index.ts";
import type { Environment } from "../environment.ts";
import { writeOwn } from "../page/page-file.ts";

export interface Prices {
  /** Of a cpu for an hour. */
  readonly cpu: number;
  /** Of a gigabyte of memory for an hour. */
  readonly memory: number;
  /** `EUR`; only shown. */
  readonly currency: string;
}

export const noPrices: Prices = { cpu: 0, memory: 0, currency: "EUR" };

type Home = Pick<Environment, "home">;

function fileOf({ home }: Home): string {
  return join(home, "history", "prices.json");
}

/** A damaged file counts as none: prices decide nothing but figures. */
export async function keptPrices(environment: Home): Promise<Prices> {
  const path = fileOf(environment);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return "{}";
    throw new AppError("FILE_NOT_READABLE", `reading ${path}: ${messageOf(error)}`, { cause: error });
  });
  try {
    const { cpu, memory, currency } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return {
      cpu: isPrice(cpu) ? cpu : noPrices.cpu,
      memory: isPrice(memory) ? memory : noPrices.memory,
      currency: typeof currency === "string" ? currency : noPrices.currency,
    };
  } catch {
    return noPrices;
  }
}

export async function keepPrices(prices: Prices, environment: Home): Promise<void> {
  await makeFolders(join(environment.home, "history"));
  await writeOwn(fileOf(environment), `${JSON.stringify(prices)}\n`);
}

function isPrice(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
