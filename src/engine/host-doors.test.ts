import { lstatSync, readlinkSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  type Attempt,
  type ScriptedEnd,
  ScriptedExecutor,
  type ScriptedOptions,
} from "../exec/core/index.ts";
import { type Ask, freshAsk } from "../kernel/index.ts";
import { type CallOptions, createReach, type Host, type ProgramResult } from "../lang/core/index.ts";
import { pinEntry, planPrune, prune } from "../store/entries/index.ts";
import type { CallOutcome, FileValue, Outputs, TaskCall, Value } from "../task/index.ts";
import { readEvents } from "./run-folder.ts";
import {
  type Bench,
  type BenchChange,
  openBench,
  type ScriptedTask,
  scriptedCollector,
  scriptedImages,
  scriptedTask,
} from "./scripted-run.ts";

let benches: Bench[] = [];
afterEach(async () => {
  await Promise.all(benches.map((bench) => bench.close()));
  benches = [];
});

async function bench(options: ScriptedOptions = {}): Promise<Bench> {
  const play = (): ScriptedEnd => ({ files: { "out.txt": "result\n" } });
  const made = await openBench(new ScriptedExecutor({ play, ...options }));
  benches.push(made);
  return made;
}

const succeeded: ProgramResult = { kind: "succeeded", outputs: {} };

const call = (host: Host, task: ScriptedTask, ask: Ask, options?: CallOptions): Promise<CallOutcome> =>
  host.call(scriptedTask(task), scriptedCollector(task), ask, options);

const fileAt = (location: string): FileValue => ({
  kind: "file",
  location,
  basename: location.slice(location.lastIndexOf("/") + 1),
});

function outputsOf(outcome: CallOutcome): Outputs {
  if (!("outputs" in outcome)) throw new Error(`the call ended as ${outcome.kind}`);
  return outcome.outputs;
}

function outOf(outcome: CallOutcome): FileValue {
  const { out } = outputsOf(outcome);
  if (typeof out !== "object" || out === null || !("location" in out)) throw new Error("no file");
  return out;
}

/** Runs what needs a host, in a run that succeeds; answers what it gave. */
async function inRun<T>(
  made: Bench,
  work: (host: Host, ask: Ask) => Promise<T>,
  change: BenchChange = {},
): Promise<T> {
  let answer: { readonly value: T } | undefined;
  const summary = await made.run(async (host, ask) => {
    answer = { value: await work(host, ask) };
    return succeeded;
  }, change);
  expect(summary.state).toBe("succeeded");
  if (answer === undefined) throw new Error("the program did not end");
  return answer.value;
}

describe("stopping a run from its program", () => {
  /** The command's text decides; what never ends shows that it was stopped. */
  const byCommand = (ends: Readonly<Record<string, () => Promise<ScriptedEnd>>>): ScriptedOptions => ({
    play: async (attempt: Attempt) => {
      const command = await readFile(join(attempt.directory, "command"), "utf8");
      return (await ends[command]?.()) ?? { files: { "out.txt": command } };
    },
  });

  it("with finish lets calls under way end and starts no other", async () => {
    let finish: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const made = await bench(
      byCommand({
        slow: async () => {
          finish();
          await held;
          return { files: { "out.txt": "slow" } };
        },
      }),
    );
    const kinds = await inRun(made, async (host, ask) => {
      const slow = call(host, { name: "slow", command: "slow" }, ask);
      await begun;
      host.stop("finish");
      const later = await call(host, { name: "later", command: "later" }, ask);
      release();
      return [(await slow).kind, later.kind];
    });
    expect(kinds).toEqual(["computed", "cancelled"]);
    expect(made.seen("call.recorded")).toHaveLength(1);
  });

  it("with terminate stops calls under way, and the program says how the run ended", async () => {
    let begun: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const made = await bench(
      byCommand({
        endless: () => {
          begun();
          return new Promise<ScriptedEnd>(() => {});
        },
      }),
    );
    const kinds = await inRun(made, async (host, ask) => {
      const endless = call(host, { name: "endless", command: "endless" }, ask);
      await started;
      host.stop("finish");
      host.stop("terminate");
      return [(await endless).kind, (await call(host, { name: "later" }, ask)).kind];
    });
    expect(kinds).toEqual(["cancelled", "cancelled"]);
    expect(made.executor.running()).toEqual([]);
  });

  it("with terminate keeps what was finished before for the next run", async () => {
    const made = await bench();
    await inRun(made, async (host, ask) => {
      await call(host, { name: "done" }, ask);
      host.stop("terminate");
    });
    expect((await inRun(made, (host, ask) => call(host, { name: "done" }, ask))).kind).toBe("reused");
  });
});

