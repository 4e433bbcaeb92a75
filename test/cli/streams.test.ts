/** `-` as a file name: rows through pipes. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoirProgram, Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.inputs("in.csv", ["CCO", "CCC", "CCO"]);
});
afterAll(() => box.remove());

const model = "--model eos3b5e";

it("inputs come from standard input, rows go to standard output, and all else to standard error", () => {
  const { code, out, err } = box.shell(`memoir run ${model} -i - -o - < in.csv`);
  expect(code).toBe(0);
  expect(out.split("\n")).toEqual([
    "key,input,mol_weight",
    "47029b0a89b677c61d67c3a1b1071f07,CCO,46.069",
    "defb99e69a9f1f6e06f15006b1f166ae,CCC,44.096999999999994",
    "47029b0a89b677c61d67c3a1b1071f07,CCO,46.069",
    "",
  ]);
  expect(err).toMatch(/^predicted 3 rows with eos3b5e/m);
});

it("every command of a pipe uses the format that is given", async () => {
  const line = `memoir example -n 3 --seed 1 -o - --output-format json | memoir run ${model} -i - --input-format json -o - --output-format tsv | memoir run ${model} -i - --input-format tsv -o out.csv`;
  expect(box.shell(line)).toMatchObject({ code: 0 });
  expect(await box.rows("out.csv")).toHaveLength(3);
  const names = box.shell(
    `printf 'CCO ethyl alcohol\\n' | memoir run ${model} -i - --input-format smi -o - --output-format json`,
  );
  expect(JSON.parse(names.out)).toMatchObject([{ input: { input: "CCO" }, output: { mol_weight: 46.069 } }]);
  const tables = box.shell(`printf 'name;smiles\\na;CCO\\n' | memoir run ${model} -i - -o -`);
  expect(tables.out).toContain(",CCO,46.069\n");
  expect(tables.err).toContain("standard input is read with semicolon as its delimiter");
});

it("dump and example write to standard output", async () => {
  const { code, out, err } = box.shell(`memoir dump ${model} --local-cache-only -o -`);
  expect([code, out.split("\n")[0]]).toEqual([0, "key,input,mol_weight"]);
  expect(out).toContain(",CCO,46.069\n");
  expect(err).toMatch(/^dumped \d+ rows/m);
  expect(box.shell("memoir example -n 2 -d -o -").out.split("\n")).toMatchObject(["input", {}, {}, ""]);
});

it("formats name what files with other extensions hold", async () => {
  await box.write("molecules.txt", "CCO a\n");
  const { code } = box.shell(
    `memoir run ${model} -i molecules.txt --input-format smi -o out.dat --output-format csv`,
  );
  expect(code).toBe(0);
  expect(await box.rows("out.dat")).toEqual(["CCO,46.069"]);
});

it("--json would stand among the rows and is refused", async () => {
  for (const line of [
    `run ${model} -i in.csv -o -`,
    `dump ${model} --local-cache-only -o -`,
    "example -o -",
  ]) {
    const { code, out, err } = await box.run(...line.split(" "), "--json");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("both write to standard output");
  }
});

it("a wrong input is an error, and nothing is written", () => {
  const { code, out, err } = box.shell(`printf '' | memoir run ${model} -i - -o -`);
  expect([code, out]).toEqual([3, ""]);
  expect(err).toContain("cannot read the inputs from standard input: it was empty");
});

it("a pipe of any length is read with little memory, and once", () => {
  const rows = 600_000;
  const { code, out, err } = box
    .with({ NODE_OPTIONS: "--max-old-space-size=96" })
    .shell(
      `set -o pipefail; (echo smiles; seq ${rows} | sed 's/^/C/') | memoir run ${model} --local-cache-only -i - -o - | tail -n 1; mkfifo pipe.csv; (echo smiles; seq 300000 | sed 's/^/C/') > pipe.csv & memoir run ${model} --local-cache-only -i pipe.csv -o piped.csv`,
    );
  expect([code, err.includes("error")]).toEqual([0, false]);
  expect(out).toContain(`,C${rows},None\n`);
  expect(out).toContain("predicted 300,000 rows");
});

it("/dev/stdin is a file like any other", async () => {
  const { code } = box.shell(`cat in.csv | memoir run ${model} -i /dev/stdin --input-format csv -o out.csv`);
  expect(code).toBe(0);
  expect(await box.rows("out.csv")).toHaveLength(3);
});

it("/dev/stdout is standard output, and a file behind it keeps what it held", async () => {
  await box.write("log.txt", "before\n");
  const line = `memoir run ${model} -i in.csv -o /dev/stdout >> log.txt`;
  expect(box.shell(line).code).toBe(0);
  expect((await box.read("log.txt")).split("\n").slice(0, 2)).toEqual(["before", "key,input,mol_weight"]);
  const other = box.shell(`memoir run ${model} -i in.csv -o /dev/stderr --output-format csv 2>> log.txt`);
  expect(other.code).toBe(4);
  expect(await box.read("log.txt")).toMatch(
    /^before\n[\s\S]*cannot write the predictions to \/dev\/stderr: name the file/,
  );
});

it("a reader that has seen enough ends the run in order", () => {
  const { code, out, err } = box.shell(
    `set -o pipefail; (echo smiles; seq 300000 | sed 's/^/C/') | memoir run ${model} --local-cache-only -i - -o - | head -n 2; echo "\${PIPESTATUS[1]}"`,
  );
  expect([code, err]).toEqual([0, ""]);
  expect(out.trimEnd().split("\n").at(-1)).toBe("0");
});

it("an interrupted run leaves nothing behind", async () => {
  const before = readdirSync(box.folder).toSorted();
  const child = spawn(process.execPath, [memoirProgram, "run", ...model.split(" "), "-i", "-", "-o", "-"], {
    cwd: box.folder,
    env: box.env(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  // Enough for a first chunk of rows, and then silence.
  child.stdin.write(`smiles\n${"CCO\n".repeat(50_000)}`);
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.stdout.resume();
  child.kill("SIGINT");
  expect(await ended).toBe(130);
  expect(readdirSync(box.folder).toSorted()).toEqual(before);
});
