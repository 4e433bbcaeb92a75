/**
 * What must be computed again and what must not: every part of a call changed alone, through real WDL documents and real
 * processes.
 */
import { copyFile, mkdir, rename, rm, symlink, utimes } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { counts, runOnHost, Sandbox } from "./sandbox.ts";

const document = `version 1.2
# a comment
struct Settings { Int level }
task work {
  meta { description: "before" }
  input {
    File data
    Int n = 1
    Settings settings = Settings { level: 3 }
    File? extra
  }
  String note = "plain"
  command <<<
    cat ~{data} ~{extra} > out.txt
    echo "~{n} ~{settings.level} ~{note}" >> out.txt
  >>>
  output {
    File out = "out.txt"
    Int lines = length(read_lines("out.txt"))
  }
  requirements { memory: "100 MiB" cpu: 1 }
}
workflow wf {
  input { File data  Int n = 1 }
  call work { input: data = data, n = n }
  output { File out = work.out  Int lines = work.lines }
}
`;

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("wf.wdl", document);
  await box.write("data.txt", "one\n");
  await runOnHost(box, "wf.wdl", "data=data.txt");
});
afterEach(() => box.remove());

const again = (...words: string[]) =>
  counts(box, "wf.wdl", ...(words.length > 0 ? words : ["data=data.txt"]));
const edit = async (from: string | RegExp, to: string) => {
  const edited = document.replace(from, to);
  expect(edited).not.toBe(document);
  await box.write("wf.wdl", edited);
};
const reused = "1 reused, 0 computed";
const computed = "0 reused, 1 computed";

describe("is reused", () => {
  it("when nothing changed", async () => expect(await again()).toBe(reused));

  it.each([
    ["a comment outside the command", "# a comment", "# another comment\n\n"],
    ["white space inside a line", "Int n = 1\n    Settings", "Int    n   =  1\n    Settings"],
    ["meta", '"before"', '"after"'],
    ["memory", '"100 MiB"', '"120 MiB"'],
    ["the number of cores", "cpu: 1", "cpu: 2"],
    ["retries", "cpu: 1", "cpu: 1 max_retries: 3"],
    ["an equal command with another indent", /\n {4}(cat|echo)/g, "\n          $1"],
    ["a task above", "task work {", "task other { command <<< true >>> }\ntask work {"],
    ["the name of an input", /\bdata\b(?!\.txt)/g, "reads"],
    ["the name of the workflow", /workflow wf/, "workflow renamed"],
    ["the alias of the call", "call work {", "call work as work {"],
    ["a private declaration that says the same", '"plain"', '"pl" + "ain"'],
    ["a default that is not used", "Int n = 1\n    Settings", "Int n = 2\n    Settings"],
    ["an unused input", "File? extra", 'File? extra\n    String unused = "x"'],
  ])("after a change of %s", async (what, from, to) => {
    await edit(from, to);
    expect(await again(what === "the name of an input" ? "reads=data.txt" : "data=data.txt")).toBe(reused);
  });

  it("when a default is given explicitly", async () =>
    expect(await again("data=data.txt", "n=1")).toBe(reused));

  it("when the input was touched", async () => {
    await utimes(box.path("data.txt"), new Date(), new Date());
    expect(await again()).toBe(reused);
  });

  it("when the input is in another place", async () => {
    await mkdir(box.path("deep"));
    await rename(box.path("data.txt"), box.path("deep/data.txt"));
    expect(await again("data=deep/data.txt")).toBe(reused);
  });

  it("when the input is reached through a link", async () => {
    await mkdir(box.path("links"));
    await symlink(box.path("data.txt"), box.path("links/data.txt"));
    expect(await again("data=links/data.txt")).toBe(reused);
  });

  it("when the workflow is in another place", async () => {
    await mkdir(box.path("moved"));
    await rename(box.path("wf.wdl"), box.path("moved/wf.wdl"));
    expect(await counts(box, "moved/wf.wdl", "data=data.txt")).toBe(reused);
  });

  it("when the run that computed it was deleted", async () => {
    await rm(`${box.home}/runs`, { recursive: true });
    expect(await again()).toBe(reused);
  });

  it("by another user's home that shares the cache", async () => {
    expect(await counts(box.with({ MEMOIR_HOME: box.path("home2") }), "wf.wdl", "data=data.txt")).toBe(
      reused,
    );
  });
});

