/** The image of the Dockerfile, built by a real engine on a root file system made from the local Node.js. */
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, realpath, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ensureBuilt } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { removeFolder } from "../remove-folder.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith, findProgram, type Requirement } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const base = "localhost/memoir-test/node:1";
const image = "localhost/memoir-test/memoir:1";
/** Podman's own limits are higher than a test machine may allow. */
const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];

const npmRequirement: Requirement = {
  name: "npm and ldd",
  programs: ["npm", "ldd", "bash", "tar"],
  debianPackages: ["npm", "libc-bin", "bash", "tar"],
};

describeWith([podmanRequirement, npmRequirement], "the image of the Dockerfile", () => {
  let engine: TestEngine;
  let folder: string;

  const podman = async (...args: readonly string[]) => {
    const { stdout } = await run("podman", [...args], { env: engine.env, cwd: folder, maxBuffer: 2 ** 26 });
    return stdout.trim();
  };

  const said = async (container: string) => {
    const { stdout, stderr } = await run("podman", ["logs", container], { env: engine.env, cwd: folder });
    return stdout + stderr;
  };

  beforeAll(async () => {
    ensureBuilt();
    folder = await mkdtemp(join(tmpdir(), "memoir-image-"));
    engine = await startPodman();
    await podman("import", "--quiet", await rootFileSystem(folder), base);
    await podman("build", "--quiet", "--build-arg", `BASE=${base}`, "--tag", image, root);
  }, 2 * limitMs);

  afterAll(async () => {
    await engine?.stop();
    if (folder !== undefined) removeFolder(folder);
  });

  it("runs as a user, and contains no development tools", async () => {
    expect(
      await podman(
        "run",
        "--rm",
        ...limits,
        "--entrypoint",
        "node",
        image,
        "-p",
        "process.getuid() + ':' + process.getgid()",
      ),
    ).toBe("1000:1000");
    const present = `["commander", "vitest"].map((name) => fs.existsSync("/opt/memoir/node_modules/" + name))`;
    expect(await podman("run", "--rm", ...limits, "--entrypoint", "node", image, "-p", present)).toBe(
      "[ true, false ]",
    );
  });

  it("predicts, and keeps results in its volume", async () => {
    const volume = "memoir-test-home";
    const memoir = (...args: readonly string[]) =>
      podman(
        "run",
        "--rm",
        ...limits,
        "--network",
        "none",
        "--volume",
        `${volume}:/var/lib/memoir`,
        image,
        ...args,
      );
    await memoir("example", "molecular-weight", "-n", "3", "-o", "in.csv");
    const first = JSON.parse(
      await memoir("run", "--model", "molecular-weight", "-i", "in.csv", "-o", "a.csv", "--json"),
    );
    expect(first.counts).toMatchObject({ computed: 3 });
    const second = JSON.parse(
      await memoir("run", "--model", "molecular-weight", "-i", "in.csv", "-o", "b.csv", "--json"),
    );
    expect(second.counts).toMatchObject({ reusedLocal: 3, computed: 0 });
  });

  it("is the base of an image with a model, whose commands are those of a job", async () => {
    const context = join(folder, "with-model");
    await cp(join(root, "test/fixtures/models/letters"), join(context, "model"), { recursive: true });
    const lines = [
      `FROM ${image}`,
      "USER 0:0",
      "ENV MEMOIR_HOME=/opt/model HOME=/root",
      "COPY model /tmp/model",
      'RUN ["memoir", "fetch", "/tmp/model"]',
      "ENTRYPOINT []",
    ];
    await writeFile(join(context, "Dockerfile"), `${lines.join("\n")}\n`);
    await podman("build", "--quiet", ...limits, "--tag", `${image}-model`, context);
    const words = ["run", "--rm", ...limits, "--network", "none", `${image}-model`, "/bin/sh", "-c"];
    const catalog = JSON.parse(await podman(...words, "memoir catalog --json"));
    expect(JSON.stringify(catalog)).toContain("eos0let");
  });

  it("serves the API by default, and only to callers with an access key", async () => {
    const keys = [
      { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-of-the-test", account: "1".repeat(12) },
    ];
    await writeFile(join(folder, "keys.json"), JSON.stringify(keys));
    await chmod(join(folder, "keys.json"), 0o644);
    const mount = `${join(folder, "keys.json")}:/etc/memoir/keys.json:ro`;
    const container = await podman(
      "run",
      "--detach",
      ...limits,
      "--network",
      "none",
      "--volume",
      mount,
      image,
    );
    try {
      const ask = async (path: string) => {
        const script = `fetch("http://127.0.0.1:8080${path}").then((a) => console.log(a.status), () => console.log("none"))`;
        return podman("exec", container, "node", "-e", script).catch(() => said(container));
      };
      await expect.poll(() => ask("/healthz")).toBe("200");
      expect(await ask("/runCache")).toBe("403");
      await podman("stop", "--time", "60", container);
      expect(await podman("inspect", "--format", "{{.State.ExitCode}}", container)).toMatch(/^(0|130)$/);
    } finally {
      await podman("rm", "--force", container);
    }
  });
});

/** An archive with Node.js, npm, bash and the commands that a build needs, with the libraries of each. */
async function rootFileSystem(folder: string): Promise<string> {
  const tree = join(folder, "root");
  for (const name of ["usr/bin", "usr/lib", "usr/lib64", "tmp", "etc", "var"])
    await mkdir(join(tree, name), { recursive: true });
  for (const name of ["bin", "lib", "lib64"]) await symlink(`usr/${name}`, join(tree, name));
  await writeFile(join(tree, "etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n");
  const programs = [
    process.execPath,
    ...["bash", "sh", "env", "mkdir", "cat"].flatMap((name) => findProgram(name) ?? []),
  ];
  // What the ledger's native part needs beyond Node.js itself.
  const bindings = (await readdir(join(root, "node_modules/@libsql"))).filter((name) =>
    name.endsWith("-gnu"),
  );
  const native = bindings.map((name) => join(root, "node_modules/@libsql", name, "index.node"));
  const { stdout } = await run("ldd", [...programs, ...native]).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? "",
  }));
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] ?? "");
  for (const program of programs)
    await cp(program, join(tree, "usr/bin", basename(program)), { dereference: true });
  for (const library of new Set(libraries)) {
    const target = join(tree, library.replace(/^\/(lib|lib64)\//, "/usr/$1/"));
    await mkdir(dirname(target), { recursive: true });
    await cp(library, target, { dereference: true });
  }
  const npm = await realpath(findProgram("npm") ?? "npm");
  await cp(join(dirname(npm), ".."), join(tree, "usr/lib/npm"), { recursive: true, dereference: true });
  await symlink(`../lib/npm/bin/${basename(npm)}`, join(tree, "usr/bin/npm"));
  const archive = join(folder, "root.tar");
  await run("tar", ["--owner=0", "--group=0", "--numeric-owner", "-C", tree, "-cf", archive, "."]);
  return archive;
}
