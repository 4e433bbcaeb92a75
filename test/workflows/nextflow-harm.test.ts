/** Scripts of a Nextflow pipeline that write, move and delete: recorded results and files elsewhere stay as they are. */
import { mkdir, symlink } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await mkdir(box.path("launch"));
});
afterEach(() => box.remove());

const process = `process P { publishDir 'results'
  input: path x
  output: path 'o'
    path 'd', emit: d
  script: 'cat in.txt > o; mkdir d; echo inner > d/inner' }
`;

async function run(body: string) {
  await box.write("launch/main.nf", `${process}\nworkflow {\n${body}\n}\n`);
  const end = await box.run(
    "run",
    "launch/main.nf",
    "--executor",
    "host",
    "--cache",
    "./lab",
    "--cache-host-tasks",
  );
  const text = end.out + end.err;
  return { code: end.code, text, said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? "") };
}

const unharmed = "P(file('launch/in.txt'))\nP.out[0].view { \"said $it.text\" }";

describe("a script of a pipeline", () => {
  it.each([
    ["writes to", "it.text = 'bad'"],
    ["appends to", "it << 'bad'"],
    ["deletes", "it.delete()"],
    ["moves", "it.moveTo(file('launch/moved'))"],
    ["renames", "it.renameTo('renamed')"],
    ["copies over", "file('launch/in.txt').copyTo(it)"],
    ["deletes the folder of", "it.parent.deleteDir()"],
    ["deletes the cache around", "file('lab').deleteDir()"],
    ["writes through the published link to", "sleep(200); file('results/o').text = 'bad'"],
    [
      "writes through a hard link to",
      "it.mklink('hard', hard: true); file('hard').text = 'bad'; error 'stop'",
    ],
  ])("never %s a recorded result", async (_, statement) => {
    await box.write("launch/in.txt", "good\n");
    await run(unharmed);
    const end = await run(`P(file('launch/in.txt'))\nP.out[0].map { ${statement} }`);
    expect(end.code).not.toBe(0);
    const after = await run(unharmed);
    expect(after).toMatchObject({ code: 0, said: ["good"] });
    expect(after.text).toMatch(/^reused P/m);
  });

  it.each([
    ["writes a file", "file('OTHER/kept').text = 'bad'"],
    ["appends to a file", "file('OTHER/kept').append('bad')"],
    ["deletes a file", "file('OTHER/kept').delete()"],
    ["deletes a folder", "file('OTHER').deleteDir()"],
    ["moves a file", "file('OTHER/kept').moveTo(file('launch'))"],
    ["writes through a link", "file('link').text = 'bad'"],
    ["writes through a link that leads nowhere yet", "file('lost').text = 'bad'"],
    ["copies a file over a link", "file('from/kept').copyTo(file('to/kept'))"],
    ["runs a command", "'rm OTHER/kept'.execute()"],
    ["runs a command in a list", "['rm', 'OTHER/kept'].execute()"],
  ])("never %s outside the folders of its run", async (_, statement) => {
    for (const folder of ["other", "from", "to"]) await mkdir(box.path(folder));
    await mkdir(box.path("work"));
    await box.write("other/kept", "kept\n");
    await box.write("from/x", "bad\n");
    // The run is started in a folder below.
    const launch = box.path("work");
    await symlink(box.path("other/kept"), `${launch}/link`);
    await symlink(box.path("other/new"), `${launch}/lost`);
    await mkdir(`${launch}/from`);
    await mkdir(`${launch}/to`);
    await box.write("work/from/kept", "bad\n");
    await symlink(box.path("other/kept"), `${launch}/to/kept`);
    await box.write("work/main.nf", `workflow { ${statement.replaceAll("OTHER", box.path("other"))} }\n`);
    const end = box.shell("cd work && memoir run main.nf --executor host");
    expect(end.code).not.toBe(0);
    expect(await box.read("other/kept")).toBe("kept\n");
    const there = box.shell("ls other");
    expect(there.out).toBe("kept\n");
  });
});

describe("a task", () => {
  it.each([
    ["writes to", "echo bad >> in.txt"],
    ["replaces what its link leads to of", "cp /dev/null in.txt"],
    ["changes the time of", "touch -d 2001-01-01 in.txt"],
    ["changes the mode of", "chmod 600 in.txt"],
  ])("never %s its input", async (_, command) => {
    await box.write("launch/in.txt", "good\n");
    for (const mode of ["symlink", "rellink", "link", "copy"]) {
      await box.write(
        "launch/main.nf",
        `process Q { stageInMode '${mode}'
          input: path x
          output: stdout
          script: '${command}; true' }
        workflow { Q(file('launch/in.txt')) }`,
      );
      await box.run("run", "launch/main.nf", "--executor", "host", "--no-cache");
      expect(await box.read("launch/in.txt")).toBe("good\n");
    }
  });

  it.each([["copy"], ["move"], ["symlink"], ["link"]])(
    "whose results are published over an input with mode %s leaves the input as it is",
    async (mode) => {
      await box.write("launch/o", "good\n");
      const script = `process Q { publishDir "$projectDir", mode: '${mode}', overwrite: true
        input: path 'given'
        output: path 'o'
        script: 'echo bad > o' }
      workflow { Q(file('launch/o')) }`;
      await box.write("launch/main.nf", script);
      const end = await box.run("run", "launch/main.nf", "--executor", "host", "--no-cache");
      expect(end.code).not.toBe(0);
      expect(await box.read("launch/o")).toBe("good\n");
    },
  );

  it("whose input is moved by publishing leaves the input where it is", async () => {
    await box.write("launch/in.txt", "good\n");
    await box.write(
      "launch/main.nf",
      `process Q { publishDir 'out', mode: 'move'
        input: path x
        output: path 'in.txt'
        script: 'true' }
      workflow { Q(file('launch/in.txt')) }`,
    );
    expect((await box.run("run", "launch/main.nf", "--executor", "host", "--no-cache")).code).toBe(0);
    expect(await box.read("launch/in.txt")).toBe("good\n");
    expect(await box.read("out/in.txt")).toBe("good\n");
  });
});
