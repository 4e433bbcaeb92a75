import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

/** Floor of every folder below src/; imports go from a higher number to a lower one. */
const floors: Readonly<Record<string, number>> = {
  kernel: 0,
  archive: 1,
  csv: 1,
  files: 1,
  hash: 1,
  "http-client": 1,
  task: 1,
  keys: 2,
  process: 2,
  protocol: 2,
  "store/objects": 2,
  "store/predictions": 3,
  "store/entries": 3,
  "lang/core": 4,
  "lang/wdl": 5,
  "lang/cwl": 5,
  "lang/nextflow": 5,
  "exec/core": 3,
  "exec/images": 4,
  "exec/local": 5,
  "exec/slurm": 5,
  "exec/template": 5,
  "exec/container": 5,
  "exec/remote": 5,
  http: 4,
  ledger: 4,
  models: 4,
  predict: 6,
  engine: 6,
  app: 7,
  omics: 8,
  jobs: 8,
  v1: 8,
  "web-mount": 5,
  api: 8,
  mounts: 9,
  "model-server": 9,
  cli: 10,
};

const root = resolve(import.meta.dirname, "../..");
const scratch = mkdtempSync(join(tmpdir(), "memoir-floors-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts") && !name.includes("/build/"))
  .sort();

function projectOf(file: string): string | undefined {
  return Object.keys(floors)
    .filter((folder) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];
}

describe("floors", () => {
  it("every source file belongs to a floor", () => {
    expect(sources.length).toBeGreaterThan(40);
    expect(sources.filter((file) => projectOf(file) === undefined)).toEqual([]);
  });

  it("references of a folder point to lower floors only", () => {
    const wrong: string[] = [];
    for (const folder of new Set(sources.map((file) => projectOf(file) as string))) {
      const config = JSON.parse(readFileSync(join(root, "src", folder, "tsconfig.json"), "utf8")) as {
        references?: { path: string }[];
      };
      for (const reference of config.references ?? []) {
        const target = relative(join(root, "src"), resolve(root, "src", folder, reference.path));
        if ((floors[target] ?? 99) >= (floors[folder] ?? 0)) wrong.push(`${folder} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("a folder is entered through its index.ts", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      if (file.endsWith(".test.ts")) continue;
      const text = readFileSync(join(root, "src", file), "utf8");
      for (const [, target = ""] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
        const imported = relative(join(root, "src"), resolve(root, "src", dirname(file), target));
        const project = projectOf(imported);
        // Contract suites load vitest, which no program needs: they have a separate entry point.
        const doors = [
          `${project}/index.ts`,
          ...(file === "api/testing.ts" ? [`${project}/testing.ts`] : []),
        ];
        if (project !== projectOf(file) && !doors.includes(imported)) wrong.push(`${file}: ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("the compiler refuses an import that goes up, types included", () => {
    for (const folder of ["kernel", "hash"]) {
      cpSync(join(root, "src", folder), join(scratch, "src", folder), {
        recursive: true,
        filter: (path) => !path.includes("/build") && !path.endsWith(".test.ts"),
      });
    }
    for (const config of ["package.json", "tsconfig.base.json", "tsconfig.floor.json"])
      cpSync(join(root, config), join(scratch, config));
    symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"));
    const tsc = () =>
      spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", "src/kernel"], {
        cwd: scratch,
        encoding: "utf8",
      });
    const accepted = tsc();
    expect(accepted.stdout).toBe("");
    expect(accepted.status).toBe(0);
    writeFileSync(
      join(scratch, "src/kernel/upward.ts"),
      'import type { CanonicalValue } from "../hash/index.ts";\nexport type Upward = CanonicalValue;\n',
    );
    const refused = tsc();
    expect(refused.status).not.toBe(0);
    expect(refused.stdout).toMatch(/TS6059|TS6307/);
  });
});
