/** The files that a project's hosts read: they parse, and they promise what the project keeps. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const below = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yml"))
    .map((name) => join(folder, name));
const textOf = (name: string) => readFileSync(join(root, name), "utf8");

it("workflows and templates are YAML with a name", () => {
  const files = below(".github");
  expect(files.length).toBeGreaterThan(4);
  for (const file of files.filter((name) => !/(config|dependabot)\.yml$/.test(name)))
    expect(parse(textOf(file)), file).toMatchObject({ name: expect.any(String) });
});

it("actions are pinned by commit, with the version next to it", () => {
  const uses = below(".github/workflows").flatMap((file) => textOf(file).match(/uses: .*/g) ?? []);
  expect(uses.length).toBeGreaterThan(2);
  const local = /^uses: \.\/\.github\/workflows\/[\w-]+\.yml$/;
  for (const use of uses.filter((each) => !local.test(each)))
    expect(use).toMatch(/^uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
});

it("workflows read the repository and nothing more by default", () => {
  for (const file of below(".github/workflows"))
    expect(parse(textOf(file)), file).toMatchObject({ permissions: { contents: "read" } });
});

it("every version of Node that CI runs is one that package.json admits", () => {
  const { jobs } = parse(textOf(".github/workflows/ci.yml"));
  const versions = jobs.test.strategy.matrix.include.map(({ node }: { node: string }) => Number(node));
  expect(versions).toContain(20);
  expect(Math.min(...versions)).toBe(Number(/>=(\d+)/.exec(textOf("package.json"))?.[1]));
});
