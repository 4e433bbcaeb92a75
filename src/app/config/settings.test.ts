import { describe, expect, it } from "vitest";
import { renderDiagnostic } from "../../kernel/index.ts";
import { type ConfigFile, readSettings, type SettingSpec } from "./settings.ts";

const specs: readonly SettingSpec[] = [
  { name: "executor", type: "text", choices: ["host", "slurm"], ofTasks: true },
  { name: "partition", type: "text", ofTasks: true },
  { name: "queue", meaning: "partition", type: "text", ofTasks: true },
  { name: "cache", type: "text" },
  { name: "env", type: "texts" },
  { name: "max-cpus", type: "number" },
  { name: "max-jobs", type: "count" },
  { name: "copy-inputs", type: "switch" },
];

const read = (text: string) => readSettings({ name: "memoir.toml", path: "/p/memoir.toml", text }, specs);

async function settingsOf(text: string): Promise<ConfigFile> {
  const file = await read(text);
  if (!("path" in file)) throw new Error(file.map(renderDiagnostic).join("\n"));
  return file;
}

async function faultsOf(text: string): Promise<readonly string[]> {
  const faults = await read(text);
  return "path" in faults ? [] : faults.map(renderDiagnostic);
}

const pairs = (settings: readonly { name: string; value: unknown; source: { line: number } }[]) =>
  settings.map(({ name, value, source }) => [name, value, source.line]);

describe("the settings of a file", () => {
  it("are values with their lines, outside and inside profiles and for tasks", async () => {
    const file = await settingsOf(`executor = "host"
env = ["A=1", 'B']
max-cpus = 1.5
max-jobs = 1_000
copy-inputs = true
default-profile = "cluster"
task."one".queue = "short"
[task."al*"]
partition = "long"
[profile.cluster]
executor = "slurm"
[profile.cluster.task.big]
queue = "huge"
[profile.empty]
`);
    expect(pairs(file.top.settings)).toEqual([
      ["executor", "host", 1],
      ["env", ["A=1", "B"], 2],
      ["max-cpus", "1.5", 3],
      ["max-jobs", "1000", 4],
      ["copy-inputs", true, 5],
    ]);
    expect(file.top.tasks.map(({ pattern, settings }) => [pattern, ...pairs(settings)])).toEqual([
      ["one", ["partition", "short", 7]],
      ["al*", ["partition", "long", 9]],
    ]);
    expect(file.defaultProfile?.value).toBe("cluster");
    expect([...file.profiles.keys()]).toEqual(["cluster", "empty"]);
    const cluster = file.profiles.get("cluster");
    expect(cluster?.settings[0]?.source).toEqual({ file: "/p/memoir.toml", line: 11, profile: "cluster" });
    expect(cluster?.tasks[0]?.settings[0]).toMatchObject({ name: "partition", value: "huge" });
  });

  it("may be inline tables and dotted keys, which mean the same", async () => {
    const [table, dotted] = await Promise.all([
      settingsOf(`profile = { a = { executor = "slurm", task = { x = { queue = "q" } } } }`),
      settingsOf(`profile.a.executor = "slurm"\nprofile.a.task.x.queue = "q"`),
    ]);
    const facts = (file: ConfigFile) => {
      const section = file.profiles.get("a");
      return [section?.settings.map(({ value }) => value), section?.tasks.map(({ pattern }) => pattern)];
    };
    expect(facts(table)).toEqual([["slurm"], ["x"]]);
    expect(facts(dotted)).toEqual(facts(table));
  });

  it.each([
    ['exectuor = "host"', "1:1", "there is no setting exectuor", "did you mean executor?"],
    ["max-jobs = 1.5", "1:12", "max-jobs: expected a whole number, got a number", ""],
    ["max-cpus = '2'", "1:12", "max-cpus: expected a number, got text", ""],
    ["copy-inputs = 1", "1:15", "copy-inputs: expected true or false, got a whole number", ""],
    ['env = ["A=1", 2]', "1:15", "env: expected text, got a whole number", ""],
    ["cache = 2020-01-01", "1:9", "cache: expected text, got a date", ""],
    ["default-profile = 1", "1:19", "default-profile: expected text, got a whole number", ""],
    ['executor = "hots"', "1:12", 'executor: expected host, slurm, got "hots"', "did you mean host?"],
    ['[task.x]\ncache = "a"', "2:1", "cache cannot be set for single tasks", "executor, partition, queue"],
    ["[tasks.x]\na = 1", "1:2", "there is no table tasks.x", '[task."pattern"]'],
    ['queue = "a"\npartition = "b"', "2:1", "queue and partition are the same setting", ""],
    ["cache = a", "1:9", "", "cache = a"],
    ['cache = "a"\ncache = "b"', "2:1", "", 'cache = "b"'],
  ])("are refused with position and caret: %j", async (text, place, message, help) => {
    const faults = await faultsOf(text);
    expect(faults).toHaveLength(1);
    const [first = ""] = faults;
    expect(first).toMatch(new RegExp(`^memoir\\.toml:${place}: error: `));
    expect(first).toContain(message);
    expect(first).toContain(help);
    expect(first).toMatch(/\| +\^/);
  });

  it("are refused all at once, in the order of the file, also in profiles that nobody chose", async () => {
    const faults = await faultsOf("a = 1\n[profile.p]\nb = 1\n[profile.p.task.x]\nc = 1\ncache = 1");
    expect(faults.map((fault) => fault.split(":")[1])).toEqual(["1", "3", "5", "6"]);
  });
});
