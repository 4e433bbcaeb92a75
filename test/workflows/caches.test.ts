import { existsSync, readdirSync } from "node:fs";
import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import type { RunAnswer } from "./sandbox.ts";
import { Sandbox } from "./sandbox.ts";

const document = `version 1.1
task make {
  input { String text }
  command <<< echo "~{text}" > a.txt; mkdir d; echo "in ~{text}" > d/b.txt >>>
  output { File a = "a.txt"  Directory d = "d" }
}
task join {
  input { File a  Directory d }
  command <<< cat ~{a} ~{d}/b.txt > joined.txt >>>
  output { File out = "joined.txt" }
}
workflow wf {
  input { String text }
  call make { input: text = text }
  call join { input: a = make.a, d = make.d }
  output { File out = join.out }
}
`.replaceAll("version 1.1", "version 1.2");

let box: Sandbox;
const run = (sandbox: Sandbox, cache: string, text = "x", ...more: string[]) =>
  sandbox.json<RunAnswer>(
    "run",
    "wf.wdl",
    `text=${text}`,
    "--executor",
    "host",
    "--cache",
    cache,
    "--cache-host-tasks",
    ...more,
  );
const start = async (env: Record<string, string> = {}) => {
  box = await Sandbox.create(env);
  await box.write("wf.wdl", document);
};
afterEach(() => box.remove());

interface Entries {
  readonly entries: readonly { readonly uuid: string; readonly task: string; readonly uri: string }[];
}

describe("named caches", () => {
  beforeEach(() => start());

  it("are created, listed, shown, changed and deleted", async () => {
    await box.json("cache", "create", "lab", "--location", "./lab", "--behavior", "on-failure");
    expect((await box.run("cache", "list")).out).toContain(`lab  on-failure  ${box.path("lab")}`);
    expect((await box.run("cache", "create", "lab")).code).toBe(4);
    await box.json("cache", "update", "lab", "--behavior", "always", "--host-tasks", "yes");
    await box.json("run", "wf.wdl", "text=x", "--executor", "host", "--cache", "lab");
    expect(await box.json("cache", "show", "lab")).toMatchObject({ entries: 2, runs: [] });
    expect(await box.json("cache", "delete", "lab")).toMatchObject({ purged: 0 });
    expect((await run(box, "./lab")).calls.reused).toBe(2);
    expect((await box.run("cache", "show", "lab")).code).toBe(0);
  });

  it("without write-through record when the run has ended, and are changed back", async () => {
    const words = ["--location", "./lab", "--host-tasks", "yes"];
    await box.json("cache", "create", "lab", ...words, "--write-through", "no");
    expect((await box.run("cache", "show", "lab")).out).toContain("records always, at the end of runs");
    const kindsOf = async (text: string) => {
      const { directory } = await run(box, "lab", text);
      const events = (await readFile(join(directory, "events.jsonl"), "utf8")).trim().split("\n");
      const kinds = events.map((line) => (JSON.parse(line) as { kind: string }).kind);
      return kinds.filter((kind) => kind === "call.computed" || kind === "call.recorded");
    };
    const [computed, recorded] = ["call.computed", "call.recorded"];
    expect(await kindsOf("x")).toEqual([computed, computed, recorded, recorded]);
    expect((await run(box, "lab")).calls.reused).toBe(2);
    await box.json("cache", "update", "lab", "--write-through", "yes");
    expect(await kindsOf("y")).toEqual([computed, recorded, computed, recorded]);
  });

  it("are one with their location, by whatever name it is called", async () => {
    await run(box, "./lab");
    await box.json("cache", "create", "lab", "--location", "./lab");
    expect((await run(box, "lab")).calls.reused).toBe(2);
    expect((await run(box, box.path("lab"))).calls.reused).toBe(2);
  });

  it("are not deleted while a run uses them, and purged when asked", async () => {
    await box.json("cache", "create", "lab", "--location", "./lab", "--host-tasks", "yes");
    await box.write("slow.wdl", document.replace("mkdir d", "sleep 76543.2"));
    const slow = box.start("run", "slow.wdl", "text=x", "--executor", "host", "--cache", "lab");
    while (!/running\s+wf.make/.test((await box.run("runs", "show")).out));
    expect((await box.run("cache", "delete", "lab")).code).toBe(4);
    slow.process.kill("SIGINT");
    await slow.ended;
    await run(box, "lab");
    expect(await box.json("cache", "delete", "lab", "--purge")).toMatchObject({ purged: 2 });
    expect((await run(box, "./lab")).calls.computed).toBe(2);
  });
});