describe("a call whose results are stored elsewhere", () => {
  it("is neither looked up nor computed, and counted on its own", async () => {
    const made = await bench();
    const place = join(made.folder, "store", "out.txt");
    await mkdir(join(made.folder, "store"));
    await writeFile(place, "kept\n");
    let outcome: CallOutcome | undefined;
    const summary = await made.run(async (host, ask) => {
      const stored = async (storeAsk: Ask) =>
        (await host.files.stat(place, storeAsk)) === undefined ? undefined : { out: fileAt(place) };
      outcome = await call(host, {}, ask, { stored });
      return succeeded;
    });
    expect(outcome).toEqual({ kind: "stored", outputs: { out: fileAt(place) } });
    expect(made.executor.started).toHaveLength(0);
    expect(summary.calls).toEqual({ reused: 0, computed: 0, failed: 0, cancelled: 0, stored: 1 });
    expect((await readEvents(summary.directory)).map(({ kind }) => kind)).toEqual([
      "run.started",
      "call.asked",
      "call.stored",
      "run.ended",
    ]);
  });

  it("is computed when they are not there", async () => {
    const made = await bench();
    const outcome = await inRun(made, (host, ask) => call(host, {}, ask, { stored: async () => undefined }));
    expect(outcome.kind).toBe("computed");
  });
});

describe("output values that come from the inputs", () => {
  const meta = (id: string): Value => ({ kind: "record", entries: [["id", id]] });
  const withMeta = (id: string): CallOptions => ({
    present: async (recorded) => ({ ...recorded, meta: meta(id) }),
  });

  it("are those of the present call when its files are reused", async () => {
    const made = await bench();
    const first = await inRun(made, (host, ask) => call(host, {}, ask, withMeta("a")));
    const second = await inRun(made, (host, ask) => call(host, {}, ask, withMeta("b")));
    expect([first.kind, second.kind]).toEqual(["computed", "reused"]);
    expect(outputsOf(first)["meta"]).toEqual(meta("a"));
    expect(outputsOf(second)["meta"]).toEqual(meta("b"));
    expect(outOf(second).location).toBe(outOf(first).location);
  });

  it("are each call's own when equal calls compute once, and never in the entry", async () => {
    const made = await bench();
    const outcomes = await inRun(made, (host, ask) =>
      Promise.all(["a", "b"].map((id) => call(host, { path: `scripted.work[${id}]` }, ask, withMeta(id)))),
    );
    expect(outcomes.map((outcome) => outputsOf(outcome)["meta"])).toEqual([meta("a"), meta("b")]);
    expect(made.executor.started).toHaveLength(1);
    for await (const entry of made.store.list(freshAsk()))
      expect(Object.keys(entry.outputs)).toEqual(["out"]);
  });
});

