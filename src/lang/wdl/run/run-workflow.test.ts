import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, helpOf } from "../../../kernel/index.ts";
import type { CallOutcome, TaskCall } from "../../../task/index.ts";
import { parseParameters, stubHost } from "../../core/index.ts";
import { wdlProgram } from "./program.ts";
import { readInputs } from "./read-inputs.ts";
import { folderFiles } from "./testing/process-host.ts";
import { runText, targetOf } from "./testing/run-text.ts";

const say = `task say {
  input { String text Int? copies }
  command <<< for i in $(seq 1 ~{default="1" copies}); do echo "~{text}"; done >>>
  output { String said = read_string(stdout()) Array[String] lines = read_lines(stdout()) }
}`;

async function run(body: string, inputs: Readonly<Record<string, unknown>> = {}, version = "1.1") {
  return runText({ documents: { "main.wdl": `version ${version}\n${say}\n${body}` }, inputs });
}

describe("a workflow", () => {
  it("evaluates declarations and calls in the order of their dependencies, not of the text", async () => {
    const end = await run(`workflow w {
      input { String last = second.said + "!" }
      String middle = first.said + "-"
      call say as second { input: text = middle }
      call say as first { input: text = "a" }
      output { String result = last }
    }`);
    expect(end.outputs).toEqual({ result: "a-!" });
  });

  it("takes an output's own name for what it is made of, in every version", async () => {
    for (const version of ["draft-2", "1.0", "1.1", "1.2"]) {
      const task = `task said {\n command { echo hi }\n output { String said = read_string(stdout()) }\n}`;
      const named = version === "draft-2" ? "" : `version ${version}\n`;
      const text = `${named}${task}\nworkflow w {
        call said
        Int x = 1
        output { String said = said.said Int x = x + 1 Int y = x * 10 }
      }`;
      expect((await runText({ documents: { "main.wdl": text } })).outputs, version).toEqual({
        said: "hi",
        x: 2,
        y: 20,
      });
    }
  });

  it("runs scatters of any size that need each other's results", async () => {
    const end = await run(`workflow w {
      scatter (i in range(3000)) {
        Int z = i
        Int x = y[i] + 1
      }
      scatter (j in range(3000)) { Int y = z[j] }
      output { Int n = length(x) Int last = x[2999] }
    }`);
    expect(end.outputs).toEqual({ n: 3000, last: 3000 });
  });

  it("gathers nested scatters in the order of their items", async () => {
    const end = await run(`workflow w {
      scatter (x in [1, 2]) {
        scatter (y in ["a", "b"]) {
          call say { input: text = "~{x}~{y}" }
          String upper = say.said + "."
        }
        Int twice = x * 2
      }
      scatter (z in []) { call say as never { input: text = "~{z}" } }
      output {
        Array[Array[String]] said = say.said
        Array[Array[String]] dotted = upper
        Array[Int] doubled = twice
        Array[String] nothing = never.said
      }
    }`);
    expect(end.failures).toBe("");
    expect(end.outputs).toEqual({
      said: [
        ["1a", "1b"],
        ["2a", "2b"],
      ],
      dotted: [
        ["1a.", "1b."],
        ["2a.", "2b."],
      ],
      doubled: [2, 4],
      nothing: [],
    });
    expect(end.host.calls.map((call) => call.path).sort()).toEqual([
      "w.say[0][0]",
      "w.say[0][1]",
      "w.say[1][0]",
      "w.say[1][1]",
    ]);
  });

  it("makes optionals of what a conditional does not enter", async () => {
    const end = await run(
      `workflow w {
      input { Boolean go }
      if (go) { call say as yes { input: text = "yes" } Int one = 1 }
      if (!go) { call say as no { input: text = "no" } }
      output {
        String? a = yes.said
        String? b = no.said
        Int? c = one
        String either = select_first([yes.said, no.said])
      }
    }`,
      { go: false },
    );
    expect(end.outputs).toEqual({ a: null, b: "no", c: null, either: "no" });
  });

  it("knows else (1.3)", async () => {
    const end = await runText({
      documents: {
        "main.wdl": `version 1.3
workflow w {
  input { Int n }
  if (n < 0) { String word = "less" } else if (n == 0) { String word = "none" } else { String word = "more" Int extra = n }
  output { String result = word Int? more = extra }
}`,
      },
      inputs: { n: 0 },
    });
    expect(end.outputs).toEqual({ result: "none", more: null });
  });

  it("runs subworkflows with inputs from outside, after calls that it only waits for", async () => {
    const end = await runText({
      documents: {
        "sub.wdl": `version 1.1
${say}
workflow sub {
  input { String name = "nobody" }
  meta { allowNestedInputs: true }
  call say { input: text = name }
  output { String greeting = "hello " + say.said Int lines = length(say.lines) }
}`,
        "main.wdl": `version 1.1
import "sub.wdl" as lib
workflow w {
  meta { allowNestedInputs: true }
  call lib.sub as first
  scatter (i in range(2)) { call lib.sub as others after first { input: name = "~{i}" } }
  output { String greeting = first.greeting Array[String] all = others.greeting Array[Int] lines = others.lines }
}`,
      },
      inputs: { "w.first.name": "Ann", "w.others.say.copies": 3, "w.first.say.runtime.cpu": 2 },
    });
    expect(end.failures).toBe("");
    expect(end.outputs).toEqual({
      greeting: "hello Ann",
      all: ["hello 0\n0\n0", "hello 1\n1\n1"],
      lines: [3, 3],
    });
    expect(end.host.calls[0]).toMatchObject({ path: "w.first.say", resources: { cpu: 2 } });
    expect(end.host.calls.map((call) => call.path)).toContain("w.others[1].say");
  });

  it("passes files from call to call, side by side as the task had left them", async () => {
    const end = await runText({
      documents: {
        "main.wdl": `version 1.1
task make {
  command <<< mkdir d; echo data > x.bam; echo index > x.bai; echo inner > d/y.txt >>>
  output { File bam = "x.bam" File bai = "x.bai" Array[File] found = glob("d/*") }
}
task use {
  input { File bam File bai Array[File] more }
  command <<< cat ~{bam} "$(dirname ~{bam})/x.bai" ~{sep=" " more} >>>
  output { Array[String] lines = read_lines(stdout()) }
}
workflow w {
  call make
  call use { input: bam = make.bam, bai = make.bai, more = make.found }
  output { Array[String] lines = use.lines File bam = make.bam }
}`,
      },
    });
    expect(end.failures).toBe("");
    expect(end.outputs).toEqual({ lines: ["data", "index", "inner"], bam: "x.bam" });
    expect(end.host.calls[1]?.inputs.map((input) => input.path)).toEqual([
      "/mnt/memoir/inputs/0/x.bam",
      "/mnt/memoir/inputs/1/y.txt",
      // Not named in the command, but next to a file that is.
      "/mnt/memoir/inputs/0/x.bai",
    ]);
  });

  it("1.0 without an output section answers the outputs of all calls", async () => {
    const end = await run('workflow w { scatter (i in [1]) { call say { input: text = "x" } } }', {}, "1.0");
    expect(end.outputs).toEqual({ "say.said": ["x"], "say.lines": [["x"]] });
  });

  it("a task can be run by itself", async () => {
    const end = await runText({
      documents: { "main.wdl": `version 1.1\n${say}` },
      inputs: { "say.text": "hi" },
    });
    expect(end.outputs).toEqual({ said: "hi", lines: ["hi"] });
  });

  it("attempts that look at their number are made one by one", async () => {
    const end = await runText({
      documents: {
        "main.wdl": `version 1.3
task t {
  requirements { max_retries: 3 memory: 1000000 * (1 + task.attempt) }
  command <<< [ ~{task.attempt} -eq 2 ] && echo ~{task.memory} after ~{task.previous.memory} >>>
  output { String said = read_string(stdout()) Int attempt = task.attempt }
}`,
      },
    });
    expect(end.outputs).toEqual({ said: "3000000 after 2000000", attempt: 2 });
    expect(end.host.calls.map((call) => [call.path, call.maxRetries])).toEqual([
      ["t", 0],
      ["t.attempt1", 0],
      ["t.attempt2", 0],
    ]);
  });
});

