import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeWith, type Requirement } from "../servers/requirement.ts";
import { counts, onHost, runOnHost, Sandbox } from "./sandbox.ts";

const hello = `version 1.1
task greet {
  input { String name }
  command <<< echo "hello ~{name}" > out.txt >>>
  output { File out = "out.txt" }
}
task shout {
  input { File f }
  command <<< tr a-z A-Z < ~{f} >>>
  output { File up = stdout() }
}
workflow hello {
  input { String name }
  call greet { input: name = name }
  call shout { input: f = greet.out }
  output { File up = shout.up  String text = read_string(shout.up) }
}
`;

const bubblewrapRequirement: Requirement = {
  name: "bubblewrap",
  programs: ["bwrap"],
  debianPackages: ["bubblewrap"],
};

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("hello.wdl", hello);
});
afterEach(() => box.remove());

describe("memoir run WORKFLOW", () => {
  it("computes once, reuses the second time, and delivers equal outputs", async () => {
    const first = await runOnHost(box, "hello.wdl", "name=Ada");
    const second = await runOnHost(box, "hello.wdl", "name=Ada");
    expect(first.calls).toMatchObject({ computed: 2, reused: 0 });
    expect(second.calls).toMatchObject({ computed: 0, reused: 2 });
    for (const { outputs } of [first, second]) {
      expect(outputs["hello.text"]).toBe("HELLO ADA");
      expect(await readFile(outputs["hello.up"] as string, "utf8")).toBe("HELLO ADA\n");
    }
    expect(second.directory).not.toBe(first.directory);
  });

  it("recomputes an edited task and only what truly depends on it", async () => {
    await runOnHost(box, "hello.wdl", "name=Ada");
    await box.write("hello.wdl", hello.replace("tr a-z A-Z", "tr a-y A-Y"));
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("1 reused, 1 computed");
    const { out } = await box.run("cache", "explain", "last");
    expect(out).toContain("hello.shout was computed:");
    expect(out).toMatch(/-tr a-z A-Z.*\n.*\+tr a-y A-Y/);
  });

  it("cuts off early when an edited task gives equal output", async () => {
    await runOnHost(box, "hello.wdl", "name=Ada");
    await box.write("hello.wdl", hello.replace('echo "hello', 'printf "%s\\n" "hello'));
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("1 reused, 1 computed");
  });

  it("shows before a run what would be reused, and runs nothing", async () => {
    const predict = async () => (await box.run("run", "hello.wdl", "name=Ada", ...onHost, "--dry-run")).out;
    expect(await predict()).toContain("0 calls would be reused, 1 not.");
    await runOnHost(box, "hello.wdl", "name=Ada");
    expect(await predict()).toContain("2 calls would be reused");
    await box.write("hello.wdl", hello.replace("tr a-z A-Z", "tr a-y A-Y"));
    const changed = await predict();
    expect(changed).toMatch(/reuse\s+hello.greet/);
    expect(changed).toMatch(/compute\s+hello.shout\s+the command changed/);
    expect(readdirSync(join(box.home, "runs")).filter((name) => /^\d/.test(name))).toHaveLength(1);
  });

  it.each([
    ["damaged", (path: string) => writeFile(path, "HALLO ADA\n")],
    ["emptied", (path: string) => writeFile(path, "")],
    ["gone", (path: string) => rm(path)],
  ])("shows before a run that a call is computed whose result is read and %s", async (_, harm) => {
    const first = await runOnHost(box, "hello.wdl", "name=Ada");
    expect(first.calls.computed).toBe(2);
    const recorded = readdirSync(box.path("cache"), { recursive: true, encoding: "utf8" })
      .map((name) => join(box.path("cache"), name))
      .filter((path) => statSync(path).isFile() && readFileSync(path, "utf8") === "HELLO ADA\n");
    expect(recorded).toHaveLength(1);
    const [path = ""] = recorded;
    const { mtime } = statSync(path);
    const bytes = readFileSync(path);
    await rm(path);
    await writeFile(path, bytes);
    await harm(path);
    if (existsSync(path)) await utimes(path, mtime, mtime);
    const dry = await box.run("run", "hello.wdl", "name=Ada", ...onHost, "--dry-run");
    expect([dry.code, dry.err]).toEqual([0, ""]);
    expect(dry.out).toMatch(/reuse\s+hello.greet/);
    expect(dry.out).toMatch(/compute\s+hello.shout/);
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("1 reused, 1 computed");
  });

  it("finds tasks that are not deterministic by computing reused calls again", async () => {
    await box.write("hello.wdl", hello.replace('echo "hello', 'echo "$RANDOM $RANDOM'));
    await runOnHost(box, "hello.wdl", "name=Ada");
    const again = await runOnHost(box, "hello.wdl", "name=Ada", "--recheck", "100%");
    expect(again.calls.reused).toBe(2);
    expect(again.unstable).toEqual([{ call: "hello.greet", outputs: ["out"] }]);
  });

  it.each([["--clamp-resources"], ["--lenient"]])(
    "runs a task that asks for more than the machine has with %s, and says so",
    async (flag) => {
      const asking = hello.replace(
        "input { File f }",
        'input { File f }\n  runtime { cpu: 4000 memory: "900 TB" }',
      );
      await box.write("big.wdl", asking);
      const refused = await runOnHost(box, "big.wdl", "name=Ada");
      expect([refused.state, refused.failures[0]?.failure?.message]).toEqual([
        "failed",
        expect.stringContaining("--clamp-resources runs it with what there is"),
      ]);
      const { code, err } = await box.run("run", "big.wdl", "name=Ada", ...onHost, flag);
      expect([code, err]).toEqual([
        0,
        expect.stringMatching(/hello\.shout runs with .* of the 4000 cpus and/),
      ]);
    },
  );

  it("records nothing of host tasks unless it may", async () => {
    const words = ["run", "hello.wdl", "name=Ada", "--executor", "host", "--cache", "./cache", "--json"];
    await box.run(...words);
    const { out } = await box.run(...words);
    expect(JSON.parse(out).calls).toMatchObject({ computed: 2, reused: 0 });
  });

  it("takes inputs from JSON and YAML files relative to the file, and words win", async () => {
    await mkdir(box.path("data"));
    await box.write("data/in.json", JSON.stringify({ "hello.name": "Json" }));
    await box.write("data/in.yaml", "name: Yaml\n");
    const text = async (...words: string[]) =>
      (await runOnHost(box, "hello.wdl", ...words)).outputs["hello.text"];
    expect(await text("-i", "data/in.json")).toBe("HELLO JSON");
    expect(await text("-i", "data/in.yaml")).toBe("HELLO YAML");
    expect(await text("-i", "data/in.json", "name=Word")).toBe("HELLO WORD");
  });

  it("copies the outputs where the user wants them", async () => {
    await runOnHost(box, "hello.wdl", "name=Ada", "--out", "results");
    expect(await box.read("results/up/stdout")).toBe("HELLO ADA\n");
    expect(JSON.parse(await box.read("results/outputs.json"))).toEqual({
      "hello.up": box.path("results/up/stdout"),
      "hello.text": "HELLO ADA",
    });
  });

  it("keeps inputs that are in the folder of outputs and are passed on", async () => {
    await box.write(
      "w.wdl",
      `version 1.2
workflow w { input { File a  File b  Directory d } output { File o1 = a  File o2 = b  Directory o3 = d } }
`,
    );
    for (const folder of ["o1", "o2", "o3/d"])
      await mkdir(box.path(`results/${folder}`), { recursive: true });
    const names = ["results/o1/x.txt", "results/o2/x.txt", "results/o3/d/y.txt"];
    for (const name of names) await box.write(name, name);
    await symlink("results", box.path("linked"));
    const all = () => Promise.all(names.map((name) => box.read(name)));
    for (const from of ["results", "linked"]) {
      const words = [`a=./${from}/o1/x.txt`, `b=./${from}/o2/x.txt`, `d=./${from}/o3/d`];
      expect((await runOnHost(box, "w.wdl", ...words, "--out", "results")).state).toBe("succeeded");
      expect(await all()).toEqual(names);
    }
    const swapped = ["a=./results/o2/x.txt", "b=./results/o1/x.txt", "d=./results/o3/d"];
    const refused = await box.run("run", "w.wdl", ...swapped, ...onHost, "--out", "results");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/would overwrite .*x\.txt, which another output is made of/);
    expect(await all()).toEqual(names);
  });

  it("writes no output through a link in the folder of outputs", async () => {
    await box.write(
      "d.wdl",
      `version 1.2
task t { command <<< mkdir d; echo new > d/x; echo new > f >>> output { Directory d = "d"  File f = "f" } }
workflow w { call t output { Directory d = t.d  File f = t.f } }
`,
    );
    await mkdir(box.path("mine"));
    for (const name of ["mine/x", "mine/f"]) await box.write(name, "mine");
    await mkdir(box.path("real"));
    await symlink("real", box.path("results"));
    await mkdir(box.path("results/f"));
    await symlink("../../mine/f", box.path("results/f/f"));
    await symlink("../mine", box.path("results/d"));
    const refused = await box.run("run", "d.wdl", ...onHost, "--out", "results");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toMatch(/results\/d: it is a link, and outputs are not written through links/);
    await rm(box.path("results/d"));
    await mkdir(box.path("results/d"));
    await symlink("../../mine", box.path("results/d/d"));
    expect((await box.run("run", "d.wdl", ...onHost, "--out", "results")).code).not.toBe(0);
    await rm(box.path("results/d/d"));
    expect((await runOnHost(box, "d.wdl", "--out", "results")).state).toBe("succeeded");
    for (const name of ["real/d/d/x", "real/f/f"]) expect(await box.read(name)).toBe("new\n");
    for (const name of ["mine/x", "mine/f"]) expect(await box.read(name)).toBe("mine");
  });

  it("moves other files out of the way of an output folder, which then holds the result alone", async () => {
    await box.write(
      "d.wdl",
      `version 1.2
task t { input { String s } command <<< mkdir d; echo ~{s} > d/~{s} >>> output { Directory d = "d" } }
workflow w { input { String s } call t { input: s = s } output { Directory d = t.d } }
`,
    );
    await mkdir(box.path("results/d/d"), { recursive: true });
    await box.write("results/d/d/stray", "mine");
    const ran = await box.run("run", "d.wdl", "s=one", ...onHost, "--out", "results");
    expect(ran.err).toContain(box.path("results/d/d.previous"));
    await runOnHost(box, "d.wdl", "s=one", "--out", "results");
    expect((await readdir(box.path("results/d"))).sort()).toEqual(["d", "d.previous"]);
    await runOnHost(box, "d.wdl", "s=two", "--out", "results");
    expect(await readdir(box.path("results/d/d"))).toEqual(["two"]);
    expect(await box.read("results/d/d.previous/stray")).toBe("mine");
    expect(await box.read("results/d/d.previous-2/one")).toBe("one\n");
  });

  it("does not replace an input by an output, and says what to do", async () => {
    await box.write(
      "f.wdl",
      `version 1.1
task t { input { File i } command <<< echo new > x.txt; cat ~{i} >> x.txt >>> output { File f = "x.txt" } }
workflow w { input { File i } call t { input: i = i } output { File f = t.f } }
`,
    );
    for (const name of ["results/f/x.txt", "other/outputs.json"]) {
      await mkdir(dirname(box.path(name)), { recursive: true });
      await box.write(name, "mine\n");
      const out = name.slice(0, name.indexOf("/"));
      const refused = await box.run("run", "f.wdl", `i=./${name}`, ...onHost, "--out", out);
      expect(refused.code).not.toBe(0);
      expect(refused.err).toContain("OUTPUT_OVER_INPUT");
      expect(refused.err).toMatch(/the result is in .*\/out/);
      expect(refused.err).toContain("--out");
      expect(await box.read(name)).toBe("mine\n");
      const elsewhere = await runOnHost(box, "f.wdl", `i=./${name}`, "--out", `free-${out}`);
      expect(elsewhere.calls).toMatchObject({ reused: 1, computed: 0 });
      expect(await box.read(`free-${out}/f/x.txt`)).toBe("new\nmine\n");
    }
  });

  it("leaves a run folder that a person can read", async () => {
    const { directory } = await runOnHost(box, "hello.wdl", "name=Ada");
    expect(await readFile(join(directory, "calls/greet/command"), "utf8")).toContain('echo "hello Ada"');
    expect((await readFile(join(directory, "calls/greet/rc"), "utf8")).trim()).toBe("0");
    expect(existsSync(join(directory, "calls/shout/stdout"))).toBe(true);
    expect(await readFile(join(box.home, "runs/_LAST/outputs.json"), "utf8")).toContain("HELLO ADA");
  });

  it("continues without a cache that cannot be used, and reports it", async () => {
    await box.write("file", "not a folder");
    const words = [
      "run",
      "hello.wdl",
      "name=Ada",
      "--executor",
      "host",
      "--cache-host-tasks",
      "--cache",
      "./file",
    ];
    const { code, err } = await box.run(...words);
    expect(code).toBe(0);
    expect(err).toContain("cache: opening the cache");
  });

  it("computes again what was deleted from the cache", async () => {
    await runOnHost(box, "hello.wdl", "name=Ada");
    await rm(box.path("cache"), { recursive: true });
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("0 reused, 2 computed");
  });

  it("never reuses an output that was changed in the cache", async () => {
    await runOnHost(box, "hello.wdl", "name=Ada");
    const files = readdirSync(box.path("cache"), { recursive: true, withFileTypes: true });
    const stored = files.filter((file) => file.isFile() && ["out.txt", "stdout"].includes(file.name));
    expect(stored).toHaveLength(2);
    for (const file of stored) {
      const path = join(file.parentPath, file.name);
      await rm(path);
      await writeFile(path, "HELLO EVE\n");
    }
    const again = await runOnHost(box, "hello.wdl", "name=Ada");
    expect(again.calls).toMatchObject({ reused: 0, computed: 2 });
    expect(again.outputs["hello.text"]).toBe("HELLO ADA");
  });
});