describe("the entries of a cache", () => {
  beforeEach(async () => {
    await start();
    await run(box, "./lab");
  });
  const entries = async (...words: string[]) =>
    (await box.json<Entries>("cache", "entries", "./lab", ...words)).entries;

  it("is listed and measured", async () => {
    expect((await entries()).map((entry) => entry.task).sort()).toEqual(["join", "make"]);
    expect(await entries("--task", "make")).toHaveLength(1);
    expect(await entries("--older-than", "1d")).toHaveLength(0);
    expect(await box.json("cache", "du", "./lab")).toMatchObject({
      entries: 2,
      byTask: { make: { files: 2 }, join: { files: 1 } },
    });
    expect(await box.json("cache", "du", "--cache", "./lab")).toMatchObject({ entries: 2 });
    expect((await box.run("cache", "du", "./lab", "--cache", "./other")).code).toBe(2);
  });

  it("lies where its address says, and is read-only", async () => {
    const [make] = await entries("--task", "make");
    const folder = new URL(make?.uri ?? "").pathname;
    expect(await readFile(join(folder, "out/a/a.txt"), "utf8")).toBe("x\n");
    expect(JSON.parse(await readFile(`${folder}.json`, "utf8"))).toMatchObject({
      s3uri: make?.uri,
      files: expect.arrayContaining([expect.objectContaining({ name: "a", path: "out/a/a.txt" })]),
    });
  });

  it("is invalidated by task, and only that is computed again", async () => {
    await box.json("cache", "invalidate", "--task", "make", "--cache", "./lab");
    expect((await run(box, "./lab")).calls).toMatchObject({ reused: 1, computed: 1 });
    expect((await box.run("cache", "invalidate", "--task", "none", "--cache", "./lab")).code).toBe(3);
  });

  it("is verified: what is damaged, and what may have been computed from it, is set aside and never reused", async () => {
    expect((await box.run("cache", "verify", "./lab")).code).toBe(0);
    const [make] = await entries("--task", "make");
    const path = join(new URL(make?.uri ?? "").pathname, "out/a/a.txt");
    await chmod(path, 0o644);
    await writeFile(path, "y\n");
    const { code, out } = await box.run("cache", "verify", "./lab");
    expect(code).toBe(4);
    expect(out).toContain("2 set aside");
    expect((await run(box, "./lab")).calls).toMatchObject({ reused: 0, computed: 2 });
  });

  it("is pruned, but for what is pinned, and only when it is meant", async () => {
    const [make] = await entries("--task", "make");
    await box.json("cache", "pin", make?.uuid.slice(0, 8) ?? "", "--cache", "./lab");
    expect((await box.run("cache", "prune", "./lab")).code).toBe(2);
    const dry = await box.run("cache", "prune", "./lab", "--budget", "0");
    expect(dry.out).toContain("would be removed");
    expect(await entries()).toHaveLength(2);
    await box.json("cache", "prune", "./lab", "--budget", "0", "--yes");
    expect((await entries()).map((entry) => entry.task)).toEqual(["make"]);
    await box.json("cache", "pin", make?.uuid ?? "", "--cache", "./lab", "--remove");
    await box.json("cache", "prune", "./lab", "--budget", "0", "--yes");
    expect(await entries()).toHaveLength(0);
  });

  it("is explained for one call of a run", async () => {
    const { run: id } = await run(box, "./lab", "other");
    const { computed } = await box.json<{ computed: { call: string; words: string }[] }>(
      "cache",
      "explain",
      id,
      "make",
    );
    expect(computed).toHaveLength(1);
    expect(computed[0]?.words).toContain("the command changed");
  });

  it("serves a run whose folder cannot be written to", async () => {
    // Root may write anywhere, so a file stands where a folder would have to be made.
    const [cache] = readdirSync(box.path("lab")).filter((name) => /^[0-9a-f-]{36}$/.test(name));
    await rm(box.path(`lab/${cache}/leases`), { recursive: true, force: true });
    await writeFile(box.path(`lab/${cache}/leases`), "");
    const again = await run(box, "./lab", "another text");
    expect([again.state, again.calls.computed]).toEqual(["succeeded", 2]);
  });
});

