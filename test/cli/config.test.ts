/** Configuration files decide how the real command line runs workflows. */
import { mkdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settableOptions } from "../../src/cli/settings.ts";
import type { RunAnswer } from "../workflows/sandbox.ts";
import { Sandbox } from "./memoir.ts";

const wdl = `version 1.1
task align { input { String n } command <<< echo ~{n} $COLOUR >>> output { String o = read_string(stdout()) } }
workflow w { input { String n } call align { input: n } output { String o = align.o } }
`;
const cwl = `cwlVersion: v1.2
class: CommandLineTool
baseCommand: [sh, -c, "echo $1 $COLOUR", "-"]
inputs: { n: { type: string, inputBinding: { position: 1 } } }
outputs: { o: { type: stdout } }
`;
const onHost = 'executor = "host"\ncache = "./cache"\ncache-host-tasks = true\n';

interface Shown {
  readonly files: readonly string[];
  readonly profiles: readonly string[];
  readonly settings: readonly {
    readonly name: string;
    readonly value?: unknown;
    readonly source?: { readonly file: string; readonly line: number; readonly profile?: string };
    readonly used: boolean;
  }[];
}

let box: Sandbox;
beforeEach(async () => {
  box = await Sandbox.create();
  await mkdir(box.path("flows/deep"), { recursive: true });
  await mkdir(box.home, { recursive: true });
  await box.write("flows/deep/w.wdl", wdl);
  await box.write("flows/deep/t.cwl", cwl);
});
afterEach(() => box.remove());

const run = (...words: readonly string[]) => box.json<RunAnswer>("run", ...words);

describe("configuration files", () => {
  it("above the workflow's folder count for it wherever the command is started, in every language", async () => {
    await box.write("flows/memoir.toml", `${onHost}env = ["COLOUR=red"]\n`);
    const first = await run("flows/deep/w.wdl", "n=a");
    expect(first).toMatchObject({ state: "succeeded", outputs: { "w.o": "a red" }, calls: { computed: 1 } });
    expect((await run("flows/deep/w.wdl", "n=a")).calls).toMatchObject({ reused: 1, computed: 0 });
    const tool = await run("flows/deep/t.cwl", "n=a");
    expect(await readFile(String(tool.outputs["o"]), "utf8")).toBe("a red\n");
    const { entries } = await box.json<{ entries: readonly unknown[] }>("cache", "entries", "flows/cache");
    expect(entries).toHaveLength(2);
  });

  it("count less than flags, and memoir.toml counts more than the user's own file", async () => {
    await box.write("home/config.toml", `${onHost}env = ["COLOUR=blue"]\n`);
    expect((await run("flows/deep/w.wdl", "n=a")).outputs).toEqual({ "w.o": "a blue" });
    await box.write("memoir.toml", 'env = ["COLOUR=red"]\n');
    expect((await run("flows/deep/w.wdl", "n=a")).outputs).toEqual({ "w.o": "a red" });
    const flag = await run("flows/deep/w.wdl", "n=a", "--env", "COLOUR=green");
    expect(flag.outputs).toEqual({ "w.o": "a green" });
  });

  it("have profiles, which count more than what is outside them", async () => {
    await box.write("home/config.toml", '[profile.warm]\nenv = ["COLOUR=orange"]\n');
    await box.write(
      "memoir.toml",
      `${onHost}default-profile = "cold"\nenv = ["COLOUR=grey"]\n[profile.cold]\nenv = ["COLOUR=blue"]\n`,
    );
    expect((await run("flows/deep/w.wdl", "n=a")).outputs).toEqual({ "w.o": "a blue" });
    const warm = await run("flows/deep/w.wdl", "n=a", "--profile", "warm");
    expect(warm.outputs).toEqual({ "w.o": "a orange" });
    const { code, err } = await box.run("run", "flows/deep/w.wdl", "n=a", "--profile", "warn");
    expect([code, err]).toEqual([2, expect.stringContaining("did you mean warm?")]);
  });

  it("are left out with --no-config", async () => {
    await box.write("memoir.toml", "this is wrong");
    expect((await box.run("run", "flows/deep/w.wdl", "n=a")).code).toBe(3);
    const plain = await run("flows/deep/w.wdl", "n=a", "--no-config", "--executor", "host", "--no-cache");
    expect(plain.state).toBe("succeeded");
  });

  it("choose where single tasks run: the guarded host for one, an unknown engine for the others", async () => {
    await box.write(
      "memoir.toml",
      'executor = "slurm"\naccount = "lab"\ncache = "./cache"\n[task."al*"]\nexecutor = "host"\n',
    );
    // There is no Slurm here: only the task's own executor can have run it.
    const here = box.with({ PATH: "/usr/bin:/bin", SLURM_CONF: "/nowhere" });
    const ran = await here.json<RunAnswer>("run", "flows/deep/w.wdl", "n=a", "--cache-host-tasks");
    expect(ran).toMatchObject({ state: "succeeded", calls: { computed: 1 } });
  });

  it("are shown by memoir config with the place of every value", async () => {
    await box.write("home/config.toml", "max-cpus = 2\n");
    await box.write("memoir.toml", `${onHost}account = "lab"\n[profile.cluster]\nexecutor = "slurm"\n`);
    const shown = async (...words: readonly string[]) => {
      const { settings, ...more } = await box.json<Shown>("config", ...words);
      return { ...more, of: new Map(settings.map((setting) => [setting.name, setting])) };
    };
    const plain = await shown();
    expect(plain.files).toEqual([box.path("home/config.toml"), box.path("memoir.toml")]);
    expect(plain.profiles).toEqual(["cluster"]);
    expect([...plain.of.keys()].sort()).toEqual(
      settableOptions()
        .flatMap(({ name, meaning }) => (meaning === undefined ? [name] : []))
        .sort(),
    );
    expect(plain.of.get("cache")).toMatchObject({
      value: box.path("cache"),
      source: { file: box.path("memoir.toml"), line: 2 },
    });
    expect(plain.of.get("max-cpus")).toMatchObject({
      source: { file: box.path("home/config.toml"), line: 1 },
    });
    expect(plain.of.get("account")?.used).toBe(false);
    expect(plain.of.get("fail")?.source).toBeUndefined();
    const cluster = await shown("--profile", "cluster");
    expect(cluster.of.get("account")?.used).toBe(true);
    expect(cluster.of.get("executor")).toMatchObject({
      value: "slurm",
      source: { line: 6, profile: "cluster" },
    });
  });

  it("are used by the server as well", async () => {
    await box.write("memoir.toml", '[profile.small]\nexecutor = "host"\nmax-runs = 1\n');
    const missing = await box.run("server", "--port", "0", "--for", "0.1", "--profile", "smal");
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("did you mean small?")]);
    const server = await box.run("server", "--port", "0", "--for", "0.1", "--profile", "small");
    expect([server.code, server.err]).toEqual([0, expect.stringContaining("profile small")]);
  });
});

describe("docs/configuration.md", () => {
  it("lists every setting", async () => {
    const page = await readFile(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const missing = settableOptions().filter(({ name }) => !page.includes(`\`${name}\``));
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});
