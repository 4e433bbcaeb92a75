/** Lines of JSON that each carry their own checksum: what a crash cut or a disk changed is recognised. */
import { hash } from "node:crypto";
import type { Cell } from "../task/index.ts";

/** Readers of lines take these as ends of a line, too. */
const lineSeparators = /[\u2028\u2029]/g;

export function checkedLine(value: unknown): string {
  const json = JSON.stringify(value).replace(lineSeparators, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
  return `${hash("sha256", json).slice(0, 16)} ${json}\n`;
}

/** undefined = not what was written. */
export function valueOfLine(line: string): unknown {
  const json = line.slice(17);
  if (line[16] !== " " || hash("sha256", json).slice(0, 16) !== line.slice(0, 16)) return undefined;
  return parsed(json);
}

export type SpelledCell = Cell | readonly [string];

/** JSON has no word for these numbers: they are written as a list of their name. */
export function spelledCell(value: Cell): SpelledCell {
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return ["-0"];
  return Number.isFinite(value) ? value : [String(value)];
}

export function cellOf(value: SpelledCell): Cell {
  return Array.isArray(value) ? Number(value[0]) : (value as Cell);
}

export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
