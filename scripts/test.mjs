// `npm test`: everything that must hold, in the order in which a mistake is cheapest to find. Every checker has to
// prove that it looked at files. As root on Debian or Ubuntu the servers that the tests start are installed first;
// elsewhere the suites that need a missing one are skipped and listed at the end.
// `npm test -- path…` runs only the tests of these paths, with what is installed already.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

const bin = (name) => join("node_modules", ".bin", name);
const scratch = mkdtempSync(join(tmpdir(), "memoir-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const words = process.argv.slice(2);
const hasPaths = words.some((word) => !word.startsWith("-"));
if (!hasPaths) {
  installInfra();
  checkTypes();
  checkLintAndFormat();
  checkDeadCode();
}
step("build", process.execPath, ["scripts/build.mjs"]);
if (!hasPaths) await installServers();
runTests();

function checkTypes() {
  step("types: floors", bin("tsc"), ["-b"]);
  const listed = step("types: tests", bin("tsc"), ["-p", "tsconfig.test.json", "--listFiles"], {
    quiet: true,
  });
  const own = listed.split("\n").filter((line) => line.includes("/src/") && !line.includes("node_modules"));
  proveLooked("type check", own.length, 50);
  if (!hasInfra()) return;
  const infra = step("types: infra", bin("tsc"), ["-p", "infra/tsconfig.json", "--listFiles"], {
    quiet: true,
  });
  const ofInfra = infra
    .split("\n")
    .filter((line) => line.includes("/infra/") && !line.includes("node_modules"));
  proveLooked("type check of infra", ofInfra.length, 15);
}

function hasInfra() {
  return existsSync("infra/node_modules/aws-cdk-lib");
}

/** The stacks have separate packages, which nobody else needs: 200 MB. */
function installInfra() {
  const lock = readFileSync("infra/package-lock.json", "utf8");
  const mark = "infra/node_modules/.memoir-installed";
  if (hasInfra() && existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.log("installing the packages of infra/ (npm ci --prefix infra)");
  const args = ["ci", "--prefix", "infra", "--no-audit", "--no-fund", "--fetch-retries=1"];
  const ran = spawnSync("npm", args, { encoding: "utf8", timeout: 5 * 60_000 });
  if (ran.status === 0) return writeFileSync(mark, lock);
  // Half an installation would fail tests for a reason that is not theirs.
  rmSync("infra/node_modules", { recursive: true, force: true });
  console.log("missing: the packages of infra/, because the registry does not answer; its tests are skipped");
  console.log((ran.stderr ?? "").trim().split("\n").slice(0, 3).join("\n"));
}

function checkLintAndFormat() {
  const printed = step("lint and format", bin("biome"), ["check", "--error-on-warnings", "."], {
    quiet: true,
  });
  proveLooked("lint and format", Number(/Checked (\d+) files?/.exec(printed)?.[1] ?? 0), 50);
}

function checkDeadCode() {
  const printed = step("dead code", bin("knip"), ["--no-progress", "--debug"], { quiet: true });
  const paths = printed.match(/\bsrc\/[\w./-]+\.ts\b/g) ?? [];
  proveLooked("dead code", new Set(paths).size, 50);
}

async function installServers() {
  const outfile = join(scratch, "requirements.mjs");
  await build({
    entryPoints: ["test/servers/requirements.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    alias: { vitest: join(process.cwd(), "scripts/no-vitest.mjs") },
    logLevel: "error",
  });
  const { allRequirements, missingOf } = await import(pathToFileURL(outfile).href);
  const missing = allRequirements.filter((requirement) => missingOf(requirement) !== undefined);
  if (missing.length === 0) return;
  const canInstall = process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (!canInstall) {
    for (const requirement of missing) console.log(`missing: ${missingOf(requirement)}`);
    return;
  }
  const packages = [...new Set(missing.flatMap((requirement) => requirement.debianPackages))];
  console.log(`installing what the tests start: ${packages.join(" ")}`);
  // Servers must not start by themselves, and a package that this release does not have must not lose the others.
  const policy = "/usr/sbin/policy-rc.d";
  const ownPolicy = !existsSync(policy);
  if (ownPolicy)
    spawnSync("sh", ["-c", `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}`]);
  const apt = (args) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }).status === 0;
  apt(["update", "-qq"]);
  const install = (names) => apt(["install", "-y", "-qq", "--no-install-recommends", ...names]);
  if (!install(packages)) for (const name of packages) install([name]);
  if (ownPolicy) rmSync(policy);
}

function runTests() {
  const report = join(scratch, "report.json");
  const skips = join(scratch, "skips.jsonl");
  const reporters = ["default", "json", "./scripts/skip-reporter.mjs"].map((name) => `--reporter=${name}`);
  const started = Date.now();
  console.log("\n== tests");
  const run = spawnSync(bin("vitest"), ["run", ...reporters, `--outputFile.json=${report}`, ...words], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, MEMOIR_TEST_SKIPS: skips },
  });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, "utf8")) : undefined;
  if (result === undefined) fail("tests", "the test runner wrote no report");
  const reasons = new Map();
  for (const line of existsSync(skips) ? readFileSync(skips, "utf8").trim().split("\n") : []) {
    const reason = skipReason(JSON.parse(line));
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (reasons.size > 0) console.log("\nSkipped:");
  for (const [reason, count] of reasons) console.log(`  ${count} x ${reason}`);
  console.log(`\ntests took ${Math.round((Date.now() - started) / 1000)} s`);
  console.log(
    `${result.numPassedTests} passed, ${result.numFailedTests} failed, ${result.numTotalTests - result.numPassedTests - result.numFailedTests} skipped`,
  );
  const noTest = result.numPassedTests === 0;
  process.exitCode = run.status === 0 && !noTest ? 0 : 1;
}

/** The suite that its title says is skipped, or what the test itself said. */
function skipReason({ names, note }) {
  const titled = names.find((name) => name.includes("[skipped:"));
  if (titled !== undefined) return titled;
  return note === undefined ? names.join(" > ") : `${names.slice(0, -1).join(" > ")} [skipped: ${note}]`;
}

function step(name, command, args, options = {}) {
  const started = Date.now();
  const ran = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  const printed = `${ran.stdout ?? ""}${ran.stderr ?? ""}`;
  if (ran.status !== 0) {
    console.error(printed);
    fail(name, `${command} ${args.join(" ")} ended with ${ran.status ?? ran.signal}`);
  }
  if (!options.quiet && printed.trim() !== "") console.log(printed.trim());
  console.log(`ok ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  return printed;
}

function proveLooked(name, count, atLeast) {
  if (count < atLeast)
    fail(name, `looked at ${count} files, expected at least ${atLeast}: the checker checks nothing`);
  console.log(`   ${name} looked at ${count} files`);
}

function fail(name, why) {
  console.error(`\n${name}: ${why}`);
  console.log("0 passed, 1 failed");
  process.exit(1);
}
