/** clients/python: its own tests, run by Python against a real model server and a real server. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import { describeWith } from "../servers/requirement.ts";

const client = fileURLToPath(new URL("../../clients/python/", import.meta.url));

const python = {
  name: "Python",
  programs: ["python3"],
  debianPackages: ["python3"],
};

/** Answers with its address once it listens. */
async function started(
  box: Sandbox,
  ...words: readonly string[]
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [memoirProgram, ...words], {
    cwd: box.folder,
    env: box.env(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    const hear = (text: string) => {
      said += text;
      const listening = /http:\/\/127\.0\.0\.1:\d+/.exec(said);
      if (listening !== null) resolve(listening[0]);
    };
    child.stdout?.setEncoding("utf8").on("data", hear);
    child.stderr?.setEncoding("utf8").on("data", hear);
    child.once("exit", (code) => reject(new Error(`${words[0]} ended with ${code}:\n${said}`)));
  });
  return { child, url };
}

describeWith([python], "the Python client", () => {
  let computing: Sandbox;
  let storing: Sandbox;
  const children: ChildProcess[] = [];
  let urls: { readonly MODEL_URL: string; readonly SERVER_URL: string };
  beforeAll(async () => {
    computing = await Sandbox.create();
    storing = await Sandbox.create();
    await storing.write("known.csv", "input,mol_weight\nCCO,46.069\nCCC,44.1\n");
    await storing.json("predictions", "import", "eos3b5e", "known.csv");
    const model = await started(computing, "model-server", "eos3b5e", "--port", "0");
    children.push(model.child);
    const server = await started(storing, "server", "--port", "0");
    children.push(server.child);
    urls = { MODEL_URL: model.url, SERVER_URL: server.url };
  });
  afterAll(async () => {
    for (const child of children) {
      const ended = once(child, "exit");
      if (child.kill("SIGTERM")) await ended;
    }
    computing.remove();
    storing.remove();
  });

  it("passes its tests with nothing but the standard library", () => {
    const { status, stderr } = spawnSync("python3", ["-I", "-c", isolated], {
      cwd: client,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], PYTHONDONTWRITEBYTECODE: "1", PYTHONHASHSEED: "0", ...urls },
    });
    expect(`${status}\n${stderr}`).toMatch(/^0\n/);
    expect(Number(/Ran (\d+) tests/.exec(stderr)?.[1])).toBeGreaterThan(9);
    expect(stderr).not.toContain("skipped");
  });
});

/** Without the packages of the user, and with pandas switched off, as on a machine that has none. */
const isolated = `
import sys, unittest
sys.path.insert(0, ".")
sys.modules["pandas"] = None
suite = unittest.defaultTestLoader.discover("tests")
sys.exit(0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1)
`;