describe("is computed again", () => {
  it.each([
    ["the command", "cat ~{data}", "cat -u ~{data}"],
    ["a comment inside the command", "<<<\n", "<<<\n    # says something\n"],
    ["the task's name", /\bwork\b/g, "labour"],
    ["a struct's value that the command uses", "level: 3", "level: 4"],
    ["a private declaration that the command uses", '"plain"', '"fancy"'],
    ["an output expression", "length(read_lines", "1 + length(read_lines"],
    ["the path of an output", /out\.txt/g, "result.txt"],
    ["a new output", "Int lines =", "Int more = 1\n    Int lines ="],
    ["accepted exit codes", "cpu: 1", "cpu: 1 return_codes: [0, 1]"],
  ])("after a change of %s", async (_, from, to) => {
    await edit(from, to);
    expect(await again()).toBe(computed);
  });

  it("after a change of an input value", async () =>
    expect(await again("data=data.txt", "n=2")).toBe(computed));

  it("after a change of the input's content", async () => {
    await box.write("data.txt", "two\n");
    expect(await again()).toBe(computed);
  });

  it("after other content of equal size came with an older time", async () => {
    await box.write("other.txt", "six\n");
    await utimes(box.path("other.txt"), new Date(0), new Date(0));
    await rename(box.path("other.txt"), box.path("data.txt"));
    const answer = await runOnHost(box, "wf.wdl", "data=data.txt");
    expect(answer.calls).toMatchObject({ reused: 0, computed: 1 });
  });

  it("after a change of the input's name, which tools read", async () => {
    await copyFile(box.path("data.txt"), box.path("renamed.txt"));
    expect(await again("data=renamed.txt")).toBe(computed);
  });

  it("when the task opted out", async () => {
    await edit('meta { description: "before" }', "meta { volatile: true }");
    expect(await again()).toBe(computed);
    expect(await again()).toBe(computed);
  });

  it("and back again is reused: the cache keeps several results of a task", async () => {
    await box.write("data.txt", "two\n");
    expect(await again()).toBe(computed);
    await box.write("data.txt", "one\n");
    expect(await again()).toBe(reused);
  });

  it("when strict resources are asked for and memory changed", async () => {
    await box.run("cache", "create", "strict", "--location", "./strict", "--resources", "strict");
    const strict = async () => {
      const words = ["run", "wf.wdl", "data=data.txt", "--executor", "host", "--cache-host-tasks"];
      return (await box.json<{ calls: { reused: number } }>(...words, "--cache", "strict")).calls.reused;
    };
    expect([await strict(), await strict()]).toEqual([0, 1]);
    await edit('"100 MiB"', '"120 MiB"');
    expect(await strict()).toBe(0);
  });
});

describe("multi-line strings", () => {
  it("are computed again when a blank line or an indent inside them changes", async () => {
    const text = (lines: string) => `version 1.2
task t {
  String text = <<<
${lines}
  >>>
  command <<< printf '%s' '~{text}' > out.txt >>>
  output { File out = "out.txt" }
}
workflow wf { call t  output { File out = t.out } }
`;
    await box.write("wf.wdl", text("    a\n    b"));
    expect(await counts(box, "wf.wdl")).toBe(computed);
    await box.write("wf.wdl", text("    a\n\n    b"));
    expect(await counts(box, "wf.wdl")).toBe(computed);
    await box.write("wf.wdl", text("    a\n      b"));
    expect(await counts(box, "wf.wdl")).toBe(computed);
  });
});

describe("a scatter", () => {
  let many: Sandbox;
  beforeAll(async () => {
    many = await Sandbox.create();
    await many.write(
      "scatter.wdl",
      `version 1.1
task t {
  input { Int n }
  command <<< echo ~{n} > out.txt >>>
  output { File out = "out.txt" }
}
workflow wf {
  input { Array[Int] ns }
  scatter (n in ns) { call t { input: n = n } }
  output { Array[File] outs = t.out }
}
`,
    );
  });
  afterAll(() => many.remove());

  it("of equal calls computes once", async () => {
    expect(await counts(many, "scatter.wdl", "ns=[7,7,7,7,7,7,7,7]")).toBe("7 reused, 1 computed");
  });

  it("in another order computes only what is new", async () => {
    expect(await counts(many, "scatter.wdl", "ns=[1,2,3]")).toBe("0 reused, 3 computed");
    expect(await counts(many, "scatter.wdl", "ns=[4,3,2,1]")).toBe("3 reused, 1 computed");
  });
});
