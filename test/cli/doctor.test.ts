/** `memoir doctor` always ends, and what works is never called trouble. */
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../servers/free-port.ts";
import { redisRequirement, startRedis } from "../servers/redis.ts";
import { describeWith } from "../servers/requirement.ts";
import { Sandbox } from "./memoir.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
});
afterAll(() => box.remove());

interface Report {
  readonly findings: readonly { readonly name: string; readonly state: string; readonly detail: string }[];
}

async function findingOf(name: string, ...words: readonly string[]): Promise<unknown> {
  const { out } = await box.run("doctor", "--json", ...words);
  return (JSON.parse(out) as Report).findings.find((finding) => finding.name === name);
}

it("finds the embedded cache and the toolkit well, and ends", async () => {
  const { code, out } = await box.run("doctor", "--json");
  const { findings } = JSON.parse(out) as Report;
  expect(findings.filter(({ state }) => state === "trouble")).toEqual([]);
  expect(code).toBe(0);
});

it("ends although a program that it asks for its version never ends and leaves others behind", async () => {
  const folder = box.path("programs");
  await mkdir(folder);
  await writeFile(join(folder, "podman"), "#!/bin/sh\ntrap '' TERM\nsleep 600 &\nsleep 600\n");
  await chmod(join(folder, "podman"), 0o755);
  const mine = box.with({ PATH: `${folder}:${process.env["PATH"]}` });
  const { out } = await mine.run("doctor", "--json");
  const podman = (JSON.parse(out) as Report).findings.find(({ name }) => name === "podman");
  expect(podman).toMatchObject({ state: "absent", detail: expect.stringContaining("does not work") });
});

describeWith([redisRequirement], "with a Redis", () => {
  it("that works it says ok; with one that is frozen or gone, trouble; and ends", async () => {
    const redis = await startRedis();
    const local = ["--local", redis.url];
    try {
      expect(await findingOf("local cache", ...local)).toMatchObject({ state: "ok" });
      redis.freeze();
      expect(await findingOf("local cache", ...local)).toMatchObject({ state: "trouble" });
      redis.thaw();
      await redis.kill();
      expect(await findingOf("local cache", ...local)).toMatchObject({
        state: "trouble",
        detail: expect.stringContaining("STORE_TIER_UNREACHABLE"),
      });
    } finally {
      redis.thaw();
      await redis.stop();
    }
  });

  it("that answers late it reports as slow, which is not an error", async () => {
    const redis = await startRedis();
    const late = await lateServer(redis.address, 2_100);
    try {
      expect(await findingOf("local cache", "--local", `redis://127.0.0.1:${late.port}/0`)).toMatchObject({
        state: "ok",
        detail: expect.stringContaining("slow"),
      });
    } finally {
      late.server.close();
      await redis.stop();
    }
  });
});

/** Takes every connection at once and hands it on only after a while. */
async function lateServer(address: string, lateMs: number): Promise<{ port: number; server: Server }> {
  const [host = "", port = ""] = address.split(":");
  const server = createServer((socket: Socket) => {
    socket.pause();
    socket.on("error", () => {});
    setTimeout(() => {
      const onward = connect(Number(port), host);
      onward.on("error", () => socket.destroy());
      socket.on("close", () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    }, lateMs);
  });
  const own = await freePort();
  await new Promise<void>((resolve) => server.listen(own, "127.0.0.1", resolve));
  return { port: own, server };
}

it("reports mistakes in the configuration files, and everything else", async () => {
  const own = await Sandbox.create();
  try {
    await own.write("memoir.toml", 'exectuor = "slurm"\n');
    const { code, out } = await own.run("doctor", "--json");
    const { findings } = JSON.parse(out) as Report;
    expect(code).toBe(4);
    expect(findings.find(({ name }) => name === "configuration")).toMatchObject({
      state: "trouble",
      detail: expect.stringContaining("there is no setting exectuor"),
    });
    expect(findings.length).toBeGreaterThan(5);
    expect((await own.run("doctor", "--no-config", "--json")).code).toBe(0);
  } finally {
    await own.remove();
  }
});
