/** Nextflow pipelines whose tasks run in real containers. */
import { mkdir, readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import { type TestImages, testImages, testImagesRequirement } from "../servers/test-images.ts";
import { Sandbox } from "./sandbox.ts";

const script = (image: string) => `process MAKE {
  container '${image}'
  publishDir 'results', mode: 'copy'
  input: tuple val(meta), path(reads, stageAs: 'reads/?.txt'), val(text)
  output: tuple val(meta), path('*.out'), emit: made
  env 'USER_ID', emit: user
  eval 'ls /bin/busybox', emit: tool
  script: """
    cat reads/*.txt > "\${meta.id}.out"
    echo $text >> "\${meta.id}.out"
    USER_ID=\\$(id -u)
    """
}
process READ {
  container '${image}'
  input: path 'in dir/*'
  output: stdout
  script: 'cat in\\\\ dir/*'
}
workflow {
  MAKE(channel.of([[id: 'm'], [file("$projectDir/a b.txt"), file("$projectDir/c.txt")], 'end']))
  READ(MAKE.out.made.map { meta, file -> file }).view { "read \${it.readLines().join('|')}" }
  MAKE.out.user.view { "user $it" }
  MAKE.out.tool.view { "tool $it" }
}
`;

describeWith([podmanRequirement, testImagesRequirement], "Nextflow in containers", () => {
  let engine: TestEngine;
  let images: TestImages;
  let box: Sandbox;

  beforeAll(async () => {
    engine = await startPodman();
    images = await testImages();
    await engine.load(images.bash);
  });
  afterAll(() => engine?.stop());
  beforeEach(async () => {
    box = await Sandbox.create(engine.env);
    await box.write("a b.txt", "a\n");
    await box.write("c.txt", "c\n");
  });
  afterEach(() => box.remove());

  async function run(...words: string[]) {
    const end = await box.run("run", "main.nf", "--engine", "podman", "--cache", "./lab", ...words);
    const lines = (end.out + end.err).split("\n");
    return {
      code: end.code,
      calls: lines
        .flatMap((line) => /^(reused|computed) (?:\w+:)*(\w+)/.exec(line)?.slice(1, 3).join(" ") ?? [])
        .sort(),
      said: lines.filter((line) => /^(?:read|user|tool) /.test(line)).sort(),
    };
  }

  it("runs tasks in the container that the process names, and reuses them", async () => {
    await box.write("main.nf", script(images.bash.reference));
    await box.write("nextflow.config", "docker.enabled = true\n");
    const said = ["read a|c|end", "tool /bin/busybox", `user ${process.getuid?.()}`];
    const first = await run("--executor", "container");
    expect(first).toEqual({ code: 0, calls: ["computed MAKE", "computed READ"], said });
    expect(await readFile(box.path("results/m.out"), "utf8")).toBe("a\nc\nend\n");
    expect(await run()).toEqual({ code: 0, calls: ["reused MAKE", "reused READ"], said });
  });

  it("takes the engine of a profile, the registry of the configuration, and options of containers", async () => {
    const [, name] = /^localhost\/(.*)$/.exec(images.bash.reference) ?? [];
    await mkdir(box.path("ref"));
    await box.write("ref/x", "one\n");
    await box.write(
      "main.nf",
      `process P { container '${name}'
        containerOptions "-v \${params.ref}:/opt/ref:ro -v /tmp:/tmp"
        output: stdout
        script: 'echo "$A $B $(cat /opt/ref/x)"; echo changed 2>/dev/null >> /opt/ref/x || echo kept' }
      workflow { P().view { "read \${it.readLines().join('|')}" } }`,
    );
    const engines = ["docker", "podman", "singularity", "apptainer"];
    await box.write(
      "nextflow.config",
      `params.ref = '${box.path("ref")}'
      profiles {
        ${engines
          .map(
            (each) =>
              `${each} { ${each} { enabled = true; registry = 'localhost'; runOptions = '${each === "docker" || each === "podman" ? "-u $(id -u):$(id -g) -e A=1 -e B=2" : "--env A=1 --env B=2"}' } }`,
          )
          .join("\n")}
        wave { wave.enabled = true }
      }`,
    );
    const said = ["read 1 2 one|kept"];
    expect(await run("-profile", "docker")).toEqual({ code: 0, calls: ["computed P"], said });
    for (const each of engines.slice(1))
      expect({ each, ...(await run("-profile", each)) }).toEqual({
        each,
        code: 0,
        calls: ["reused P"],
        said,
      });
    // What is mounted is known by its content, and nobody changes it.
    expect(await box.read("ref/x")).toBe("one\n");
    await box.write("ref/x", "two\n");
    expect(await run("-profile", "podman")).toEqual({
      code: 0,
      calls: ["computed P"],
      said: ["read 1 2 two|kept"],
    });
    const wave = await box.run("run", "main.nf", "-profile", "wave");
    expect(wave.code).not.toBe(0);
    expect(wave.out + wave.err).toContain("wave is switched on in the configuration");
  });
});