describe("a call that names its executor", () => {
  const other = (play?: ScriptedOptions["play"]) =>
    new ScriptedExecutor({ play: play ?? (() => ({ files: { "out.txt": "other\n" } })) });

  it("is executed there, and its result is reused wherever it is asked for", async () => {
    const made = await bench();
    const big = other();
    const change = { parts: { executors: { big: { executor: big, images: scriptedImages() } } } };
    const task = { change: { executor: "big" } };
    expect((await inRun(made, (host, ask) => call(host, task, ask), change)).kind).toBe("computed");
    expect([made.executor.started.length, big.started.length]).toEqual([0, 1]);
    expect((await inRun(made, (host, ask) => call(host, {}, ask), change)).kind).toBe("reused");
  });

  it("fails by name when the run has no such executor", async () => {
    const made = await bench();
    const outcome = await inRun(made, (host, ask) => call(host, { change: { executor: "big" } }, ask));
    expect(outcome).toMatchObject({
      kind: "failed",
      failure: {
        kind: "resources-unavailable",
        message: "asks for the executor big; this run has none that calls can name",
      },
    });
  });

  it("shares the local processors with the others, unless it runs elsewhere", async () => {
    const running = { now: 0, most: 0 };
    let pause: () => Promise<void> = async () => {};
    const play = async (): Promise<ScriptedEnd> => {
      running.most = Math.max(running.most, ++running.now);
      await pause();
      running.now--;
      return { files: { "out.txt": "x" } };
    };
    const capacity = { cpu: 1, memoryBytes: 2 ** 30, gpu: 0 };
    const mostAtOnce = async (can: ScriptedOptions["can"]) => {
      running.most = 0;
      const made = await bench({ play, capacity });
      const executor = new ScriptedExecutor({ play, capacity, ...(can === undefined ? {} : { can }) });
      await inRun(
        made,
        (host, ask) =>
          Promise.all([
            call(host, { name: "a", command: "a" }, ask),
            call(host, { name: "b", command: "b", change: { executor: "other" } }, ask),
          ]),
        { parts: { executors: { other: { executor, images: scriptedImages() } } } },
      );
      return running.most;
    };
    expect(await mostAtOnce(undefined)).toBe(1);
    // Each of the two waits for the other: they only end when they run at the same time.
    let both: () => void = () => {};
    const together = new Promise<void>((resolve) => {
      both = resolve;
    });
    pause = async () => {
      if (running.now === 2) both();
      await together;
    };
    expect(await mostAtOnce({ elsewhere: true })).toBe(2);
  });
});

describe("inputs known by name and size", () => {
  it("are so for calls that ask for it, and by content for all others", async () => {
    const made = await bench();
    const input = join(made.folder, "x.txt");
    const kinds = async (): Promise<readonly string[]> =>
      inRun(made, async (host, ask) => {
        const task = (name: string, identity: TaskCall["identity"]): ScriptedTask => ({
          name,
          command: name,
          files: [fileAt(input)],
          change: identity === undefined ? {} : { identity },
        });
        const calls = [task("default", undefined), task("deep", "content"), task("lenient", "lenient")];
        const outcomes: string[] = [];
        for (const each of calls) outcomes.push((await call(host, each, ask)).kind);
        return outcomes;
      });
    await writeFile(input, "one");
    expect(await kinds()).toEqual(["computed", "computed", "computed"]);
    await writeFile(input, "two");
    expect(await kinds()).toEqual(["computed", "computed", "reused"]);
    await writeFile(input, "three");
    expect(await kinds()).toEqual(["computed", "computed", "computed"]);
  });

  it("are still known by content when they are results of the same run", async () => {
    let serial = 0;
    const made = await bench({
      play: () => ({ files: { "out.txt": `${serial++}` } }),
    });
    const chain = (command: string) =>
      inRun(made, async (host, ask) => {
        const first = outOf(await call(host, { name: "first", command }, ask));
        const next = { name: "next", files: [first], change: { identity: "lenient" } } as const;
        return (await call(host, next, ask)).kind;
      });
    expect(await chain("a")).toBe("computed");
    expect(await chain("a")).toBe("reused");
    // Another result of equal name and size.
    expect(await chain("b")).toBe("computed");
  });
});

