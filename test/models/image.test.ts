/** Models in images: a server that looks like ersilia-pack's, in an image of busybox and Node made from this machine. */
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { memoirProgram, Sandbox } from "../cli/memoir.ts";
import { limitMs } from "../limit.mjs";
import { type ModelServerProcess, startModelServer } from "../model-server/server-process.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import { weights } from "./published-weights.ts";

const requirement = {
  name: "nsenter",
  programs: ["nsenter", "ldd"],
  debianPackages: ["util-linux", "libc-bin"],
};

/** Answers the published weights of eos3b5e. */
const weightServer = `
const { createServer } = require("node:http");
const weights = new Map(${JSON.stringify(weights.map(([, input, value]) => [input, value]))});
const answers = {
  "/": { eos3b5e: "molecular-weight" },
  "/card": { Identifier: "eos3b5e", Slug: "molecular-weight", Release: "v1.0.0", "Output Type": ["Float"] },
  "/run/columns/output": ["mol_weight"],
  "/run/example/input": ["CCO"],
  "/run/example/output": [{ mol_weight: 46.069 }],
};
createServer((request, response) => {
  let body = "";
  request.on("data", (text) => { body += text; }).on("end", () => {
    const { pathname } = new URL(request.url, "http://localhost");
    const inputs = request.method === "POST" ? JSON.parse(body) : [];
    const answer = pathname === "/run" ? inputs.map((each) => ({ mol_weight: weights.get(each) })) : answers[pathname];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { detail: "Not Found" }));
  });
}).listen(80);
`;

/** Answers lengths; `DIE` ends the server, `boot` in its name too. */
const server = (version: string) => `
const { createServer } = require("node:http");
if (${JSON.stringify(version)} === "broken") { console.error("no weights"); process.exit(3); }
const answers = {
  "/": { eos0img: "in-an-image" },
  "/card": { Identifier: "eos0img", Slug: "in-an-image", Title: "In an image", Release: "v1.0.0", "Output Type": ["Integer"] },
  "/run/columns/output": ["length"],
  "/run/example/input": ["CCO"],
  "/run/example/output": [{ length: 3 }],
};
createServer((request, response) => {
  let body = "";
  request.on("data", (text) => { body += text; }).on("end", () => {
    const { pathname } = new URL(request.url, "http://localhost");
    const inputs = request.method === "POST" ? JSON.parse(body) : [];
    if (inputs.includes("DIE")) { console.error("out of memory"); process.exit(9); }
    const answer = pathname === "/run" ? inputs.map((each) => ({ length: each.length + ${version === "two" ? 100 : 0} })) : answers[pathname];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { detail: "Not Found" }));
  });
}).listen(80);
`;

