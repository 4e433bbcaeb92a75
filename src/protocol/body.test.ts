import { describe, expect, it } from "vitest";
import { bodyLimitOf } from "./body-limit.ts";
import { boundedText } from "./body-text.ts";
import { type Operation, operations } from "./operations.ts";
import { list, optional, required, structure, text } from "./shape.ts";

const bounds = { textBytes: 1024 * 1024, blobs: new Set(["zip"]) };
const bytesOf = (body: string) => Buffer.from(body, "latin1");
const large = "QUJD".repeat(20_000);

function textOf(body: string): { readonly text: string; readonly cut: Readonly<Record<string, string>> } {
  const read = boundedText(bytesOf(body), bounds);
  if (read.kind === "refused") throw new Error(read.reason);
  const cut = [...read.cut].map(([name, bytes]) => [name, Buffer.from(bytes).toString("latin1")] as const);
  return { text: Buffer.from(read.bytes).toString("latin1"), cut: Object.fromEntries(cut) };
}
const reasonOf = (body: string) => {
  const read = boundedText(bytesOf(body), bounds);
  return read.kind === "refused" ? read.reason : "none";
};

describe("a body before it is parsed", () => {
  it("without large blobs is the body", () => {
    for (const body of ["", "{}", `{"zip":"QUJD","a":[1,{"b":"\\""}]}`, "no json {", `"unended`])
      expect(textOf(body)).toEqual({ text: body, cut: {} });
  });

  it("has its large blobs cut out, wherever they stand, and nothing else", () => {
    expect(textOf(`{"a":1,"zip" : "${large}","b":"x"}`)).toEqual({
      text: `{"a":1,"zip" : "","b":"x"}`,
      cut: { zip: large },
    });
    const inner = `{"a":{"zip":"${large}"},"zip":"QUJD"}`;
    expect(textOf(inner)).toEqual({ text: inner, cut: {} });
    const asValue = `{"a":"zip","b":"${large}"}`;
    expect(textOf(asValue)).toEqual({ text: asValue, cut: {} });
  });

  it("has the last of equal names, as the parser does it", () => {
    expect(textOf(`{"zip":"${large}","zip":"QUJD"}`).cut).toEqual({});
    expect(textOf(`{"zip":"QUJD","zip":"${large}"}`).cut).toEqual({ zip: large });
  });

  it("that is deep, long or of many values is refused by what is too much", () => {
    expect(reasonOf("[".repeat(101))).toContain("deeper than 100 levels");
    expect(reasonOf(`${"[".repeat(100)}${"]".repeat(100)}`)).toBe("none");
    expect(reasonOf(`{"a":"${"x".repeat(bounds.textBytes)}"}`)).toContain("larger than 1048576 bytes");
    expect(reasonOf(`[${"1,".repeat(500_001)}1]`)).toMatch(/more than 500000 values/);
    expect(reasonOf(`{"zip":"${'\\"'.repeat(bounds.textBytes)}"}`)).toContain("larger than");
  });

  it("keeps braces and colons in texts apart from its own", () => {
    const body = `{"a":"${"[{:".repeat(200)}","zip":"${large}"}`;
    expect(textOf(body).cut).toEqual({ zip: large });
  });
});

describe("how large a body may be", () => {
  const operationOf = (members: NonNullable<Operation["body"]>["members"]): Operation => ({
    ...{ method: "POST", path: "/x", success: 201, labels: {}, query: {} },
    body: structure(members),
  });

  it("is never too little for the largest good one", () => {
    const long = operationOf({ all: required(list(text({ max: 1_000 }), { max: 1_000 })) });
    const body = JSON.stringify({ all: Array(1_000).fill("\u0001".repeat(1_000)) });
    expect(bodyLimitOf(long).textBytes).toBeGreaterThan(body.length);
  });

  it("has room for base64 of a blob, and only the whole body has", () => {
    const { textBytes, wholeBytes } = bodyLimitOf(
      operationOf({ zip: optional({ kind: "blob", maxBytes: 3_000 }) }),
    );
    expect(wholeBytes - textBytes).toBe(4_000);
  });

  it("of every operation is at least a mebibyte, and at most 32 of text", () => {
    for (const [name, operation] of Object.entries(operations as Readonly<Record<string, Operation>>)) {
      const { textBytes, wholeBytes } = bodyLimitOf(operation);
      expect(textBytes, name).toBeGreaterThanOrEqual(1024 * 1024);
      expect(textBytes, name).toBeLessThanOrEqual(32 * 1024 * 1024);
      expect(wholeBytes, name).toBeGreaterThanOrEqual(textBytes);
    }
  });
});
