/**
 * Caches that fail while a run uses them: deleted, damaged, full, or on a server that fails. The run ends well all the
 * same, and what is reused is what was computed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeWith, findProgram, type Requirement } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { type RunAnswer, Sandbox } from "./sandbox.ts";

/** `make` four times and one that joins; `~{hook}` runs inside each `make`. */
const document = (hook = "") => `version 1.1
task make {
  input { Int n }
  command <<<
    ${hook}
    head -c 40000 /dev/zero | tr '\\0' '~{n}' > part.txt
  >>>
  output { File part = "part.txt"  Int tenfold = n * 10 }
}
task join {
  input { Array[File] parts }
  command <<< cat ~{sep(" ", parts)} | md5sum > sum.txt >>>
  output { File sum = "sum.txt" }
}
workflow wf {
  scatter (n in [1, 2, 3, 4]) { call make { input: n = n } }
  call join { input: parts = make.part }
  output { File sum = join.sum  Array[File] parts = make.part  Array[Int] tens = make.tenfold }
}
`;

let box: Sandbox;
afterEach(() => box.remove());

const run = (sandbox: Sandbox, cache: string) =>
  sandbox.json<RunAnswer>("run", "wf.wdl", "--executor", "host", "--cache", cache, "--cache-host-tasks");

/** Final outputs, files by content. */
async function contents({ outputs }: RunAnswer): Promise<string> {
  const parts = outputs["wf.parts"] as readonly string[];
  const texts = await Promise.all(
    [outputs["wf.sum"] as string, ...parts].map((path) => readFile(path, "utf8")),
  );
  return [...texts, JSON.stringify(outputs["wf.tens"])].join("\n");
}

function filesBelow(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("/entries/") && name.endsWith(ending))
    .map((name) => join(folder, name))
    .sort();
}

