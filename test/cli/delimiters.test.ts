/** Tables with other separators than commas. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

const run = (input: string, ...more: readonly string[]) =>
  box.run("run", "--model", "eos3b5e", "-i", input, "-o", "out.csv", ...more);
const inputsOf = async (name: string) => (await box.rows(name)).map((line) => line.split(",")[0]);

it.each([
  ["semicolon.csv", "name;smiles\na;CCO\nb;CCC\n"],
  ["tabs.csv", "smiles\tname\nCCO\ta\nCCC\tb\n"],
  ["blanks.csv", "smiles name\nCCO a\nCCC b\n"],
])("%s is read, and the delimiter is named", async (name, text) => {
  await box.write(name, text);
  const { code, err } = await run(name);
  expect(code).toBe(0);
  expect(err).toContain("as its delimiter; --delimiter says otherwise");
  expect(await inputsOf("out.csv")).toEqual(["CCO", "CCC"]);
});

it("--delimiter decides where the lines do not, by name or as the character", async () => {
  await box.write("headless.csv", "CCO;a\nCCC;b\n");
  const { code, err } = await run("headless.csv");
  expect(code).toBe(3);
  expect(err).toContain("--delimiter semicolon");
  for (const delimiter of ["semicolon", ";"]) {
    expect((await run("headless.csv", "--delimiter", delimiter, "--no-header", "--column", "1")).code).toBe(
      0,
    );
    expect(await inputsOf("out.csv")).toEqual(["CCO", "CCC"]);
  }
  expect(await run("headless.csv", "--delimiter", "colon")).toMatchObject({
    code: 2,
    err: expect.stringContaining('comma, tab, semicolon, pipe or space, got "colon"'),
  });
});

it("a .smi file is read, with names behind the molecules", async () => {
  await box.write("in.smi", "CCO ethyl alcohol\nCCC\tpropane\n");
  expect((await run("in.smi")).code).toBe(0);
  expect(await inputsOf("out.csv")).toEqual(["CCO", "CCC"]);
});

it("predictions are imported from a table with semicolons", async () => {
  await box.write("stored.csv", "input;mol_weight\nCCO;46.069\n");
  expect(await box.json("predictions", "import", "eos3b5e", "stored.csv")).toMatchObject({ read: 1 });
});
