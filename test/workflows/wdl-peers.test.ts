/** What other engines of WDL accept, and what users expect of them: values as JSON, inputs files, lenient rules. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onHost, type RunAnswer, runOnHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const ended = async (...words: readonly string[]) => box.run("run", ...words, ...onHost);

describe("JSON that a run prints", () => {
  it("is that of outputs.json: integers of any size, floats that stay floats, maps in their order", async () => {
    await box.write(
      "w.wdl",
      `version 1.1
workflow w {
  input { Int big = 9007199254740993 }
  output {
    Int o = big
    Float whole = 3.0
    Map[Int, String] m = {3: "c", 1: "a", 2: "b"}
    Map[String, Array[Int]] s = {"z": [1], "10": [], "9": [-9223372036854775807]}
    Pair[Int, String] p = (big, "x")
    File? none = None
  }
}
`,
    );
    const { out } = await ended("w.wdl", "--json");
    const { run, directory } = JSON.parse(out) as RunAnswer;
    const file = (await readFile(join(directory, "outputs.json"), "utf8")).trimEnd();
    expect(file).toContain('"w.o": 9007199254740993,\n  "w.whole": 3.0,');
    expect(file).toMatch(/"3": "c",\s+"1": "a",\s+"2": "b"/);
    expect(out).toContain(`"outputs": ${file.replaceAll("\n", "\n  ")}`);
    const shown = await box.run("runs", "outputs", run, "--json");
    expect(shown.out).toContain(`"outputs": ${file.replaceAll("\n", "\n  ")}`);
  });
});

describe("write_json", () => {
  const document = (version: string, type: string, value: string) => `version ${version}
task show {
  input { ${type} v }
  command <<< cat ~{write_json(v)} >>>
  output { String s = read_string(stdout()) }
}
workflow w { call show { input: v = ${value} } output { String s = show.s } }
`;

  it.each([
    [
      "Array[Pair[String, Int]]",
      'zip(["a", "b"], [1, 2])',
      '[{"left":"a","right":1},{"left":"b","right":2}]',
    ],
    ["Pair[Int, Pair[Int, Array[String]]]", '(1, (2, ["x"]))', '{"left":1,"right":{"left":2,"right":["x"]}}'],
    [
      "Map[Int, Pair[Int, Float]]",
      "{2: (1, 1.0), 1: (2, 0.5)}",
      '{"2":{"left":1,"right":1.0},"1":{"left":2,"right":0.5}}',
    ],
  ])(
    "before 1.1 writes %s as every engine does, and is refused by check from 1.1 on",
    async (type, value, text) => {
      await box.write("w.wdl", document("1.0", type, value));
      expect((await runOnHost(box, "w.wdl")).outputs).toEqual({ "w.s": text });
      await box.write("w.wdl", document("1.1", type, value));
      const { code, out, err } = await box.run("check", "w.wdl");
      expect([code, out + err]).toEqual([
        3,
        expect.stringMatching(/w\.wdl:4:.*write_json: cannot write a (Pair|Map)/),
      ]);
    },
  );

  it("and its like are refused for structs that a table cannot hold", async () => {
    await box.write(
      "w.wdl",
      `version 1.1
struct S { String a Array[Int] b }
workflow w { input { S s } output { File f = write_object(s)  File g = write_objects([s]) } }
`,
    );
    const { code, out, err } = await box.run("check", "w.wdl");
    expect([code, (out + err).match(/the member "b" is Array\[Int\]/g)?.length]).toEqual([3, 2]);
  });
});

describe("numbers that are not finite", () => {
  const task = `version 1.1
task t {
  command <<< echo nan >>>
  output { Float x = read_float(stdout()) }
}
`;
  it("are values between tasks, and no outputs of a run", async () => {
    await box.write(
      "w.wdl",
      `${task}workflow w { call t output { Array[Float] xs = [1.0, t.x]  String s = "~{t.x}" } }\n`,
    );
    const { code, out, err } = await ended("w.wdl");
    expect([code, out + err]).toEqual([
      1,
      expect.stringContaining("the output w.xs holds nan, which JSON has no number for"),
    ]);
    await box.write("w.wdl", `${task}workflow w { call t output { String s = "~{t.x}" } }\n`);
    expect((await runOnHost(box, "w.wdl")).outputs).toEqual({ "w.s": "nan" });
  });

  it("are not written by write_json", async () => {
    await box.write("w.wdl", `${task}workflow w { call t output { File f = write_json([t.x]) } }\n`);
    const { code, out, err } = await ended("w.wdl");
    expect([code, out + err]).toEqual([1, expect.stringContaining("cannot write NaN as JSON")]);
  });
});

describe("inputs files", () => {
  const document = `version 1.0
workflow w { input { Int n = 1  Pair[String, Int] p = ("a", 1)  File? f  Float x = 1.0  Map[Int, String] m = {} } output { Int o = n  Int r = p.right  Boolean has = defined(f) } }
`;
  beforeEach(() => box.write("w.wdl", document));

  it("may hold comments: keys that begin with #", async () => {
    await box.write("in.json", '{"##_COMMENT1": "SAMPLE", "# also": {"x": 1}, "w.n": 2}');
    expect((await runOnHost(box, "w.wdl", "-i", "in.json")).outputs).toMatchObject({ "w.o": 2 });
    expect((await box.run("check", "w.wdl", "-i", "in.json")).code).toBe(0);
  });

  it("with a name given twice take the last, and say where", async () => {
    await box.write("in.json", '{\n  "w.n": 2,\n  "w.n": 3\n}');
    const { code, out, err } = await ended("w.wdl", "-i", "in.json");
    expect([code, out]).toEqual([0, expect.stringContaining("w.o = 3")]);
    expect(err).toMatch(/in\.json:3:3: warning: .*twice/);
    const checked = await box.run("check", "w.wdl", "-i", "in.json");
    expect(checked.out + checked.err).toMatch(/in\.json:3:3: warning/);
  });

  it("with Left and Right are refused with the names of the sides of a Pair", async () => {
    await box.write("in.json", '{"w.p": {"Left": "a", "Right": 2}}');
    const { code, err } = await ended("w.wdl", "-i", "in.json");
    expect([code, err]).toEqual([3, expect.stringContaining('write {"left": …, "right": …}')]);
  });

  it.each([
    ['{"w.f": "file:/ROOT/x.txt"}'],
    ['{"w.f": "FILE://localhost/ROOT/x.txt"}'],
    ['{"w.f": "file:///ROOT/50%25.txt"}'],
    ['{"w.f": "file:///ROOT/50%.txt"}'],
  ])("may name files as addresses: %s", async (inputs) => {
    for (const name of ["x.txt", "50%.txt"]) await box.write(name, "here");
    await box.write("in.json", inputs.replace("/ROOT", box.path(".")));
    expect((await runOnHost(box, "w.wdl", "-i", "in.json")).outputs).toMatchObject({ "w.has": true });
  });

  it.each([
    ['{"w.f": "file:///none/%zz.txt"}', /names the file file:\/\/\/none\/%zz\.txt, which does not exist/],
    ['{"w.n": 9223372036854775808}', /"w.n" is 9223372036854775808, which does not fit a 64-bit Int/],
    ['{"w.x": 1e999}', /1e999 is too large for a number/],
    ['{"w.p": {"left": "a", "right": 2, "middle": 3}}', /has a member "middle", which a Pair does not have/],
    ['{"w.m": {"1": "a", "01": "b"}}', /two keys of "w.m" are the same Int/],
  ])("that would lose something are refused at its place: %s", async (inputs, message) => {
    await box.write("in.json", inputs);
    const { code, err } = await ended("w.wdl", "-i", "in.json");
    expect([code, err]).toEqual([3, expect.stringMatching(message)]);
    expect(err).toMatch(/in\.json:1:\d+: error: /);
  });

  it("keep the sign of zero, and results of the one zero are not those of the other", async () => {
    await box.write(
      "z.wdl",
      `version 1.1
task t { input { Float f } command <<< true >>> output { Float o = f  String s = "~{f}" } }
workflow w { input { Float f } call t { input: f = f } output { Float o = t.o  String s = t.s } }
`,
    );
    for (const [given, text] of [
      ["0.0", "0.000000"],
      ["-0.0", "-0.000000"],
    ] as const) {
      await box.write("in.json", `{"w.f": ${given}}`);
      const { outputs, calls } = await runOnHost(box, "z.wdl", "-i", "in.json");
      expect([outputs["w.s"], calls.reused]).toEqual([text, 0]);
    }
  });

  it("may name files from where the command runs, which is reported, and those next to the inputs come first", async () => {
    await mkdir(box.path("inputs"));
    await mkdir(box.path("data"));
    await box.write("data/x.txt", "here");
    await box.write("inputs/in.json", '{"w.f": "data/x.txt"}');
    const { code, err } = await ended("w.wdl", "-i", "inputs/in.json");
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/in\.json:1:\d+: warning: .*not next to the inputs in .*inputs; the one in/),
    ]);
    await mkdir(box.path("inputs/data"));
    await box.write("inputs/data/x.txt", "next to it");
    expect((await ended("w.wdl", "-i", "inputs/in.json")).err).not.toContain("not next to");
    await box.write("inputs/in.json", '{"w.f": "data/none.txt"}');
    expect((await ended("w.wdl", "-i", "inputs/in.json")).err).toContain("does not exist");
  });
});

describe("--lenient", () => {
  it("takes a Map for an array of pairs, an attribute given twice, and inputs of calls that are left open", async () => {
    await box.write(
      "w.wdl",
      `version 1.1
task t {
  input { Int n  Array[Pair[String, Int]] ps }
  command <<< echo ~{n} ~{length(ps)} >>>
  output { String s = read_string(stdout()) }
  runtime { docker: "a"  cpu: 1  docker: "b" }
}
workflow w {
  Map[String, Int] m = {"a": 1, "b": 2}
  call t { input: ps = m }
  output { String s = t.s }
}
`,
    );
    const strict = await box.run("check", "w.wdl");
    expect(strict.code).toBe(3);
    const lenient = await box.run("check", "w.wdl", "--lenient");
    expect([lenient.code, lenient.out + lenient.err]).toEqual([0, expect.stringContaining("warning")]);
    expect((await runOnHost(box, "w.wdl", "--lenient", "t.n=7")).outputs).toEqual({ "w.s": "7 2" });
  });
});

describe("values that grow without end", () => {
  const doubled = (type: string, first: string, next: (name: string) => string) =>
    Array.from({ length: 40 }, (_, i) => `  ${type} x${i + 1} = ${next(`x${i}`)}`)
      .join("\n")
      .replace(/^/, `  ${type} x0 = ${first}\n`);

  it.each([
    [
      "texts that are added",
      doubled("String", '"abcdefgh"', (x) => `${x} + ${x}`),
      /a text of \d+ characters|too large/,
    ],
    [
      "texts in placeholders",
      doubled("String", '"abcdefgh"', (x) => `"~{${x}}~{${x}}"`),
      /a text of \d+ characters|too large/,
    ],
    [
      "arrays that are flattened",
      doubled("Array[Int]", "range(1000)", (x) => `flatten([${x}, ${x}])`),
      /an array of \d+ items, the limit is/,
    ],
    [
      "arrays that are crossed",
      "  Array[Pair[Int, Int]] x = cross(range(100000), range(100000))",
      /an array of 10000000000 items/,
    ],
    ["ranges", "  Array[Int] x = range(3000000000)", /the limit is 10000000/],
  ])("are errors of the expression: %s", async (_, body, message) => {
    await box.write("w.wdl", `version 1.1\nworkflow w {\n${body}\n  output { Int n = 1 }\n}\n`);
    const { code, out, err } = await ended("w.wdl");
    expect([code, out + err]).toEqual([1, expect.stringMatching(message)]);
    expect(out + err).toContain("w.wdl:");
  });
});

describe("a failed task", () => {
  it("is reported once, with its command and the end of its standard error", async () => {
    await box.write(
      "w.wdl",
      `version 1.1\ntask t { command <<< echo the-problem >&2; exit 3 >>> }\nworkflow w { call t }\n`,
    );
    const { code, out, err } = await ended("w.wdl");
    const times = (text: string) => (out + err).split(text).length - 1;
    expect([code, times("exit code 3"), times("failed: w.t"), times("    the-problem")]).toEqual([
      1, 1, 1, 1,
    ]);
    const slow = await ended("w.wdl", "--fail", "slow", "--json");
    expect([slow.code, slow.err]).toEqual([1, expect.stringContaining("failed: w.t: exit code 3")]);
  });
});