describeWith([bubblewrapRequirement], "memoir run --isolate", () => {
  it("gives a task the disks that it asks for", async () => {
    await box.write(
      "disk.wdl",
      `version 1.2
task t {
  command <<< echo x > /mnt/scratch/x.txt >>>
  output { File x = "/mnt/scratch/x.txt" }
  requirements { disks: "/mnt/scratch 1 GiB" }
}
`,
    );
    const { outputs } = await runOnHost(box, "disk.wdl", "--isolate");
    expect(await readFile(outputs["t.x"] as string, "utf8")).toBe("x\n");
  });

  it("hides from tasks what they did not declare, and still reuses", async () => {
    await box.write("secret.txt", "secret");
    const peeking = `{ cat ${box.path("secret.txt")} || echo "hello ~{name}"; } > out.txt`;
    await box.write("hello.wdl", hello.replace('echo "hello ~{name}" > out.txt', peeking));
    const first = await runOnHost(box, "hello.wdl", "name=Ada", "--isolate");
    expect(first.outputs["hello.text"]).toBe("HELLO ADA");
    expect(await counts(box, "hello.wdl", "name=Ada", "--isolate")).toBe("2 reused, 0 computed");
    // Without isolation it is another environment: the task sees more.
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("0 reused, 2 computed");
  });
});

