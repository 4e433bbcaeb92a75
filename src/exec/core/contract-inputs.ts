import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { TaskPath } from "../../kernel/index.ts";
import type { ContractBench } from "./contract-bench.ts";

export function inputsOfTasks(bench: ContractBench): void {
  const { prepare, source, folderOfHarm, snapshot, run, read, ask } = bench;

  it("shows inputs, folders and the files that travel with them at their places", async () => {
    const folder = join(bench.root, `folder-${bench.next()}`);
    await mkdir(join(folder, "inner"), { recursive: true });
    await writeFile(join(folder, "inner/deep.txt"), "deep\n");
    const index = await source("reads.bam.bai", "index\n");
    const reads = { ...(await source("reads.bam", "reads\n")), siblings: [index] };
    const attempt = await prepare("cd ../inputs; cat 0/reads.bam 0/reads.bam.bai 1/set/inner/deep.txt", {
      inputs: [
        { path: "/mnt/memoir/inputs/0/reads.bam" as TaskPath, source: reads },
        {
          path: "/mnt/memoir/inputs/1/set" as TaskPath,
          source: { kind: "directory", location: folder, basename: "set" },
        },
      ],
    });
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("reads\nindex\ndeep\n");
    // After the end a person finds the inputs in the attempt's directory, wherever it ran.
    expect(await read(attempt, "inputs/0/reads.bam")).toBe("reads\n");
    expect(await read(attempt, "inputs/0/reads.bam.bai")).toBe("index\n");
    expect(await read(attempt, "inputs/1/set/inner/deep.txt")).toBe("deep\n");
    expect(await bench.files(attempt).locationOf("/mnt/memoir/inputs/0/reads.bam")).toBe(reads.location);
  });

  it("replaces the task root in scripts, environment and literal files where it is not mounted", async () => {
    const data = await source("data.txt", "the data\n");
    const path = "/mnt/memoir/inputs/0/data.txt" as TaskPath;
    const attempt = await prepare('cat /mnt/memoir/inputs/0/data.txt "$DATA" $(cat /mnt/memoir/work/list)', {
      inputs: [{ path, source: data }],
      env: { DATA: path },
      literalFiles: [{ path: "/mnt/memoir/work/list" as TaskPath, content: `${path}\n` }],
    });
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("the data\n".repeat(3));
  });

  it("shows files as files and folders as folders", async () => {
    const folder = await folderOfHarm();
    const data = await source("data.txt", "A\n");
    const attempt = await prepare(
      `cd ../inputs; for f in 0/data.txt 1/set 1/set/sub 1/set/sub/b.txt; do [ ! -L $f ] || echo link $f; done
       find 1/set -type f | wc -l; cp -r 1/set ../work/copy; find ../work/copy -type f | wc -l
       [ $(wc -c < 0/data.txt) = 2 ] && cat 1/set/sub/b.txt 1/set/inside`,
      {
        inputs: [
          { path: "/mnt/memoir/inputs/0/data.txt" as TaskPath, source: data },
          { path: "/mnt/memoir/inputs/1/set" as TaskPath, source: folder.source },
        ],
      },
    );
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    const [found = "", copied, ...texts] = (await read(attempt, "stdout")).trim().split(/\s+/);
    expect([Number(found), copied, ...texts]).toEqual([Number(found), found, "B", "A"]);
    // What a link leads to, outside the folder, counts where inputs are copied.
    expect(Number(found)).toBeGreaterThanOrEqual(2);
  });

  it.each([
    ["that are used as they are", {}],
    ["that it gets copies of", { copyInputs: true }],
  ] as const)("never lets a task change the sources of inputs %s", async (_title, more) => {
    const folder = await folderOfHarm();
    const small = await source("small.txt", "small\n");
    const big = await source("big.bin", "x".repeat(2_000_000));
    const before = await snapshot(folder.root, small.location, big.location);
    const attempt = await prepare(
      `cd ../inputs
       for f in 0/small.txt 1/big.bin 2/set/a.txt 2/set/sub/b.txt 2/set/inside 2/set/absolute 2/set/outside 2/set/linked/c.txt; do
         echo more >> $f; : > $f; sed -i s/A/Z/ $f; touch $f; chmod 777 $f; mv $f $f.moved; rm -f $f; cp /bin/sh $f; ln -f /bin/sh $f
       done
       touch 2/set/new 2/set/linked/new 2/set/sub/new; mkdir 2/set/folder; rm -rf 2/set/sub 2/set/linked/ 2/set; mv 2/set 2/other
       mount -o remount,rw,bind 2/set; umount 2/set 0/small.txt 1/big.bin; echo more >> 2/set/a.txt; echo more >> 1/big.bin`,
      {
        inputs: [
          { path: "/mnt/memoir/inputs/0/small.txt" as TaskPath, source: small },
          { path: "/mnt/memoir/inputs/1/big.bin" as TaskPath, source: big },
          { path: "/mnt/memoir/inputs/2/set" as TaskPath, source: folder.source },
        ],
        ...more,
      },
    );
    expect(await run(attempt)).toMatchObject({ kind: "exited" });
    expect(await snapshot(folder.root, small.location, big.location)).toEqual(before);
  });

  it("lets a task move, pack and change inputs that it gets copies of, and finds the results", async () => {
    const [moved, changed, same] = await Promise.all([
      source("moved.txt", "moved\n"),
      source("changed.txt", "first\n"),
      source("same.txt", "same\n"),
    ]);
    const folder = await folderOfHarm();
    const at = (path: string) => `/mnt/memoir/inputs/${path}` as TaskPath;
    const attempt = await prepare(
      `set -e; cd ../inputs; mv 0/moved.txt ../work/taken.txt; echo second >> 1/changed.txt; cat 2/same.txt
       mv 3/set/a.txt ../work/a.txt; echo > 3/set/new; rm -r 3/set/sub`,
      {
        copyInputs: true,
        inputs: [
          { path: at("0/moved.txt"), source: moved },
          { path: at("1/changed.txt"), source: changed },
          { path: at("2/same.txt"), source: same },
          { path: at("3/set"), source: folder.source },
        ],
      },
    );
    expect(await run(attempt)).toMatchObject({ exitCode: 0 });
    expect(await read(attempt, "work/taken.txt")).toBe("moved\n");
    expect(await read(attempt, "work/a.txt")).toBe("A\n");
    const files = bench.files(attempt);
    expect(await files.readText(at("1/changed.txt"))).toBe("first\nsecond\n");
    expect(await readFile(changed.location, "utf8")).toBe("first\n");
    // An output that names it is the source itself: nothing is kept twice.
    expect(await files.locationOf(at("2/same.txt"))).toBe(same.location);
    expect(await read(attempt, "inputs/2/same.txt")).toBe("same\n");
    expect(await files.stat(at("0/moved.txt"))).toBeUndefined();
    expect((await files.list(at("3/set")))?.map(({ name }) => name)).not.toContain("sub");
    expect(await readFile(join(folder.root, "set/a.txt"), "utf8")).toBe("A\n");
  });

  it("links inputs into the working directory, to be moved and removed and never written through", async () => {
    const [reads, folder] = [await source("reads.fq", "ACGT\n"), await source("in/x y.txt", "inner\n")];
    const directory = { kind: "directory", location: join(folder.location, ".."), basename: "in" } as const;
    const script = [
      "cat sample_1.fq; cat 'ref dir/in/x y.txt'",
      '[ -L sample_1.fq ] && echo link; find . -type f | wc -l | tr -d " "',
      "mkdir moved; mv sample_1.fq moved/; cat moved/sample_1.fq; rm moved/sample_1.fq",
      "(echo changed >> second.fq) 2>/dev/null; (echo changed >> 'ref dir/in/x y.txt') 2>/dev/null",
      "cp second.fq kept.fq; ln -s second.fq again.fq",
    ].join("\n");
    const attempt = await prepare(script, {
      inputs: [
        { path: "/mnt/memoir/inputs/0/reads.fq" as TaskPath, source: reads },
        { path: "/mnt/memoir/inputs/1/in" as TaskPath, source: directory },
      ],
      linkedInputs: [
        { path: "/mnt/memoir/work/sample_1.fq", to: "/mnt/memoir/inputs/0/reads.fq" },
        { path: "/mnt/memoir/work/second.fq", to: "/mnt/memoir/inputs/0/reads.fq" },
        { path: "/mnt/memoir/work/ref dir/in", to: "/mnt/memoir/inputs/1/in" },
      ].map(({ path, to }) => ({ path: path as TaskPath, to: to as TaskPath })),
    });
    expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 0 });
    expect(await read(attempt, "stdout")).toBe("ACGT\ninner\nlink\n0\nACGT\n");
    expect(await readFile(reads.location, "utf8")).toBe("ACGT\n");
    expect(await readFile(join(directory.location, "x y.txt"), "utf8")).toBe("inner\n");
    const files = bench.files(attempt);
    expect((await files.list("."))?.map(({ name, kind }) => `${name} ${kind}`)).toEqual([
      "again.fq link",
      "kept.fq file",
      "moved directory",
      "ref dir directory",
      "second.fq link",
    ]);
    // Whatever a task without protected inputs did to its copy, the link leads to what the task saw.
    expect(await files.readText("second.fq")).toBe(await files.readText("kept.fq"));
    expect(await files.readText("again.fq")).toBe(await files.readText("kept.fq"));
  });

  it.each([
    ["outside the working directory", "/mnt/memoir/inputs/0/other.fq"],
    ["where an input is", "/mnt/memoir/work/own.fq"],
    ["in a folder that is a link itself", "/mnt/memoir/work/dir/x"],
  ])("refuses a link to an input %s", async (_, path) => {
    const reads = await source("reads.fq", "ACGT\n");
    const to = "/mnt/memoir/inputs/0/reads.fq" as TaskPath;
    const attempt = await prepare("true", {
      inputs: [
        { path: to, source: reads },
        { path: "/mnt/memoir/work/own.fq" as TaskPath, source: reads },
      ],
      linkedInputs: [
        { path: path as TaskPath, to },
        { path: "/mnt/memoir/work/dir" as TaskPath, to },
      ],
    });
    await expect(bench.executor.start(attempt, ask)).rejects.toMatchObject({ code: "EXEC_START_FAILED" });
  });
}
