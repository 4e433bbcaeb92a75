/** Tasks in containers inside the jobs of a real Slurm cluster. */
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { createSlurmExecutor } from "../../src/exec/slurm/slurm-executor.ts";
import { freshAsk, type TaskPath } from "../../src/kernel/index.ts";
import { Sandbox } from "../cli/memoir.ts";
import { charliecloudRequirement, type SecureRegistry, secured } from "../servers/charliecloud.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith, findProgram } from "../servers/requirement.ts";
import { type SlurmCluster, slurmRequirement, startSlurm } from "../servers/slurm.ts";
import { SlurmBench, waits } from "../servers/slurm-bench.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import {
  type TestImage,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

describeWith([slurmRequirement, podmanRequirement, testImagesRequirement], "Podman inside Slurm", () => {
  let cluster: SlurmCluster;
  let engine: TestEngine;
  let image: TestImage;

  beforeAll(async () => {
    // Slurm gives a job's script time to remove its container.
    [cluster, engine] = await Promise.all([startSlurm({ config: ["KillWait=60"] }), startPodman()]);
    image = (await testImages()).busybox;
    await engine.load(image);
  });
  afterAll(() => Promise.all([cluster?.stop(), engine?.stop()]));

  executorContract({
    name: "Podman inside Slurm",
    // A signal that comes before Podman is attached to the task is not handed on: such a task is only killed.
    graceful: false,
    hidesProcesses: true,
    image: () => ({
      requested: image.reference,
      reference: image.configDigest,
      platform: `linux/${testArchitecture()}`,
      configDigest: image.configDigest,
    }),
    make: async () => {
      const times = { pollMs: 200, settleMs: 5_000 };
      const env = { ...engine.env, ...cluster.env };
      const made = createSlurmExecutor({ env, placement: {}, engine: "podman", graceMs: 1_500, times });
      await made.open(freshAsk());
      return made;
    },
  });
});

const workflow = (image: string) => `version 1.1
task t { input { File f } command <<< cat ~{f}; ls /bin/busybox; ls /etc/debian_version || true >>>
  runtime { docker: "${image}" } output { Array[String] o = read_lines(stdout()) } }
workflow w { input { File f } call t { input: f } output { Array[String] o = t.o } }
`;
const needed = [slurmRequirement, podmanRequirement, testImagesRequirement, registryRequirement];

describeWith(needed, "workflows with images on a Slurm cluster", () => {
  let cluster: SlurmCluster;
  let engine: TestEngine;
  let registry: RegistryServer;
  let image: TestImage;

  beforeAll(async () => {
    [cluster, engine, registry] = await Promise.all([
      startSlurm({ config: ["KillWait=60"] }),
      startPodman(),
      startRegistry({ auth: false }),
    ]);
    image = (await testImages()).bash;
  });
  afterAll(() => Promise.all([cluster?.stop(), engine?.stop(), registry?.stop()]));

  it("share their results with an engine on this machine, since both pin the same image", async () => {
    await pushImage(registry, "tools/bash", "1", image);
    const box = await Sandbox.create({ ...engine.env, ...cluster.env });
    try {
      await box.write("memoir.toml", 'cache = "./cache"\n');
      await box.write("w.wdl", workflow(`${registry.host}/tools/bash:1`));
      await box.write("in.txt", "word\n");
      const run = (...words: readonly string[]) => box.json<RunAnswer>("run", "w.wdl", "f=in.txt", ...words);
      const first = await run("--executor", "slurm");
      expect(first).toMatchObject({ outputs: { "w.o": ["word", "/bin/busybox"] }, calls: { computed: 1 } });
      const here = await run("--executor", "container", "--engine", "podman");
      expect(here).toMatchObject({ outputs: { "w.o": ["word", "/bin/busybox"] }, calls: { reused: 1 } });
    } finally {
      await box.remove();
    }
  });
});

