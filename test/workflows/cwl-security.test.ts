/**
 * CWL documents and tools that mean harm: each ends with a clear error, and nothing is left outside the folders that
 * it was given.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Ended, Sandbox } from "../cli/memoir.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await mkdir(box.path("tmp"));
  box = box.with({ TMPDIR: box.path("tmp") });
  await box.write("secret.txt", "the secret\n");
  await box.write("secret.json", '{"text": "the secret"}');
  await mkdir(box.path("data"));
  await writeFile(box.path("data/x.txt"), "fine\n");
});
/** Outside everything that a document may write to. */
const evil = join(tmpdir(), `memoir-cwl-evil-${process.pid}`);
afterEach(async () => {
  box.remove();
  await rm(evil, { force: true });
});

async function run(document: string, job: unknown = {}, ...words: readonly string[]): Promise<Ended> {
  await box.write("main.cwl", document);
  await box.write("job.json", JSON.stringify(job));
  return box.run(
    "cwl-runner",
    "--no-container",
    "--quiet",
    "--outdir",
    "results",
    ...words,
    "main.cwl",
    "job.json",
  );
}

/** It failed, said why, revealed no secret, and left nothing behind. */
async function refused(ended: Ended, why: RegExp): Promise<void> {
  expect([1, 3], `${ended.out}${ended.err}`).toContain(ended.code);
  expect(ended.err).toMatch(why);
  expect(ended.err).not.toMatch(/\n\s+at .*\.js:\d+/);
  expect(`${ended.out}${ended.err}`).not.toContain("the secret");
  await nothingStrange();
}

async function nothingStrange(): Promise<void> {
  const known = ["data", "home", "job.json", "main.cwl", "results", "secret.json", "secret.txt", "tmp"];
  const found = (await readdir(box.folder)).filter(
    (name) => !known.includes(name) && !name.startsWith("given"),
  );
  expect(found).toEqual([]);
  expect(await readdir(box.path("data"))).toEqual(["x.txt"]);
  expect(await readdir(box.path("tmp"))).toEqual([]);
  expect(existsSync(evil)).toBe(false);
  if (existsSync(box.path("results"))) expect(await readdir(box.path("results"))).toEqual([]);
}

/** A tool whose shell text is given. */
const shell = (text: string, outputs: string, more = "") => `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, ${JSON.stringify(text)}]
${more}inputs: {}
outputs: ${outputs}
`;

const expression = (code: string, outputs: string, inputs = "{}") => `cwlVersion: v1.2
class: ExpressionTool
requirements: {InlineJavascriptRequirement: {}}
inputs: ${inputs}
outputs: ${outputs}
expression: ${JSON.stringify(code)}
`;

const badNames = ["../evil", evil, "a/b", "..", ".", ""];