describe("a failure", () => {
  const failing = `task fail { command { exit 3 } output { String s = "x" } }
    workflow w {
      call fail
      call say as dependent { input: text = fail.s }
      call say as independent { input: text = "free" }
      output { String? a = dependent.said String b = independent.said }
    }`;

  it("leaves what does not depend on it when the host is slow to fail", async () => {
    const end = await runText({
      documents: { "main.wdl": `version 1.1\n${say}\n${failing}` },
      failure: "slow",
    });
    expect(end.failures).toBe("w.fail: the command ended with code 3");
    expect(end.outputs).toEqual({ b: "free" });
  });

  it("of an expression is reported once, with what it needed", async () => {
    const end = await run(`workflow w {
      Array[Int] xs = [1]
      Int bad = xs[5]
      Int worse = bad + 1
      output { Int result = worse }
    }`);
    expect(end.failures).toBe("index 5 is outside an array of 1 items");
    expect(end.outputs).toEqual({});
  });

  it("of a missing output says which one", async () => {
    const end = await run('task t { command { true } output { File f = "no.txt" } } workflow w { call t }');
    expect(end.failures).toMatch(/^w.t: the command did not make the file no.txt \(main.wdl:\d+:\d+\)$/);
  });

  it("fast: nothing that waits is started any more", async () => {
    const { program, started } = await scripted(
      `workflow w { scatter (i in range(50)) { call say { input: text = "~{i}" } call say as after_all { input: text = say.said } } }`,
      async (call) =>
        call.path === "w.say[0]"
          ? { kind: "failed", failure: { kind: "exit-code", message: "no", attempts: 1 } }
          : { kind: "computed", outputs: { said: "x", lines: ["x"] } },
    );
    const result = await program("fast");
    expect(result.kind).toBe("failed");
    expect(started.length).toBeLessThan(60);
  });

  it("of the host itself ends the run with its error", async () => {
    const { program } = await scripted('workflow w { call say { input: text = "x" } }', async () => {
      throw new Error("the disk is on fire");
    });
    await expect(program("fast")).rejects.toThrow("the disk is on fire");
  });

  it("cancelled calls make a cancelled run", async () => {
    const { program } = await scripted('workflow w { call say { input: text = "x" } }', async () => ({
      kind: "cancelled",
    }));
    expect((await program("fast")).kind).toBe("cancelled");
  });
});

