import { expect, test } from "vitest";
import { scriptFiles } from "../run/script-files.ts";
import { Decimal } from "../values/decimal.ts";
import { BigInteger, Double } from "../values/double.ts";
import { Duration } from "../values/duration.ts";
import { FileList } from "../values/file-list.ts";
import { keyOf } from "../values/key.ts";
import { GroovyMap, GroovySet } from "../values/map.ts";
import { MemoryUnit } from "../values/memory-unit.ts";
import { Path } from "../values/path.ts";
import { Range } from "../values/range.ts";
import type { List, Value } from "../values/thing.ts";
import { typeName } from "../values/type-name.ts";
import { keptValue, valueOfKept } from "./kept-values.ts";

const files = scriptFiles({ launchDir: "/", writable: [] });
const kept = (value: Value) => keptValue(value, ({ location }) => location);

const values: readonly Value[] = [
  null,
  true,
  "text",
  ["list", ["int", 1]],
  7,
  7n,
  new Double(2.5),
  new Double(2.5, "Float"),
  new BigInteger(2n ** 70n),
  Decimal.parse("1.50"),
  new MemoryUnit(2048),
  new Duration(5000),
  new Path("/a/b.txt", files),
  new GroovySet([1, "1"]),
  new GroovyMap([
    ["a", null],
    [1, [new GroovyMap([["b", 2n]])]],
  ]),
];

test.each(values.map((value) => [typeName(value), value] as const))(
  "a value comes back as it was: %s",
  (_, value) => {
    const text = JSON.stringify(kept(value));
    const back = valueOfKept(JSON.parse(text), (place) => new Path(String(place), files));
    if (back === undefined) throw new Error("it did not come back");
    expect([typeName(back), keyOf(back)]).toEqual([typeName(value), keyOf(value)]);
  },
);

test("several files stay several files", () => {
  const list = new FileList();
  list.push(new Path("/a", files));
  const back = valueOfKept(kept(list) ?? null, (place) => new Path(String(place), files));
  expect(back).toBeInstanceOf(FileList);
});

test("values without data are not kept", () => {
  const endless: List = [];
  endless.push(endless);
  const initial = new GroovyMap();
  initial.setDefault(() => 1);
  expect([kept(endless), kept(new Range(1, 3)), kept([initial])]).toEqual([undefined, undefined, undefined]);
});

test("numbers of different kinds are different values", () => {
  const texts = [1, 1n, new Double(1), Decimal.parse("1"), "1"].map((each) => JSON.stringify(kept(each)));
  expect(new Set(texts).size).toBe(5);
});

test.each(["Double", "Float"] as const)("zero and minus zero are two values: %s", (type) => {
  const [plus, minus] = [0, -0].map((value) => kept(new Double(value, type)));
  expect(minus).not.toEqual(plus);
  expect(valueOfKept(minus ?? null, () => undefined)).toEqual(new Double(-0, type));
});
