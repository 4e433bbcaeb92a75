/** The commands of the cache with Nextflow pipelines: explain, dry run, recheck, prune, and what `cache` says. */
import { readdirSync, readlinkSync } from "node:fs";
import { mkdir, utimes } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
});
afterEach(() => box.remove());

const cached = ["--executor", "host", "--cache", "./lab", "--cache-host-tasks"];

async function run(file: string, ...words: string[]) {
  const end = await box.run("run", file, ...cached, ...words);
  const text = end.out + end.err;
  return {
    code: end.code,
    calls: [...text.matchAll(/^(reused|computed) (?:\w+:)*(\w+)/gm)]
      .map((each) => `${each[1]} ${each[2]}`)
      .sort(),
    said: [...text.matchAll(/^said (.*)/gm)].map(([, words]) => words ?? "").sort(),
    text,
  };
}

/** A module as two pipelines include it, with what each adds. */
async function writePipelines(): Promise<void> {
  for (const folder of ["one", "two", "modules"]) await mkdir(box.path(folder));
  await box.write("data.txt", "data\n");
  await box.write(
    "modules/sort.nf",
    `process SORT {
      tag "$meta.id"
      publishDir 'results'
      input: tuple val(meta), path(x)
      output: tuple val(meta), path('sorted.txt')
      script: "sort \${task.ext.args ?: ''} $x > sorted.txt"
    }
`,
  );
  await box.write(
    "one/main.nf",
    `include { SORT } from '../modules/sort.nf'
workflow { SORT(channel.of([[id: 'a'], file('data.txt')])).view { meta, f -> "said $meta $f.text".trim() } }
`,
  );
  await box.write(
    "two/main.nf",
    `include { SORT as OTHER } from '../modules/sort.nf'
workflow INNER { take: x
  main: OTHER(x)
  emit: OTHER.out }
workflow {
  INNER(channel.of([[id: 'b', of: [two: [1, 2.5, true, null]]], file('data.txt')]))
    .view { meta, f -> "said $meta $f.text".trim() } }
`,
  );
}

describe("a module in two pipelines", () => {
  it("is computed once, and each gets its own values with the result", async () => {
    await writePipelines();
    expect(await run("one/main.nf")).toMatchObject({
      code: 0,
      calls: ["computed SORT"],
      said: ["[id:a] data"],
    });
    expect(await run("two/main.nf")).toMatchObject({
      code: 0,
      calls: ["reused OTHER"],
      said: ["[id:b, of:[two:[1, 2.5, true, null]]] data"],
    });
  });

  it("is explained where it is not shared: the command line is what differs", async () => {
    await writePipelines();
    await run("one/main.nf");
    await box.write("two/nextflow.config", "process { withName: OTHER { ext.args = '-r' } }\n");
    expect((await run("two/main.nf")).calls).toEqual(["computed OTHER"]);
    const explained = (await box.run("cache", "explain", "last")).out;
    expect(explained).toContain("0 calls reused, 1 computed");
    expect(explained).toContain("the script changed (2 lines differ)");
    expect(explained).toMatch(/^ *-sort {2}data\.txt > sorted\.txt\n *\+sort -r data\.txt > sorted\.txt$/m);
    await box.write("two/nextflow.config", "");
    await box.write("data.txt", "other\n");
    await run("two/main.nf");
    expect((await box.run("cache", "explain", "last")).out).toContain("data.txt");
  });

  it("is explained task by task after one parameter has changed, with the script of the same sample", async () => {
    await box.write(
      "main.nf",
      `params.quality = 1
process INDEX { output: path 'index'
  script: 'echo index > index' }
process TRIM { tag "$id"
  input: val id
  output: tuple val(id), path('trimmed')
  script: "echo $id $params.quality > trimmed" }
process ALIGN { tag "$id"
  input: tuple val(id), path(reads)
         path index
  output: path 'aligned'
  script: "cat $reads $index > aligned" }
process REPORT { input: path 'part?'
  output: path 'report'
  script: 'cat part* > report' }
workflow { REPORT(ALIGN(TRIM(channel.of('a', 'b')), INDEX()).collect()) }
`,
    );
    await run("main.nf");
    const second = await run("main.nf", "--quality", "2");
    expect(second.calls).toEqual([
      ...["computed ALIGN", "computed ALIGN", "computed REPORT", "computed TRIM", "computed TRIM"],
      "reused INDEX",
    ]);
    const { out } = await box.run("cache", "explain", "last", "--json");
    const { computed } = JSON.parse(out) as {
      readonly computed: readonly {
        readonly task: string;
        readonly differences: readonly { readonly words: string; readonly lines?: readonly string[] }[];
      }[];
    };
    const causes = computed.map(
      ({ task, differences }) =>
        `${task}: ${differences.flatMap(({ words, lines }) => lines ?? words.replace(/content.*/s, "content"))}`,
    );
    expect(causes.filter((each) => each.startsWith("TRIM")).sort()).toEqual([
      "TRIM: -echo a 1 > trimmed,+echo a 2 > trimmed",
      "TRIM: -echo b 1 > trimmed,+echo b 2 > trimmed",
    ]);
    const others = causes.filter((each) => !each.startsWith("TRIM"));
    expect(others).toHaveLength(3);
    for (const each of others) expect(each).toMatch(/^(?:ALIGN: .*trimmed|REPORT: .*part[12]).*content/);
  });

  it("is foreseen by a dry run, which computes and publishes nothing", async () => {
    await writePipelines();
    await run("one/main.nf");
    const before = readdirSync(box.path("results"));
    const end = await box.run("run", "two/main.nf", ...cached, "--dry-run");
    expect(end.code).toBe(0);
    expect(end.out + end.err).toMatch(/1 .*reused|reused.* 1\b|would.*reuse/);
    expect(readdirSync(box.path("results"))).toEqual(before);
    await box.write("data.txt", "other\n");
    const other = await box.run("run", "two/main.nf", ...cached, "--dry-run");
    expect(other.out + other.err).toMatch(/1 .*comput|comput.* 1\b|would.*comput/);
  });

  it("is computed again to compare where that is asked for", async () => {
    const script = (text: string) => `process P { output: path 'o'\n script: "${text}" }\nworkflow { P() }`;
    for (const [text, count] of [
      ["echo 1 > o", 0],
      ["head -c 8 /dev/urandom > o", 1],
    ] as const) {
      await box.write("main.nf", script(text));
      await run("main.nf");
      const { out } = await box.run("run", "main.nf", ...cached, "--recheck", "1", "--json");
      const { unstable, calls } = JSON.parse(out);
      expect({ text, unstable: unstable.length, reused: calls.reused }).toEqual({
        text,
        unstable: count,
        reused: 1,
      });
    }
  });
});