describeWith([...needed, charliecloudRequirement], "images in jobs by other programs than Podman", () => {
  const bench = new SlurmBench();
  let registry: RegistryServer;
  let secure: SecureRegistry;
  let image: TestImage;
  let manifestDigest: string;

  beforeAll(async () => {
    [, registry] = await Promise.all([bench.open(), startRegistry({ auth: false })]);
    secure = await secured(registry);
    image = (await testImages()).busybox;
    ({ manifestDigest } = await pushImage(registry, "tools/busybox", "1", image, "docker"));
  });
  afterAll(async () => {
    await bench.close();
    await secure?.stop();
    await registry?.stop();
  });

  const pinned = (host: string) => ({
    requested: `${host}/tools/busybox:1`,
    reference: `${host}/tools/busybox@${manifestDigest}`,
    platform: `linux/${testArchitecture()}`,
    configDigest: image.configDigest,
    manifestDigest,
  });

  /** A PATH that has these programs before all others. */
  async function pathWith(name: string, programs: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(bench.root, name);
    await mkdir(folder);
    for (const [program, text] of Object.entries(programs))
      await writeFile(join(folder, program), text, { mode: 0o755 });
    return `${folder}:/usr/bin:/bin:/usr/sbin:/sbin`;
  }

  async function input(name: string) {
    const location = join(bench.root, name);
    await writeFile(location, "untouched\n");
    return {
      path: `/mnt/memoir/inputs/0/${name}` as TaskPath,
      source: { kind: "file", location, basename: name } as const,
    };
  }

  const script =
    'cat /mnt/memoir/inputs/0/*; ls /bin/busybox; echo "[$VALUE]"; ls /etc/debian_version; exit 7';

  it("runs a task in Charliecloud, which brings the image itself, and lets it change no input", async () => {
    const path = await pathWith("plain", {});
    const env = { ...bench.cluster.env, PATH: path, CH_IMAGE_STORAGE: join(bench.root, "images.ch") };
    await bench.makeExecutor({ engine: "charliecloud", env });
    const more = async (name: string) => ({
      image: pinned(secure.host),
      env: { VALUE: "a'b\nc" },
      inputs: [await input(name)],
    });
    const attempt = await bench.prepare(
      `echo more >> /mnt/memoir/inputs/0/ch.txt; ${script}`,
      await more("ch.txt"),
    );
    const log = () => readFile(join(attempt.directory, "job/log"), "utf8");
    expect(await bench.run(attempt), await log()).toMatchObject({ kind: "exited", exitCode: 7 });
    expect(await readFile(join(attempt.directory, "stdout"), "utf8")).toBe(
      "untouched\nmore\n/bin/busybox\n[a'b\nc]\n",
    );
    expect(await readFile(join(bench.root, "ch.txt"), "utf8")).toBe("untouched\n");
    const again = await bench.prepare(script, await more("ch2.txt"));
    await registryIsAway(async () => expect(await bench.run(again)).toMatchObject({ exitCode: 7 }));
  });

  /** What was unpacked on a node once is not asked for again. */
  async function registryIsAway(work: () => Promise<void>): Promise<void> {
    await secure.stop();
    await work();
  }

  describe("Apptainer, by a stand-in that takes its words and runs the task by Charliecloud", () => {
    let env: Readonly<Record<string, string>>;

    beforeAll(async () => {
      const root = join(bench.root, "root");
      await mkdir(join(root, "mnt/memoir"), { recursive: true });
      for (const name of ["dev", "proc", "sys", "tmp", "etc", "home"])
        await mkdir(join(root, name), { recursive: true });
      execFileSync("tar", ["-xf", image.layer, "-C", root]);
      for (const name of ["passwd", "group"]) await writeFile(join(root, "etc", name), "");
      const apptainer = `#!/bin/sh
printf '%s\\n' "$@" > "${bench.root}/apptainer.$$"
set -- "$@" --end
shift
mounts=
while [ "\${1#docker://}" = "$1" ]; do
  [ "$1" != --bind ] || mounts="$mounts -b \${2%:ro}"
  shift
done
shift
n=$#; while [ $n -gt 1 ]; do set -- "$@" "$1"; shift; n=$((n - 1)); done; shift
USER=root exec ${findProgram("ch-run")} --private-tmp '--unset-env=*' --set-env=PATH=/bin $mounts "${root}" -- "$@"
`;
      env = { ...bench.cluster.env, PATH: await pathWith("apptainer", { apptainer }) };
    });

    it("runs a task by the digest of its image, with its inputs, variables and exit code", async () => {
      await bench.makeExecutor({ env });
      const attempt = await bench.prepare(script, {
        image: pinned(registry.host),
        env: { VALUE: "a'b" },
        inputs: [await input("ap.txt")],
      });
      expect(await bench.run(attempt)).toMatchObject({ kind: "exited", exitCode: 7 });
      expect(await readFile(join(attempt.directory, "stdout"), "utf8")).toBe(
        "untouched\n/bin/busybox\n[a'b]\n",
      );
      const [record = ""] = (await readdir(bench.root)).filter((name) => name.startsWith("apptainer."));
      const words = (await readFile(join(bench.root, record), "utf8")).split("\n");
      expect(words.slice(0, 5)).toEqual([
        "exec",
        "--containall",
        "--cleanenv",
        "--no-home",
        "--writable-tmpfs",
      ]);
      expect(words).toContain(`docker://${registry.host}/tools/busybox@${manifestDigest}`);
    });

    it("gives a cancelled task time to end, and leaves no process of it", async () => {
      await bench.makeExecutor({ env });
      const attempt = await bench.prepare(`trap 'echo > ended; exit 1' TERM; ${waits}`, {
        image: pinned(registry.host),
      });
      const controller = new AbortController();
      await bench.executor.start(attempt, bench.ask);
      const end = bench.executor.wait(attempt, { signal: controller.signal });
      await bench.untilReady(attempt);
      controller.abort();
      expect(await end).toEqual({ kind: "cancelled" });
      expect(await readdir(join(attempt.directory, "work"))).toContain("ended");
      await bench.untilNothingIsLeft();
    });
  });

  it("says at once that a node does not have the program that runs images", async () => {
    await bench.makeExecutor({ engine: "singularity" });
    const attempt = await bench.prepare("exit 0", { image: pinned(registry.host) });
    await expect(bench.run(attempt)).rejects.toMatchObject({
      code: "EXEC_JOB_REFUSED",
      message: expect.stringContaining("the node has no singularity"),
    });
    await bench.untilNothingIsLeft();
  });
});