describe("what goes wrong is reported", () => {
  it("a failed task with its command, its last words, the likely meaning and its folder", async () => {
    await box.write("hello.wdl", hello.replace("tr a-z A-Z", "no-such-program a-z"));
    const { code, err, out } = await box.run("run", "hello.wdl", "name=Ada", ...onHost);
    expect(code).toBe(1);
    expect(err).toContain("hello.shout: exit code 127 (a program was not found");
    expect(err).toContain("no-such-program a-z <");
    expect(err).toMatch(/no-such-program: (command )?not found/);
    expect(err).toContain("files are in");
    expect(out).toContain("failed hello");
  });

  it("a workflow with errors, by place and caret, with exit code 3", async () => {
    await box.write("hello.wdl", hello.replace("greet.out", "greet.oat"));
    for (const words of [
      ["check", "hello.wdl"],
      ["run", "hello.wdl", "name=Ada", ...onHost],
    ]) {
      const { code, out, err } = await box.run(...words);
      expect(code).toBe(3);
      expect(out + err).toMatch(/hello.wdl:15:\d+: error/);
      expect(out + err).toContain("^");
    }
    expect(existsSync(join(box.home, "runs"))).toBe(false);
  });

  it.each([
    [["nme=Ada"], "nme"],
    [[], "name"],
  ])("inputs %j before anything runs", async (words, named) => {
    const { code, err } = await box.run("run", "hello.wdl", ...words, ...onHost);
    expect(code).toBe(3);
    expect(err).toContain(named);
    expect(existsSync(join(box.home, "runs"))).toBe(false);
  });

  it.each([
    [["run", "none.wdl", ...onHost], 3],
    [["run", "hello.wdl", "name=Ada", "--cache", "no-such-cache", "--executor", "host"], 3],
    [["run", "hello.wdl", "name=Ada", "--executor", "nowhere"], 2],
    [["run", "hello.wdl", "Ada", ...onHost], 2],
    [["runs", "show", "20200101"], 3],
    [["cache", "show", "nobody"], 3],
  ])("%j with exit code %i", async (words, expected) => {
    const { code, err } = await box.run(...words);
    expect(err).not.toBe("");
    expect(code).toBe(expected);
  });
});

