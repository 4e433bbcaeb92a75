/** Where two results of one task begin to differ, for people: a line of text, bytes, or a value. */
import { type FileHandle, open } from "node:fs/promises";
import type { FileValue, Value } from "../task/index.ts";

export type OutputDifference = { readonly output: string } & (
  | {
      readonly kind: "line";
      /** Counts from 1. */
      readonly line: number;
      readonly before: string;
      readonly after: string;
    }
  | {
      readonly kind: "bytes";
      /** Of the first byte that differs; counts from 0. */
      readonly at: number;
      /** Hexadecimal digits. */
      readonly before: string;
      readonly after: string;
    }
  | { readonly kind: "value"; readonly before: string; readonly after: string }
);

const chunkBytes = 64 * 1024;
const shownLetters = 200;
const shownBytes = 16;

/** undefined = nothing that can be shown: the files are elsewhere, or the difference is in a folder. */
export async function firstDifference(
  output: string,
  before: Value,
  after: Value,
): Promise<OutputDifference | undefined> {
  const [a, b] = [filesIn(before), filesIn(after)];
  if (a.length === 0 && b.length === 0)
    return { output, kind: "value", before: textOf(before), after: textOf(after) };
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at]?.location ?? "", b[at]?.location ?? ""];
    if (!x.startsWith("/") || !y.startsWith("/")) continue;
    const found = await differenceOfFiles(x, y).catch(() => undefined);
    if (found !== undefined) return { output, ...found };
  }
  return undefined;
}

function filesIn(value: unknown): readonly FileValue[] {
  if (Array.isArray(value)) return value.flatMap(filesIn);
  if (typeof value !== "object" || value === null) return [];
  if ("location" in value && typeof value.location === "string") return [value as FileValue];
  return Object.values(value).flatMap(filesIn);
}

function textOf(value: Value): string {
  return (
    JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each))?.slice(
      0,
      shownLetters,
    ) ?? ""
  );
}

async function differenceOfFiles(
  before: string,
  after: string,
): Promise<
  | { readonly kind: "line"; readonly line: number; readonly before: string; readonly after: string }
  | { readonly kind: "bytes"; readonly at: number; readonly before: string; readonly after: string }
  | undefined
> {
  const [a, b] = [await open(before, "r"), await open(after, "r")];
  try {
    let line = 1;
    let lineStart = 0;
    let isText = true;
    for (let at = 0; ; ) {
      const [x, y] = [await chunk(a, at), await chunk(b, at)];
      const length = Math.min(x.length, y.length);
      for (let index = 0; index < length; index++) {
        if (x[index] !== y[index]) return await shown({ a, b, at: at + index, line, lineStart, isText });
        if (x[index] === 0) isText = false;
        if (x[index] !== 0x0a) continue;
        line++;
        lineStart = at + index + 1;
      }
      if (x.length !== y.length) return await shown({ a, b, at: at + length, line, lineStart, isText });
      if (length === 0) return undefined;
      at += length;
    }
  } finally {
    await a.close();
    await b.close();
  }
}

async function chunk(file: FileHandle, at: number, size = chunkBytes): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, at);
  return buffer.subarray(0, bytesRead);
}

async function shown(found: {
  readonly a: FileHandle;
  readonly b: FileHandle;
  readonly at: number;
  readonly line: number;
  readonly lineStart: number;
  readonly isText: boolean;
}) {
  const { a, b, at, line, lineStart } = found;
  const lines = [await chunk(a, lineStart, 4 * shownLetters), await chunk(b, lineStart, 4 * shownLetters)];
  const isText = found.isText && !lines.some((bytes) => bytes.includes(0));
  if (isText) {
    const [before = "", after = ""] = lines.map(
      (bytes) => bytes.toString("utf8").split("\n")[0]?.slice(0, shownLetters) ?? "",
    );
    return { kind: "line" as const, line, before, after };
  }
  const [before = "", after = ""] = [await chunk(a, at, shownBytes), await chunk(b, at, shownBytes)].map(
    (bytes) => bytes.toString("hex"),
  );
  return { kind: "bytes" as const, at, before, after };
}
