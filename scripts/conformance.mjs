// `npm run conformance -- wdl FOLDER [--only NAME] [--executor container|slurm] [--unlisted]`: runs a language's conformance suite from a checkout given by path.
// `npm run conformance -- cwl CHECKOUT [--only ID]… [--cache FOLDER] [--containers] [--executor slurm] [--jobs N]`: the suites of CWL v1.0, v1.1 and v1.2.
// `npm run conformance -- nextflow snippets|tests|tests-v1 CHECKOUT [--only NAME]… [--jobs N] [--containers] [--executor slurm] [--repository ADDRESS=FOLDER]…`:
// the examples in Nextflow's documentation; its scripts with their checks, through the command line.
// `npm run conformance -- nextflow parse|runs|config CHECKOUTS [--only NAME]…`: pipelines, one folder each: all their files
// are parsed; hello, rnaseq-nf and demo (nf-core) run; the configuration of demo, rnaseq, sarek and fetchngs is shown.
// `npm run conformance -- nextflow C CHECKOUTS [--components FILE] [--only TEXT]…`: the stub tests (nf-test) of nf-core/modules,
// in CHECKOUTS/modules; FILE names components, one a line. `… D CHECKOUTS [--only NAME]…`: rnaseq, sarek and fetchngs run as stubs.
// `npm run conformance -- ro-crate SHAPES CONTEXTS CRATE…`: crates of `memoir runs export` against the published SHACL shapes.
// FOLDER holds SPEC.md (the WDL specification) or engine fixtures, one folder a case.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

function entryOf(language) {
  return language === "cwl" || language === "nextflow" || language === "ro-crate" ? language : "conformance";
}

// The bundle must be inside the package, so that packages outside the bundle are found.
mkdirSync("build", { recursive: true });
const outfile = `build/conformance-${process.pid}.mjs`;
await build({
  entryPoints: [`test/conformance/${entryOf(process.argv[2])}.process.ts`],
  outfile,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  packages: "external",
  logLevel: "warning",
});
// A separate program, which the bundle starts from its own folder.
await build({
  entryPoints: ["test/servers/engine-keeper.mjs"],
  outfile: "build/engine-keeper.mjs",
  bundle: true,
  format: "esm",
  platform: "node",
  logLevel: "warning",
});
// Scripts with checks start the command itself.
if (process.argv[2] === "nextflow") spawnSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
const child = spawn(process.execPath, ["--enable-source-maps", outfile, ...process.argv.slice(2)], {
  stdio: "inherit",
});
child.on("exit", (code) => {
  rmSync(outfile, { force: true });
  process.exitCode = code ?? 1;
});