describe("memoir check and inputs", () => {
  it("say that a workflow is well, and what it wants", async () => {
    const { code, out } = await box.run("check", "hello.wdl");
    expect([code, out]).toEqual([0, "ok hello.wdl (workflow hello)\n"]);
    const template = await box.run("inputs", "hello.wdl");
    expect(JSON.parse(template.out)).toEqual({ "hello.name": expect.stringContaining("String") });
  });

  it("check describes the first thousand errors of a document and counts the others", async () => {
    const inputs = Array.from({ length: 40_000 }, (_, n) => `x${n} = 1,\n`).join("");
    await box.write(
      "wrong.wdl",
      `version 1.1\ntask t {\n  command {}\n}\nworkflow w {\n  call t { input:\n${inputs}  }\n}\n`,
    );
    const { code, out } = await box.run("check", "wrong.wdl");
    expect(code).toBe(3);
    expect(out.match(/: error: /g)).toHaveLength(1_000);
    expect(out).toMatch(/\n… and 39,000 more errors\n\nwrong wrong\.wdl: 40,000 errors\n$/);
    const { errors, omitted, diagnostics } = JSON.parse(
      (await box.run("check", "wrong.wdl", "--json")).out,
    ) as {
      errors: number;
      omitted: object;
      diagnostics: unknown[];
    };
    expect({ errors, omitted }).toEqual({ errors: 40_000, omitted: { errors: 39_000, others: 0 } });
    expect(diagnostics).toHaveLength(1_000);
    const run = await box.run("run", "wrong.wdl", ...onHost);
    expect(run.code).toBe(3);
    expect(run.err).toContain("40000 errors");
    expect(run.err).toContain("… and 39000 more errors");
  });

  it("check inputs against the workflow", async () => {
    await box.write("in.json", JSON.stringify({ "hello.name": "x", "hello.nonsense": 1 }));
    const { code, out } = await box.run("check", "hello.wdl", "-i", "in.json");
    expect(code).toBe(3);
    expect(out).toContain("nonsense");
  });
});