describe("call paths from what goes in", () => {
  it("do not depend on the order in which calls are asked for, nor on where files are", async () => {
    const made = await bench();
    const files: FileValue[] = [];
    for (const [name, text] of [
      ["one/x.txt", "1"],
      ["two/x.txt", "2"],
      ["three/x.txt", "1"],
    ] as const) {
      await mkdir(join(made.folder, name, ".."), { recursive: true });
      await writeFile(join(made.folder, name), text);
      files.push(fileAt(join(made.folder, name)));
    }
    const [one, two, three] = files as [FileValue, FileValue, FileValue];
    const pathsOf = (order: readonly FileValue[]) =>
      inRun(made, async (host, ask) => {
        const paths = new Map<string, string>();
        for (const file of order) paths.set(file.location, await host.pathOf("ALIGN", [file, "a"], ask));
        return paths;
      });
    const [first, second] = [await pathsOf([one, two]), await pathsOf([two, one])];
    expect(first.get(one.location)).toBe(second.get(one.location));
    expect(first.get(two.location)).toBe(second.get(two.location));
    expect(first.get(one.location)).not.toBe(first.get(two.location));
    expect((await pathsOf([three])).get(three.location)).toBe(first.get(one.location));
  });

  it("differ for equal inputs by a number", async () => {
    const made = await bench();
    const paths = await inRun(made, async (host, ask) => [
      await host.pathOf("A", [1n], ask),
      await host.pathOf("A", [1n], ask),
      await host.pathOf("A", [1], ask),
    ]);
    expect(paths[1]).toBe(`${paths[0]}~2`);
    // A whole number and a decimal one are different values.
    expect(paths[2]).not.toContain("~");
  });
});