describe("names of inputs", () => {
  const cat = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: cat
stdout: out.txt
inputs: {file: {type: [File, Directory], inputBinding: {}}}
outputs: {out: stdout}
`;

  it.each(badNames)("a basename %j in the job is refused", async (basename) => {
    const file = { class: "File", path: "data/x.txt", basename };
    await refused(await run(cat, { file }), /basename/);
  });

  it.each(badNames)(
    "a basename %j of a literal, of a secondary file and in a listing is refused",
    async (basename) => {
      const literal = { class: "File", basename, contents: "evil" };
      const companion = { class: "File", path: "data/x.txt", secondaryFiles: [literal] };
      const listing = {
        class: "Directory",
        basename: "d",
        listing: [{ class: "Directory", basename: "e", listing: [literal] }],
      };
      for (const file of [literal, companion, listing]) await refused(await run(cat, { file }), /basename/);
    },
  );

  it.each(["../evil", "a/b"])(
    "a basename %j that an expression of a step makes is refused",
    async (basename) => {
      const document = `cwlVersion: v1.2
class: Workflow
requirements: {InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {}}
inputs: {file: File}
steps:
  one:
    run:
      class: CommandLineTool
      baseCommand: cat
      stdout: out.txt
      inputs: {file: {type: File, inputBinding: {}}}
      outputs: {out: stdout}
    in:
      file: {source: file, valueFrom: '\${ self.basename = ${JSON.stringify(basename)}; return self; }'}
    out: [out]
outputs: {out: {type: File, outputSource: one/out}}
`;
      await refused(await run(document, { file: { class: "File", path: "data/x.txt" } }), /basename/);
    },
  );
});

describe("the working directory", () => {
  it.each(["../evil", evil, "a/../../evil", "..", "."])("an entryname %j is refused", async (name) => {
    for (const entry of ["evil", "$(inputs.file)"]) {
      const document = `cwlVersion: v1.2
class: CommandLineTool
requirements:
  InitialWorkDirRequirement:
    listing: [{entryname: ${JSON.stringify(name)}, entry: ${entry}, writable: true}]
baseCommand: ls
inputs: {file: File}
outputs: {}
`;
      await refused(await run(document, { file: { class: "File", path: "data/x.txt" } }), /entryname/);
    }
  });

  it.each(["../evil", "../../../../evil"])(
    "a listing that an expression makes with %j is refused",
    async (name) => {
      const of = (entry: string) => `cwlVersion: v1.2
class: CommandLineTool
requirements:
  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement: {listing: ${JSON.stringify(`$(${entry})`)}}
baseCommand: ls
inputs: {}
outputs: {}
`;
      const file = JSON.stringify({ class: "File", basename: name, contents: "evil" });
      for (const entry of [
        `[${file}]`,
        `[{"class": "Directory", "basename": "d", "listing": [${file}]}]`,
        `[{"class": "File", "basename": "x", "contents": "x", "secondaryFiles": [${file}]}]`,
        `[{"entryname": ${JSON.stringify(name)}, "entry": "evil"}]`,
      ])
        await refused(await run(of(entry)), /basename|entryname|name/);
    },
  );

  it.each(["../evil", evil, "a/../../evil"])("standard output to %j is refused", async (name) => {
    for (const stream of ["stdout", "stderr"])
      await refused(
        await run(shell("echo evil; echo evil >&2", "{}", `${stream}: ${JSON.stringify(name)}\n`)),
        new RegExp(stream),
      );
  });
});

describe("outputs", () => {
  const file = (fields: object) => JSON.stringify({ file: { class: "File", ...fields } });
  const own = (json: string, before = "") =>
    shell(`${before}\ncat > cwl.output.json <<'END'\n${json}\nEND`, "{file: [File, Directory]}");

  it("that the tool lists itself are not taken from elsewhere", async () => {
    const secret = box.path("secret.txt");
    for (const fields of [
      { path: secret },
      { location: `file://${secret}` },
      { location: secret },
      { path: "../../../../../../../../../../etc/passwd" },
      { location: "..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc/passwd" },
      { location: "https://example.invalid/secret.txt" },
      { path: "../../../../../../etc/../etc/passwd" },
    ])
      await refused(
        await run(own(file(fields))),
        /outside the task|does not exist|not an output of this task/,
      );
  });

  it("that the tool lists itself are not taken through links", async () => {
    const link = `ln -s ${box.folder} d; ln -s ${box.path("secret.txt")} f`;
    for (const path of ["f", "d/secret.txt", "d/../secret.txt"])
      await refused(await run(own(file({ path }), link)), /outside the task|does not exist/);
    const folder = JSON.stringify({ file: { class: "Directory", path: "d" } });
    await refused(await run(own(folder, link)), /outside the task/);
  });

  it("are not read from a cwl.output.json that is a link", async () => {
    const linked = shell(`ln -s ${box.path("secret.json")} cwl.output.json`, "{text: string}");
    await refused(await run(linked), /outside the task/);
  });

  it.each(badNames)("are not brought to a place called %j", async (basename) => {
    await refused(await run(own(file({ path: "x", basename }), "echo evil > x")), /name/);
    const literal = { basename, contents: "evil" };
    await refused(await run(own(file(literal))), /name/);
    const companion = { path: "x", secondaryFiles: [{ class: "File", path: "y", basename }] };
    await refused(await run(own(file(companion), "echo evil > x; echo evil > y")), /name/);
    const directory = {
      file: { class: "Directory", basename: "d", listing: [{ class: "File", path: "x", basename }] },
    };
    await refused(await run(own(JSON.stringify(directory), "echo evil > x")), /name/);
  });

  it.each(["../*", "../../../../*", "/etc/passwd", "/etc/pass*", "a/../../*"])(
    "the pattern %j finds nothing",
    async (glob) => {
      const outputs = `{file: {type: 'File[]', outputBinding: {glob: ${JSON.stringify(glob)}}}}`;
      await refused(await run(shell("true", outputs)), /outside/);
    },
  );

  it("are not found through links to elsewhere", async () => {
    for (const glob of ["d/secret.txt", "d/*.txt", "f", "*"]) {
      const outputs = `{file: {type: 'File[]', outputBinding: {glob: ${JSON.stringify(glob)}, loadContents: true}}}`;
      const text = `ln -s ${box.folder} d; ln -s ${box.path("secret.txt")} f`;
      await refused(await run(shell(text, outputs)), /outside the task/);
    }
  });

  it("do not carry secondary files of elsewhere", async () => {
    for (const pattern of ["/../../../../../../../etc/passwd", "../../../etc/passwd", ".idx"]) {
      const outputs = `{file: {type: File, secondaryFiles: [{pattern: ${JSON.stringify(pattern)}, required: true}], outputBinding: {glob: x}}}`;
      const text = `echo x > x; ln -s ${box.path("secret.txt")} x.idx`;
      await refused(await run(shell(text, outputs)), /outside the task|is missing/);
    }
  });

  it("that are folders do not carry what their links lead to", async () => {
    const texts = [`mkdir o; ln -s ${box.path("secret.txt")} o/f`, `mkdir o; ln -s ${box.folder} o/d`];
    const outputs = "{out: {type: Directory, outputBinding: {glob: o, loadListing: deep_listing}}}";
    for (const text of texts) await refused(await run(shell(text, outputs)), /outside the task/);
    // Links to where they lie are members like others, and nobody follows them without end.
    const { code, err } = await run(shell("mkdir o; ln -s . o/a; ln -s . o/b", outputs));
    expect(err).not.toContain("error");
    expect(code).toBe(0);
  });

  it.each(["../evil", "a/b", ".."])("of an expression are not called %j", async (basename) => {
    const literal = JSON.stringify({ class: "File", basename, contents: "evil" });
    const folder = `{"class": "Directory", "basename": "d", "listing": [${literal}]}`;
    const held = `{"class": "Directory", "basename": "d", "listing": [{"class": "File", "location": inputs.file.location, "basename": ${JSON.stringify(basename)}}]}`;
    const job = { file: { class: "File", path: "data/x.txt" } };
    for (const value of [literal, folder, held])
      await refused(await run(expression(`$({"out": ${value}})`, "{out: Any}", "{file: File}"), job), /name/);
    for (const value of [literal, folder, held]) {
      const document = `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: 'true'
inputs: {file: File}
outputs: {out: {type: Any, outputBinding: {outputEval: ${JSON.stringify(`$(${value})`)}}}}
`;
      await refused(await run(document, job), /name/);
    }
  });
});

