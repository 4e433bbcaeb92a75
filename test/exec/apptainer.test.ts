/** Tasks in containers of Apptainer on this machine, by a stand-in that takes its words: Debian has no Apptainer. */
import { mkdtemp, readdir, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApptainerExecutor } from "../../src/exec/container/apptainer-executor.ts";
import { executorContract } from "../../src/exec/core/executor-contract.ts";
import { Sandbox } from "../cli/memoir.ts";
import {
  type ApptainerStandIn,
  apptainerStandInRequirement,
  makeApptainerStandIn,
} from "../servers/apptainer.ts";
import { pushImage, type RegistryServer, registryRequirement, startRegistry } from "../servers/registry.ts";
import { describeWith } from "../servers/requirement.ts";
import {
  type TestImage,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";

const path = "/usr/bin:/bin:/usr/sbin:/sbin";

describeWith([apptainerStandInRequirement, testImagesRequirement], "Apptainer on this machine", () => {
  let folder: string;
  let standIn: ApptainerStandIn;
  let image: TestImage;

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "memoir-apptainer-")));
    image = (await testImages()).busybox;
    standIn = await makeApptainerStandIn(folder, image);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  executorContract({
    name: "Apptainer on this machine",
    graceful: true,
    // The original does that.
    hidesProcesses: false,
    image: () => ({
      requested: image.reference,
      reference: image.reference,
      platform: `linux/${testArchitecture()}`,
      configDigest: image.configDigest,
    }),
    make: async () =>
      createApptainerExecutor({
        name: "apptainer",
        program: join(standIn.bin, "apptainer"),
        env: { PATH: path },
        graceMs: 1_500,
      }),
  });
});

const workflow = (image: string) => `version 1.1
task t { input { File f } command <<< cat ~{f}; ls /bin/busybox; ls /etc/debian_version || true >>>
  runtime { docker: "${image}" } output { Array[String] o = read_lines(stdout()) } }
workflow w { input { File f } call t { input: f } output { Array[String] o = t.o } }
`;

describeWith(
  [apptainerStandInRequirement, testImagesRequirement, registryRequirement],
  "workflows in containers of Apptainer",
  () => {
    let folder: string;
    let standIn: ApptainerStandIn;
    let registry: RegistryServer;
    let box: Sandbox;
    let image: string;

    beforeAll(async () => {
      folder = await realpath(await mkdtemp(join(tmpdir(), "memoir-apptainer-")));
      const { bash } = await testImages();
      standIn = await makeApptainerStandIn(folder, bash);
      registry = await startRegistry({ auth: false });
      const { manifestDigest } = await pushImage(registry, "tools/bash", "1", bash);
      image = `docker://${registry.host}/tools/bash@${manifestDigest}`;
      // No other engine is found there.
      box = await Sandbox.create({
        PATH: `${standIn.bin}:${path}`,
        DOCKER_HOST: "unix:///no/docker.sock",
        CONTAINER_HOST: "unix:///no/podman.sock",
      });
      await box.write("in.txt", "word\n");
      await box.write("w.wdl", workflow(`${registry.host}/tools/bash:1`));
    });
    afterAll(async () => {
      await box?.remove();
      await registry?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    const starts = async () => {
      const names = await readdir(standIn.records);
      const texts = await Promise.all(names.map((name) => readFile(join(standIn.records, name), "utf8")));
      for (const name of names) await rm(join(standIn.records, name));
      return names.map((name, at) => [name.split(".")[0], ...(texts[at] ?? "").split("\n")]);
    };

    it("run by the digest of the image, and their results are recorded under it", async () => {
      const run = (...more: readonly string[]) =>
        box.json<RunAnswer>("run", "w.wdl", "f=in.txt", "--cache", "./cache", ...more);
      expect(await run("--engine", "apptainer")).toMatchObject({
        outputs: { "w.o": ["word", "/bin/busybox"] },
        calls: { computed: 1 },
      });
      const [words = [], ...others] = await starts();
      expect(others).toEqual([]);
      expect(words.slice(0, 6)).toEqual([
        "apptainer",
        "exec",
        "--containall",
        "--cleanenv",
        "--no-home",
        "--writable-tmpfs",
      ]);
      expect(words).toContain(image);
      expect(words).toContain("--no-https");
      expect(await run("--engine", "singularity")).toMatchObject({ calls: { reused: 1 } });
      expect(await starts()).toEqual([]);
    });

    it("need no option where there is no other engine", async () => {
      expect(await box.json<RunAnswer>("run", "w.wdl", "f=in.txt", "--no-cache")).toMatchObject({
        outputs: { "w.o": ["word", "/bin/busybox"] },
      });
      expect(await starts()).toHaveLength(1);
    });

    it("are those of Singularity for a Nextflow pipeline with that profile, without an option", async () => {
      await box.write(
        "main.nf",
        `process P { container '${image.replace(/^docker:\/\//, "")}'
          output: stdout
          script: 'ls /bin/busybox' }
        workflow { P().view { "found ${"$"}{it.trim()}" } }`,
      );
      await box.write(
        "nextflow.config",
        "profiles { docker { docker.enabled = true }\n singularity { singularity.enabled = true } }",
      );
      const ran = await box.run("run", "main.nf", "--no-cache", "-profile", "singularity");
      expect(ran.out + ran.err).toContain("found /bin/busybox");
      const all = await starts();
      expect(all.map(([program]) => program)).toEqual(["singularity"]);
    });

    it("say that the program that --engine names is not there", async () => {
      const without = box.with({ PATH: path });
      const failed = await without.run("run", "w.wdl", "f=in.txt", "--no-cache", "--engine", "apptainer");
      expect(failed.code).not.toBe(0);
      expect(failed.err).toContain("EXEC_ENGINE_NOT_FOUND");
      expect(failed.err).toContain("looking for apptainer: there is no such program on PATH");
    });
  },
);
