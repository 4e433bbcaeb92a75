/**
 * Ersilia's own programs against `memoir model-server`: its command line (ersilia-os/ersilia), and the tests of
 * ersilia-pack that are about its server. They are run from checkouts that the environment names; packages that are not
 * installed have stand-ins in `python-stubs`, and what the tests of ersilia-pack would start is started by `pack-adapter`.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import { describeWith, type Requirement } from "../servers/requirement.ts";
import { CountingModel, type ModelServerProcess, startModelServer } from "./server-process.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

function checkout(variable: string, repository: string, file: string): Requirement {
  return {
    name: `a checkout of ${repository}`,
    programs: ["python3"],
    debianPackages: [],
    otherwise: `git clone https://github.com/${repository} and name the folder in ${variable}`,
    check: () => {
      const folder = process.env[variable] ?? "";
      if (folder === "") return `${variable} is not set`;
      return existsSync(join(folder, file)) ? undefined : `there is no ${file} in ${folder}`;
    },
  };
}

const ersilia = checkout("MEMOIR_TEST_ERSILIA", "ersilia-os/ersilia", "ersilia/cli/commands/run.py");
const pack = checkout("MEMOIR_TEST_ERSILIA_PACK", "ersilia-os/ersilia-pack", "tests/test_json_orient.py");

let sandbox: Sandbox;
let server: ModelServerProcess | undefined;

beforeEach(async () => {
  sandbox = await Sandbox.create();
});
afterEach(async () => {
  await server?.stop("SIGKILL");
  server = undefined;
  sandbox.remove();
});

function python(
  words: readonly string[],
  more: {
    readonly path: readonly string[];
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<{ readonly code: number | null; readonly said: string }> {
  mkdirSync(sandbox.path("user"), { recursive: true });
  mkdirSync(sandbox.path("scratch"), { recursive: true });
  const child = spawn("python3", words, {
    cwd: more.cwd ?? sandbox.folder,
    env: {
      ...{ PATH: process.env["PATH"] ?? "", HOME: sandbox.path("user"), PYTHONDONTWRITEBYTECODE: "1" },
      PYTHONPATH: [...more.path, here("./python-stubs")].join(":"),
      MEMOIR_COMMAND: JSON.stringify([process.execPath, memoirProgram]),
      MEMOIR_SCRATCH: sandbox.path("scratch"),
      ...more.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, said }));
  });
}

describeWith([ersilia], "Ersilia's command line", () => {
  const run = (env: Readonly<Record<string, string>> = {}) =>
    python(
      [
        here("./ersilia-command.py"),
        process.env["MEMOIR_TEST_ERSILIA"] ?? "",
        server?.url ?? "",
        "run",
        "-i",
        "in.csv",
        "-o",
        "out.csv",
        "-b",
        "3",
      ],
      { path: [], env },
    );

  it("writes what the server answers, in the order of the input, with duplicates and bad molecules", async () => {
    server = await startModelServer(sandbox, "eos3b5e");
    await sandbox.inputs("in.csv", ["CCO", "notsmiles", "CCC", "CCO", "C1=CN=CC=C1C(=O)NN"]);
    const { code, said } = await run();
    expect([code, said]).toEqual([0, expect.stringContaining("successfully written")]);
    expect((await sandbox.read("out.csv")).trimEnd().split(/\r?\n/)).toEqual([
      "key,input,mol_weight",
      "47029b0a89b677c61d67c3a1b1071f07,CCO,46.069",
      "0e91be1e0af9b729b29a904a8538b496,notsmiles,",
      "defb99e69a9f1f6e06f15006b1f166ae,CCC,44.096999999999994",
      "47029b0a89b677c61d67c3a1b1071f07,CCO,46.069",
      "a9d900084af04c6480c18dff5b552db5,C1=CN=CC=C1C(=O)NN,137.14199999999997",
    ]);
  });

  it("has nothing computed twice where its cache is enabled", async () => {
    const model = await CountingModel.create(sandbox.path("counting"));
    await sandbox.json("fetch", model.folder);
    server = await startModelServer(sandbox, "eos0cnt", "--no-guard");
    await sandbox.inputs("in.csv", ["C", "CC", "CCC", "CCCC", "C"]);
    expect((await run({ ERSILIA_ENABLE_CACHE: "1" })).code).toBe(0);
    expect((await run({ ERSILIA_ENABLE_CACHE: "1" })).code).toBe(0);
    expect(model.computed.toSorted()).toEqual(["C", "CC", "CCC", "CCCC"]);
  });
});

describeWith([pack], "the tests of ersilia-pack", () => {
  /** The tests write into their checkout. */
  function copied(): string {
    const folder = sandbox.path("ersilia-pack");
    cpSync(process.env["MEMOIR_TEST_ERSILIA_PACK"] ?? "", folder, {
      recursive: true,
      filter: (path) => !path.endsWith("/.git"),
    });
    return folder;
  }

  it("about orientations and the limit of requests pass: 8 of 8", async () => {
    const folder = copied();
    const words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", join(folder, "tests/test_json_orient.py")];
    const path = [here("./pack-adapter")];
    const env = { ERSILIA_PACK_CHECKOUT: folder };
    const orient = await python(words, { path, cwd: folder, env });
    expect([orient.code, orient.said]).toEqual([0, expect.stringContaining("7 passed")]);
    const limit = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_ratelimit.py"];
    const limited = await python(limit, { path, cwd: join(folder, "tests/api"), env });
    expect([limited.code, limited.said]).toEqual([0, expect.stringContaining("1 passed")]);
  });

  it.each([
    ["without the cache", "false", "false", "false"],
    ["filling the cache", "true", "true", "false"],
    ["only out of the cache", "true", "true", "true"],
  ])("its session, which compares predictions and jobs with files, passes %s", async (_, ...caches) => {
    const folder = copied();
    server = await startModelServer(sandbox, "eos3b5e");
    // What the session looks up without computing has been computed before.
    const words = [here("./pack-session.py"), folder, new URL(server.url).port];
    if (caches[2] === "true") await python([...words, "true", "true", "false"], { path: [] });
    const { code, said } = await python([...words, ...caches], { path: [] });
    expect([code, said]).toEqual([0, expect.stringContaining("the session passed")]);
  });
});
