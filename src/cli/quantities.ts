/** Sizes, ages and shares as people write them on a command line. */
import { AppError } from "../kernel/index.ts";
import type { StopAfter } from "../predict/index.ts";

const sizeUnits: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** `8G`, `512 MiB`, `1.5t`, `1000`: bytes; units are powers of 1024. */
export function sizeBytes(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^([0-9.]+)\s*([kmgt]?)i?b?$/i.exec(text.trim()) ?? [];
  const factor = sizeUnits[(unit ?? "").toLowerCase()];
  const value = Number(number);
  if (number !== undefined && factor !== undefined && Number.isFinite(value))
    return Math.round(value * factor);
  throw new AppError("CLI_USAGE", `${flag}: expected a size such as 8G or 500M, got ${JSON.stringify(text)}`);
}

const ageUnits: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `30d`, `12h`: milliseconds. */
export function ageMs(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const [, number, unit] = /^([0-9.]+)\s*([smhdw])$/i.exec(text.trim()) ?? [];
  const factor = ageUnits[(unit ?? "").toLowerCase()];
  // NaN is neither older nor younger than anything: a comparison with it could choose everything.
  const value = Number(number) * (factor ?? Number.NaN);
  if (Number.isFinite(value)) return value;
  throw new AppError(
    "CLI_USAGE",
    `${flag}: expected an age such as 30d, 12h or 90m, got ${JSON.stringify(text)}`,
  );
}

/** `5h30m`, `90s`: a time; `20000`: a number of rows. */
export function stopAfter(text: string | undefined, flag: string): StopAfter | undefined {
  if (text === undefined) return undefined;
  const word = text.trim();
  const parts = [...word.matchAll(/([0-9.]+)\s*([smhd])/gi)];
  const ms = parts.reduce((sum, [part]) => sum + (ageMs(part, flag) ?? 0), 0);
  const isTime = parts.length > 0 && word.replaceAll(/([0-9.]+)\s*([smhd])\s*/gi, "") === "";
  if (isTime && ms > 0 && ms <= mostTimerMs) return { kind: "time", ms };
  const rows = /^\d+$/.test(word) ? Number(word) : 0;
  if (rows > 0 && Number.isSafeInteger(rows)) return { kind: "rows", rows };
  throw new AppError(
    "CLI_USAGE",
    `${flag}: expected a time such as 5h30m or 90s, or a number of rows such as 20000, got ${JSON.stringify(text)}`,
  );
}

/** Timers take no more. */
const mostTimerMs = 2 ** 31 - 1;

/** `5%`, `0.05`: a share from 0 to 1. */
export function share(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const percent = text.trim().endsWith("%");
  const value = Number(text.trim().replace(/%$/, "")) / (percent ? 100 : 1);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new AppError("CLI_USAGE", `${flag}: expected a share such as 5%, got ${JSON.stringify(text)}`);
}

/** How many rows a list shows. */
export function listLimit(asked: number | undefined, otherwise: number): number {
  if (asked === undefined) return otherwise;
  if (asked >= 0) return asked;
  throw new AppError("CLI_USAGE", `--limit: expected 0 or more, got ${asked}`);
}
