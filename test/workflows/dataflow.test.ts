/**
 * What dataflow languages need of a run, on real executors: a program that knows its inputs in the order of their
 * arrival, stages them under chosen names, retries with other resources, publishes during the run, and stops.
 */
import { lstatSync, readlinkSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Bench, openBench, scriptedTask } from "../../src/engine/scripted-run.ts";
import { createContainerExecutor } from "../../src/exec/container/container-executor.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import type { Executor, ImageResolver, PinnedImage } from "../../src/exec/core/executor.ts";
import { ScriptedExecutor } from "../../src/exec/core/scripted-executor.ts";
import { createHostExecutor } from "../../src/exec/local/host-executor.ts";
import { type Ask, freshAsk, type TaskPath } from "../../src/kernel/index.ts";
import type { Host, OutputCollector, ProgramResult } from "../../src/lang/core/index.ts";
import { pinEntry } from "../../src/store/entries/index.ts";
import type { CallOutcome, FileValue, TaskCall } from "../../src/task/index.ts";
import { guardRequirement } from "../servers/guard.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import {
  type TestImage,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";

interface Place {
  readonly executor: Executor;
  readonly images?: ImageResolver;
  close(): Promise<void>;
}

const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: process.env["HOME"] ?? "/" };

describeWith([guardRequirement], "dataflow on the host", () => {
  dataflow(async () => {
    const executor = createHostExecutor({ isolate: false, env, graceMs: 5_000 });
    return { executor, close: () => executor.close() };
  });
});

describeWith([podmanRequirement, testImagesRequirement], "dataflow in containers", () => {
  let server: TestEngine;
  let image: TestImage;
  beforeAll(async () => {
    server = await startPodman();
    image = (await testImages()).busybox;
    await server.load(image);
  });
  afterAll(() => server?.stop());

  dataflow(async () => {
    const where = { env: server.env, home: server.dir };
    const engine = await findEngine({ engine: server.kind, ...where }, freshAsk());
    const images = new ImageStore({ engine, credentials: where });
    const executor = createContainerExecutor({ engine, images, graceMs: 5_000 });
    const pinned: PinnedImage = {
      requested: image.reference,
      reference: image.configDigest,
      platform: `linux/${testArchitecture()}`,
      configDigest: image.configDigest,
    };
    const given = async () => pinned;
    const startOf = async () => ({ entrypoint: [], command: [] });
    return { executor, images: { pin: given, make: given, startOf }, close: () => executor.close() };
  });
});

const fileAt = (location: string): FileValue => ({
  kind: "file",
  location,
  basename: location.slice(location.lastIndexOf("/") + 1),
});

interface Step {
  readonly name: string;
  readonly command: string;
  /** Name in the working directory -> file. */
  readonly inputs: Readonly<Record<string, FileValue>>;
  readonly change?: Partial<TaskCall>;
}

/** Inputs are links under chosen names; what the task leaves as `*.out` is its output. */
function stepCall({ name, command, inputs, change }: Step, path: string): TaskCall {
  const staged = Object.entries(inputs).map(([at, source], i) => ({
    input: { path: `/mnt/memoir/inputs/${i}/${source.basename}` as TaskPath, source },
    link: {
      path: `/mnt/memoir/work/${at}` as TaskPath,
      to: `/mnt/memoir/inputs/${i}/${source.basename}` as TaskPath,
    },
  }));
  return scriptedTask({
    name,
    path,
    command,
    outputs: { out: "*.out" },
    change: {
      language: "nextflow",
      shell: ["/bin/sh", "-e"],
      inputs: staged.map(({ input }) => input),
      linkedInputs: staged.map(({ link }) => link),
      outputRules: [{ name: "out", type: "file", from: { kind: "glob", pattern: "*.out" } }],
      ...change,
    },
  });
}

/** The staged inputs are links, and no outputs. */
const collectOut: OutputCollector = async ({ files }) => {
  const made = ((await files.list(".")) ?? []).filter(
    ({ name, kind }) => kind === "file" && name.endsWith(".out"),
  );
  const [first] = made;
  if (first === undefined) return { kind: "missing", message: "no *.out" };
  const location = await files.locationOf(first.name);
  return { kind: "collected", outputs: { out: { kind: "file", location, basename: first.name } } };
};

function outOf(outcome: CallOutcome): FileValue {
  const out = "outputs" in outcome ? outcome.outputs["out"] : undefined;
  if (typeof out !== "object" || out === null || !("location" in out))
    throw new Error(`no file: ${JSON.stringify(outcome)}`);
  return out;
}

const succeeded: ProgramResult = { kind: "succeeded", outputs: {} };

