/** Moving in: the executable `ersilia`, and a Redis that Ersilia left on this machine. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create({ MEMOIR_ERSILIA_REDIS: "off" });
  expect((await box.run("shim", "bin")).code).toBe(0);
});
afterAll(() => box.remove());

/** Lines of a script, in one shell, as Ersilia's users write them. */
function script(...lines: readonly string[]) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", ["set -e", ...lines].join("\n")], {
    cwd: box.folder,
    encoding: "utf8",
    env: { ...box.env(), PATH: `${box.path("bin")}:${process.env["PATH"]}` },
  });
  return { code: status, out: stdout, err: stderr };
}

const vectors = [
  ["Nc1cccc(c1)-c1cc2c(Oc3cccc(O)c3)ncnc2[nH]1", "3f5892589d67cac9d543eab44f5a37b8", "318.336"],
  ["C1=CN=CC=C1C(=O)NN", "a9d900084af04c6480c18dff5b552db5", "137.14199999999997"],
  ["CC(CN1C=NC2=C(N=CN=C21)N)OCP(=O)(O)O", "fcb5f55f8d085bcd27fa0608ae09f3b5", "287.21599999999995"],
] as const;

describe("the executable ersilia", () => {
  it("takes the commands of the guide word for word, with Ersilia's published answers", async () => {
    await box.inputs(
      "input.csv",
      vectors.map(([smiles]) => smiles),
    );
    const ended = script(
      "ersilia fetch eos3b5e --from_github",
      "ersilia -v serve eos3b5e --enable-cache",
      "ersilia run -i input.csv -o output.csv -b 1000",
      "ersilia info -o info.json",
      "ersilia close",
      "ersilia serve eos3b5e --local-cache-only",
      "ersilia run --input input.csv --output cached.csv --batch_size 2",
      "ersilia dump -n -1 -o all.csv",
      "ersilia example eos3b5e -n 4 -f four.csv",
      "ersilia example -m deterministic -n 2 -o two.csv",
      "ersilia catalog --local --more",
      "ersilia catalog eos3b5e --card",
      "ersilia close",
    );
    expect([ended.code, ended.err.includes("error")]).toEqual([0, false]);
    const lines = [
      "key,input,mol_weight",
      ...vectors.map(([input, key, value]) => `${key},${input},${value}`),
    ];
    expect(await box.read("output.csv")).toBe(`${lines.join("\n")}\n`);
    expect(await box.read("cached.csv")).toBe(await box.read("output.csv"));
    expect((await box.read("all.csv")).trimEnd().split("\n").toSorted()).toEqual(lines.toSorted());
    expect((await box.read("four.csv")).trimEnd().split("\n")).toHaveLength(5);
    expect(JSON.parse(await box.read("info.json"))).toMatchObject({ model: "eos3b5e" });
  });

  it("shows its help, and -h of catalog is the hub", async () => {
    expect(script("ersilia --help").out).toContain("The commands are catalog, close");
    expect(script("ersilia serve --help").out).toContain("--local-cache-only");
    expect(script("ersilia --version").out).toMatch(/memoir \d/);
    expect(script("ersilia").code).toBe(2);
    expect(script("ersilia run -h").out).toContain("--batch-size");
    await box.write("models.json", '[{"Identifier": "eos4e40"}]');
    expect(script("MEMOIR_HUB=models.json ersilia catalog -h").out).toContain("eos4e40");
  });

  it.each([
    ["ersilia tset eos3b5e", 2, "there is no command `ersilia tset`"],
    ["ersilia publish", 2, "publishes no models"],
    ["ersilia serve eos3b5e --local-cache-only --cache-only", 2, "cannot be used with"],
    ["ersilia serve eos0000", 3, "looking for model eos0000"],
    ["ersilia run -i x.csv -o y.csv", 2, "no model is served"],
    ["ersilia info eos3b5e -o x.txt", 2, "expected .json or .csv"],
  ])("%s ends with its own message", (line, code, words) => {
    const ended = script(line);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(words);
  });

  it("never runs a workflow", async () => {
    await box.write("main.wdl", "version 1.1\nworkflow w {}\n");
    expect(script("ersilia run main.wdl")).toMatchObject({ code: 2, out: "" });
  });

  it("replaces none of the three programs where one of them is somebody else's", async () => {
    await box.write("other/cwl-runner", "#!/bin/sh\n");
    expect((await box.run("shim", "other")).code).toBe(2);
    expect(spawnSync("ls", [box.path("other")], { encoding: "utf8" }).stdout).toBe("cwl-runner\n");
  });
});

