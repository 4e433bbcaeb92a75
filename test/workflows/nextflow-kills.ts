/**
 * Kills at random moments of a Nextflow pipeline, of Memoir and of its tasks: what was recorded is never computed again,
 * and what is published in the end is what a run without kills publishes.
 */
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { killManyRuns, tasksIn } from "./kills.ts";
import { onHost, Sandbox } from "./sandbox.ts";

const width = 4;
const longestMs = 450;

const pipeline = `params.round = 0
process PART {
  tag "$n"
  errorStrategy { task.exitStatus == 9 || task.exitStatus > 128 ? 'retry' : 'terminate' }
  maxRetries 3
  publishDir "results/$params.round/parts"
  input: tuple val(meta), val(n)
  output: tuple val(meta), path('*.txt')
  script: """
    for i in 1 2 3 4 5; do echo $params.round.$n.\\$i; sleep 0.01; done > part\${n}.txt
    """
}
process WHOLE {
  errorStrategy { task.exitStatus > 128 ? 'retry' : 'terminate' }
  publishDir "results/$params.round", mode: 'copy'
  input: path parts
  output: path 'whole'
  script: "mkdir whole; cat $parts > whole/whole.txt; cp part1.txt whole"
}
workflow {
  PART(channel.of(1..${width}).map { n -> [[id: "p$n"], n] })
  WHOLE(PART.out.toSortedList { a, b -> a[1].name <=> b[1].name }.map { all -> all.collect { it[1] } })
  PART.out.view { meta, file -> "said $meta.id $file.name" }
}
`;

interface RunEvent {
  readonly kind: string;
  readonly key?: string;
}

/** What happened in the runs so far, oldest first: runs follow each other. */
function eventsOf(box: Sandbox): readonly (readonly RunEvent[])[] {
  const runs = box.path("runs");
  const names = existsSync(runs) ? readdirSync(runs) : [];
  return names
    .map((name) => join(runs, name, "events.jsonl"))
    .filter((file) => existsSync(file))
    .map((file) => ({ file, born: statSync(join(file, "..")).birthtimeMs }))
    .sort((a, b) => a.born - b.born)
    .map(({ file }) =>
      readFileSync(file, "utf8")
        .split("\n")
        // The last line may be cut off.
        .flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as RunEvent] : [])),
    );
}

/** The number of keys that were recorded. */
function expectNothingTwice(runs: readonly (readonly RunEvent[])[]): number {
  const recorded = new Set<string>();
  for (const events of runs) {
    const keys = (kind: string) =>
      events.flatMap((each) => (each.kind === kind && each.key ? [each.key] : []));
    expect(keys("call.started").filter((key) => recorded.has(key))).toEqual([]);
    for (const key of keys("call.recorded")) recorded.add(key);
  }
  return recorded.size;
}

/** Paths with what they lead to. */
function tree(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (path: string, name: string): void => {
    if (!statSync(path).isDirectory()) {
      found[name] = `${lstatSync(path).isSymbolicLink() ? "link" : "file"} ${readFileSync(path, "utf8")}`;
      return;
    }
    for (const each of readdirSync(path)) visit(join(path, each), name === "" ? each : `${name}/${each}`);
  };
  visit(folder, "");
  return found;
}

const words = (round: number) => [
  "run",
  "main.nf",
  "--runs-dir",
  "runs",
  ...onHost,
  "--round",
  String(round),
];

/** Rounds share nothing but the cache; every round is tried again and again, killed each time. */
export async function surviveNextflowKills(kills: number, rounds: number): Promise<void> {
  const box = await Sandbox.create();
  const calm = await Sandbox.create();
  try {
    for (const each of [box, calm]) await each.write("main.nf", pipeline);
    const killed = await killManyRuns(box, {
      kills,
      seed: 20_270_101,
      shortestMs: 100,
      longestMs,
      wordsOf: (kill) => words(kill % rounds),
    });
    expect(killed.memoir).toBeGreaterThan(0);
    for (let round = 0; round < rounds; round++) {
      const end = await box.run(...words(round));
      expect({ code: end.code, err: end.err }).toMatchObject({ code: 0 });
      expect((await calm.run(...words(round))).code).toBe(0);
      const again = await box.json<{ readonly calls: unknown }>(...words(round));
      expect(again.calls).toMatchObject({ reused: width + 1, computed: 0 });
    }
    expect(expectNothingTwice(eventsOf(box))).toBeGreaterThan(rounds);
    expect(tree(box.path("results"))).toEqual(tree(calm.path("results")));
    const verified = JSON.parse((await box.run("cache", "verify", "./cache", "--json")).out);
    expect(verified.setAside).toEqual([]);
    expect(verified.checked).toBeGreaterThanOrEqual(rounds * (width + 1));
    await expect.poll(() => tasksIn(box.folder, undefined), { interval: 50 }).toEqual([]);
  } finally {
    box.remove();
    calm.remove();
  }
}