function dataflow(open: () => Promise<Place>): void {
  let place: Place;
  let bench: Bench;
  beforeEach(async () => {
    place = await open();
    bench = await openBench(new ScriptedExecutor());
    await mkdir(join(bench.folder, "data"));
  });
  afterEach(async () => {
    await place.close();
    await bench.close();
  });

  const runWith = (program: (host: Host, ask: Ask) => Promise<ProgramResult>) =>
    bench.run(program, {
      executor: place.executor,
      cache: { hostTasks: true, pin: (uuid, ask) => pinEntry(bench.place, uuid, ask) },
      parts: place.images === undefined ? {} : { images: place.images },
    });

  const data = async (name: string, text: string): Promise<FileValue> => {
    const path = join(bench.folder, "data", name);
    await writeFile(path, text);
    return fileAt(path);
  };

  it("gives a sample the same call in whatever order samples arrive, and publishes each while others run", async () => {
    const samples = [await data("a.fq", "aa\n"), await data("b c.fq", "bb\n")];
    const results = join(bench.folder, "results");
    const pipeline = (order: readonly FileValue[]) =>
      runWith(async (host, ask) => {
        await Promise.all(
          order.map(async (sample) => {
            const id = sample.basename.slice(0, 1);
            const command = "mkdir kept; mv 'reads in.fq' kept/; tr a-z A-Z < 'kept/reads in.fq' > upper.out";
            const path = await host.pathOf("UPPER", [sample], ask);
            const step = { name: "UPPER", command, inputs: { "reads in.fq": sample } };
            const outcome = await host.call(stepCall(step, path), collectOut, ask, {
              present: async (recorded) => ({ ...recorded, id }),
            });
            expect("outputs" in outcome ? outcome.outputs["id"] : outcome).toBe(id);
            const target = join(results, `${id}.out`);
            await host.publish(
              outOf(outcome),
              { target, mode: "link", overwrite: "always", call: path },
              ask,
            );
          }),
        );
        return succeeded;
      });
    const first = await pipeline(samples);
    const asked = () =>
      bench
        .seen("call.asked")
        .map(({ call }) => call)
        .sort();
    const paths = asked();
    expect(first).toMatchObject({ state: "succeeded", calls: { computed: 2 } });
    expect(await readFile(join(results, "a.out"), "utf8")).toBe("AA\n");
    expect(await readFile(join(results, "b.out"), "utf8")).toBe("BB\n");
    expect(lstatSync(join(results, "a.out")).isSymbolicLink()).toBe(true);
    expect(await readFile(join(bench.folder, "data", "b c.fq"), "utf8")).toBe("bb\n");
    const second = await pipeline([...samples].reverse());
    expect(second).toMatchObject({ state: "succeeded", calls: { reused: 2, computed: 0 } });
    expect(asked()).toEqual(paths);
    expect(bench.seen("file.published").map(({ how }) => how)).toEqual(["kept", "kept"]);
    // The runs may go; what was published stays.
    await rm(join(bench.folder, "runs"), { recursive: true });
    expect(await readFile(readlinkSync(join(results, "a.out")), "utf8")).toBe("AA\n");
  });

  it("asks again with other resources after a failure that it tolerates", async () => {
    const summary = await runWith(async (host, ask) => {
      for (let attempt = 1; ; attempt++) {
        const command = `[ ${attempt} -gt 1 ] && echo done > x.out`;
        const change: Partial<TaskCall> =
          attempt === 1 ? { toleratedFailures: ["exit-code", "out-of-memory"] } : {};
        const path = attempt === 1 ? "RETRY" : `RETRY#${attempt}`;
        const step = { name: "RETRY", command, inputs: {}, change };
        const outcome = await host.call(stepCall(step, path), collectOut, ask);
        if (outcome.kind === "failed" && attempt === 1) {
          expect(outcome.failure).toMatchObject({ kind: "exit-code", exitCode: 1 });
          continue;
        }
        expect(outcome.kind).toBe("computed");
        return succeeded;
      }
    });
    expect(summary.state).toBe("succeeded");
  });

  it("keeps results in a separate folder, and takes them from there without computing", async () => {
    const store = join(bench.folder, "store");
    const pipeline = () =>
      runWith(async (host, ask) => {
        const step = { name: "INDEX", command: "echo index > ref.out", inputs: {} };
        const outcome = await host.call(stepCall(step, "INDEX"), collectOut, ask, {
          stored: async (storeAsk) => {
            const [found] = await host.files.glob(store, "*.out", { kinds: "files" }, storeAsk);
            return found === undefined ? undefined : { out: fileAt(found.location) };
          },
        });
        const out = outOf(outcome);
        if (outcome.kind !== "stored") await host.files.copy(out.location, join(store, out.basename), ask);
        expect(await host.files.readText(out.location, ask)).toBe("index\n");
        return succeeded;
      });
    expect((await pipeline()).calls).toMatchObject({ computed: 1 });
    expect((await pipeline()).calls).toMatchObject({ computed: 0, reused: 0, stored: 1 });
  });

  it("stops what runs when the program says so", async () => {
    const started = join(bench.folder, "data", "started");
    let begun: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const summary = await runWith(async (host, ask) => {
      const onStart = bench.events;
      const waiting = setInterval(() => {
        if (onStart.some(({ kind }) => kind === "call.started")) begun();
      }, 20);
      const step = { name: "ENDLESS", command: "sleep 100000; echo x > x.out", inputs: {} };
      const endless = host.call(stepCall(step, "ENDLESS"), collectOut, ask);
      await seen;
      clearInterval(waiting);
      host.stop("terminate");
      expect((await endless).kind).toBe("cancelled");
      await host.files.writeTo(started, "stopped\n", ask);
      return { kind: "failed", failures: [], outputs: {} };
    });
    expect(summary).toMatchObject({ state: "failed", calls: { cancelled: 1, computed: 0 } });
    expect(await readFile(started, "utf8")).toBe("stopped\n");
  });
}
