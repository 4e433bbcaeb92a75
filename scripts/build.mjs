// Bundles the command line into dist/, one small entry and lazily loaded chunks, and the web page into dist/web/. Chunks
// are scripts, which dist/loader.js (scripts/chunk-loader.mjs) loads with a code cache.
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
import { directImports } from "./direct-imports.mjs";

const outdir = "dist";
// Native and WebAssembly packages.
const loadFilesBesideThem = ["lmdb", "@rdkit/rdkit", "h5wasm", "h5wasm/*"];
// In a split bundle a CommonJS package that is loaded with import() has only a default export; Node finds the others.
const commonJs = ["ioredis", "yauzl"];
// Its ES modules, which can be bundled, are published for browsers; loading its 70 CommonJS files takes longer than most
// documents take to read.
const alias = { yaml: "./node_modules/yaml/browser/dist/index.js" };
// Chunks are named by their content and written before the entry that names them. Old ones stay for some minutes, so
// that commands and pages that are open while this builds still find theirs.
const entries = new Set(["extend.js", "index.js", "memoir.js", "testing.js", "web/index.html"]);
const bundle = await build({
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
  plugins: [directImports("src")],
  // The AWS SDK's ES modules: its CommonJS ones would lose their named exports, see below, and are larger.
  mainFields: ["module", "main"],
  metafile: true,
  logLevel: "warning",
  write: false,
});
const outputFiles = await withLoader(bundle);
// Which files each chunk is made of, for the test of what commands load.
mkdirSync("build", { recursive: true });
const madeOf = Object.entries(bundle.metafile.outputs).map(([chunk, { inputs }]) => [
  basename(chunk),
  Object.keys(inputs),
]);
writeFileSync("build/chunks.json", JSON.stringify(Object.fromEntries(madeOf)));