describeWith([podmanRequirement, requirement], "a model in an image", () => {
  let engine: TestEngine;
  let box: Sandbox;

  const podman = (...words: readonly string[]) =>
    execFileSync("podman", words, { env: engine.env, cwd: engine.dir, encoding: "utf8" });

  function build(name: string, version: string): void {
    const folder = join(engine.dir, `build-${version}`);
    const root = join(folder, "root");
    const node = process.execPath;
    const libraries = execFileSync("ldd", [node], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
    for (const path of [node, ...[...libraries].map(([, path = ""]) => path)]) {
      const place = join(root, path === node ? "/bin/node" : path);
      mkdirSync(dirname(place), { recursive: true });
      cpSync(path, place, { dereference: true });
    }
    mkdirSync(join(root, "tmp"));
    writeFileSync(join(root, "server.js"), version === "weights" ? weightServer : server(version));
    writeFileSync(join(folder, "Dockerfile"), 'FROM scratch\nCOPY root /\nCMD ["/bin/node", "/server.js"]\n');
    podman("build", "--quiet", "--tag", name, folder);
  }

  const containers = () => podman("ps", "--all", "--quiet").trim();

  beforeAll(async () => {
    engine = await startPodman();
    box = await Sandbox.create(engine.env);
    build("localhost/eos0img:latest", "one");
    await box.json(
      "fetch",
      "eos0img",
      "--image",
      "localhost/eos0img:latest",
      "--memory",
      "1GB",
      "--cpus",
      "1",
    );
  });
  afterAll(async () => {
    box.remove();
    await engine.stop();
  });

  it("is described by its server, and its digest is part of its release", async () => {
    const digest = podman("image", "inspect", "--format", "{{.Id}}", "localhost/eos0img:latest").trim();
    const info = await box.json<{ release: string; runner: string }>("info", "--model", "eos0img");
    expect(info.release).toBe(`v1.0.0-image-${digest.slice(0, 12)}`);
    expect(info.runner).toContain("localhost/eos0img:latest");
    expect(containers()).toBe("");
  });

  it("computes what is not stored, and leaves no container behind", async () => {
    await box.inputs("in.csv", ["C", "CC", "CCC", "C"]);
    const ran = await box.json<{ counts: object }>(
      "run",
      "--model",
      "eos0img",
      "-i",
      "in.csv",
      "-o",
      "out.csv",
    );
    expect(ran.counts).toMatchObject({ computed: 4, failed: 0 });
    expect(await box.rows("out.csv")).toEqual(["C,1", "CC,2", "CCC,3", "C,1"]);
    expect(containers()).toBe("");
  });

  it("answers published molecular weights with their keys, isolated and through the model server", async () => {
    const own = await Sandbox.create(engine.env);
    let served: ModelServerProcess | undefined;
    try {
      build("localhost/eos3b5e:latest", "weights");
      await own.json("fetch", "eos3b5e", "--image", "localhost/eos3b5e:latest");
      const inputs = weights.map(([, input]) => input);
      await own.inputs("in.csv", inputs);
      const line = ["run", "--model", "eos3b5e", "-i", "in.csv", "--isolate"];
      const { counts } = await own.json<{ counts: object }>(...line, "-o", "out.csv");
      expect(counts).toMatchObject({ computed: inputs.length, failed: 0 });
      const lines = (await own.read("out.csv")).trimEnd().split("\n").slice(1);
      expect(lines).toEqual(weights.map(([key, input, value]) => `${key},${input},${value}`));
      served = await startModelServer(own, "eos3b5e", "--local", own.path("other"));
      expect((await served.post("/run?orient=values", inputs)).json).toEqual(
        weights.map(([, , value]) => [value]),
      );
      await served.stop();
      expect(containers()).toBe("");
    } finally {
      await served?.stop("SIGKILL");
      own.remove();
    }
  });

  it("keeps one container for a session, which close removes, another serve, and the end of the session", async () => {
    await box.json("serve", "eos0img", "--session", "work");
    const started = containers();
    expect(started).toMatch(/^[0-9a-f]+$/);
    await box.inputs("a.csv", ["NN", "NNN"]);
    await box.inputs("b.csv", ["NNNN"]);
    await box.json("run", "--session", "work", "-i", "a.csv", "-o", "a-out.csv");
    await box.json("run", "--session", "work", "-i", "b.csv", "-o", "b-out.csv");
    expect(await box.rows("b-out.csv")).toEqual(["NNNN,4"]);
    expect(containers()).toBe(started);
    await box.json("serve", "eos0img", "--session", "work");
    const again = containers();
    expect(again).toMatch(/^[0-9a-f]+$/);
    expect(again).not.toBe(started);
    await box.json("close", "--session", "work");
    expect(containers()).toBe("");
    // A container that somebody removed is replaced by one for each run.
    await box.json("serve", "eos0img", "--session", "work");
    podman("rm", "--force", containers());
    await box.inputs("c.csv", ["NNNNN"]);
    await box.json("run", "--session", "work", "-i", "c.csv", "-o", "c-out.csv");
    expect(await box.rows("c-out.csv")).toEqual(["NNNNN,5"]);
    expect(containers()).toBe("");
    await box.json("close", "--session", "work");
  });

  it("ends a session's container with the shell that served the model", async () => {
    const shell = spawn(
      "sh",
      ["-c", `"$0" "$1" serve eos0img && exec sleep 600`, process.execPath, memoirProgram],
      {
        ...{ cwd: box.folder, env: box.env(), stdio: "ignore" },
      },
    );
    try {
      await vi.waitFor(() => expect(containers()).toMatch(/^[0-9a-f]+$/), {
        timeout: limitMs,
        interval: 200,
      });
      await vi.waitFor(() => expect(readdirSync(join(box.home, "sessions")).join()).toMatch(/shell-.*json/), {
        ...{ timeout: limitMs, interval: 200 },
      });
    } finally {
      shell.kill("SIGKILL");
    }
    await vi.waitFor(() => expect(containers()).toBe(""), { timeout: limitMs, interval: 200 });
  });

  it("stays what it was when its name gets another image", async () => {
    build("localhost/eos0img:latest", "two");
    await box.inputs("more.csv", ["CCCC"]);
    await box.json("run", "--model", "eos0img", "-i", "more.csv", "-o", "same.csv");
    expect(await box.rows("same.csv")).toEqual(["CCCC,4"]);
    await box.json("fetch", "--image", "localhost/eos0img:latest");
    await box.json("run", "--model", "eos0img", "-i", "more.csv", "-o", "other.csv");
    expect(await box.rows("other.csv")).toEqual(["CCCC,104"]);
  });

  it("is found under a name without a registry, as Docker Hub has it", async () => {
    podman("tag", "localhost/eos0img:latest", "docker.io/nobody/eos0img:hub");
    await box.json("fetch", "--image", "nobody/eos0img:hub");
    podman("rmi", "docker.io/nobody/eos0img:hub");
  });

  it("says which image is missing, which does not start, and what a server said that went away", async () => {
    const ended = async (...words: readonly string[]) => {
      const { code, err } = await box.run(...words);
      return { code, err };
    };
    expect(await ended("fetch", "--image", "localhost/nobody/eos0img:1")).toEqual({
      ...{ code: 4, err: expect.stringContaining("MODEL_IMAGE_MISSING") },
    });
    expect(await ended("fetch", "eos9abc", "--image", "localhost/eos0img:latest")).toEqual({
      ...{ code: 4, err: expect.stringContaining("it holds eos0img, not eos9abc") },
    });
    build("localhost/broken:1", "broken");
    const broken = await ended("fetch", "--image", "localhost/broken:1");
    expect(broken).toEqual({ code: 4, err: expect.stringContaining("no weights") });
    await box.inputs("die.csv", ["DIE"]);
    const died = await ended("run", "--model", "eos0img", "-i", "die.csv", "-o", "died.csv");
    expect(died).toEqual({ code: 4, err: expect.stringContaining("MODEL_SERVER_UNREACHABLE") });
    expect(died.err).toContain("out of memory");
    expect(containers()).toBe("");
    podman("rmi", "--force", "localhost/eos0img:latest");
    const removed = await ended("run", "--model", "eos0img", "-i", "in.csv", "-o", "gone.csv");
    expect(removed).toEqual({ code: 4, err: expect.stringContaining("MODEL_IMAGE_MISSING") });
  });
});