/** A host that answers without running anything. */
async function scripted(workflow: string, answer: (call: TaskCall) => Promise<CallOutcome>) {
  const target = await targetOf({ "main.wdl": `version 1.1\n${say}\n${workflow}` }, undefined);
  const started: string[] = [];
  const program = wdlProgram({
    target,
    interface: { kind: "workflow", name: "w", parameters: [], outputs: [], tasks: [] },
    hostPathOf: () => undefined,
  });
  return {
    started,
    program: (failure: "fast" | "slow") => {
      const host = stubHost({
        failure,
        files: folderFiles("/nowhere"),
        call: (call) => {
          started.push(call.path);
          return answer(call);
        },
      });
      return program.run({ values: {}, baseDir: "/" }, host, freshAsk());
    },
  };
}

describe("inputs", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "memoir-inputs-"));
    await writeFile(join(folder, "a.txt"), "a");
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const document = `version 1.1
${say}
struct P { String name Int age }
workflow w {
  input { File file Int number = 3 P? person Array[Float]+ floats = [1.0] }
  call say
  output { Int n = number P? p = person Array[Float] f = floats }
}`;

  async function wrong(values: Readonly<Record<string, unknown>>): Promise<string[]> {
    const target = await targetOf(
      { "main.wdl": document.replace("call say", 'call say { input: text = "x" }') },
      undefined,
    );
    const program = wdlProgram({
      target,
      interface: { kind: "workflow", name: "w", parameters: [], outputs: [], tasks: [] },
      hostPathOf: () => undefined,
    });
    const found = await program.checkInputs({ values, baseDir: folder }, freshAsk());
    return found.map((each) =>
      helpOf(each) === undefined ? each.message : `${each.message}; ${helpOf(each)}`,
    );
  }

  it("are reported with everything that is wrong at once", async () => {
    const messages = await wrong({
      "w.file": "b.txt",
      "w.numer": 4,
      "w.person": { name: "Ann" },
      "w.floats": [],
      "w.say.text": "y",
      "w.say.copies": 2,
      "w.sai.copies": 2,
    });
    expect(messages).toEqual([
      `"w.file" names the file b.txt, which does not exist; relative paths start at ${folder}`,
      'there is no input "w.numer"; did you mean "w.number"?',
      '"w.person" has no member "age", but P needs one of type Int',
      '"w.floats" is an empty array, but Array[Float]+ must have at least one item',
      'the input "w.say.text" cannot be given: the workflow sets it in the call',
      expect.stringContaining(
        'the input "w.say.copies" belongs to a call, and the workflow does not allow nested inputs',
      ),
      'there is no call "sai" for the input "w.sai.copies"; did you mean the call "say"?',
    ]);
  });

  it("of calls are ignored with a warning where the workflow says that they are not allowed", async () => {
    const end = await runText({
      folder,
      documents: {
        "main.wdl": `version 1.2
import "sub.wdl"
workflow w { call sub.sub hints { allow_nested_inputs: false } output { String s = sub.s } }`,
        "sub.wdl": `version 1.2
task t { input { String name = "Joe" } command {} output { String s = name } }
workflow sub { call t hints { allow_nested_inputs: true } output { String s = t.s } }`,
      },
      inputs: { "w.sub.t.name": "John" },
    });
    expect(end.outputs).toEqual({ s: "Joe" });
  });

  it("are reported at their positions, inside arrays and structs, too", async () => {
    const target = await targetOf(
      {
        "main.wdl": `version 1.1
struct P { String name Int age File? photo }
workflow w { input { Array[P] people Map[String, Array[Int]] m = {} File? f } }`,
      },
      undefined,
    );
    const text = `{"people": [
  {"name": "Ann", "age": "x", "photo": "no.png"},
  {"name": "Bob", "aeg": 3}
], "m": {"a": [1, "b"]}, "f": "gs://bucket/object"}`;
    const { diagnostics } = await readInputs(
      target,
      { values: JSON.parse(text), baseDir: folder, source: { name: "inputs.json", text } },
      {},
    );
    expect(
      diagnostics.map(({ message, span }) => [message, text.slice(span.start, span.end).slice(0, 10)]),
    ).toEqual([
      ['"age" of item 0 of "people" is String "x", but Int is needed', '"x"'],
      [expect.stringContaining('"photo" of item 0 of "people" names the file no.png'), '"no.png"'],
      ['item 1 of "people" has a member "aeg", which P does not have', '"aeg"'],
      ['item 1 of "people" has no member "age", but P needs one of type Int', '{"name": "'],
      ['item 1 of "a" of "m" is String "b", but Int is needed', '"b"'],
      ['"f" names gs://bucket/object, which cannot be read from here', '"gs://buck'],
    ]);
  });

  it("and read_json keep the order of maps, also of names that look like numbers", async () => {
    const text = '{"w.m": {"10": "a", "X": "b", "2": "c"}}';
    await writeFile(join(folder, "m.json"), '{"10": "a", "X": "b", "2": "c"}');
    const { values } = await parseParameters({ name: "inputs.json", text });
    const end = await runText({
      folder,
      documents: {
        "main.wdl": `version 1.1
workflow w {
  input { Map[String, String] m }
  Map[String, String] read = read_json("${folder}/m.json")
  output { Array[String] given = keys(m) Array[String] found = keys(read) }
}`,
      },
      inputs: values ?? {},
    });
    expect(end.outputs).toEqual({ given: ["10", "X", "2"], found: ["10", "X", "2"] });
  });

  it("miss none that is required", async () => {
    expect(await wrong({})).toEqual([
      'the input "w.file" of type File is missing; add "w.file" to the inputs',
    ]);
  });

  it("may be named with and without the workflow, once", async () => {
    expect(await wrong({ file: "a.txt", number: 4 })).toEqual([]);
    expect(await wrong({ file: "a.txt", "w.file": "a.txt" })).toEqual(['the input "w.file" is given twice']);
  });

  it("take the extended form of files", async () => {
    expect(await wrong({ file: { location: join(folder, "a.txt"), basename: "other.txt" } })).toEqual([]);
    expect(await wrong({ file: { basename: "other.txt" } })).toEqual([
      expect.stringContaining('"file" has no location'),
    ]);
  });

  it("written by a workflow's own expressions lie under the run's folder", async () => {
    const end = await runText({
      folder,
      documents: {
        "main.wdl": `version 1.1
task show { input { File f } command { cat ~{f} } output { String s = read_string(stdout()) } }
workflow w { call show { input: f = write_lines(["x", "y"]) } output { String s = show.s } }`,
      },
    });
    expect(end.outputs).toEqual({ s: "x\ny" });
    const staged = end.host.calls[0]?.inputs[0];
    expect(staged?.path).toBe("/mnt/memoir/inputs/0/lines.txt");
    expect(await readFile(staged?.source.location ?? "", "utf8")).toBe("x\ny\n");
  });
});