it("the page for people who come from Ersilia has a row for each command", () => {
  const page = readFileSync(new URL("../../docs/from-ersilia.md", import.meta.url), "utf8");
  for (const name of [
    "catalog",
    "close",
    "delete",
    "dump",
    "example",
    "fetch",
    "info",
    "run",
    "serve",
    "test",
  ])
    expect(page).toMatch(new RegExp(`^\\| \`ersilia ${name}\\b`, "m"));
});

describeWith([redisRequirement], "a Redis that Ersilia filled", () => {
  let redis: RedisServer;
  let found: Sandbox;
  beforeAll(async () => {
    redis = await startRedis();
    const client = new Redis(redis.url);
    await client.hset("cache:eos3b5e", "CCO", '["46.069"]', "CCC", '["44.096999999999994"]');
    await client.set("eos3b5e:header", '["mol_weight"]');
    await client.quit();
    found = box.with({ MEMOIR_ERSILIA_REDIS: redis.url });
  });
  afterAll(() => redis.stop());

  interface Served {
    readonly local: string;
    readonly ersiliaRedis?: { readonly url: string; readonly rows: number };
  }

  it("is reported by serve with how to use it once and always, and is not used", async () => {
    const { code, err } = await found.run("serve", "eos3b5e", "--session", "hint");
    expect(code).toBe(0);
    expect(err).toContain(`answers on ${redis.url} and holds 2 rows of eos3b5e; it is not used`);
    expect(err).toContain(`memoir serve eos3b5e --local ${redis.url}`);
    expect(err).toContain(`export MEMOIR_LOCAL=${redis.url}`);
    const served = await found.json<Served>("serve", "eos3b5e", "--session", "hint");
    expect(served.ersiliaRedis).toMatchObject({ url: redis.url, rows: 2 });
    expect(served.local).toContain("embedded");
    await box.inputs("two.csv", ["CCO", "CCC"]);
    const line = ["run", "-i", "two.csv", "-o", "-", "--session", "hint", "--local-cache-only"];
    await found.run("predictions", "drop", "eos3b5e", "--from", "local", "--yes");
    expect((await found.run(...line)).out).not.toContain("46.069");
    expect((await found.run(...line, "--local", redis.url)).out).toContain(",CCO,46.069\n");
  });

  it("is not mentioned where a local cache is named, or none is wanted", async () => {
    for (const flags of [["--local", "./mine"], ["--disable-cache"], ["--cloud-cache-only"]])
      expect(await found.json<Served>("serve", "eos3b5e", "--session", "hint", ...flags)).not.toHaveProperty(
        "ersiliaRedis",
      );
    const named = found.with({ MEMOIR_LOCAL: box.path("mine") });
    expect(await named.json<Served>("serve", "eos3b5e", "--session", "hint")).not.toHaveProperty(
      "ersiliaRedis",
    );
  });

  it("with something else in it, or with a password, is nobody's business", async () => {
    const other = await startRedis({ password: "secret" });
    try {
      const url = other.url.replace(/\/\/.*@/, "//");
      const away = box.with({ MEMOIR_ERSILIA_REDIS: url });
      expect(await away.json<Served>("serve", "eos3b5e", "--session", "hint")).not.toHaveProperty(
        "ersiliaRedis",
      );
      const empty = box.with({ MEMOIR_ERSILIA_REDIS: other.url });
      expect(await empty.json<Served>("serve", "eos3b5e", "--session", "hint")).not.toHaveProperty(
        "ersiliaRedis",
      );
    } finally {
      await other.stop();
    }
    expect(await found.json<Served>("serve", "eos3b5e", "--session", "hint")).toHaveProperty("ersiliaRedis");
  });
});
