import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ScriptedExecutor } from "../exec/core/index.ts";
import { type Ask, freshAsk } from "../kernel/index.ts";
import { createReach, type FileAccess, type GlobOptions, type Reach } from "../lang/core/index.ts";
import { type Bench, openBench, scriptedCollector, scriptedTask } from "./scripted-run.ts";

let bench: Bench;
beforeEach(async () => {
  const play = () => ({ files: { "deep/.hidden.txt": "h", "deep/er/b.txt": "b", "a.txt": "a" } });
  bench = await openBench(new ScriptedExecutor({ play }));
});
afterEach(() => bench.close());

async function withFiles<T>(work: (files: FileAccess, ask: Ask) => Promise<T>, reach?: Reach): Promise<T> {
  let answer: { readonly value: T } | undefined;
  const parts = reach === undefined ? {} : { reach };
  await bench.run(
    async (host, ask) => {
      answer = { value: await work(host.files, ask) };
      return { kind: "succeeded", outputs: {} };
    },
    { parts },
  );
  if (answer === undefined) throw new Error("the program did not end");
  return answer.value;
}

const at = (name: string) => join(bench.folder, "data", name);

async function make(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(at(name), ".."), { recursive: true });
    await writeFile(at(name), text);
  }
}

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "done",
    (error) => error.code ?? error,
  );

describe("looking for files by a pattern", () => {
  const found = (pattern: string, options: Partial<GlobOptions> = {}) =>
    withFiles(async (files, ask) =>
      (await files.glob(at(""), pattern, { kinds: "files", ...options }, ask)).map(({ path }) => path),
    );

  beforeEach(() =>
    make({ "b.fq": "", "a.fq": "", "x/a.fq": "", "x/y/c.fq": "", ".h.fq": "", ".git/d.fq": "" }),
  );

  it.each([
    ["*.fq", {}, ["a.fq", "b.fq"]],
    ["**.fq", {}, ["a.fq", "b.fq", "x/a.fq", "x/y/c.fq"]],
    ["**/*.fq", {}, ["x/a.fq", "x/y/c.fq"]],
    ["**.fq", { maxDepth: 1 }, ["a.fq", "b.fq", "x/a.fq"]],
    ["**.fq", { hidden: true }, [".git/d.fq", ".h.fq", "a.fq", "b.fq", "x/a.fq", "x/y/c.fq"]],
    [".*.fq", {}, [".h.fq"]],
    ["x/{a,z}.fq", {}, ["x/a.fq"]],
    ["*", { kinds: "directories" }, ["x"]],
    ["*", { kinds: "any" }, ["a.fq", "b.fq", "x"]],
    ["nowhere/*.fq", {}, []],
    ["a.fq/*", {}, []],
  ] as const)("%s %j", async (pattern, options, paths) => {
    expect(await found(pattern, options)).toEqual(paths);
  });

  it("follows links to folders by default, and ends where they form a cycle", async () => {
    await symlink(at("x"), at("link"));
    await symlink(at("."), at("x/up"));
    expect(await found("link/*.fq")).toEqual(["link/a.fq"]);
    expect(await found("**.fq", { followLinks: false })).toEqual(["a.fq", "b.fq", "x/a.fq", "x/y/c.fq"]);
    expect((await found("**.fq")).length).toBeGreaterThan(4);
  });

  it("finds what is in a recorded folder as its manifest has it", async () => {
    const task = { outputs: { out: "deep" } };
    const search = () =>
      bench.run(async (host, ask) => {
        const outcome = await host.call(
          scriptedTask(task),
          async ({ files }) => ({
            kind: "collected",
            outputs: {
              out: { kind: "directory", location: await files.locationOf("deep"), basename: "deep" },
            },
          }),
          ask,
        );
        if (!("outputs" in outcome)) throw new Error(outcome.kind);
        const folder = outcome.outputs["out"] as { readonly location: string };
        const matches = await host.files.glob(
          folder.location,
          "**.txt",
          { kinds: "files", hidden: true },
          ask,
        );
        expect(matches.map(({ path }) => path)).toEqual([".hidden.txt", "er/b.txt"]);
        return { kind: "succeeded", outputs: {} };
      });
    expect((await search()).state).toBe("succeeded");
    expect((await search()).calls.reused).toBe(1);
  });

  it("of other people's documents stays within reach", async () => {
    const reach = createReach({ folders: [at("x")], inputs: "within", web: "refused" });
    const codes = await withFiles(
      async (files, ask) => [
        await code(files.glob(at("x"), "*.fq", { kinds: "files" }, ask)),
        await code(files.glob(at(""), "*.fq", { kinds: "files" }, ask)),
        await code(files.glob(at("x"), "../*.fq", { kinds: "files" }, ask)),
      ],
      reach,
    );
    expect(codes).toEqual(["done", "FILE_OUT_OF_REACH", "FILE_OUT_OF_REACH"]);
  });
});

describe("reading in pieces", () => {
  it("gives a large file piece by piece, and a part of it", async () => {
    const text = "0123456789".repeat(100_000);
    await make({ "large.txt": text });
    await withFiles(async (files, ask) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of files.read(at("large.txt"), ask)) pieces.push(piece);
      expect(pieces.length).toBeGreaterThan(1);
      expect(Buffer.concat(pieces).toString()).toBe(text);
      const part: Uint8Array[] = [];
      for await (const piece of files.read(at("large.txt"), ask, { start: 5, end: 15 })) part.push(piece);
      expect(Buffer.concat(part).toString()).toBe("5678901234");
    });
  });

  it("refuses what is not a file", async () => {
    await make({ "x/a": "" });
    const read = async (files: FileAccess, location: string, ask: Ask) => {
      for await (const _ of files.read(location, ask));
    };
    await withFiles(async (files, ask) => {
      expect(await code(read(files, at("x"), ask))).toBe("FILE_NOT_REGULAR");
      expect(await code(read(files, at("nothing"), ask))).toBe("FILE_NOT_FOUND");
    });
  });
});