describe("publishing a result", () => {
  const published = (made: Bench, name: string) => join(made.folder, "results", name);

  it("copies it during the run, to be changed by its owner", async () => {
    const made = await bench();
    const target = published(made, "deep/er/x.txt");
    const during = await inRun(made, async (host, ask) => {
      const file = outOf(await call(host, {}, ask));
      const answer = await host.publish(
        file,
        { target, mode: "copy", overwrite: "always", call: "scripted.work" },
        ask,
      );
      return { answer, text: await readFile(target, "utf8") };
    });
    expect(during).toEqual({ answer: { how: "copied", target }, text: "result\n" });
    await writeFile(target, "edited");
    expect((await inRun(made, (host, ask) => call(host, {}, ask))).kind).toBe("reused");
    expect(made.seen("file.published")).toEqual([]);
  });

  it("by a link pins the entry that the link leads to", async () => {
    const pinned: string[] = [];
    const made = await bench();
    const pin = async (uuid: string) => void pinned.push(uuid);
    const publish = (mode: "link" | "relative link", name: string) =>
      inRun(
        made,
        async (host, ask) => {
          const file = outOf(await call(host, {}, ask));
          return host.publish(file, { target: published(made, name), mode, overwrite: "always" }, ask);
        },
        { cache: { pin } },
      );
    for (const [mode, name] of [
      ["link", "a"],
      ["relative link", "b"],
    ] as const) {
      expect((await publish(mode, name)).how).toBe("linked");
      expect(await readFile(published(made, name), "utf8")).toBe("result\n");
    }
    expect(readlinkSync(published(made, "a"))).toMatch(/^\//);
    expect(readlinkSync(published(made, "b"))).toMatch(/^\.\.\/cache\//);
    const entry = made.seen("file.published")[0]?.entryUuid;
    expect(pinned).toEqual([entry, entry]);
    // The same link again is not changed.
    expect((await publish("relative link", "b")).how).toBe("kept");
  });

  it("that is a link may stay one, with its text", async () => {
    const made = await bench();
    const publish = (linkText: string) =>
      inRun(made, async (host, ask) => {
        const file = outOf(await call(host, {}, ask));
        const order = { target: published(made, "l"), mode: "copy", overwrite: "always", linkText } as const;
        return host.publish(file, order, ask);
      });
    expect((await publish("one")).how).toBe("linked");
    expect((await publish("two")).how).toBe("linked");
    expect(readlinkSync(published(made, "l"))).toBe("two");
    expect((await publish("two")).how).toBe("kept");
  });

  it("by a link stays there when its cache is pruned", async () => {
    const made = await bench();
    const target = published(made, "x.txt");
    await inRun(
      made,
      async (host, ask) => {
        const file = outOf(await call(host, {}, ask));
        await call(host, { name: "other", command: "other" }, ask);
        await host.publish(file, { target, mode: "link", overwrite: "always" }, ask);
      },
      { cache: { pin: (uuid, ask) => pinEntry(made.place, uuid, ask) } },
    );
    const plan = await planPrune(made.place, { olderThanMs: -1 }, new Date(), freshAsk());
    expect(await prune(made.place, plan, freshAsk())).toMatchObject({ entries: 1 });
    expect(lstatSync(target).isSymbolicLink()).toBe(true);
    expect(await readFile(target, "utf8")).toBe("result\n");
  });

  it("is a copy where nothing can be pinned", async () => {
    const made = await bench();
    const publish = (change: BenchChange, name: string) =>
      inRun(
        made,
        async (host, ask) => {
          const file = outOf(await call(host, {}, ask));
          return host.publish(
            file,
            { target: published(made, name), mode: "link", overwrite: "always" },
            ask,
          );
        },
        change,
      );
    const refusing = { cache: { pin: () => Promise.reject(new Error("read-only")) } };
    expect((await publish({}, "a")).how).toBe("copied");
    expect((await publish(refusing, "b")).how).toBe("copied");
    expect(made.seen("cache.trouble")).toHaveLength(1);
    for (const name of ["a", "b"]) expect(lstatSync(published(made, name)).isFile()).toBe(true);
  });

  it.each([
    ["always", "copied", "result\n"],
    ["never", "kept", "theirs"],
    ["if different", "copied", "result\n"],
  ] as const)("over a file that is there, overwriting %s: %s", async (overwrite, how, text) => {
    const made = await bench();
    const target = published(made, "x.txt");
    await mkdir(published(made, ""));
    await writeFile(target, "theirs");
    const before = statSync(target).ino;
    const answer = await inRun(made, async (host, ask) =>
      host.publish(outOf(await call(host, {}, ask)), { target, mode: "copy", overwrite }, ask),
    );
    expect(answer.how).toBe(how);
    expect(await readFile(target, "utf8")).toBe(text);
    if (how === "copied") expect(statSync(target).ino).not.toBe(before);
  });

  it("leaves an equal file untouched when only differing ones are replaced", async () => {
    const made = await bench();
    const target = published(made, "x.txt");
    await mkdir(published(made, ""));
    await writeFile(target, "result\n");
    const answer = await inRun(made, async (host, ask) =>
      host.publish(
        outOf(await call(host, {}, ask)),
        { target, mode: "copy", overwrite: "if different" },
        ask,
      ),
    );
    expect(answer.how).toBe("kept");
  });

  it("replaces a link itself, and never what it leads to", async () => {
    const made = await bench();
    const theirs = join(made.folder, "theirs.txt");
    await writeFile(theirs, "theirs");
    await mkdir(published(made, ""));
    await symlink(theirs, published(made, "x.txt"));
    await inRun(made, async (host, ask) =>
      host.publish(
        outOf(await call(host, {}, ask)),
        { target: published(made, "x.txt"), mode: "copy", overwrite: "always" },
        ask,
      ),
    );
    expect(await readFile(theirs, "utf8")).toBe("theirs");
    expect(lstatSync(published(made, "x.txt")).isFile()).toBe(true);
  });

  it("never replaces a file that the run reads, nor a folder", async () => {
    const made = await bench();
    const input = join(made.folder, "input.txt");
    await writeFile(input, "precious");
    await symlink(made.folder, join(made.folder, "way"));
    const refusals = await inRun(made, async (host, ask) => {
      const file = outOf(await call(host, { files: [fileAt(input)] }, ask));
      const to = (target: string) =>
        host.publish(file, { target, mode: "copy", overwrite: "always" }, ask).then(
          () => "published",
          ({ code }) => code,
        );
      return [await to(input), await to(join(made.folder, "way", "input.txt")), await to(made.folder)];
    });
    expect(refusals).toEqual(["FILE_NOT_WRITABLE", "FILE_NOT_WRITABLE", "FILE_NOT_WRITABLE"]);
    expect(await readFile(input, "utf8")).toBe("precious");
  });

  it("never writes among Memoir's own results", async () => {
    const made = await bench();
    const codes = await inRun(made, async (host, ask) => {
      const file = outOf(await call(host, {}, ask));
      const to = (target: string) =>
        host.publish(file, { target, mode: "copy", overwrite: "always" }, ask).then(
          () => "published",
          ({ code }) => code,
        );
      return [await to(file.location), await to(join(made.folder, "runs", "run-1", "events.jsonl"))];
    });
    expect(codes).toEqual(["FILE_OUT_OF_REACH", "FILE_OUT_OF_REACH"]);
  });

  it("of other people's documents stays in the folders that the run may write to", async () => {
    const made = await bench();
    const allowed = join(made.folder, "allowed");
    const secret = join(made.folder, "secret");
    await mkdir(allowed);
    await mkdir(secret);
    await symlink(secret, join(allowed, "out"));
    const reach = createReach({ folders: [], inputs: "anywhere", web: "refused" });
    reach.allowWrites(allowed);
    reach.include(join(made.folder, "runs"));
    const answers = await inRun(
      made,
      async (host, ask) => {
        const file = outOf(await call(host, {}, ask));
        const to = (target: string) =>
          host.publish(file, { target, mode: "copy", overwrite: "always" }, ask).then(
            ({ how }) => how,
            ({ code }) => code,
          );
        return [
          await to(join(allowed, "a", "x.txt")),
          await to(join(secret, "x.txt")),
          await to(join(allowed, "..", "secret", "x.txt")),
          await to(join(allowed, "out", "x.txt")),
        ];
      },
      { parts: { reach } },
    );
    expect(answers).toEqual(["copied", "FILE_OUT_OF_REACH", "FILE_OUT_OF_REACH", "FILE_OUT_OF_REACH"]);
    expect(await readdir(secret)).toEqual([]);
  });

  it("merges a folder, file by file", async () => {
    const made = await bench({
      play: () => ({ files: { "report/a.txt": "a", "report/sub/b.txt": "b" } }),
    });
    const target = published(made, "report");
    await mkdir(join(target, "sub"), { recursive: true });
    await writeFile(join(target, "theirs.txt"), "theirs");
    await writeFile(join(target, "a.txt"), "old");
    const folder = { outputs: { out: "report" } };
    await inRun(made, async (host, ask) => {
      const outcome = await host.call(
        scriptedTask(folder),
        async ({ files }) => ({
          kind: "collected",
          outputs: {
            out: { kind: "directory", location: await files.locationOf("report"), basename: "report" },
          },
        }),
        ask,
      );
      await host.publish(outOf(outcome), { target, mode: "copy", overwrite: "always" }, ask);
    });
    const texts = await Promise.all(
      ["a.txt", "sub/b.txt", "theirs.txt"].map((name) => readFile(join(target, name), "utf8")),
    );
    expect(texts).toEqual(["a", "b", "theirs"]);
  });

  it("is done before the run ends although the program does not wait for it", async () => {
    const made = await bench();
    const target = published(made, "x.txt");
    await inRun(made, async (host, ask) => {
      void host.publish(outOf(await call(host, {}, ask)), { target, mode: "copy", overwrite: "always" }, ask);
    });
    expect(await readFile(target, "utf8")).toBe("result\n");
    expect(made.events.map(({ kind }) => kind).slice(-2)).toEqual(["file.published", "run.ended"]);
  });
});
