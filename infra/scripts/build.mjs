// `npm run build --prefix infra [-- FOLDER]`: dist/lambda (the functions) and dist/app.mjs (the stacks).
import { rmSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

// esbuild is Memoir's own: the package above.
const { build } = createRequire(new URL("../../package.json", import.meta.url))("esbuild");
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const banner = {
  js: 'import { createRequire as memoirCreateRequire } from "node:module"; const require = memoirCreateRequire(import.meta.url);',
};
const shared = { bundle: true, format: "esm", platform: "node", logLevel: "warning" };

const outdir = resolve(process.argv[2] ?? path("dist"));
rmSync(outdir, { recursive: true, force: true });
await build({
  ...shared,
  entryPoints: { main: path("lambda/main.ts") },
  outdir: `${outdir}/lambda`,
  outExtension: { ".js": ".mjs" },
  splitting: true,
  // The functions run on a newer Node; the tests run the same bundle on the oldest one that Memoir supports.
  target: "node20.19",
  minify: true,
  keepNames: true,
  legalComments: "none",
  mainFields: ["module", "main"],
  // Tiers that these functions never open.
  external: ["lmdb", "ioredis", "@aws-sdk/client-athena"],
  banner,
});
await build({
  ...shared,
  entryPoints: [path("bin/app.ts")],
  outfile: `${outdir}/app.mjs`,
  target: "node20.19",
  packages: "external",
});