describe("documents", () => {
  const tool = (inputs: string) => `cwlVersion: v1.2
class: CommandLineTool
baseCommand: echo
inputs: {}
outputs: {}
hints: ${inputs}
`;

  it("whose aliases multiply are refused", async () => {
    const levels = Array.from({ length: 12 }, (_, i) =>
      i === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
        : `a${i}: &a${i} [${Array(10)
            .fill(`*a${i - 1}`)
            .join(", ")}]`,
    );
    await refused(await run(`${levels.join("\n")}\n${tool("[]")}`), /aliases/);
    await box.write("given.yml", levels.join("\n"));
    await box.write("main.cwl", tool("[]"));
    await refused(await box.run("cwl-runner", "--quiet", "main.cwl", "given.yml"), /aliases/);
  });

  it("that contain themselves, or are deep, or large, are refused", async () => {
    await refused(await run(tool("&a [*a]")), /contains itself/);
    await refused(await run(tool(`${"[".repeat(50_000)}${"]".repeat(50_000)}`)), /deep/);
    await refused(
      await run(
        `${tool("[]")}x:\n${Array.from({ length: 300 }, (_, i) => `${" ".repeat(i + 1)}a:\n`).join("")}`,
      ),
      /deep/,
    );
    await refused(await run(`${tool("[]")}# ${"x".repeat(17 * 1024 * 1024)}\n`), /16777216/);
    await refused(await run(`{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`), /deep/);
  });

  it("show nothing of the files that they import", async () => {
    for (const path of ["secret.txt", box.path("secret.txt"), `file://${box.path("secret.txt")}`])
      await refused(
        await run(
          tool(`[{$import: ${JSON.stringify(path)}}]`).replace("class: CommandLineTool", "class: Nothing"),
        ),
        /Nothing/,
      );
  });

  it("import themselves no more than once", async () => {
    await refused(await run(tool("[{$import: main.cwl}]")), /imports itself/);
  });
});

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 50));