describeWith([s3Requirement], "a cache on S3", () => {
  let location: string;
  beforeEach(async () => {
    const server = await sharedS3();
    location = `s3://${await makeBucket(server, "workflows")}/team/cache`;
    await start(s3Environment(server));
  });

  it("is shared by machines: what one computed the other reuses, files and folders", async () => {
    const first = await run(box, location);
    expect(first.calls.computed).toBe(2);
    const other = box.with({ MEMOIR_HOME: box.path("other-home") });
    const second = await run(other, location);
    expect(second.calls).toMatchObject({ reused: 2, computed: 0 });
    expect(await readFile(second.outputs["wf.out"] as string, "utf8")).toBe("x\nin x\n");
    // Only the final output was downloaded.
    expect(readdirSync(join(second.directory, "downloads"))).toHaveLength(1);
  });

  it("gives a recomputed task the reused inputs that it needs, and no more", async () => {
    await run(box, location);
    await box.write("wf.wdl", document.replace("cat ~{a} ~{d}/b.txt", "cat ~{d}/b.txt ~{a}"));
    const second = await run(box.with({ MEMOIR_HOME: box.path("other-home") }), location);
    expect(second.calls).toMatchObject({ reused: 1, computed: 1 });
    expect(await readFile(second.outputs["wf.out"] as string, "utf8")).toBe("in x\nx\n");
  });

  it("gives a task reused programs that it can run, and reused folders with their empty ones", async () => {
    const programs = (command: string) => `version 1.2
task make {
  command <<< printf '#!/bin/sh\\necho ran\\n' > tool; chmod +x tool; mkdir -p d/empty; cp -p tool d >>>
  output { File tool = "tool" Directory d = "d" }
}
task use {
  input { File tool Directory d }
  command <<< ${command} >>>
  output { String s = read_string(stdout()) }
}
workflow wf { input { String text } call make call use { tool = make.tool, d = make.d } output { String s = use.s } }
`;
    await box.write("wf.wdl", programs("true"));
    await run(box, location);
    await box.write("wf.wdl", programs("~{tool}; ~{d}/tool; ls ~{d}"));
    const second = await run(box.with({ MEMOIR_HOME: box.path("other-home") }), location);
    expect(second.calls).toMatchObject({ reused: 1, computed: 1 });
    expect(second.outputs["wf.s"]).toBe("ran\nran\nempty\ntool");
  });

  it("does not make a run download what it has just computed", async () => {
    const { directory } = await run(box, location);
    expect(existsSync(join(directory, "downloads"))).toBe(false);
  });

  it("lets runs of several users that start together compute each call once", async () => {
    const marked = document.replace("mkdir d;", `mkdir d; echo made >> ${box.path("marks")}; sleep 0.3;`);
    await box.write("wf.wdl", marked);
    const homes = ["home-a", "home-b", "home-c"].map((name) => box.with({ MEMOIR_HOME: box.path(name) }));
    const runs = await Promise.all(homes.map((home) => run(home, location)));
    expect(runs.map((one) => one.state)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(await readFile(box.path("marks"), "utf8")).toBe("made\n");
    expect(runs.reduce((sum, one) => sum + one.calls.computed, 0)).toBe(2);
  });

  it("takes inputs from S3 without downloading them to know them", async () => {
    await box.write(
      "in.wdl",
      `version 1.1
task t { input { File f } command <<< cat ~{f} > out >>> output { File out = "out" } }
workflow wf { input { File f } call t { input: f = f } output { String s = read_string(t.out) } }
`,
    );
    await run(box, location);
    const { entries } = await box.json<Entries>("cache", "entries", location, "--task", "join");
    const words = ["run", "in.wdl", `f=${entries[0]?.uri}/out/out/joined.txt`, "--executor", "host"];
    const read = () => box.json<RunAnswer>(...words, "--cache", "./local", "--cache-host-tasks");
    const first = await read();
    expect([first.outputs["wf.s"], first.calls.computed]).toEqual(["x\nin x", 1]);
    const second = await read();
    expect(second.calls.reused).toBe(1);
    expect(existsSync(join(second.directory, "downloads"))).toBe(false);
  });
});

describe("pruning while a run uses the cache", () => {
  beforeEach(() => start());

  it("leaves what the run has reused a moment ago", async () => {
    const gate = (n: number) => box.path(`gate-${n}`);
    await box.write(
      "gated.wdl",
      `version 1.1
task first { command <<< echo data > o.txt >>> output { File o = "o.txt" } }
task gate {
  input { String mine  String theirs }
  command <<< touch ~{mine}; until [ -e ~{theirs} ]; do sleep 0.05; done; echo open >>>
  output { String word = read_string(stdout()) }
}
task last { input { File f  String word } command <<< cat ~{f} >>> output { String text = read_string(stdout()) } }
workflow gated {
  input { String mine  String theirs }
  call first
  call gate { input: mine = mine, theirs = theirs }
  call last { input: f = first.o, word = gate.word }
  output { String text = last.text }
}
`,
    );
    const words = (n: number) => [
      ...["run", "gated.wdl", `mine=${gate(n)}`, `theirs=${gate(n)}-open`, "--executor", "host"],
      ...["--cache", "./lab", "--cache-host-tasks", "--json"],
    ];
    await box.write("gate-1-open", "");
    expect((await box.run(...words(1))).code).toBe(0);
    const going = box.start(...words(2));
    await expect.poll(() => existsSync(gate(2))).toBe(true);
    const { removed } = await box.json<{ removed: { entries: number } }>(
      ...["cache", "prune", "./lab", "--budget", "0", "--yes"],
    );
    expect(removed.entries).toBe(2);
    await box.write("gate-2-open", "");
    const { code, out } = await going.ended;
    expect(code).toBe(0);
    const answer = JSON.parse(out) as RunAnswer;
    expect(answer.calls).toMatchObject({ reused: 1, computed: 2 });
    expect(answer.outputs["gated.text"]).toBe("data");
  });
});
