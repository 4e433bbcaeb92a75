/**
 * Where Docker and Podman answer differently, Memoir answers alike: one file, run against both real engines. Each test
 * names what differs. It also holds what containers of both must be given: limits, rights, ownership.
 */
import { execFileSync } from "node:child_process";
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  type ContainerExecutorOptions,
  createContainerExecutor,
} from "../../src/exec/container/container-executor.ts";
import type { ContainerEngine } from "../../src/exec/container/engine.ts";
import { findEngine } from "../../src/exec/container/find-engine.ts";
import { ImageStore } from "../../src/exec/container/image-store.ts";
import { type Attempt, type AttemptEnd, attemptHostPath, type Executor } from "../../src/exec/core/index.ts";
import { freshAsk, isAppError, pause, type TaskPath } from "../../src/kernel/index.ts";
import { dockerRequirement, startDocker } from "../servers/docker.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import {
  type TestImage,
  type TestImages,
  testArchitecture,
  testImages,
  testImagesRequirement,
} from "../servers/test-images.ts";

const ask = freshAsk();
const mebibyte = 2 ** 20;

for (const { requirement, start, title } of [
  { requirement: podmanRequirement, start: startPodman, title: "Podman" },
  { requirement: dockerRequirement, start: startDocker, title: "Docker" },
]) {
  describeWith([requirement, testImagesRequirement], `containers of ${title}`, () => {
    let root: string;
    let server: TestEngine;
    let images: TestImages;
    let engine: ContainerEngine;
    let executor: Executor;
    let serial = 0;

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), "memoir-engines-"));
      [server, images] = await Promise.all([start(), testImages()]);
      for (const image of [images.busybox, images.empty]) await server.load(image);
      engine = await findEngine({ engine: server.kind, env: server.env, home: root }, ask);
      executor = await make({});
    });

    afterAll(async () => {
      await engine?.close();
      await server?.stop();
      await rm(root, { recursive: true, force: true, maxRetries: 20 });
    });

    /** An executor that leaves the shared engine open when it is closed. */
    async function make(options: Partial<ContainerExecutorOptions>): Promise<Executor> {
      const credentials = { env: server.env, home: root };
      const made = createContainerExecutor({
        engine: { ...engine, close: async () => {} },
        images: new ImageStore({ engine, credentials }),
        graceMs: 1_000,
        ...options,
      });
      await made.open(ask);
      return made;
    }

    async function prepare(
      script: string,
      more: Partial<Attempt> = {},
      image: TestImage = images.busybox,
    ): Promise<Attempt> {
      const id = `engines-${server.kind}-${process.pid}-${serial++}`;
      const directory = join(root, id);
      await mkdir(directory);
      await writeFile(join(directory, "command"), script);
      return {
        id,
        directory,
        shell: ["/bin/sh"],
        inputs: [],
        env: {},
        image: {
          requested: image.reference,
          reference: image.configDigest,
          platform: `linux/${testArchitecture()}`,
          configDigest: image.configDigest,
        },
        resources: { cpu: 1, memoryBytes: 128 * mebibyte, gpu: 0 },
        network: false,
        labels: {},
        ...more,
      };
    }

    async function run(attempt: Attempt, on: Executor = executor): Promise<AttemptEnd> {
      await on.start(attempt, ask);
      const end = await on.wait(attempt, ask);
      await on.remove(attempt, ask);
      return end;
    }

    /** What a script prints, as lines. */
    async function linesOf(script: string, more: Partial<Attempt> = {}, on?: Executor): Promise<string[]> {
      const attempt = await prepare(script, more);
      expect(await run(attempt, on)).toMatchObject({ kind: "exited", exitCode: 0 });
      return (await readFile(join(attempt.directory, "stdout"), "utf8")).trim().split("\n");
    }

    const spec = async (name: string) => ({
      name,
      image: images.busybox.reference,
      command: ["/bin/sh", "-c", "exit 4"],
      workDir: "/",
      env: {},
      user: "0:0",
      labels: {},
      mounts: [],
      network: "none" as const,
      init: true,
      stopSignal: { name: "TERM", linuxNumber: 15 },
      sharedMemoryBytes: 64 * mebibyte,
      capabilities: [],
      gpu: 0,
    });

    it("makes no folder for an input that is not there (Podman would, Docker refuses)", async () => {
      const missing = join(root, "missing", "input");
      const attempt = await prepare("exit 0", {
        inputs: [
          {
            path: "/mnt/memoir/inputs/0/input" as TaskPath,
            source: { kind: "file", location: missing, basename: "input" },
          },
        ],
      });
      const error = await executor.start(attempt, ask).catch((thrown: unknown) => thrown);
      expect(isAppError(error, "EXEC_INPUT_MISSING")).toBe(true);
      expect(await readdir(root)).not.toContain("missing");
    });

    it("knows a name that is taken (409 or 500), and an image that is not there", async () => {
      const one = await spec(`taken-${process.pid}`);
      expect(await engine.create(one, ask)).toEqual({ kind: "created" });
      expect(await engine.create(one, ask)).toEqual({ kind: "exists" });
      expect(
        await engine.create({ ...one, name: `other-${process.pid}`, image: "localhost/none:1" }, ask),
      ).toEqual({ kind: "no-image" });
      await engine.remove(one.name, ask);
    });

    it("may be asked again after a container has ended or was removed", async () => {
      const { name } = await spec(`ended-${process.pid}`);
      await engine.create(await spec(name), ask);
      expect(await engine.inspect(name, ask)).toMatchObject({ status: "created" });
      expect(await engine.start(name, ask)).toEqual({ kind: "started" });
      await engine.wait(name, ask);
      expect(await engine.inspect(name, ask)).toMatchObject({ status: "ended", exitCode: 4 });
      await engine.wait(name, ask);
      await engine.kill(name, "SIGTERM", ask);
      await engine.remove(name, ask);
      await engine.remove(name, ask);
      await engine.wait(name, ask);
      await engine.kill(name, "SIGKILL", ask);
      expect(await engine.inspect(name, ask)).toBeUndefined();
    });

    it("ends with 127 and words of explanation when the image has no shell (400, 409 or a silent 127)", async () => {
      const attempt = await prepare("exit 0", {}, images.empty);
      expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 127 });
      expect(await readFile(join(attempt.directory, "stderr"), "utf8")).toContain(
        `image ${images.empty.reference} has no /bin/sh`,
      );
    });

    it("recognises that memory ran out although Podman's own flag stays false", async () => {
      const attempt = await prepare("sh -c 'a=$(head -c 300000000 /dev/zero | tr \"\\0\" x)'; exit 5", {
        resources: { cpu: 1, memoryBytes: 48 * mebibyte, gpu: 0 },
      });
      await executor.start(attempt, ask);
      expect(await executor.wait(attempt, ask)).toMatchObject({ exitCode: 5, outOfMemory: true });
      expect(await engine.inspect(attempt.id, ask)).toMatchObject({ outOfMemory: server.kind === "docker" });
      await executor.remove(attempt, ask);
    });

    it("knows the exit code of a task that has used up its processes", async () => {
      const few = await make({ pids: 30 });
      const attempt = await prepare("trap 'exit 3' EXIT; while :; do sleep 1000 & done");
      expect(await run(attempt, few)).toMatchObject({ kind: "exited", exitCode: 3 });
      await few.close();
    });

    it("applies the limits that were asked for", async () => {
      const lines = await linesOf(
        `cd /sys/fs/cgroup
         if [ -d memory ]; then
           cat memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes cpu/cpu.cfs_quota_us pids/pids.max
         else cat memory.max memory.swap.max; cut -d' ' -f1 cpu.max; cat pids.max; fi
         df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2`,
        { resources: { cpu: 0.5, memoryBytes: 200 * mebibyte, gpu: 0 } },
        await make({ pids: 77 }),
      );
      expect(lines[0]).toBe(String(200 * mebibyte));
      expect([String(200 * mebibyte), "0"]).toContain(lines[1]);
      expect(lines.slice(2)).toEqual(["50000", "77", String(100 * 1024)]);
    });

    it("never asks for more processors than the engine has", async () => {
      await linesOf("exit 0", { resources: { cpu: 4096, memoryBytes: 0, gpu: 0 } });
    });

    it("takes away rights that tasks do not need", async () => {
      const lines = await linesOf("grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\t' ' '");
      // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETGID, SETUID.
      expect(lines).toEqual(["CapEff: 00000000000000db", "NoNewPrivs: 1", "Seccomp: 2"]);
    });

    it("runs as the invoking user, whose outputs they are, with a home to write to", async () => {
      const plain = await make({ user: { uid: 1234, gid: 2345 } });
      const attempt = await prepare(
        "id -u; id -g; grep CapEff /proc/self/status; echo > $HOME/x; echo > made",
      );
      await chown(attempt.directory, 1234, 2345);
      // The engine's user would have made these.
      for (const name of ["work", "inputs"]) {
        await mkdir(join(attempt.directory, name));
        await chown(join(attempt.directory, name), 1234, 2345);
      }
      expect(await run(attempt, plain)).toMatchObject({ kind: "exited", exitCode: 0 });
      expect(await readFile(join(attempt.directory, "stdout"), "utf8")).toBe(
        "1234\n2345\nCapEff:\t0000000000000000\n",
      );
      for (const name of ["work/made", "rc", "stdout"])
        expect(await stat(join(attempt.directory, name))).toMatchObject({ uid: 1234, gid: 2345 });
    });

    it("places things anywhere in the container, and the working directory under a second name", async () => {
      await writeFile(join(root, "given"), "given\n");
      const source = { kind: "file", location: join(root, "given"), basename: "given" } as const;
      const attempt = await prepare(
        'pwd; echo "$@"; cat /srv/out/in /srv/data/ro /srv/text; echo more >> /srv/data/rw; echo no 2>/dev/null >> /srv/data/ro || echo kept; cp /srv/data/rw made',
        {
          workDir: "/srv/out",
          arguments: ["one", "two"],
          inputs: [
            { path: "/mnt/memoir/work/in" as TaskPath, source },
            { path: "/srv/data/ro" as TaskPath, source },
            { path: "/srv/data/rw" as TaskPath, source, writable: true },
          ],
          literalFiles: [{ path: "/srv/text" as TaskPath, content: "text\n" }],
        },
      );
      expect(await run(attempt)).toMatchObject({ exitCode: 0 });
      const read = (path: string) => readFile(path, "utf8");
      expect(await read(join(attempt.directory, "stdout"))).toBe(
        "/srv/out\none two\ngiven\ngiven\ntext\nkept\n",
      );
      expect(await read(join(attempt.directory, "work/made"))).toBe("given\nmore\n");
      expect(await read(attemptHostPath(attempt, "/srv/out/made") ?? "")).toBe("given\nmore\n");
      expect(await read(attemptHostPath(attempt, "/srv/data/rw") ?? "")).toBe("given\nmore\n");
      expect(await read(join(root, "given"))).toBe("given\n");
    });

    it("gives a task the network when it asks for it", async () => {
      const host = await make({ network: "host" });
      // Those of containers of other tests come and go.
      const devices = "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ' | grep -v ^veth | sort";
      const seen = await linesOf(devices, { network: true }, host);
      expect(seen).toEqual(execFileSync("sh", ["-c", devices], { encoding: "utf8" }).trim().split("\n"));
    });

    it("calls an attempt lost when its container is killed or removed from outside", async () => {
      const killed = await prepare("while :; do sleep 0.05; done");
      await executor.start(killed, ask);
      const end = executor.wait(killed, ask);
      await engine.kill(killed.id, "SIGKILL", ask);
      expect(await end).toMatchObject({ kind: "lost" });
      await executor.remove(killed, ask);

      const removed = await prepare("while :; do sleep 0.05; done");
      await executor.start(removed, ask);
      const gone = executor.wait(removed, ask);
      await engine.remove(removed.id, ask);
      expect(await gone).toMatchObject({ kind: "lost" });
    });

    it("calls an attempt lost when its container is stopped from outside, also when the task ends well then", async () => {
      for (const script of [
        "trap 'echo > cleaned; exit 0' TERM; echo > ready; while :; do sleep 0.05; done",
        "echo > ready; while :; do sleep 0.05; done",
      ]) {
        const attempt = await prepare(script);
        await executor.start(attempt, ask);
        const end = executor.wait(attempt, ask);
        while (!(await readdir(join(attempt.directory, "work"))).includes("ready")) await pause(20, ask);
        await stopFromOutside(server, attempt.id);
        expect(await end).toMatchObject({ kind: "lost" });
        const cleaned = (await readdir(join(attempt.directory, "work"))).includes("cleaned");
        expect(cleaned).toBe(script.includes("cleaned"));
        await executor.remove(attempt, ask);
      }
    });

    it("lets a script end its own process group without losing its exit code", async () => {
      const attempt = await prepare("trap 'exit 4' TERM; kill 0; sleep 5");
      expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 4 });
    });

    it("refuses a name under which something else runs", async () => {
      const attempt = await prepare("exit 0");
      await engine.create(await spec(attempt.id), ask);
      const error = await executor.start(attempt, ask).catch((thrown: unknown) => thrown);
      expect(isAppError(error, "EXEC_START_FAILED")).toBe(true);
      expect(String(error)).toContain("belongs to another program");
      await engine.remove(attempt.id, ask);
    });

    it("starts an attempt that was created but not started before a crash", async () => {
      const attempt = await prepare("exit 8");
      const made = { ...(await spec(attempt.id)), labels: { "memoir.directory": attempt.directory } };
      await engine.create(made, ask);
      expect(await executor.state(attempt, ask)).toEqual({ kind: "unknown" });
      expect(await run(attempt)).toMatchObject({ kind: "exited", exitCode: 8 });
    });

    it("removes what dead processes left, and nothing that may be resumed", async () => {
      const dead = `${execFileSync("hostname", { encoding: "utf8" }).trim()} no-such-boot 1 1`;
      const left = { "memoir.attempt": "x", "memoir.owner": dead };
      const [ended, orphan, running] = ["ended", "orphan", "running"].map(
        (name) => `sweep-${name}-${process.pid}`,
      );
      const base = await spec("");
      const forever = ["/bin/sh", "-c", "sleep 1000"];
      await engine.create({ ...base, name: `${ended}`, labels: { ...left, "memoir.directory": root } }, ask);
      await engine.create(
        {
          ...base,
          name: `${orphan}`,
          command: forever,
          labels: { ...left, "memoir.directory": join(root, "no") },
        },
        ask,
      );
      await engine.create(
        { ...base, name: `${running}`, command: forever, labels: { ...left, "memoir.directory": root } },
        ask,
      );
      for (const name of [ended, orphan, running]) await engine.start(`${name}`, ask);
      await engine.wait(`${ended}`, ask);
      await (await make({})).close();
      expect(await engine.inspect(`${ended}`, ask)).toBeUndefined();
      expect(await engine.inspect(`${orphan}`, ask)).toBeUndefined();
      expect(await engine.inspect(`${running}`, ask)).toMatchObject({ status: "running" });
      await engine.remove(`${running}`, ask);
    });

    it("keeps waiting for a task while its engine is killed and comes back", async () => {
      const attempt = await prepare(
        "echo > ready; while [ ! -e go ]; do sleep 0.05; done; echo late; exit 6",
      );
      await executor.start(attempt, ask);
      const end = executor.wait(attempt, ask);
      while (!(await readdir(join(attempt.directory, "work"))).includes("ready")) await pause(20, ask);
      process.kill(await enginePid(server), "SIGKILL");
      await writeFile(join(attempt.directory, "work/go"), "");
      expect(await end).toMatchObject({ kind: "exited", exitCode: 6 });
      expect(await readFile(join(attempt.directory, "stdout"), "utf8")).toBe("late\n");
      await executor.remove(attempt, ask);
      expect(await engine.inspect(attempt.id, ask)).toBeUndefined();
    });

    it("mounts hundreds of inputs one by one", async () => {
      const folder = join(root, "many");
      await mkdir(folder);
      const inputs = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const location = join(folder, `${i}.txt`);
          await writeFile(location, `${i}\n`);
          const path = `/mnt/memoir/inputs/0/${i}.txt` as TaskPath;
          return { path, source: { kind: "file" as const, location, basename: `${i}.txt` } };
        }),
      );
      const lines = await linesOf("cat ../inputs/0/*.txt | wc -l", { inputs });
      expect(lines).toEqual(["300"]);
    });
  });
}

/** The daemon of Docker, or the service that Memoir started for Podman. */
async function enginePid(server: TestEngine): Promise<number> {
  if (server.kind === "docker") return Number(await readFile(join(server.dir, "pid"), "utf8"));
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const words = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0");
    const ours = words.some((word) => word.includes(`memoir-podman-${process.pid}-`));
    if (ours && words[0]?.endsWith("podman")) return Number(pid);
  }
  throw new Error("podman's service is not there");
}

/** As a person does it, or a daemon that ends. */
async function stopFromOutside(server: TestEngine, container: string): Promise<void> {
  if (server.kind === "podman") {
    execFileSync("podman", ["stop", container], { env: server.env, stdio: "ignore" });
    return;
  }
  const socketPath = (server.env["DOCKER_HOST"] ?? "").replace("unix://", "");
  const status = await new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: "POST", path: `/containers/${container}/stop` }, (answer) => {
      answer.resume().on("end", () => resolve(answer.statusCode));
    });
    asked.on("error", reject).end();
  });
  expect(status).toBe(204);
}