function childrenOf(pid: number): readonly number[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return rows.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

/** Hundredths of a second; -1 when it no longer exists. */
function cpuTicks(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return fields[0] === "Z" ? -1 : Number(fields[11]) + Number(fields[12]);
  } catch {
    return -1;
  }
}

describe("limits of expressions", () => {
  it.each([
    ["--eval-timeout", "0"],
    ["--eval-timeout", "-1"],
    ["--eval-timeout", "soon"],
    ["--js-memory", "1M"],
    ["--js-memory", "9T"],
    ["--js-memory", "much"],
  ])("%s %s is a mistake of the command line", async (flag, value) => {
    const { code, err } = await run(expression("$({out: 1})", "{out: int}"), {}, flag, value);
    expect(code).toBe(2);
    expect(err).toContain(flag);
  });

  it("can be widened: a long computation ends well", async () => {
    const long = "${ var t = Date.now(); while (Date.now() - t < 1500) {} return {out: 1}; }";
    const document = expression(long, "{out: int}");
    expect((await run(document, {}, "--eval-timeout", "0.5")).code).toBe(1);
    expect(await run(document, {}, "--eval-timeout", "120")).toMatchObject({ code: 0 });
    const checked = await box.run("run", "main.cwl", "--no-cache", "--eval-timeout", "0.5");
    expect(checked.code).toBe(1);
  });
});

