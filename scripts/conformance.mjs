// `npm run conformance -- wdl FOLDER [--only NAME] [--executor container|slurm] [--unlisted]`: runs a language's conformance suite from a checkout given by path.
// `npm run conformance -- cwl CHECKOUT [--only ID]… [--cache FOLDER] [--containers] [--executor slurm] [--jobs N]`: the suites of CWL v1.0, v1.1 and v1.2.
// `npm run conformance -- nextflow snippets|tests|tests-v1 CHECKOUT [--only NAME]… [--jobs N] [--containers] [--executor slurm] [--repository ADDRESS=FOLDER]…`:
// the examples in Nextflow's documentation; its scripts with their checks, through the command line.
// `npm run conformance -- nextflow parse|runs|config CHECKOUTS [--only NAME]…`: pipelines, one folder each: all their files
// are parsed; hello, rnaseq-nf and demo (nf-core) run; the configuration of demo, rnaseq, sarek and fetchngs is shown.
// `npm run conformance -- nextflow C CHECKOUTS [--components FILE] [--only TEXT]…`: the stub tests (nf-test) of nf-core/modules,
// in CHECKOUTS/modules; FILE names components, one a line. `… D CHECKOUTS [--only NAME]…`: rnaseq, sarek and fetchngs run as stubs.
// `npm run conformance -- nextflow sarek CHECKOUTS [--only TEXT]… [--jobs N] [--keep FOLDER]`: the scenarios of sarek's own tests as stubs.
// `npm run conformance -- ro-crate SHAPES CONTEXTS CRATE…`: crates of `memoir runs export` against the published SHACL shapes.
// `npm run conformance -- ersilia [--pack CHECKOUT] [--ersilia CHECKOUT] [--isaura CHECKOUT]`: ersilia-pack's tests of its server
// and Ersilia's command line against `memoir model-server`, and Isaura's reader and writer against Memoir's; prints counts.
// FOLDER holds SPEC.md (the WDL specification) or engine fixtures, one folder a case.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "esbuild";

if (process.argv[2] === "ersilia") process.exit(ersiliaTests(process.argv.slice(3)));

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

/** Their programs are started by tests, which report counts into a file. */
function ersiliaTests(words) {
  const checkout = { type: "string" };
  const { values } = parseArgs({
    args: words,
    options: { pack: checkout, ersilia: checkout, isaura: checkout },
  });
  if (Object.keys(values).length === 0) {
    process.stderr.write(
      "usage: npm run conformance -- ersilia [--pack CHECKOUT] [--ersilia CHECKOUT] [--isaura CHECKOUT]\n",
    );
    return 2;
  }
  const named = (name, folder) => (folder === undefined ? {} : { [name]: resolve(folder) });
  const folder = mkdtempSync(join(tmpdir(), "memoir-conformance-"));
  const counts = join(folder, "counts");
  const env = {
    ...process.env,
    ...named("MEMOIR_TEST_ERSILIA_PACK", values.pack),
    ...named("MEMOIR_TEST_ERSILIA", values.ersilia),
    ...named("MEMOIR_TEST_ISAURA", values.isaura),
    MEMOIR_CONFORMANCE_REPORT: counts,
  };
  const files = [
    ...((values.pack ?? values.ersilia) === undefined ? [] : ["test/model-server/ersilia.test.ts"]),
    ...(values.isaura === undefined ? [] : ["test/model-server/isaura.test.ts"]),
  ];
  const tests = ["vitest", "run", "--project", "e2e", "--reporter", "verbose", ...files];
  const { status } = spawnSync("npx", tests, { stdio: "inherit", env });
  process.stdout.write(existsSync(counts) ? readFileSync(counts, "utf8") : "nothing was tested\n");
  const tested = existsSync(counts);
  rmSync(folder, { recursive: true, force: true });
  return status === 0 && tested ? 0 : 1;
}