describe("a cache in a folder", () => {
  beforeEach(async () => {
    box = await Sandbox.create();
    await box.write("wf.wdl", document());
  });

  it("that is deleted while the run computes costs reuse, not the run", async () => {
    await box.write("wf.wdl", document(`rm -rf ${box.path("lab")}`));
    const first = await run(box, "./lab");
    expect([first.state, first.calls.computed]).toEqual(["succeeded", 5]);
    await box.write("wf.wdl", document());
    expect(await contents(await run(box, "./lab"))).toBe(await contents(first));
  });

  it("that refuses some results records all others", async () => {
    await box.write(
      "links.wdl",
      `version 1.2
task leads_out { input { Int i } command <<< mkdir d; ln -s ../nowhere-~{i} d/l >>> output { Directory d = "d" } }
task fine { input { Int i  Array[Directory] after } command <<< echo ~{i} > o.txt >>> output { File o = "o.txt" } }
workflow wf {
  scatter (i in range(6)) { call leads_out { input: i } }
  scatter (i in range(3)) { call fine { input: i, after = leads_out.d } }
}
`,
    );
    const words = ["run", "links.wdl", "--executor", "host", "--cache", "./lab", "--cache-host-tasks"];
    const first = await box.json<RunAnswer>(...words);
    expect(first).toMatchObject({ state: "succeeded", unrecorded: { waiting: 0, refused: 6 } });
    expect((await box.json<RunAnswer>(...words)).calls).toMatchObject({ reused: 3, computed: 6 });
  });

  it.each([
    ["cut off", (path: string) => truncate(path, 100)],
    ["emptied", (path: string) => truncate(path, 0)],
    ["filled with other bytes", (path: string) => writeFile(path, Buffer.alloc(500, 0xa5))],
    [
      "changed in one digit of a result",
      async (path: string) => writeFile(path, (await readFile(path, "utf8")).replace(/("int": "\d)0/, "$11")),
    ],
  ])("whose manifests are %s computes again and gives the same outputs", async (_, damage) => {
    const first = await run(box, "./lab");
    const wanted = await contents(first);
    const manifests = filesBelow(box.path("lab"), ".json");
    expect(manifests).toHaveLength(5);
    for (const path of manifests) {
      const bytes = await readFile(path);
      await rm(path);
      await writeFile(path, bytes);
      await damage(path);
    }
    const second = await run(box, "./lab");
    expect(second.state).toBe("succeeded");
    expect(second.calls.computed).toBeGreaterThanOrEqual(4);
    expect(await contents(second)).toBe(wanted);
    expect((await run(box, "./lab")).calls).toMatchObject({ reused: 5, computed: 0 });
  });

  it("whose files are cut off or gone computes those again", async () => {
    const first = await run(box, "./lab");
    const wanted = await contents(first);
    const [cut, gone] = filesBelow(box.path("lab"), "part.txt");
    await rm(gone ?? "");
    const bytes = await readFile(cut ?? "");
    await rm(cut ?? "");
    await writeFile(cut ?? "", bytes.subarray(1));
    const second = await run(box, "./lab");
    expect(second.calls).toMatchObject({ reused: 3, computed: 2 });
    expect(await contents(second)).toBe(wanted);
  });
});

const smallDisks: Requirement = {
  name: "mounting a small disk",
  programs: ["mount", "umount"],
  debianPackages: ["mount"],
  needsRoot: true,
};

describeWith([smallDisks], "a cache on a full disk", () => {
  const program = (name: string) => findProgram(name) ?? name;

  it("costs reuse, not the run, and is used again when there is room", async () => {
    box = await Sandbox.create();
    await box.write("wf.wdl", document());
    const disk = box.path("small");
    mkdirSync(disk);
    const words = ["-t", "tmpfs", "-o", "size=128k", "tmpfs", disk];
    expect(spawnSync(program("mount"), words).status).toBe(0);
    try {
      const first = await run(box, "./small/lab");
      expect([first.state, first.calls.computed]).toEqual(["succeeded", 5]);
      const second = await run(box, "./small/lab");
      expect(second.state).toBe("succeeded");
      expect(await contents(second)).toBe(await contents(first));
      spawnSync(program("mount"), ["-o", "remount,size=16m", disk]);
      await run(box, "./small/lab");
      expect((await run(box, "./small/lab")).calls).toMatchObject({ reused: 5, computed: 0 });
    } finally {
      spawnSync(program("umount"), [disk]);
    }
  });
});

describeWith([s3Requirement], "a cache on a server that fails", () => {
  let server: S3Address;
  let proxy: Proxy;
  let location: string;

  beforeAll(async () => {
    server = await sharedS3();
    proxy = await startProxy(server.endpoint);
  });
  afterAll(() => proxy?.server.close());
  beforeEach(async () => {
    proxy.fault = undefined;
    location = `s3://${await makeBucket(server, "faults")}/cache`;
    box = await Sandbox.create(s3Environment({ ...server, endpoint: proxy.endpoint }));
    await box.write("wf.wdl", document());
  });

  it.each([
    ["503 to every fifth call", { every: 5, how: 503 }],
    ["nothing to every third call and hangs up", { every: 3, how: "hang-up" }],
    ["half of every fourth answer", { every: 4, how: "half" }],
  ] as const)("answering %s, serves the run and the next one", async (_, fault) => {
    proxy.fault = fault;
    const first = await run(box, location);
    expect([first.state, first.calls.computed]).toEqual(["succeeded", 5]);
    const second = await run(box.with({ MEMOIR_HOME: box.path("other-home") }), location);
    expect(second.state).toBe("succeeded");
    expect(await contents(second)).toBe(await contents(first));
    expect(proxy.failed).toBeGreaterThan(5);
  });

  it.each([
    ["hangs up from the first call on", "hang-up", 0],
    ["hangs up in the middle of a run", "hang-up", 12],
    ["takes calls and never answers", "silence", 0],
    ["falls silent in the middle of a run", "silence", 12],
  ] as const)("that %s costs reuse, not the run", async (_, how, after) => {
    proxy.fault = { every: 1, how, after };
    // Requests that are not answered are given up three times each.
    const { state, calls } = await run(box.with({ MEMOIR_S3_TIMEOUT: "2" }), location);
    expect([state, calls.computed]).toEqual(["succeeded", 5]);
    proxy.fault = undefined;
    const next = await run(box, location);
    expect([next.state, next.calls.computed + next.calls.reused]).toEqual(["succeeded", 5]);
    expect(existsSync(join(next.directory, "outputs.json"))).toBe(true);
  });

  it("that fails where the only copy of what was reused is costs computing it again, not the run", async () => {
    const first = await run(box, location);
    const elsewhere = box.with({ MEMOIR_HOME: box.path("other-home") });
    proxy.fault = { every: 1, how: "hang-up", after: 10 };
    const second = await run(elsewhere, location);
    expect(second.state).toBe("succeeded");
    expect(second.calls.computed + second.calls.reused).toBe(5);
    expect(await contents(second)).toBe(await contents(first));
    proxy.fault = undefined;
    expect(await contents(await run(elsewhere, location))).toBe(await contents(first));
  });

  it("that resets every connection when the run starts costs no result", async () => {
    const gate = box.path("answers-again");
    await box.write("wf.wdl", document(`while ! test -e ${gate}; do sleep 0.1; done`));
    proxy.fault = { every: 1, how: "reset" };
    const words = ["wf.wdl", "--executor", "host", "--cache", location, "--cache-host-tasks"];
    const going = box.start("run", ...words, "--json");
    const started = () =>
      readdirSync(box.home, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith("/stdout"));
    await expect.poll(started).toBe(true);
    expect(proxy.failed).toBeGreaterThan(0);
    proxy.fault = undefined;
    await writeFile(gate, "");
    const { out } = await going.ended;
    expect(JSON.parse(out)).toMatchObject({
      state: "succeeded",
      calls: { computed: 5 },
      unrecorded: { waiting: 0, refused: 0 },
    });
    const elsewhere = box.with({ MEMOIR_HOME: box.path("other-home") });
    expect((await run(elsewhere, location)).calls).toMatchObject({ reused: 5, computed: 0 });
  });

  it("that resets every connection to the end leaves its results to the next run, and their folder stays", async () => {
    proxy.fault = { every: 1, how: "reset" };
    const first = await run(box, location);
    expect(first).toMatchObject({ state: "succeeded", unrecorded: { waiting: 5, refused: 0 } });
    const kept = await box.run("runs", "delete", "last");
    expect([kept.code, kept.out]).toEqual([0, expect.stringContaining("0 runs deleted")]);
    expect(kept.out).toContain("results that are not recorded yet and was kept");
    proxy.fault = undefined;
    expect((await run(box, location)).calls).toMatchObject({ reused: 5, computed: 0 });
    expect((await box.run("runs", "delete", "--older-than", "0s")).out).toContain("2 runs deleted");
  });

  it("that resets every connection to the end leaves results that only --force deletes", async () => {
    proxy.fault = { every: 1, how: "reset" };
    await run(box, location);
    expect((await box.run("runs", "delete", "last", "--force")).out).toContain("1 run deleted");
  });

  it("that is out of reach for a part of the run costs no result", async () => {
    await box.write(
      "long.wdl",
      `version 1.1
task t {
  input { Int n }
  command <<< touch ${box.folder}/ran-~{n}; sleep 0.2; echo ~{n} > o.txt >>>
  output { File o = "o.txt" }
}
workflow long { scatter (n in range(16)) { call t { input: n = n } } output { Array[File] o = t.o } }
`,
    );
    const ran = () => readdirSync(box.folder).filter((name) => name.startsWith("ran-")).length;
    const words = ["long.wdl", "--executor", "host", "--cache", location, "--cache-host-tasks"];
    const going = box.start("run", ...words, "--max-cpus", "1", "--json");
    await expect.poll(ran).toBeGreaterThan(3);
    proxy.fault = { every: 1, how: "hang-up" };
    await expect.poll(ran).toBeGreaterThan(10);
    proxy.fault = undefined;
    const { out } = await going.ended;
    expect(JSON.parse(out)).toMatchObject({
      state: "succeeded",
      calls: { computed: 16 },
      unrecorded: { waiting: 0, refused: 0 },
    });
    const elsewhere = box.with({ MEMOIR_HOME: box.path("other-home") });
    const next = await elsewhere.json<RunAnswer>("run", ...words);
    expect(next.calls).toMatchObject({ reused: 16, computed: 0 });
  });

  it("that opens late shares the work of those who use it from then on", async () => {
    const at = (name: string) => box.path(name);
    await box.write(
      "shared.wdl",
      `version 1.1
task step {
  input { String name  File? before }
  command <<<
    echo ~{name} >> ${at("ran")}
    until [ -e ${box.folder}/~{name} ]; do sleep 0.05; done
    echo ~{name} > o.txt
  >>>
  output { File o = "o.txt" }
}
workflow shared {
  call step as first { input: name = "first" }
  call step as middle { input: name = "middle", before = first.o }
  call step as last { input: name = "last", before = middle.o }
  output { File o = last.o }
}
`,
    );
    const words = ["run", "shared.wdl", "--executor", "host", "--cache", location, "--cache-host-tasks"];
    proxy.fault = { every: 1, how: "reset" };
    const late = box.start(...words, "--json");
    const ran = () => (existsSync(at("ran")) ? readFileSync(at("ran"), "utf8").split("\n").length - 1 : 0);
    await expect.poll(ran).toBe(1);
    proxy.fault = undefined;
    await box.write("first", "");
    const events = () =>
      readdirSync(box.home, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith("/events.jsonl"))
        .map((name) => readFileSync(join(box.home, name), "utf8"))
        .join("");
    await expect.poll(events).toContain('"call.recorded"');
    await box.write("middle", "");
    await expect.poll(ran).toBe(3);
    const other = box.with({ MEMOIR_HOME: at("other-home") }).start(...words, "--json");
    await expect.poll(() => other.err()).toMatch(/shared\.last is being computed by run/);
    await box.write("last", "");
    expect(JSON.parse((await late.ended).out).calls).toMatchObject({ computed: 3, reused: 0 });
    expect(JSON.parse((await other.ended).out).calls).toMatchObject({ computed: 0, reused: 3 });
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "a finished task is not computed again because %s came while its output went up",
    async (signal) => {
      await box.write(
        "big.wdl",
        `version 1.1
task big { command <<< head -c 40000000 /dev/urandom > big.bin >>> output { File o = "big.bin" } }
workflow wf { call big output { File o = big.o } }
`,
      );
      const words = ["big.wdl", "--executor", "host", "--cache", location, "--cache-host-tasks"];
      proxy.fault = { every: 1, how: "silence", only: /^PUT .*partNumber=/ };
      const going = box.start("run", ...words);
      await expect.poll(() => proxy.failed).toBeGreaterThan(0);
      going.process.kill(signal);
      await going.ended;
      proxy.fault = undefined;
      const next = await box.json<RunAnswer>("run", ...words);
      expect(next.calls).toMatchObject({ reused: 1, computed: 0 });
      if (signal === "SIGTERM") expect(await unfinishedUploads(server, location)).toEqual([]);
    },
  );
});

async function unfinishedUploads(server: S3Address, location: string): Promise<readonly string[]> {
  const { S3Client, ListMultipartUploadsCommand } = await import("@aws-sdk/client-s3");
  const { endpoint, region } = server;
  const client = new S3Client({ endpoint, region, credentials: server, forcePathStyle: true });
  try {
    const bucket = new URL(location).hostname;
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    return Uploads.map(({ Key }) => Key ?? "");
  } finally {
    client.destroy();
  }
}

interface Fault {
  readonly every: number;
  readonly how: number | "hang-up" | "half" | "reset" | "silence";
  /** Which calls count, as `GET /bucket/key`. Default: all. */
  readonly only?: RegExp;
  /** Calls that go well first. Default 0. */
  readonly after?: number;
}

interface Proxy {
  readonly server: Server;
  readonly endpoint: string;
  /** Setting it restarts the count. */
  fault: Fault | undefined;
  readonly failed: number;
}

/** Hands calls on, Host header included, since that is signed; some fail as `fault` says. */
async function startProxy(to: string): Promise<Proxy> {
  const { hostname, port } = new URL(to);
  let fault: Fault | undefined;
  let calls = 0;
  let failed = 0;
  const server = createServer((incoming, outgoing) => {
    const counts = fault?.only?.test(`${incoming.method} ${incoming.url}`) ?? true;
    if (counts) calls++;
    const fails =
      counts &&
      fault !== undefined &&
      calls > (fault.after ?? 0) &&
      (calls - (fault.after ?? 0)) % fault.every === 0;
    if (fails) failed++;
    const how = fails ? fault?.how : undefined;
    if (how === "silence") {
      incoming.resume();
      return;
    }
    if (how === "reset") {
      incoming.socket.resetAndDestroy();
      return;
    }
    if (how === "hang-up") {
      incoming.destroy();
      return;
    }
    if (typeof how === "number") {
      incoming.resume().on("end", () => {
        outgoing.writeHead(how, { "content-type": "application/xml" });
        outgoing.end("<Error><Code>SlowDown</Code><Message>later</Message></Error>");
      });
      return;
    }
    const { method, url, headers } = incoming;
    const asked = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      if (how === "half") {
        answer.once("data", (chunk: Buffer) => {
          outgoing.write(chunk.subarray(0, chunk.length >> 1), () => outgoing.destroy());
        });
        answer.once("end", () => outgoing.destroy());
      } else answer.pipe(outgoing);
    });
    asked.on("error", () => outgoing.destroy());
    incoming.pipe(asked);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    server,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get fault() {
      return fault;
    },
    set fault(next) {
      [fault, calls, failed] = [next, 0, 0];
    },
    get failed() {
      return failed;
    },
  };
}
