/** Arguments and folders whose names are not UTF-8: Node replaces their bytes, so another file would be meant. */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("in.csv", ["CCO"]);
  await box.write("w.wdl", "version 1.1\nworkflow w {\n  input { String s }\n  output { String o = s }\n}\n");
});
afterAll(() => box.remove());

const run = "memoir run --model eos3b5e";

it.each([
  ["an output", `${run} -i in.csv -o $'caf\\xe9.csv'`],
  ["an output after =", `${run} -i in.csv --output=$'caf\\xe9.csv'`],
  [
    "an input",
    `cp in.csv $'caf\\xe9.csv'; ${run} -i $'caf\\xe9.csv' -o out.csv; code=$?; rm caf*; exit $code`,
  ],
  ["the run folder", "memoir run w.wdl s=a --out $'caf\\xe9'"],
  ["a value of a workflow", "memoir run w.wdl s=$'caf\\xe9'"],
  ["a cache", "memoir cache create $'caf\\xe9'"],
  ["a local cache", `${run} -i in.csv -o out.csv --local $'caf\\xe9'`],
])("%s is refused, and nothing is written", (_, line) => {
  const before = readdirSync(box.folder);
  const { code, err, out } = box.shell(line);
  expect(err).toMatch(/^error: the argument ".*caf\\xe9.*" is not UTF-8; .* \[CLI_USAGE\]\n/);
  expect([code, out]).toEqual([2, ""]);
  expect(readdirSync(box.folder)).toEqual(before);
});

it("a current folder is refused", () => {
  const { code, err } = box.shell(`mkdir $'d\\xe9'; cd $'d\\xe9'; ${run} -i ../in.csv -o out.csv`);
  expect(err).toMatch(
    /^error: the name of the current folder, ".*\/d\\xe9", is not UTF-8; .* \[CLI_USAGE\]\n/,
  );
  expect(code).toBe(2);
  expect(box.shell("cd $'d\\xe9' && ls").out).toBe("");
  box.shell("rmdir $'d\\xe9'");
});

it("a variable that --env hands on is refused", () => {
  const { code, err } = box.shell("export NAME=$'caf\\xe9'; memoir run w.wdl s=a --env NAME");
  expect(err).toContain("--env NAME: the value of the variable is not UTF-8 [CLI_USAGE]");
  expect(code).toBe(2);
});

it("every name that is UTF-8 is used as it is, with the replacement character, too", () => {
  const { code } = box.shell(
    `${run} -i in.csv -o $'caf\\xef\\xbf\\xbd.csv' && ${run} -i in.csv -o café😀.csv`,
  );
  expect(code).toBe(0);
  for (const name of ["caf\ufffd.csv", "café😀.csv"])
    expect(readFileSync(box.path(name), "utf8")).toContain("CCO");
});
