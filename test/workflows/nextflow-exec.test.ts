/** Tasks with `exec:`, whose code runs in Memoir: when their results are reused, and when never. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await box.write("data.txt", "data\n");
});
afterEach(() => box.remove());

async function run(...words: string[]) {
  const { code, out, err } = await box.run("run", "main.nf", "--cache", "./lab", ...words);
  const text = out + err;
  return {
    code,
    calls: [...text.matchAll(/^(reused|computed) (\w+)/gm)].map(([, how, name]) => `${how} ${name}`).sort(),
    said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? "").sort(),
    text,
  };
}

const counting = (body: string, more = "") => `
params.word = 'word'
params.other = 'other'
top = [1, 2]
def helper(x) { x + '!' }
${more}
process COUNT {
  input: tuple val(meta), path(f)
  output:
    tuple val(meta), val(n), emit: n
    path 'made/*.txt', emit: files, optional: true
  exec:
  ${body}
}
workflow {
  COUNT(channel.of([[id: 'a', size: params.size ?: 1], file('data.txt')]))
  COUNT.out.n.view { "said $it" }
  COUNT.out.files.view { "said " + [it].flatten().collect { f -> f.name + '=' + f.text } }
}
`;

describe("a result of exec:", () => {
  it("is reused with its values and files, each of its kind", async () => {
    await box.write(
      "main.nf",
      counting(`n = [f.text.trim(), 2.GB, 3.h, 1.5, 2.5d, 7L, [a: null, b: [true]], helper(params.word), top[0]]
  made = task.workDir.resolve('made')
  made.mkdirs()
  made.resolve('one.txt').text = helper(f.name)
  made.resolve('two.txt').text = task.cpus.toString()`),
    );
    const first = await run();
    expect(first).toMatchObject({ code: 0, calls: ["computed COUNT"] });
    expect(first.said).toEqual([
      "[[id:a, size:1], [data, 2 GB, 3h, 1.5, 2.5, 7, [a:null, b:[true]], word!, 1]]",
      "[one.txt=data.txt!, two.txt=1]",
    ]);
    const second = await run();
    expect(second).toMatchObject({ code: 0, calls: ["reused COUNT"], said: first.said });
    const dry = await box.run("run", "main.nf", "--cache", "./lab", "--dry-run");
    expect(dry.out).toMatch(/^reuse +COUNT/m);
  });

  const body = "n = f.text.trim() + helper(params.word) + top.size() + (task.ext.args ?: '') + meta.id";

  it.each([
    ["its code", async () => await box.write("main.nf", counting(`${body} + '2'`))],
    ["the content of an input", async () => await box.write("data.txt", "other\n")],
    ["a value", async () => ["--size", "2"]],
    ["a parameter that it names", async () => ["--word", "b"]],
    ["a setting that it names", async () => ["-process.ext.args", "c"]],
    [
      "a function that it calls",
      async () => box.write("main.nf", (await box.read("main.nf")).replace("x + '!'", "x + '?'")),
    ],
    [
      "a variable of the script",
      async () => box.write("main.nf", (await box.read("main.nf")).replace("[1, 2]", "[1, 2, 3]")),
    ],
  ])("is not reused after a change of %s", async (_, change) => {
    await box.write("main.nf", counting(body));
    expect(await run()).toMatchObject({ code: 0, calls: ["computed COUNT"] });
    const answer = await change();
    const words = Array.isArray(answer) ? answer : [];
    const changed = await run(...words);
    expect(changed).toMatchObject({ code: 0, calls: ["computed COUNT"] });
    expect((await run(...words)).said).toEqual(changed.said);
  });

  it("is reused whatever a parameter is that its code does not name", async () => {
    await box.write("main.nf", counting(body));
    await run();
    expect(await run("--other", "b")).toMatchObject({ code: 0, calls: ["reused COUNT"] });
  });

  it("is not reused for an equal file in another place, which its code sees", async () => {
    await box.write("elsewhere/data.txt", "data\n");
    const text = counting("n = f.parent.name");
    await box.write("main.nf", text);
    await run();
    await box.write("main.nf", text.replace("file('data.txt')", "file('elsewhere/data.txt')"));
    expect(await run()).toMatchObject({
      code: 0,
      calls: ["computed COUNT"],
      said: ["[[id:a, size:1], elsewhere]"],
    });
  });

  it("is not reused for minus zero where it was computed for zero", async () => {
    const text = counting("n = 1.0d / meta.zero").replace("id: 'a'", "zero: 0.0d");
    await box.write("main.nf", text);
    expect((await run()).said).toEqual(["[[zero:0.0, size:1], Infinity]"]);
    await box.write("main.nf", text.replace("0.0d, size", "-0.0d, size"));
    expect((await run()).said).toEqual(["[[zero:-0.0, size:1], -Infinity]"]);
  });

  it.each([
    ["the time", "n = new Date().time > 0"],
    ["a random name", "n = UUID.randomUUID().toString().size()"],
    ["another file", "n = file('/etc/hostname').exists()"],
    ["a file next to its input", "n = f.resolveSibling('none.txt').exists()"],
    ["an environment variable", "n = System.getenv('HOME') != null"],
    ["facts of the run", "n = workflow.runName.size() > 0"],
    ["the place of the pipeline", "n = projectDir.toString().size() > 0"],
    ["the folder of the task", "n = task.workDir.toString()"],
    ["a file outside its folder", "file('left.txt').text = 'x'\n  n = 1"],
    ["a list that all tasks share", "top << 3\n  n = top.size()"],
    ["a value that cannot be kept", "n = { it }"],
    ["the value of its input itself", "meta.n = 5\n  n = 1"],
    [
      "a text that names its folder in a file",
      "task.workDir.resolve('made').mkdirs()\n  task.workDir.resolve('made/x.txt').text = task.workDir.toString()\n  n = 1",
    ],
  ])("is never recorded where the code uses %s", async (_, code) => {
    await box.write("main.nf", counting(code));
    expect(await run()).toMatchObject({ code: 0, calls: ["computed COUNT"] });
    expect(await run()).toMatchObject({ code: 0, calls: ["computed COUNT"] });
  });

  it("belongs to each task where equal tasks set what cannot be kept", async () => {
    await box.write(
      "main.nf",
      `process NAME {
  input: val i
  output: val n
  exec: n = UUID.randomUUID()
}
workflow { NAME(channel.of(1, 1)).unique().count().view { "said $it" } }
`,
    );
    expect(await run()).toMatchObject({ code: 0, said: ["2"] });
  });

  it("that fails shows the place in its code, and is computed again", async () => {
    await box.write("main.nf", counting("n = f.nothing()"));
    const end = await run();
    expect(end.code).toBe(1);
    expect(end.text).toContain("nothing");
    expect(end.text).toContain("main.nf:");
  });
});

it("-resume shows a task with exec: as cached, with its folder", async () => {
  await box.write(
    "main.nf",
    `process UP {
  input: val x
  output: val y
  exec:
  y = x.toUpperCase()
  println "in \${task.workDir.name}"
  task.workDir.resolve('file.txt').text = y
}
workflow { UP('word') | view }
`,
  );
  const words = ["nextflow", "run", "main.nf", "-ansi-log", "false"];
  const first = await box.run(...words);
  const hash = /\[(\w\w\/\w{6})\] Submitted process > UP/.exec(first.out)?.[1] ?? "";
  expect(first.out).toContain("WORD");
  const second = await box.run(...words, "-resume");
  expect(second.out).toContain(`[${hash}] Cached process > UP`);
  expect(second.out).toContain("WORD");
});
