import { expect, it } from "vitest";
import { taskName } from "./task-name.ts";

const wdl = (call: string, task = "align") => taskName({ call, task }, { language: "WDL", attempt: 2 });
const cwl = (call: string, task = "align") => taskName({ call, task }, { language: "CWL", attempt: 2 });

it("a task outside a scatter has its own name", () => {
  expect([wdl("wf.align"), cwl("wf.align")]).toEqual(["align", "align"]);
});

it("a shard has its number, and in WDL its attempt, behind the name of its call", () => {
  expect([wdl("wf.first[3]"), cwl("wf.first[3]")]).toEqual(["first-3-2", "first_3"]);
});

it("shards of nested scatters have separate numbers", () => {
  const names = new Set<string>();
  for (let outer = 0; outer < 30; outer++)
    for (let inner = 0; inner < 30; inner++) names.add(wdl(`wf.sub[${outer}].first[${inner}]`));
  expect(names.size).toBe(900);
});

it("no name has dashes where AWS's tools would take them for the end of it", () => {
  expect(wdl("wf.x[1]", "unused")).toBe("x-1-2");
  expect(wdl("wf.make", "make-1-2")).toBe("make_1_2");
  expect(cwl("wf.make", "make-10-x")).toBe("make_10-x");
  const [, , name, shard] = /^((.+)-(\d+)-.+)$/.exec(wdl("wf.odd-name-7[5]")) ?? [];
  expect([name, shard]).toEqual(["odd_name_7", "5"]);
});

it("a long name is cut so that its number stays", () => {
  const name = wdl(`wf.${"n".repeat(300)}[7]`);
  expect([name.length, name.endsWith("n-7-2")]).toEqual([128, true]);
});
