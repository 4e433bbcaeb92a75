/**
 * The package as its users get it: packed, unpacked into a clean folder, and used there by TypeScript programs that are
 * checked strictly under both module resolutions that Node's own packages meet. The programs are those of
 * examples/typescript.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "memoir-package-"));
const project = join(scratch, "project");
const installed = join(project, "node_modules", "memoir");
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function run(words: readonly string[], cwd: string) {
  const [command = "", ...args] = words;
  const env = { ...process.env, MEMOIR_HOME: join(scratch, "home") };
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  return { status, out: stdout, all: `${stdout}\n${stderr}` };
}

/** From the checkout: tests use no network. */
const tool = (path: string) => join(root, "node_modules", path);
const tsc = [process.execPath, tool("typescript/bin/tsc")];

beforeAll(() => {
  const packed = run(["npm", "pack", "--silent", "--pack-destination", scratch], root);
  expect(packed.status, packed.all).toBe(0);
  const archive = readdirSync(scratch).find((name) => name.endsWith(".tgz"));
  mkdirSync(installed, { recursive: true });
  const unpacked = run(
    ["tar", "-xzf", join(scratch, archive ?? ""), "--strip-components=1", "-C", installed],
    scratch,
  );
  expect(unpacked.status, unpacked.all).toBe(0);
  const { dependencies } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const tools = ["@types/node", "vitest"];
  for (const name of [...Object.keys(dependencies), ...tools]) {
    const link = join(project, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(tool(name), link);
  }
  cpSync(join(root, "examples", "typescript"), project, { recursive: true });
}, 10 * limitMs);

describe("the packed package", () => {
  it("brings its command, its three doors with their types, and no sources", () => {
    const names = readdirSync(join(installed, "dist"));
    for (const name of ["memoir.js", "index.js", "extend.js", "testing.js", "types"])
      expect(names).toContain(name);
    expect(readdirSync(installed)).not.toContain("src");
    const version = run([process.execPath, join(installed, "dist", "memoir.js"), "--version"], project);
    expect(version.status, version.all).toBe(0);
  });

  it.each([
    { moduleResolution: "node16", module: "node16" },
    { moduleResolution: "bundler", module: "esnext" },
  ])(
    "compiles in a strict project with the resolution $moduleResolution, declarations checked, too",
    (how) => {
      const config = JSON.parse(readFileSync(join(project, "tsconfig.json"), "utf8"));
      const file = join(project, `tsconfig.${how.moduleResolution}.json`);
      const compilerOptions = { ...config.compilerOptions, ...how, skipLibCheck: false, noEmit: true };
      writeFileSync(file, JSON.stringify({ ...config, compilerOptions }));
      const checked = run([...tsc, "-p", file], project);
      expect(checked.all.trim()).toBe("");
      expect(checked.status).toBe(0);
    },
  );

  it("refuses what its types do not allow, so they are looked at", () => {
    writeFileSync(
      join(project, "wrong.ts"),
      'import { openMemoir } from "memoir";\nconst memoir = await openMemoir();\nconst { state } = await memoir.run(7);\nexport const n: number = state;\n',
    );
    const checked = run([...tsc, "--noEmit"], project);
    rmSync(join(project, "wrong.ts"));
    expect(checked.status).not.toBe(0);
    expect(checked.out).toContain("wrong.ts(3,");
    expect(checked.out).toContain("wrong.ts(4,");
  });

  it("runs the example: predictions and a workflow, computed once and reused then", () => {
    const built = run(tsc, project);
    expect(built.status, built.all).toBe(0);
    const { status, out, all } = run([process.execPath, "out/predict-and-run.js"], project);
    expect(status, all).toBe(0);
    expect(out.split("\n")).toEqual(
      expect.arrayContaining([
        "first: CCO computed 46.069",
        "second: CCO reused-local 46.069",
        "first: call.computed greet.shout[1]",
        "second: call.reused greet.shout[1]",
        "check: 0 errors, 0 diagnostics",
        "cache: 2 entries of shout",
      ]),
    );
    expect(out).toContain("second: succeeded, 2 reused, 0 computed");
    expect(out).toContain("WORKFLOW_NOT_FOUND: ");
  });

  it.each(["own-tier", "own-executor"])(
    "lets an %s pass the contract suite",
    (name) => {
      const tested = run([process.execPath, tool("vitest/vitest.mjs"), "run", `${name}.test.ts`], project);
      expect(tested.status, tested.all).toBe(0);
      expect(tested.out).toMatch(/Tests .*[1-9]\d* passed/);
    },
    10 * limitMs,
  );
});
