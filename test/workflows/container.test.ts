/** Workflows in real containers: images pinned and in the key, and attempts that outlive a kill -9. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import { type TestImages, testImages, testImagesRequirement } from "../servers/test-images.ts";
import type { RunAnswer } from "./sandbox.ts";
import { Sandbox } from "./sandbox.ts";

const document = (image: string, command: string) => `version 1.1
task t {
  input { File data }
  command <<< ${command} >>>
  output { File out = "out.txt" }
  runtime { container: "${image}" }
}
workflow wf {
  input { File data }
  call t { input: data = data }
  output { File out = t.out }
}
`;

describeWith([podmanRequirement, testImagesRequirement], "workflows in containers", () => {
  let engine: TestEngine;
  let images: TestImages;
  let box: Sandbox;

  beforeAll(async () => {
    engine = await startPodman();
    images = await testImages();
    await engine.load(images.bash);
    await engine.load(images.busybox);
  });
  afterAll(() => engine?.stop());
  beforeEach(async () => {
    box = await Sandbox.create(engine.env);
    await box.write("data.txt", "hello\n");
  });
  afterEach(() => box.remove());

  const words = ["run", "wf.wdl", "data=data.txt", "--engine", "podman", "--cache", "./cache"];
  const run = () => box.json<RunAnswer>(...words);

  it("compute once and are reused, without any flag about the cache", async () => {
    await box.write("wf.wdl", document(images.bash.reference, "cat ~{data} > out.txt; id -u >> out.txt"));
    const first = await run();
    expect(first.calls).toMatchObject({ computed: 1, reused: 0 });
    const out = await readFile(first.outputs["wf.out"] as string, "utf8");
    expect(out).toBe(`hello\n${process.getuid?.()}\n`);
    expect((await run()).calls).toMatchObject({ computed: 0, reused: 1 });
    const shown = await box.json<{ rows: { imageDigest?: string }[] }>("runs", "show", first.run);
    expect(shown.rows[0]?.imageDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it("are computed again with another image, and explain says that the image changed", async () => {
    await box.write("wf.wdl", document(images.bash.reference, "cat ~{data} > out.txt"));
    await run();
    const tag = "localhost/memoir-test/moving:1";
    const podman = (...args: string[]) => execFileSync("podman", args, { env: engine.env, stdio: "ignore" });
    podman("tag", images.bash.reference, tag);
    await box.write("wf.wdl", document(tag, "cat ~{data} > out.txt"));
    expect((await run()).calls.reused).toBe(1);
    // busybox has no bash, so the command fails there; what matters is that nothing was reused.
    podman("tag", images.busybox.reference, tag);
    const { out } = await box.run(...words, "--json");
    expect(JSON.parse(out).calls.reused).toBe(0);
    expect((await box.run("cache", "explain", "last")).out).toContain("the container image changed: sha256:");
  });

  it("hand on folders and names as they were, with a cache, from it and without one", async () => {
    await box.write(
      "wf.wdl",
      `version 1.2
task t {
  command <<<
    mkdir o other; echo 1 > "o/$(printf 'caf\\351').txt"; (cd o; ln -s caf* l); ln -s nowhere o/b
    echo w > w; ln -s /mnt/memoir/work/w o/w; echo x > other/x; ln -s ../other o/folder
  >>>
  output { Directory o = "o"  Array[File] g = glob("o/*.txt") }
  requirements { container: "${images.bash.reference}" }
}
task u {
  input { Directory d  Array[File] g }
  command <<< cd ~{d}; ls -F | LC_ALL=C cat -v; cat w folder/x l ~{sep(" ", g)} >>>
  output { String s = read_string(stdout()) }
  requirements { container: "${images.bash.reference}" }
}
workflow wf { call t  call u { input: d = t.o, g = t.g }  output { String s = u.s } }`,
    );
    const answers: string[] = [];
    for (const cache of [["--cache", "./cache"], ["--cache", "./cache"], ["--no-cache"]]) {
      const ran = JSON.parse(
        (await box.run("run", "wf.wdl", "--engine", "podman", ...cache, "--json")).out,
      ) as RunAnswer;
      expect(ran.state, JSON.stringify(ran.failures)).toBe("succeeded");
      answers.push(String(ran.outputs["wf.s"]));
    }
    expect(answers[0]).toContain("w\nx\n1\n1");
    expect(answers[0]).toContain("b@");
    expect(new Set(answers).size).toBe(1);
  });

  it("answer files from anywhere in the container and from disks that are mounted for them", async () => {
    await box.write(
      "wf.wdl",
      `version 1.2
task t {
  command <<<
    echo own > /tmp/own.txt
    echo big > /mnt/scratch/big.txt
    ln -s /tmp/own.txt link.txt
    mkdir d; ln -s /tmp/own.txt d/own.txt; ln -s /mnt/scratch/big.txt d/big.txt
  >>>
  output {
    File own = "/tmp/own.txt"
    File big = "/mnt/scratch/big.txt"
    String text = read_string("link.txt") + read_string("/etc/passwd")
    File? none = "/tmp/none.txt"
    Directory d = "d"
    Int size = task.disks["/mnt/scratch"]
  }
  requirements { container: "${images.bash.reference}" disks: "/mnt/scratch 1 GiB" }
}
`,
    );
    const outputs = async () => {
      const { calls, outputs } = await box.json<RunAnswer>("run", "wf.wdl", ...words.slice(3));
      const text = (path: string) => {
        const [name = "", inner = ""] = path.split("/");
        return readFile(join(outputs[`t.${name}`] as string, inner), "utf8");
      };
      const linked = (await text("d/own.txt")) + (await text("d/big.txt"));
      return { reused: calls.reused, own: await text("own"), big: await text("big"), linked, outputs };
    };
    const first = await outputs();
    expect(first).toMatchObject({ reused: 0, own: "own\n", big: "big\n", linked: "own\nbig\n" });
    expect(first.outputs).toMatchObject({
      "t.text": expect.stringMatching(/^own/),
      "t.none": null,
      "t.size": 2 ** 30,
    });
    expect(await outputs()).toMatchObject({ reused: 1, own: "own\n", big: "big\n", linked: "own\nbig\n" });
    const { code, err } = await box.run("run", "wf.wdl", "--executor", "host");
    expect(code).toBe(1);
    expect(err).toContain("asks for a disk at /mnt/scratch, which can be mounted only in a container");
  });

  it("that name no image are computed again in another default image", async () => {
    const imageless = document("x", "cat ~{data} > out.txt").replace(/ {2}runtime .*\n/, "");
    await box.write("wf.wdl", imageless);
    const other = "localhost/memoir-test/other-default:1";
    // Another config, so another image, made of the same layers.
    const podman = (...args: string[]) => execFileSync("podman", args, { env: engine.env });
    const made = podman("import", "--change", "ENV PATH=/bin", images.bash.layer, other).toString().trim();
    expect(made).not.toBe("");
    const inImage = async (image: string) =>
      (await box.json<RunAnswer>(...words, "--image", image)).calls.reused;
    expect(await inImage(images.bash.reference)).toBe(0);
    expect(await inImage(images.bash.reference)).toBe(1);
    expect(await inImage(other)).toBe(0);
    await box.write("wf.wdl", document(images.bash.reference, "cat ~{data} > out.txt"));
    expect(await inImage(other)).toBe(1);
  });

  it("are finished by the next run when Memoir is killed with -9", async () => {
    await box.write(
      "wf.wdl",
      document(
        images.bash.reference,
        "echo $RANDOM$RANDOM > out.txt; while [ ! -e go ]; do sleep 0.05; done",
      ),
    );
    const started = box.start(...words);
    const events = join(box.home, "runs/_LAST/events.jsonl");
    const written = join(box.home, "runs/_LAST/calls/t/work/out.txt");
    await until(() => existsSync(written) && readFileSync(written, "utf8") !== "");
    started.process.kill("SIGKILL");
    await started.ended;
    const first = readFileSync(written, "utf8");
    const work = realpathSync(join(box.home, "runs/_LAST/calls/t/work"));
    const running = run();
    await until(() => existsSync(events) && readFileSync(events, "utf8").includes('"call.adopted"'));
    writeFileSync(join(work, "go"), "");
    const next = await running;
    expect(await readFile(next.outputs["wf.out"] as string, "utf8")).toBe(first);
    expect((await run()).calls.reused).toBe(1);
  });

  it("are computed again when an input was touched after Memoir was killed with -9", async () => {
    await box.write(
      "wf.wdl",
      document(
        images.bash.reference,
        "echo $RANDOM$RANDOM > out.txt; cat ~{data} >> out.txt; while [ ! -e go ]; do sleep 0.05; done",
      ),
    );
    const started = box.start(...words);
    const work = join(box.home, "runs/_LAST/calls/t/work");
    const written = join(work, "out.txt");
    await until(() => existsSync(written) && readFileSync(written, "utf8").includes("hello"));
    started.process.kill("SIGKILL");
    await started.ended;
    const [first, firstWork] = [readFileSync(written, "utf8"), realpathSync(work)];
    // What a task has read meanwhile is not known, although the content is the same again.
    await box.write("data.txt", "other\n");
    await box.write("data.txt", "hello\n");
    const running = run();
    await until(() => existsSync(written) && realpathSync(work) !== firstWork);
    writeFileSync(join(work, "go"), "");
    const next = await running;
    expect(next.calls.computed).toBe(1);
    expect(await readFile(next.outputs["wf.out"] as string, "utf8")).not.toBe(first);
    const events = readFileSync(join(box.home, "runs/_LAST/events.jsonl"), "utf8");
    expect(events).not.toContain('"call.adopted"');
  });

  it("say what to do when there is no engine", async () => {
    await box.write("wf.wdl", document(images.bash.reference, "cat ~{data} > out.txt"));
    const nowhere = box.with({ DOCKER_HOST: "unix:///nowhere/docker.sock" });
    const { code, err } = await nowhere.run("run", "wf.wdl", "data=data.txt", "--engine", "docker");
    expect(code).toBe(4);
    expect(err).toContain("--executor host");
  });
});

async function until(isSo: () => boolean): Promise<void> {
  await new Promise<void>((resolve) => {
    const look = () => (isSo() ? resolve() : setTimeout(look, 10));
    look();
  });
}
