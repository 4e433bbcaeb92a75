/** Runs of the server in real containers: what clients see of images, logs while they run, and cancelling. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import { type TestImages, testImages, testImagesRequirement } from "../servers/test-images.ts";
import { openServer, type TestServer, uniqueId } from "./harness.ts";
import { type Body, ended, get, logOf, post, start, tasksOf, workflow } from "./plain-client.ts";

const wdl = (image: string, command: string) => `version 1.1
task t {
  input {
    Int n
  }
  command <<<
    ${command}
  >>>
  output {
    String said = read_string(stdout())
  }
  runtime {
    container: "${image}"
    cpu: 0.2
    memory: "100 MB"
  }
}
workflow w {
  input {
    Array[Int] numbers
  }
  scatter (n in numbers) {
    call t { input: n = n }
  }
  output {
    Array[String] said = t.said
  }
}
`;

describeWith([podmanRequirement, testImagesRequirement], "the server with containers", () => {
  let engine: TestEngine;
  let images: TestImages;
  let server: TestServer;
  const tag = "localhost/memoir-test/server:1";
  const podman = (...words: readonly string[]) =>
    execFileSync("podman", [...words], { env: engine.env, encoding: "utf8" });

  beforeAll(async () => {
    engine = await startPodman();
    images = await testImages();
    await engine.load(images.bash);
    await engine.load(images.busybox);
    podman("tag", images.bash.reference, tag);
    server = await openServer({ env: engine.env, engine: "podman" });
  });
  afterAll(async () => {
    await server?.close();
    await engine?.stop();
    expect(server.bugs).toEqual([]);
  });

  const run = async (id: string, settings: Body) =>
    ended(server, (await start(server, id, { parameters: { numbers: [1, 2] }, ...settings }))["id"]);
  const details = async (id: unknown) =>
    Promise.all((await tasksOf(server, id)).map((task) => get(server, `/run/${id}/task/${task["taskId"]}`)));

  it("tasks show their image and its digest, are reused, and computed again when the tag moves", async () => {
    const cache = await post(server, "/runCache", {
      ...{ cacheS3Location: `file://${server.folder}/cache`, cacheBehavior: "CACHE_ALWAYS" },
      requestId: uniqueId(),
    });
    const settings = { cacheId: cache["id"] };
    const id = await workflow(server, { "main.wdl": wdl(tag, "echo number ~{n}") });
    const cold = await run(id, settings);
    expect(cold["status"], String(cold["statusMessage"])).toBe("COMPLETED");
    const computed = await details(cold["id"]);
    const imageDetails = {
      image: tag,
      sourceImage: tag,
      imageDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    };
    expect(computed).toMatchObject([
      { cacheHit: false, imageDetails },
      { cacheHit: false, imageDetails },
    ]);
    expect(await logOf(server, `run/${cold["id"]}/task/${computed[0]?.["taskId"]}`)).toEqual(["number 1"]);
    const warm = await run(id, settings);
    expect((await tasksOf(server, warm["id"])).map((task) => task["cacheHit"])).toEqual([true, true]);
    podman("tag", images.busybox.reference, tag);
    // There is no bash in the other image, so its command fails; what matters is that nothing was reused.
    const moved = await run(id, settings);
    const again = await details(moved["id"]);
    expect(again.map((task) => task["cacheHit"])).not.toContain(true);
    // The first failure may end the other one before it begins.
    const digests = [...computed, ...again].flatMap(({ imageDetails: image }) =>
      image === undefined ? [] : [(image as Body)["imageDigest"]],
    );
    expect(new Set(digests).size).toBe(2);
  });

  it("a container's words are read while it runs, and cancelling ends it", async () => {
    const id = await workflow(server, { "main.wdl": wdl(images.bash.reference, "echo begun; sleep 7654") });
    const started = await start(server, id, { parameters: { numbers: [7] } });
    let task: Body | undefined;
    const log = async () => {
      [task] = await tasksOf(server, started["id"]);
      return task?.["status"] === "RUNNING"
        ? logOf(server, `run/${started["id"]}/task/${task["taskId"]}`)
        : task?.["status"];
    };
    await expect.poll(log, { interval: 50 }).toEqual(["begun"]);
    expect(podman("ps", "--format", "{{.ID}}").trim()).not.toBe("");
    await post(server, `/run/${started["id"]}/cancel`, {});
    expect((await ended(server, started["id"]))["status"]).toBe("CANCELLED");
    expect((await tasksOf(server, started["id"])).map(({ status }) => status)).toEqual(["CANCELLED"]);
    await expect.poll(() => podman("ps", "--format", "{{.ID}}").trim()).toBe("");
  });

  it("tasks of Nextflow run in their container with what is before and after them, and see nothing of the server", async () => {
    const id = await workflow(server, {
      "main.nf": `process T {
  container '${images.bash.reference}'
  beforeScript '[ -d /mnt/memoir ] && [ ! -e ${server.folder} ] && export BEFORE=inside'
  afterScript '[ -e ${server.folder} ] || echo after >> said.txt'
  publishDir '/mnt/workflow/pubdir'
  output: path 'said.txt'
  script: 'echo $BEFORE > said.txt; export -p >> said.txt'
}
workflow { T() }`,
    });
    const ran = await run(id, { parameters: {} });
    expect(ran["status"], String(ran["statusMessage"])).toBe("COMPLETED");
    const said = readFileSync(`${server.folder}/out/${ran["id"]}/pubdir/said.txt`, "utf8");
    expect(said).toMatch(/^inside\n/);
    expect(said).toMatch(/\nafter\n$/);
    expect(said).not.toContain("MEMOIR_HOME");
    expect((await details(ran["id"]))[0]).toMatchObject({
      ...{ name: "T", imageDetails: { image: images.bash.reference } },
    });
  });
});