describe("memoir runs", () => {
  it("list, show, logs, outputs and diff show what happened", async () => {
    const first = await runOnHost(box, "hello.wdl", "name=Ada");
    const second = await runOnHost(box, "hello.wdl", "name=Bob");
    const { runs } = await box.json<{ runs: { id: string; state: string }[] }>("runs", "list");
    expect(runs.map((run) => [run.id, run.state])).toEqual([
      [second.run, "succeeded"],
      [first.run, "succeeded"],
    ]);
    expect((await box.run("runs", "show")).out).toContain("computed  hello.greet");
    for (const words of [["greet"], ["--call", "greet"]])
      expect((await box.run("runs", "logs", first.run, ...words)).out).toContain('echo "hello Ada"');
    expect(JSON.parse((await box.run("runs", "outputs", first.run)).out)).toMatchObject({
      "hello.text": "HELLO ADA",
    });
    const diff = await box.run("runs", "diff", first.run, second.run);
    expect(diff.out).toContain('+echo "hello Bob" > out.txt');
    expect(diff.out).toContain("input inputs/0/out.txt has other content");
  });

  it("report what does not exist: outputs of a failed run, calls that it did not have", async () => {
    await box.write("hello.wdl", hello.replace("echo", "exit 3; echo"));
    await box.run("run", "hello.wdl", "name=Ada", ...onHost);
    const outputs = await box.run("runs", "outputs", "last");
    expect(outputs.code).not.toBe(0);
    expect(outputs.err).toMatch(
      /it is failed, and only runs that succeed have outputs \[RUN_WITHOUT_OUTPUTS\]/,
    );
    const explained = await box.run("cache", "explain", "last", "nobody");
    expect(explained.err).toMatch(/looking for the call nobody in the run .*: there is none of this name/);
    expect((await box.run("cache", "explain", "last", "greet")).out).toContain("0 calls reused, 1 computed");
  });

  it("delete removes folders of ended runs, and what they recorded stays", async () => {
    for (const name of ["Ada", "Bob", "Eve"]) await runOnHost(box, "hello.wdl", `name=${name}`);
    const young = await box.run("runs", "delete", "--older-than", "30d");
    expect([young.code, young.out]).toEqual([0, expect.stringContaining("0 runs deleted")]);
    const last = await box.run("runs", "delete", "last");
    expect([last.code, last.out]).toEqual([0, expect.stringContaining("1 run deleted")]);
    expect((await box.run("runs", "show")).out).toContain("succeeded hello");
    const rest = await box.run("runs", "delete", "--older-than", "0s");
    expect(rest.out).toContain("2 runs deleted");
    expect((await box.run("runs", "list")).out).toContain("no runs in");
    expect((await box.run("runs", "delete")).code).toBe(2);
    expect(await counts(box, "hello.wdl", "name=Eve")).toBe("2 reused, 0 computed");
  });

  it("delete leaves a running run alone", async () => {
    await box.write("hello.wdl", hello.replace("tr a-z A-Z <", `sleep ${mark}; cat`));
    const started = box.start("run", "hello.wdl", "name=Ada", ...onHost);
    await untilTrue(async () => (await box.run("runs", "show")).out.includes("running   hello.shout"));
    const refused = await box.run("runs", "delete", "last");
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain("RUN_STILL_RUNNING");
    expect((await box.run("runs", "delete", "--older-than", "0s")).out).toContain("is running and was kept");
    await box.run("runs", "cancel", "last");
    await started.ended;
    expect((await box.run("runs", "delete", "last")).out).toContain("1 run deleted");
  });

  it("cancel stops a run from elsewhere, and nothing of it stays", async () => {
    await box.write("hello.wdl", hello.replace("tr a-z A-Z <", `sleep ${mark}; cat`));
    const started = box.start("run", "hello.wdl", "name=Ada", ...onHost);
    await untilTrue(async () => (await box.run("runs", "show")).out.includes("running   hello.shout"));
    const cancelled = await box.run("runs", "cancel", "last");
    expect([cancelled.code, cancelled.out]).toEqual([0, expect.stringContaining("is cancelled")]);
    expect((await started.ended).code).toBe(130);
    await expect.poll(() => processesWith(mark)).toEqual([]);
    await box.write("hello.wdl", hello);
    expect(await counts(box, "hello.wdl", "name=Ada")).toBe("1 reused, 1 computed");
  });

  it("a signal stops a run, keeps what is finished, and ends with 130", async () => {
    await box.write("hello.wdl", hello.replace("tr a-z A-Z <", `sleep ${mark}; cat`));
    const started = box.start("run", "hello.wdl", "name=Ada", ...onHost);
    await untilTrue(async () => (await box.run("runs", "show")).out.includes("running   hello.shout"));
    started.process.kill("SIGINT");
    expect((await started.ended).code).toBe(130);
    await expect.poll(() => processesWith(mark)).toEqual([]);
    expect((await box.run("runs", "show")).out).toContain("cancelled hello");
  });
});

/** Seconds that no other process sleeps for: those of this test are known by it. */
const mark = `98${process.pid}.4321`;

async function untilTrue(check: () => Promise<boolean>): Promise<void> {
  while (!(await check()));
}

function processesWith(text: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    });
}