// The page: everything but index.html is named by its content, so that browsers keep it for good.
const page = await build({
  entryPoints: { main: "web/main.tsx" },
  outdir: join(outdir, "web", "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  tsconfig: "web/tsconfig.json",
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  write: false,
});
const isEntry = ([, output]) => output.entryPoint === "web/main.tsx";
const [script, { cssBundle }] = Object.entries(page.metafile.outputs).find(isEntry);
const assetOf = (path) => `/assets/${basename(path)}`;
const tags = [
  `<link rel="stylesheet" href="${assetOf(cssBundle)}" />`,
  `<script type="module" src="${assetOf(script)}"></script>`,
];
const html = readFileSync("web/index.html", "utf8").replace("<!-- assets -->", tags.join("\n    "));

const files = [
  ...outputFiles,
  ...page.outputFiles.flatMap((file) => {
    const name = relative(join(process.cwd(), outdir), file.path);
    const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    return [
      { name, contents: file.contents },
      { name: `${name}.gz`, contents: gzipSync(file.contents, { level: 9 }) },
      { name: `${name}.br`, contents: brotliCompressSync(file.contents, brotli) },
    ];
  }),
  { name: "web/index.html", contents: html },
];
mkdirSync(join(outdir, "web", "assets"), { recursive: true });
const entryLast = files.toSorted((a, b) => Number(entries.has(a.name)) - Number(entries.has(b.name)));
for (const { name, contents } of entryLast) {
  const path = join(outdir, name);
  writeFileSync(`${path}.${process.pid}.new`, contents);
  if (name === "memoir.js") chmodSync(`${path}.${process.pid}.new`, 0o755);
  renameSync(`${path}.${process.pid}.new`, path);
}
const current = new Set(files.map((file) => file.name));
const old = Date.now() - 10 * 60_000;
for (const folder of ["", "web", "web/assets"])
  for (const entry of readdirSync(join(outdir, folder), { withFileTypes: true })) {
    const name = join(folder, entry.name);
    // Types are written by scripts/types.mjs.
    if (current.has(name) || name === "types" || name === "web" || name === "web/assets") continue;
    const path = join(outdir, name);
    const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (changedAt < old) rmSync(path, { recursive: true, force: true });
  }

/** The chunks as scripts, the loader, and the entries that call it. */
async function withLoader({ outputFiles, metafile }) {
  const outputOf = (file) => metafile.outputs[relative(process.cwd(), file.path)];
  const texts = nameOnlyWhileLoading(outputFiles.map(({ text }) => text));
  const chunks = await Promise.all(
    outputFiles.map(async (file, nth) => {
      const name = basename(file.path);
      const contents = await scriptOf(texts[nth], outputOf(file));
      return entries.has(name)
        ? { entry: name, name: name.replace(".js", `-${digest(contents).slice(0, 8)}.js`), contents }
        : { name, contents };
    }),
  );
  const all = chunks.map(({ name, contents }) => `${name} ${digest(contents)}`).sort();
  const entryChunks = Object.fromEntries(
    chunks.filter(({ entry }) => entry !== undefined).map(({ entry, name }) => [entry, name]),
  );
  const source = readFileSync("scripts/chunk-loader.mjs", "utf8")
    .replace("MEMOIR_BUILD", digest(all.join()).slice(0, 16))
    .replace('{ MEMOIR_ENTRIES: "" }', JSON.stringify(entryChunks));
  const { code } = await transform(source, {
    minify: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    legalComments: "none",
  });
  const loader = { name: `loader-${digest(code).slice(0, 8)}.js`, contents: code };
  const importLoader = `import { load } from "./${loader.name}";`;
  const textOf = (entry) => {
    // Help and version are so little that reading kept code takes longer than compiling it.
    if (entry === "memoir.js")
      return `#!/usr/bin/env node
${importLoader}
const word = process.argv[2] ?? "--help";
const isShown = ["--help", "-h", "--version", "-V"].includes(word);
await load("${entry}", { use: isShown ? undefined : /^[a-z][a-z-]{0,30}$/.test(word) ? word : "other" }).ended;
`;
    const { exports } = metafile.outputs[`${outdir}/${entry}`];
    // Vitest can only be imported.
    const [imported, given] =
      entry === "testing.js" ? ['import * as vitest from "vitest";\n', ", { given: { vitest } }"] : ["", ""];
    return `${imported}${importLoader}\nexport const { ${exports.join(", ")} } = load("${entry}"${given});\n`;
  };
  return [
    ...chunks.map(({ name, contents }) => ({ name, contents })),
    loader,
    ...Object.keys(entryChunks).map((entry) => ({ name: entry, contents: textOf(entry) })),
  ];
}

/**
 * `keepNames` also names every function that is made while the program runs, which took a run of many tasks a fiftieth of its
 * processor time. Functions and classes of modules keep their names, for people who read where an error came from.
 */
function nameOnlyWhileLoading(texts) {
  const helper = /=\((\w+),(\w+)\)=>(\w+)\(\1,"name",\{value:\2,configurable:!0\}\)/g;
  let found = 0;
  const changed = texts.map((text) =>
    text.replace(helper, (_, fn, name, define) => {
      found++;
      return `=(${fn},${name})=>require.isLoading?${define}(${fn},"name",{value:${name},configurable:!0}):${fn}`;
    }),
  );
  if (found !== 1) throw new Error(`the bundle has ${found} functions that name functions, expected one`);
  return changed;
}

function digest(text) {
  return createHash("sha256").update(text).digest("hex");
}

/** A module of the bundle as a function of `require`. */
async function scriptOf(text, { imports }) {
  const { code } = await transform(text.replace(/^#!.*\n/, ""), {
    format: "cjs",
    platform: "node",
    target: "node20.19",
    minify: true,
    keepNames: false,
    legalComments: "none",
    define: { "import.meta.url": "memoirUrl", "import.meta.resolve": "memoirResolve" },
    supported: { "dynamic-import": true },
  });
  // Of `import()` only those that the bundler has found: the words may also be in a text.
  const found = new Set();
  const script = code.replace(/\bimport\("([^"\\]+)"\)/g, (_, name) => {
    found.add(name);
    return `memoirImport("${name}")`;
  });
  const expected = new Set(
    imports
      .filter(({ kind }) => kind === "dynamic-import")
      .map(({ path, external }) => (external ? path : `./${basename(path)}`)),
  );
  if (found.size !== expected.size || [...found].some((name) => !expected.has(name)))
    throw new Error(`import() of ${[...found]} was found where the bundler has ${[...expected]}`);
  const named = script.replace(/\bmemoirUrl\b/g, "memoirUrl()");
  // As modules are.
  return `(function(exports,require,module,memoirImport,memoirUrl,memoirResolve){"use strict";${named}\n})`;
}