describe("results that are links", () => {
  it("are pinned as long as they are published, and pruned no sooner", async () => {
    await writePipelines();
    await run("one/main.nf");
    expect(readlinkSync(box.path("results/sorted.txt"))).toContain(box.path("lab"));
    const pruned = await box.run("cache", "prune", "./lab", "--older-than", "0d", "--yes");
    expect(pruned.code).toBe(0);
    expect(await box.read("results/sorted.txt")).toBe("data\n");
    expect((await run("one/main.nf")).calls).toEqual(["reused SORT"]);
  });
});

describe("a task that was computed again", () => {
  it("leaves what depends on it reused where its bytes are equal", async () => {
    const script = (text: string) => `process A { output: path 'a'
        script: '${text} > a' }
      process B { input: path a
        output: stdout
        script: "cat $a" }
      workflow { B(A()).view { "said $it".trim() } }
    `;
    await box.write("main.nf", script("echo 1"));
    expect((await run("main.nf")).calls).toEqual(["computed A", "computed B"]);
    await box.write("main.nf", script("true; echo 1"));
    expect(await run("main.nf")).toMatchObject({ calls: ["computed A", "reused B"], said: ["1"] });
  });
});

describe("the directive cache", () => {
  const script = (directive: string) => `process A { ${directive}
      input: path x
      output: stdout
      script: "cat $x" }
    workflow { A(file('x')).view { "said $it".trim() } }
  `;

  it("knows files by name and size where it is lenient, by their content otherwise, and keeps nothing where it is off", async () => {
    for (const [directive, expected] of [
      ["cache 'lenient'", { calls: ["reused A"], said: ["1"] }],
      ["cache 'deep'", { calls: ["computed A"], said: ["2"] }],
      ["cache true", { calls: ["computed A"], said: ["2"] }],
      ["", { calls: ["computed A"], said: ["2"] }],
    ] as const) {
      // Another task for each, so that none meets the results of another.
      const text = `${script(directive)}// ${directive}`.replaceAll(
        "cat $x",
        `cat $x # ${directive.replaceAll("'", "")}`,
      );
      await box.write("main.nf", text);
      await box.write("x", "1\n");
      expect((await run("main.nf")).calls).toEqual(["computed A"]);
      await utimes(box.path("x"), 1_000_000, 1_000_000);
      expect({ directive, calls: (await run("main.nf")).calls }).toEqual({ directive, calls: ["reused A"] });
      await box.write("x", "2\n");
      expect({ directive, ...(await run("main.nf")) }).toMatchObject({ directive, ...expected });
    }
    await box.write("main.nf", script("cache false"));
    for (const _ of [1, 2]) expect((await run("main.nf")).calls).toEqual(["computed A"]);
    await box.write("main.nf", script("").replace("{ ", "{ cache false; ").replace("cache false; ", ""));
    await box.write("nextflow.config", "process.cache = false\n");
    for (const _ of [1, 2]) expect((await run("main.nf")).calls).toEqual(["computed A"]);
  });

  it("never gives a result of lenient identity to a call that asks for content", async () => {
    await box.write("x", "1\n");
    await box.write("main.nf", script("cache 'lenient'"));
    await run("main.nf");
    await box.write("x", "2\n");
    await box.write("main.nf", script(""));
    expect(await run("main.nf")).toMatchObject({ calls: ["computed A"], said: ["2"] });
  });
});
