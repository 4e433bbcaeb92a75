import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Blob64 } from "./blob.ts";
import { integer, list, type Member, oneOf, optional, required, structure, text, union } from "./shape.ts";
import { faultsMessage, validateMembers } from "./validate.ts";

const members: Readonly<Record<string, Member>> = {
  name: required(text({ min: 1, max: 4, pattern: /^[a-z\u{1F9EC}]+$/u })),
  count: optional(integer(1, 10)),
  flag: optional({ kind: "boolean" }),
  level: optional(oneOf("LOW", "HIGH")),
  zip: optional({ kind: "blob", maxBytes: 6 }),
  free: optional({ kind: "document", maxBytes: 100 }),
  items: optional(list(structure({ id: required(text({ min: 1, max: 3 })) }), { min: 1, max: 2 })),
  tags: optional({ kind: "map", key: text({ min: 1, max: 3 }), value: text({ max: 2 }), max: 2 }),
  either: optional(union({ a: optional(text({ max: 1 })), b: optional(text({ max: 1 })) })),
};
const faultsOf = (values: Readonly<Record<string, unknown>>) =>
  validateMembers(members, { name: "abc", ...values }).map(({ message }) => message);
const failed = "failed to satisfy constraint: Member must";

describe("values of a request", () => {
  it("that keep to every limit have no fault, at the limits themselves, too", () => {
    expect(
      faultsOf({
        ...{ name: "abcd", count: 10, flag: false, level: "HIGH", free: [1, { a: null }] },
        zip: new Blob64(Buffer.from("QUJDREVG")),
        ...{ items: [{ id: "a" }, { id: "abc" }], tags: { a: "", abc: "xy" }, either: { a: "x", b: null } },
      }),
    ).toEqual([]);
  });

  it.each([
    [{ name: null }, `Value at 'name' ${failed} not be null`],
    [{ name: "" }, `Value at 'name' ${failed} have length greater than or equal to 1`],
    [{ name: "abcde" }, `Value at 'name' ${failed} have length less than or equal to 4`],
    [{ name: "Ab" }, `Value at 'name' ${failed} satisfy regular expression pattern: ^[a-z\\u{1F9EC}]+$`],
    [{ name: ["a"] }, `Value at 'name' ${failed} be a string, got a list`],
    [{ count: 0 }, `Value at 'count' ${failed} have value greater than or equal to 1`],
    [{ count: 11 }, `Value at 'count' ${failed} have value less than or equal to 10`],
    [{ count: 1.5 }, `Value at 'count' ${failed} be an integer, got a number`],
    [{ count: "1" }, `Value at 'count' ${failed} be an integer, got a string`],
    [{ flag: 1 }, `Value at 'flag' ${failed} be a boolean, got a number`],
    [{ level: "high" }, `Value at 'level' ${failed} satisfy enum value set: [LOW, HIGH]`],
    [{ zip: "QUJD" }, `Value at 'zip' ${failed} be base64 text, got a string`],
    [
      { zip: new Blob64(Buffer.from("QUJDREVGRw==")) },
      `Value at 'zip' ${failed} have length less than or equal to 6`,
    ],
    [{ items: {} }, `Value at 'items' ${failed} be a list, got a object`],
    [{ items: [] }, `Value at 'items' ${failed} have length greater than or equal to 1`],
    [{ items: [1, 2, 3] }, `Value at 'items' ${failed} have length less than or equal to 2`],
    [{ items: [{}] }, `Value at 'items.0.id' ${failed} not be null`],
    [{ items: [{ id: "a" }, 7] }, `Value at 'items.1' ${failed} be a structure, got a number`],
    [{ tags: [] }, `Value at 'tags' ${failed} be a map, got a list`],
    [{ tags: { abcd: "x" } }, `Value at 'tags.key' ${failed} have length less than or equal to 3`],
    [{ tags: { a: "xyz" } }, `Value at 'tags.a' ${failed} have length less than or equal to 2`],
    [{ tags: { a: "", b: "", c: "" } }, `Value at 'tags' ${failed} have length less than or equal to 2`],
    [{ either: {} }, `Value at 'either' ${failed} have exactly one of: a, b`],
    [{ either: { a: "x", b: "y" } }, `Value at 'either' ${failed} have exactly one of: a, b`],
  ])("%j is refused in the service's words", (values, message) => {
    expect(faultsOf(values)).toEqual([message]);
  });

  it("are counted in characters, not in code units", () => {
    expect(faultsOf({ name: "\u{1F9EC}".repeat(4) })).toEqual([]);
    expect(faultsOf({ name: "\u{1F9EC}".repeat(5) })).toHaveLength(1);
  });

  it("that are inherited are not there", () => {
    expect(validateMembers(members, Object.create({ name: "abc" })).map(({ at }) => at)).toEqual(["name"]);
    const odd = validateMembers({ constructor: required(text({ max: 1 })) }, {});
    expect(odd.map(({ at }) => at)).toEqual(["constructor"]);
  });

  it("of any kind never make the check itself fail", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(members)), fc.anything()), (values) => {
        for (const { at, message } of validateMembers(members, values))
          expect(message.startsWith(`Value at '${at}'`)).toBe(true);
      }),
    );
  });
});

describe("the message of faults", () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => ({ at: `${n}`, message: `m${n}` }));

  it("counts them, shows the first twenty, and says that there are more", () => {
    expect(faultsMessage(many(1))).toBe("1 validation error detected: m0");
    expect(faultsMessage(many(2))).toBe("2 validation errors detected: m0; m1");
    expect(faultsMessage(many(21))).toMatch(/^21 validation errors detected: m0; .*m19; …$/);
  });

  it("does not count beyond a hundred", () => {
    const all = optional(list(text({ max: 1 }), { max: 1_000 }));
    const faults = validateMembers({ all }, { all: Array(500).fill("xx") });
    expect(faults).toHaveLength(100);
    expect(faultsMessage(faults)).toMatch(/^100 or more validation errors detected: /);
  });
});
