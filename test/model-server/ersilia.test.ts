/**
 * Ersilia's own programs against `memoir model-server`: its command line (ersilia-os/ersilia), and the tests of
 * ersilia-pack that are about its server. They are run from checkouts that the environment names; packages that are not
 * installed have stand-ins in `python-stubs`, and what the tests of ersilia-pack would start is started by `pack-adapter`.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";
import { checkout, here, python, report } from "./checkouts.ts";
import { CountingModel, type ModelServerProcess, startModelServer } from "./server-process.ts";

const ersilia = checkout({
  variable: "MEMOIR_TEST_ERSILIA",
  repository: "ersilia-os/ersilia",
  file: "ersilia/cli/commands/run.py",
  modules: ["click", "requests", "yaml"],
});
const pack = checkout({
  variable: "MEMOIR_TEST_ERSILIA_PACK",
  repository: "ersilia-os/ersilia-pack",
  file: "tests/test_json_orient.py",
  modules: ["pytest", "requests", "yaml"],
});
const stubs = here("./python-stubs");

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

describeWith([ersilia], "Ersilia's command line", () => {
  const run = (env: Readonly<Record<string, string>> = {}) =>
    python(
      sandbox,
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
      { path: [stubs], env },
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
    report("Ersilia's command run: 5 of 5 rows as expected, one of them a bad molecule");
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
    const path = [here("./pack-adapter"), stubs];
    const env = { ERSILIA_PACK_CHECKOUT: folder };
    const orient = await python(sandbox, words, { path, cwd: folder, env });
    expect([orient.code, orient.said]).toEqual([0, expect.stringContaining("7 passed")]);
    const limit = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_ratelimit.py"];
    const limited = await python(sandbox, limit, { path, cwd: join(folder, "tests/api"), env });
    expect([limited.code, limited.said]).toEqual([0, expect.stringContaining("1 passed")]);
    report("ersilia-pack's tests of its server: 8 of 8 passed");
  });

  it.each([
    ["without the cache", "false", "false", "false"],
    ["filling the cache", "true", "true", "false"],
    ["only out of the cache", "true", "true", "true"],
  ])("its session, which compares predictions and jobs with files, passes %s", async (how, ...caches) => {
    const folder = copied();
    server = await startModelServer(sandbox, "eos3b5e");
    // What the session looks up without computing has been computed before.
    const words = [here("./pack-session.py"), folder, new URL(server.url).port];
    if (caches[2] === "true") await python(sandbox, [...words, "true", "true", "false"], { path: [stubs] });
    const { code, said } = await python(sandbox, [...words, ...caches], { path: [stubs] });
    expect([code, said]).toEqual([0, expect.stringContaining("the session passed")]);
    report(`ersilia-pack's session ${how}: predictions and a job of 2000 molecules equal its files`);
  });
});
