// Bundles the command line into dist/: one small entry and lazily loaded chunks. Native and WebAssembly packages stay
// outside the bundle because they load files that lie beside them.
import { rmSync } from "node:fs";
import { build } from "esbuild";

const external = ["lmdb", "@rdkit/rdkit", "h5wasm"];

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: { memoir: "src/cli/main.ts" },
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  minifySyntax: true,
  legalComments: "none",
  external,
  banner: {
    js: 'import { createRequire as memoirCreateRequire } from "node:module"; const require = memoirCreateRequire(import.meta.url);',
  },
  logLevel: "warning",
});
