/**
 * Reuse with every shape that inputs and outputs can have: files in arrays, structs and folders, links, files next to the
 * document, nothing at all. The scenarios that other engines test their caches with.
 */
import { mkdir, rename, rm, symlink, utimes } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { counts, runOnHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const reused = "1 reused, 0 computed";
const computed = "0 reused, 1 computed";

/** A task of one input of the given type, whose command sees it as `seen`. */
const taking = (type: string, seen: string, more = "") => `version 1.2
${more}
task work {
  input { ${type} data }
  command <<< cat ~{${seen}} > out.txt >>>
  output { File out = "out.txt" }
}
workflow wf {
  input { ${type} data }
  call work { input: data = data }
  output { File out = work.out }
}
`;

/** A run with these inputs, written as the text is. */
const withInputs = async (json: string) => {
  await box.write("inputs.json", json);
  return counts(box, "wf.wdl", "-i", "inputs.json");
};

describe("an array of files", () => {
  beforeEach(async () => {
    await box.write("wf.wdl", taking("Array[File]", 'sep(" ", data)'));
    for (const name of ["a.txt", "b.txt"]) await box.write(name, `${name}\n`);
    expect(await withInputs('{"data": ["a.txt", "b.txt"]}')).toBe(computed);
  });

  it("is the same wherever each of them lies", async () => {
    await mkdir(box.path("deep"));
    for (const name of ["a.txt", "b.txt"]) await rename(box.path(name), box.path(`deep/${name}`));
    expect(await withInputs('{"data": ["deep/a.txt", "deep/b.txt"]}')).toBe(reused);
  });

  it("is another one when one of them changes", async () => {
    await box.write("b.txt", "other\n");
    expect(await withInputs('{"data": ["a.txt", "b.txt"]}')).toBe(computed);
  });

  it("is another one in another order", async () => {
    expect(await withInputs('{"data": ["b.txt", "a.txt"]}')).toBe(computed);
  });

  it("is another one when files that were in one folder no longer are", async () => {
    await mkdir(box.path("deep"));
    await rename(box.path("b.txt"), box.path("deep/b.txt"));
    expect(await withInputs('{"data": ["a.txt", "deep/b.txt"]}')).toBe(computed);
  });
});

describe("a struct with a file", () => {
  const struct = "struct Sample { String name  File reads  Int? depth }";

  beforeEach(async () => {
    await box.write("wf.wdl", taking("Sample", "data.reads", struct));
    await box.write("r.txt", "reads\n");
    expect(await withInputs('{"data": {"name": "s", "reads": "r.txt"}}')).toBe(computed);
  });

  it("is the same with its members in another order, and with None written out", async () => {
    expect(await withInputs('{"data": {"depth": null, "reads": "r.txt", "name": "s"}}')).toBe(reused);
  });

  it("is the same when a member changes that the task does not look at", async () => {
    expect(await withInputs('{"data": {"name": "t", "reads": "r.txt", "depth": 3}}')).toBe(reused);
  });

  it("is another one when the file's content changes", async () => {
    await box.write("r.txt", "more reads\n");
    expect(await withInputs('{"data": {"name": "s", "reads": "r.txt"}}')).toBe(computed);
  });
});

describe("a folder", () => {
  beforeEach(async () => {
    await box.write("wf.wdl", taking("Directory", '"~{data}/a.txt ~{data}/deep/b.txt"'));
    await mkdir(box.path("d/deep"), { recursive: true });
    await box.write("d/a.txt", "a\n");
    await box.write("d/deep/b.txt", "b\n");
    expect(await withInputs('{"data": "d"}')).toBe(computed);
  });

  it("is the same when it is touched or in another place", async () => {
    await utimes(box.path("d/a.txt"), new Date(), new Date());
    expect(await withInputs('{"data": "d"}')).toBe(reused);
    await mkdir(box.path("elsewhere"));
    await rename(box.path("d"), box.path("elsewhere/d"));
    expect(await withInputs('{"data": "elsewhere/d/"}')).toBe(reused);
  });

  it.each([
    ["a file deep inside changes", () => box.write("d/deep/b.txt", "c\n")],
    ["a file comes", () => box.write("d/c.txt", "c\n")],
    ["an empty folder comes", () => mkdir(box.path("d/empty"))],
  ])("is another one when %s", async (_, change) => {
    await change();
    expect(await withInputs('{"data": "d"}')).toBe(computed);
  });
});

describe("a link", () => {
  it("is what it leads to", async () => {
    await box.write("wf.wdl", taking("File", "data"));
    await mkdir(box.path("one"));
    await mkdir(box.path("two"));
    await box.write("one/a.txt", "same\n");
    await box.write("two/a.txt", "same\n");
    await symlink("one/a.txt", box.path("a.txt"));
    expect(await withInputs('{"data": "a.txt"}')).toBe(computed);
    await rm(box.path("a.txt"));
    await symlink("two/a.txt", box.path("a.txt"));
    expect(await withInputs('{"data": "a.txt"}')).toBe(reused);
    await box.write("two/a.txt", "other\n");
    expect(await withInputs('{"data": "a.txt"}')).toBe(computed);
  });
});

describe("a file next to the document, named by a default", () => {
  const document = taking("File", "data").replace(
    "workflow wf {\n  input { File data }",
    'workflow wf {\n  input { File data = "reference.txt" }',
  );

  it("is found from anywhere, and its content counts", async () => {
    await mkdir(box.path("flow"));
    await box.write("flow/wf.wdl", document);
    await box.write("flow/reference.txt", "acgt\n");
    expect(await counts(box, "flow/wf.wdl")).toBe(computed);
    await rename(box.path("flow"), box.path("moved"));
    expect(await counts(box, "moved/wf.wdl")).toBe(reused);
    await box.write("moved/reference.txt", "tgca\n");
    expect(await counts(box, "moved/wf.wdl")).toBe(computed);
  });

  it("has to be there from 1.3 on", async () => {
    await box.write("wf.wdl", document.replace("version 1.2", "version 1.3"));
    const answer = await runOnHost(box, "wf.wdl");
    expect(answer.state).toBe("failed");
    expect(JSON.stringify(answer.failures)).toContain("reference.txt");
    expect(answer.calls.failed).toBe(0);
  });
});

describe("outputs", () => {
  const giving = (command: string, outputs: string) => `version 1.2
task work { command <<< ${command} >>> output { ${outputs} } }
workflow wf { call work  output { ${outputs.replace(/(\w+) = [^;]*;?/g, "$1 = work.$1")} } }
`;

  it.each([
    ["a file that may be absent, and is", "true", 'File? out = "out.txt"'],
    ["a file that may be absent, and is not", "echo x > out.txt", 'File? out = "out.txt"'],
    ["no file of a pattern", "true", 'Array[File] outs = glob("*.none")'],
    ["an empty file", "touch out.txt", 'File out = "out.txt"'],
    ["an empty folder", "mkdir out", 'Directory out = "out"'],
    ["a folder of folders", "mkdir -p out/deep; echo x > out/deep/x", 'Directory out = "out"'],
    ["a name with blanks and letters of all kinds", "echo x > 'ä b.txt'", 'File out = "ä b.txt"'],
    ["text, not a file", "echo 9007199254740993", "Int out = read_int(stdout())"],
    ["pairs and maps of files", "touch a b", 'Map[String, Pair[File, File]] out = {"k": ("a", "b")}'],
  ])("of %s are reused", async (_, command, outputs) => {
    await box.write("wf.wdl", giving(command, outputs));
    const [cold, warm] = [await runOnHost(box, "wf.wdl"), await runOnHost(box, "wf.wdl")];
    expect([cold.calls, warm.calls]).toMatchObject([{ computed: 1 }, { reused: 1, computed: 0 }]);
    const named = ({ run, outputs: all }: typeof cold) => JSON.stringify(all).replaceAll(run, "RUN");
    expect(named(warm)).toBe(named(cold));
  });
});

describe("a task without outputs", () => {
  it("is always run: its effect is elsewhere", async () => {
    await box.write("wf.wdl", "version 1.2\ntask work { command <<< true >>> }\nworkflow wf { call work }\n");
    expect(await counts(box, "wf.wdl")).toBe(computed);
    expect(await counts(box, "wf.wdl")).toBe(computed);
  });
});

describe("across documents", () => {
  const task = `task work {
  input { Int n }
  command <<< echo ~{n} > out.txt >>>
  output { File out = "out.txt" }
}
`;

  it("a task is reused by another workflow that has it too, imported or nested", async () => {
    await box.write("wf.wdl", `version 1.1\n${task}workflow wf { call work { input: n = 1 } }\n`);
    expect(await counts(box, "wf.wdl")).toBe(computed);
    await mkdir(box.path("tasks"));
    await box.write("tasks/lib.wdl", `version 1.0\n${task}workflow inner { call work { input: n = 1 } }\n`);
    await box.write(
      "other.wdl",
      'version 1.0\nimport "tasks/lib.wdl"\nworkflow o {\n  call lib.work as a { input: n = 1 }\n  call lib.inner\n}\n',
    );
    expect(await counts(box, "other.wdl")).toBe("2 reused, 0 computed");
  });

  it("a call that was retried is reused like any other", async () => {
    await box.write(
      "wf.wdl",
      `version 1.1
task work {
  input { String mark }
  command <<< test -e ~{mark} || { touch ~{mark}; exit 1; } >>>
  output { Int x = 1 }
  runtime { maxRetries: 1 }
}
workflow wf { input { String mark } call work { input: mark = mark } }
`,
    );
    const mark = `mark=${box.path("mark")}`;
    expect(await counts(box, "wf.wdl", mark)).toBe(computed);
    expect(await counts(box, "wf.wdl", mark)).toBe(reused);
  });
});

describe("memoir run and check of a document with tasks and no workflow", () => {
  it("say what there is and what to type, and run what is named", async () => {
    await box.write(
      "lib.wdl",
      "version 1.1\ntask one { command <<< >>> }\ntask two { command <<< >>> output { Int x = 2 } }\n",
    );
    const { code, err } = await box.run("run", "lib.wdl");
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining("choose what to run with --target: one, two"),
    });
    expect((await box.run("check", "lib.wdl")).code).toBe(0);
    expect((await runOnHost(box, "lib.wdl", "--target", "two")).outputs).toEqual({ "two.x": 2 });
  });
});
