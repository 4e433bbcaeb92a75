import fc from "fast-check";
import { expect, it } from "vitest";
import { rawItems, rawMember, rawMembers } from "./raw-member.ts";

it("a member is the text that was sent, to the last digit", () => {
  const json = ` { "a" : 1.0 , "b":{"x": [1, "]}\\"", 12345678901234567890 ]}, "c" :"\\u0041" } `;
  expect(rawMember(json, "a")).toBe("1.0");
  expect(rawMember(json, "b")).toBe(`{"x": [1, "]}\\"", 12345678901234567890 ]}`);
  expect(rawMember(json, "c")).toBe(`"\\u0041"`);
  expect(rawMember(json, "d")).toBeUndefined();
});

it("a name may be escaped, and the last of equal names counts", () => {
  expect(rawMember(`{"n\\u0061me": 1, "name": 2}`, "name")).toBe("2");
  expect([...rawMembers(`{"a":1,"a":[2]}`)]).toEqual([["a", "[2]"]]);
});

it("members of inner objects are none of the outer one", () => {
  expect(rawMember(`{"outer": {"name": 1}, "x": ["name"]}`, "name")).toBeUndefined();
});

it("what is not an object has no members, and what is not a list no items", () => {
  for (const json of ["1", `"{}"`, "[1]", "null", "", " "]) expect([...rawMembers(json)]).toEqual([]);
  for (const json of ["1", `"[]"`, `{"a":1}`, "null", "", " "]) expect([...rawItems(json)]).toEqual([]);
});

it("any JSON comes apart into the texts that parse to its parts", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(undefined, 1),
      (value, indent) => {
        const found = [...rawMembers(JSON.stringify(value, null, indent))];
        const parsed = found.map(([name, text]) => [name, JSON.parse(text)]);
        expect(new Map(parsed as [string, unknown][])).toEqual(
          new Map(Object.entries(JSON.parse(JSON.stringify(value)))),
        );
      },
    ),
  );
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 2), (value, indent) => {
      const texts = [...rawItems(JSON.stringify(value, null, indent))];
      expect(texts.map((text) => JSON.parse(text))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