describe.each(["vm", "quickjs"])("expressions in %s", (engine) => {
  it.each([
    "$(process.pid)",
    "$(require('fs').readFileSync('secret.txt', 'utf8'))",
    "$(this.constructor.constructor('return process')().pid)",
    "$(inputs.constructor.constructor('return process')().env)",
    "${ try { (function f() { f(); })(); } catch (e) { return e.constructor.constructor('return process')().pid; } }",
    "$(fetch('http://127.0.0.1:1/'))",
  ])("%s does not get out", async (code) => {
    await refused(await run(expression(code, "{out: Any}"), {}, "--js-engine", engine), /evaluating/);
  });

  it("cannot forge what the runner knows of files", async () => {
    const forged = `$({"out": {"class": "File", "basename": "x", "held": {"kind": "file", "location": ${JSON.stringify(box.path("secret.txt"))}, "basename": "x"}}})`;
    await refused(await run(expression(forged, "{out: File}"), {}, "--js-engine", engine), /location/);
  });

  const limits = ["--js-engine", engine, "--eval-timeout", "1", "--js-memory", "64M"];

  it.each([
    ["a loop", "${ for (;;) {} }"],
    ["a recursion that is caught", "${ function f() { try { f(); } catch (e) { f(); } } for (;;) f(); }"],
    ["a regular expression that tries everything", "$(/^(a+)+$/.test('a'.repeat(40) + 'b'))"],
    ["a getter that is asked for ever", "$({get out() { for (;;) {} }})"],
  ])("%s ends when its time is over", async (_, code) => {
    await refused(await run(expression(code, "{out: Any}"), {}, ...limits), /within [12] s|in time/);
  });

  it.each([
    ["many arrays", "${ var all = []; for (;;) all.push(new Array(100000).fill(all.length)); }"],
    ["one text that doubles", "${ var t = 'x'; for (;;) { t += t; t.charCodeAt(t.length - 1); } }"],
    ["an answer without end", "${ var o = []; for (;;) o.push({a: o.length, b: 'x' + o.length}); }"],
    ["an array that says it is long", "$(new Array(4294967295).join('x'))"],
  ])("%s ends when the memory is used up", async (_, code) => {
    await refused(await run(expression(code, "{out: Any}"), {}, ...limits), /evaluating .*/);
  });

  it.each([
    ["expressionLib", "InlineJavascriptRequirement: {expressionLib: ['for (;;) {}']}", "$(1 + 1)"],
    [
      "a function of expressionLib",
      "InlineJavascriptRequirement: {expressionLib: ['function f() { for (;;) {} }']}",
      "$(f())",
    ],
  ])("loops in %s end in time", async (_, requirement, code) => {
    const document = expression(code, "{out: Any}").replace("InlineJavascriptRequirement: {}", requirement);
    await refused(await run(document, {}, ...limits), /within [12] s|in time/);
  });

  it.each([
    ["an argument", "arguments: ['$((function () { for (;;) {} })())']"],
    ["a name of standard output", "stdout: '$((function () { for (;;) {} })())'"],
    ["the environment", "hints: {EnvVarRequirement: {envDef: {A: '$((function () { for (;;) {} })())'}}}"],
    [
      "the working directory",
      "hints: {InitialWorkDirRequirement: {listing: '$((function () { for (;;) {} })())'}}",
    ],
    ["resources", "hints: {ResourceRequirement: {coresMin: '$((function () { for (;;) {} })())'}}"],
  ])("loops in %s of a tool end in time", async (_, part) => {
    const document = `cwlVersion: v1.2
class: CommandLineTool
requirements: {InlineJavascriptRequirement: {}}
baseCommand: echo
${part}
inputs: {}
outputs: {}
`;
    await refused(await run(document, {}, ...limits), /within [12] s|in time/);
  });

  it("a loop ends, too, when the runner was killed", async () => {
    await box.write("main.cwl", expression("${ for (;;) {} }", "{out: Any}"));
    for (let seconds = 4, isIn = false; !isIn; seconds *= 2) {
      const words = ["--quiet", "--js-engine", engine, "--eval-timeout", String(seconds), "main.cwl"];
      const { process, ended } = box.start("cwl-runner", ...words);
      const children = () => childrenOf(process.pid ?? 0);
      while (children().length === 0) await tick();
      const [child = 0] = children();
      // Starting takes about 10.
      while (cpuTicks(child) >= 0 && cpuTicks(child) < 50) await tick();
      // On a busy machine its time may be over before it was in the loop for long.
      isIn = cpuTicks(child) > 0;
      process.kill("SIGKILL");
      await ended;
      while (cpuTicks(child) >= 0) await tick();
    }
    await rm(box.path("tmp"), { recursive: true });
  });

  it("a loop in one job of a scatter does not keep the others from ending", async () => {
    const document = `cwlVersion: v1.2
class: Workflow
requirements: {ScatterFeatureRequirement: {}, InlineJavascriptRequirement: {}}
inputs: {n: {type: 'int[]', default: [1, 2, 3]}}
steps:
  one:
    scatter: n
    in: {n: n}
    out: [n]
    run:
      class: ExpressionTool
      inputs: {n: int}
      outputs: {n: int}
      expression: '\${ if (inputs.n === 2) for (;;) {} return {n: inputs.n}; }'
outputs: {n: {type: 'int[]', outputSource: one/n}}
`;
    await refused(await run(document, {}, ...limits), /within [12] s|in time/);
  });
});
