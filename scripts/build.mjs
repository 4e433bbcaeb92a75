// Bundles the command line into dist/: one small entry and lazily loaded chunks.
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

const outdir = "dist";
// Native and WebAssembly packages.
const loadFilesBesideThem = ["lmdb", "@rdkit/rdkit", "h5wasm", "h5wasm/*"];
// In a split bundle a CommonJS package that is loaded with import() has only a default export; Node finds the others.
const commonJs = ["ioredis", "yauzl"];
// Its ES modules, which can be bundled, are published for browsers; loading its 70 CommonJS files takes longer than most
// documents take to read.
const alias = { yaml: "./node_modules/yaml/browser/dist/index.js" };
const { outputFiles } = await build({
  // The command; the package for programs, and for people who extend it; the contract suites.
  entryPoints: {
    memoir: "src/cli/main.ts",
    index: "src/api/index.ts",
    extend: "src/api/extend.ts",
    testing: "src/api/testing.ts",
  },
  outdir,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minify: true,
  keepNames: true,
  legalComments: "none",
  external: [...loadFilesBesideThem, ...commonJs, "vitest"],
  alias,
  // The AWS SDK's ES modules: its CommonJS ones would lose their named exports, see below, and are larger.
  mainFields: ["module", "main"],
  banner: {
    js: 'import { createRequire as memoirCreateRequire } from "node:module"; const require = memoirCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
  write: false,
});

// Chunks are named by their content and written before the entry that names them. Old ones stay for some minutes, so
// that commands that are running while this builds still find theirs.
mkdirSync(outdir, { recursive: true });
const files = outputFiles.map((file) => ({ name: basename(file.path), contents: file.contents }));
const entries = new Set(["extend.js", "index.js", "memoir.js", "testing.js"]);
const entryLast = files.toSorted((a, b) => Number(entries.has(a.name)) - Number(entries.has(b.name)));
for (const { name, contents } of entryLast) {
  const path = join(outdir, name);
  writeFileSync(`${path}.${process.pid}.new`, contents);
  if (name === "memoir.js") chmodSync(`${path}.${process.pid}.new`, 0o755);
  renameSync(`${path}.${process.pid}.new`, path);
}
const current = new Set(files.map((file) => file.name));
const old = Date.now() - 10 * 60_000;
for (const name of readdirSync(outdir)) {
  const path = join(outdir, name);
  // Types are written by scripts/types.mjs.
  if (current.has(name) || name === "types") continue;
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  if (changedAt < old) rmSync(path, { recursive: true, force: true });
}