describe("writing to a named place", () => {
  it("makes folders on the way, and gives the name when the file is whole", async () => {
    async function* pieces() {
      yield Buffer.from("one ");
      expect(await readdir(at("new/er"))).not.toContain("x.txt");
      yield Buffer.from("two");
    }
    await withFiles((files, ask) => files.writeTo(at("new/er/x.txt"), pieces(), ask));
    expect(await readFile(at("new/er/x.txt"), "utf8")).toBe("one two");
    expect(await readdir(at("new/er"))).toEqual(["x.txt"]);
  });

  it("leaves nothing and keeps what was there when the content fails", async () => {
    await make({ "x.txt": "before" });
    async function* failing() {
      yield Buffer.from("half");
      throw new Error("no more");
    }
    await withFiles(async (files, ask) => {
      expect(await code(files.writeTo(at("x.txt"), failing(), ask))).toBe("FILE_NOT_WRITABLE");
    });
    expect(await readFile(at("x.txt"), "utf8")).toBe("before");
    expect(await readdir(at(""))).toEqual(["x.txt"]);
  });

  it("copies files and folders, recorded ones to be changed by their owner", async () => {
    const outcome = await withFiles(async (files, ask) => {
      await make({ "from/a.txt": "a", "from/sub/b.txt": "b" });
      await symlink("a.txt", at("from/link"));
      await mkdir(at("from/empty"));
      await files.copy(at("from"), at("to"), ask);
      await files.copy(at("from/a.txt"), at("single.txt"), ask);
      return readdir(at("to"));
    });
    expect(outcome.sort()).toEqual(["a.txt", "empty", "link", "sub"]);
    expect(await readFile(at("to/link"), "utf8")).toBe("a");
    await bench.run(async (host, ask) => {
      const task = { outputs: { out: "a.txt" } };
      const call = await host.call(scriptedTask(task), scriptedCollector(task), ask);
      const file = "outputs" in call ? (call.outputs["out"] as { readonly location: string }) : undefined;
      await host.files.copy(file?.location ?? "", at("own.txt"), ask);
      return { kind: "succeeded", outputs: {} };
    });
    expect(await readFile(at("own.txt"), "utf8")).toBe("a");
    expect((await stat(at("own.txt"))).mode & 0o200).toBe(0o200);
    await writeFile(at("own.txt"), "changed");
    const again = await bench.run(async (host, ask) => {
      const task = { outputs: { out: "a.txt" } };
      const call = await host.call(scriptedTask(task), scriptedCollector(task), ask);
      const file = "outputs" in call ? (call.outputs["out"] as { readonly location: string }) : undefined;
      expect(await host.files.readText(file?.location ?? "", ask)).toBe("a");
      return { kind: "succeeded", outputs: {} };
    });
    expect(again.calls.reused).toBe(1);
  });

  it("of other people's documents stays in their scratch folder and where they may write", async () => {
    await make({ "x.txt": "theirs" });
    const reach = createReach({ folders: [at("")], inputs: "within", web: "refused" });
    const codes = await withFiles(async (files, ask) => {
      reach.include(files.scratch);
      return [
        await code(files.writeTo(join(files.scratch, "a/b.txt"), "b", ask)),
        await code(files.writeTo(at("x.txt"), "b", ask)),
        await code(files.writeTo(join(files.scratch, "..", "run.json"), "b", ask)),
        await code(files.copy(at("x.txt"), at("y.txt"), ask)),
        await code(files.writeTo("relative.txt", "b", ask)),
        await code(files.writeTo("s3://bucket/x", "b", ask)),
      ];
    }, reach);
    expect(codes).toEqual([
      "done",
      "FILE_OUT_OF_REACH",
      "FILE_OUT_OF_REACH",
      "FILE_OUT_OF_REACH",
      "FILE_NOT_WRITABLE",
      "FILE_NOT_WRITABLE",
    ]);
    expect(await readFile(at("x.txt"), "utf8")).toBe("theirs");
  });
});

describe("a dry run", () => {
  it("writes to no place that its program names", async () => {
    const { predictReuse } = await import("./predict-reuse.ts");
    const { scriptedProgram, scriptedImages } = await import("./scripted-run.ts");
    const { createFingerprinter, memoryMemo } = await import("../keys/index.ts");
    await make({ "x.txt": "x" });
    const scratch = join(bench.folder, "dry");
    await mkdir(scratch);
    const fingerprinter = createFingerprinter({ memo: memoryMemo(), policy: "content" });
    const file = { kind: "file", location: at("x.txt"), basename: "x.txt" } as const;
    await predictReuse(
      {
        program: scriptedProgram(async (host, ask) => {
          await host.files.writeTo(at("new.txt"), "new", ask);
          await host.files.copy(at("x.txt"), at("copy.txt"), ask);
          await host.publish(file, { target: at("out.txt"), mode: "copy", overwrite: "always" }, ask);
          return { kind: "succeeded", outputs: {} };
        }),
        language: "wdl",
        filesInJson: "path",
        source: "scripted",
        executor: bench.executor,
        images: scriptedImages(),
        fingerprinter,
        limits: {},
        failure: "fast",
      },
      { values: {}, baseDir: bench.folder },
      scratch,
      freshAsk(),
    );
    await fingerprinter.close();
    expect(await readdir(at(""))).toEqual(["x.txt"]);
  });
});
