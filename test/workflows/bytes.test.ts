/**
 * Bytes that enter a run are those that were identified: inputs on servers that change while their call waits, and
 * recorded results that are replaced, damaged, lost or out of reach after they were found.
 */
import { existsSync, readdirSync } from "node:fs";
import { chmod, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { S3Client } from "@aws-sdk/client-s3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { limitMs } from "../limit.mjs";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { type RunAnswer, Sandbox } from "./sandbox.ts";

let box: Sandbox;
afterEach(() => box.remove());

const host = ["--executor", "host", "--cache-host-tasks"] as const;
const run = (wdl: string, cache: string, ...words: readonly string[]) =>
  box.json<RunAnswer>("run", wdl, ...words, ...host, "--cache", cache);

/** A task that waits until the test lets it continue; `v` names the gate. */
const gate = () => `task gate {
  input { String v }
  command <<<
    touch ${box.path("at-~{v}")}
    until [ -e ${box.path("open-~{v}")} ]; do sleep 0.05; done
    echo "~{v}"
  >>>
  output { String r = read_string(stdout()) }
}`;

/** Runs and does something while the gate is shut. */
async function runMeanwhile(
  words: readonly string[],
  v: string,
  meanwhile: () => Promise<unknown>,
): Promise<RunAnswer> {
  const running = box.json<RunAnswer>("run", ...words, `v=${v}`, ...host);
  const early = running.then(
    () => true,
    () => true,
  );
  await expect
    .poll(async () => existsSync(box.path(`at-${v}`)) || (await Promise.race([early, false])), {
      timeout: limitMs,
      interval: 50,
    })
    .toBe(true);
  await meanwhile();
  await box.write(`open-${v}`, "");
  return running;
}

const open = (v: string) => box.write(`open-${v}`, "");

/** `use` needs what `make` made, but not before the gate is open. */
const fileThroughGate = () => `version 1.1
task make { input { String tag } command <<< echo "data-~{tag}-0123456789" > o.txt >>> output { File o = "o.txt" } }
${gate()}
task use {
  input { File f  String v }
  command <<< echo "v=~{v}"; cat ~{f} >>>
  output { String r = read_string(stdout()) }
}
workflow w {
  input { String tag = "a"  String v }
  call make { input: tag }
  call gate { input: v }
  call use { input: f = make.o, v = gate.r }
  output { String r = use.r }
}
`;

/** The same with a folder that holds files, a link, a program and an empty folder. */
const folderThroughGate = () => `version 1.2
task make {
  command <<<
    mkdir -p d/sub d/empty; echo one > d/a; echo two > d/sub/b; ln -s a d/link
    printf '#!/bin/sh\\n' > d/tool; chmod +x d/tool
  >>>
  output { Directory d = "d" }
}
${gate()}
task use {
  input { Directory d  String v }
  command <<<
    cd ~{d}; find -L . -type f -perm -u+x -printf 'x %p\\n' -o -type f -printf '- %p\\n' -o -type d -printf 'd %p\\n' | sort
    : ~{v}
  >>>
  output { Array[String] r = read_lines(stdout()) }
}
workflow w { input { String v } call make call gate { input: v } call use { input: d = make.d, v = gate.r }
  output { Array[String] r = use.r } }
`;
const wholeFolder = ["- ./a", "- ./link", "- ./sub/b", "d .", "d ./empty", "d ./sub", "x ./tool"];

/** Other bytes of equal size under the old time, as bit rot leaves them. */
async function rot(path: string): Promise<void> {
  const { atime, mtime, mode } = await stat(path);
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
  await chmod(path, mode);
  await utimes(path, atime, mtime);
}

const below = (folder: string, ending: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes("/entries/") && name.endsWith(ending))
    .map((name) => join(folder, name));

describe("what a cache in a folder holds", () => {
  beforeEach(async () => {
    box = await Sandbox.create();
  });

  const chain = (how: string) => `version 1.1
task make { command <<< for i in 1 2 3 4 5; do echo "line $i"; done > o.txt >>> output { File o = "o.txt" } }
task use { input { File g } command <<< ${how} ~{g} | cut -d' ' -f1 >>> output { String n = read_string(stdout()) } }
workflow w { call make call use { input: g = make.o } output { String n = use.n } }
`;

  it("feeds nothing when a byte changed under equal size and time: it is computed again, and stays right", async () => {
    await box.write("w.wdl", chain("md5sum"));
    await run("w.wdl", "./lab");
    const [made = ""] = below(box.path("lab"), "o.txt");
    await rot(made);
    await box.write("w.wdl", chain("sha256sum"));
    const second = await run("w.wdl", "./lab");
    const truth = await run("w.wdl", "./elsewhere");
    expect(second.outputs).toEqual(truth.outputs);
    expect(second.calls).toMatchObject({ reused: 0, computed: 2 });
    const report = await box.json<{ sound: number; checked: number }>("cache", "verify", "./lab");
    expect(report.sound).toBe(report.checked);
    const third = await run("w.wdl", "./lab");
    expect(third.outputs).toEqual(truth.outputs);
    expect(third.calls).toMatchObject({ reused: 2, computed: 0 });
  });

  it("and is damaged while a task reads it gives no answer: both are computed again", async () => {
    // Large enough that the task reads it where the cache has it.
    await box.write(
      "reading.wdl",
      `version 1.1
task make { command <<< seq 300000 > big.txt >>> output { File big = "big.txt" } }
task use {
  input { File big  String v }
  command <<<
    touch ${box.folder}/at-~{v}
    until [ -e ${box.folder}/open-~{v} ]; do sleep 0.05; done
    tail -n 1 ~{big}
  >>>
  output { String r = read_string(stdout()) }
}
workflow w { input { String v } call make call use { input: big = make.big, v } output { String r = use.r } }
`,
    );
    await open("1");
    await run("reading.wdl", "./cache", "v=1");
    const damaged = await runMeanwhile(["reading.wdl", "--cache", "./cache"], "2", async () => {
      for (const path of below(box.path("cache"), "big.txt")) {
        await chmod(path, 0o644);
        await writeFile(path, "wrong\n");
      }
    });
    expect(damaged.outputs["w.r"]).toBe("300000");
    expect(damaged.calls).toMatchObject({ reused: 0, computed: 2 });
    expect(await run("reading.wdl", "./cache", "v=2")).toMatchObject({
      outputs: { "w.r": "300000" },
      calls: { reused: 2, computed: 0 },
    });
  });

  it("is read by expressions as it was recorded, or computed again", async () => {
    await box.write(
      "w.wdl",
      `version 1.1
task make { command <<< echo right > o.txt >>> output { File o = "o.txt" } }
workflow w { call make output { String s = read_string(make.o)  File o = make.o } }
`,
    );
    await run("w.wdl", "./lab");
    await rot(below(box.path("lab"), "o.txt")[0] ?? "");
    const { outputs, calls } = await run("w.wdl", "./lab");
    expect(outputs["w.s"]).toBe("right");
    expect(await readFile(outputs["w.o"] as string, "utf8")).toBe("right\n");
    expect(calls).toMatchObject({ reused: 0, computed: 1 });
  });

  it("is read by expressions of CWL as it was recorded, or computed again", async () => {
    const tool = (command: string, outputs: string) => `
    run:
      class: CommandLineTool
      ${command}
      outputs: ${outputs}`;
    await box.write(
      "w.cwl",
      `cwlVersion: v1.2
class: Workflow
requirements: [{class: StepInputExpressionRequirement}, {class: InlineJavascriptRequirement}]
inputs: []
outputs: {s: {type: File, outputSource: second/s}}
steps:
  first:
    in: []
    out: [o]${tool("baseCommand: [echo, right]\n      inputs: []\n      stdout: o.txt", "{o: {type: stdout}}")}
  second:
    in:
      f: {source: first/o, loadContents: true}
      word: {valueFrom: $(inputs.f.contents)}
    out: [s]${tool(
      "baseCommand: echo\n      inputs: {word: {type: string, inputBinding: {}}}\n      stdout: s.txt",
      "{s: {type: stdout}}",
    )}
`,
    );
    const first = await run("w.cwl", "./lab");
    await rot(below(box.path("lab"), "o.txt")[0] ?? "");
    const second = await run("w.cwl", "./lab");
    const text = ({ outputs }: RunAnswer) => readFile(String(outputs["s"]), "utf8");
    expect(await text(second)).toBe(await text(first));
    expect(second.calls).toMatchObject({ reused: 1, computed: 1 });
  });

  it.each([
    ["vanishes", (path: string) => rm(path)],
    ["rots", rot],
    ["is cut off", (path: string) => chmod(path, 0o644).then(() => writeFile(path, "da"))],
  ] as const)("and %s after it was found is computed again, and the run continues", async (_, harm) => {
    await box.write("g.wdl", fileThroughGate());
    await open("1");
    await run("g.wdl", "./lab", "v=1");
    const second = await runMeanwhile(["g.wdl", "--cache", "./lab"], "2", async () =>
      harm(below(box.path("lab"), "out/o/o.txt")[0] ?? ""),
    );
    expect([second.state, second.outputs["w.r"]]).toEqual(["succeeded", "v=2\ndata-a-0123456789"]);
    const third = await run("g.wdl", "./lab", "v=2");
    expect(third.outputs["w.r"]).toBe("v=2\ndata-a-0123456789");
    expect(third.calls).toMatchObject({ reused: 3, computed: 0 });
  });

  it.each([
    ["lost a member", (folder: string) => rm(join(folder, "sub", "b"))],
    ["has a member that rotted", (folder: string) => rot(join(folder, "a"))],
    ["got a member that is not its own", (folder: string) => writeFile(join(folder, "stray"), "x")],
    ["lost an empty folder", (folder: string) => rm(join(folder, "empty"), { recursive: true })],
    ["lost a link", (folder: string) => rm(join(folder, "link"))],
    ["lost an execute bit", (folder: string) => chmod(join(folder, "tool"), 0o444)],
  ] as const)("and is a folder that %s is staged and delivered as its manifest has it", async (_, harm) => {
    await box.write("d.wdl", folderThroughGate());
    await open("1");
    await run("d.wdl", "./lab", "v=1");
    const second = await runMeanwhile(["d.wdl", "--cache", "./lab"], "2", async () => {
      const [member = ""] = below(box.path("lab"), "out/d/d/a");
      await harm(join(member, ".."));
    });
    expect(second.outputs["w.r"]).toEqual(wholeFolder);
  });

  it("is found in a copy that has other times, and read no more than once for it", async () => {
    await box.write("w.wdl", chain("md5sum"));
    const first = await run("w.wdl", "./lab");
    expect(box.shell("cp -r lab copy").code).toBe(0);
    const second = await run("w.wdl", "./copy");
    expect(second.calls).toMatchObject({ reused: 2, computed: 0 });
    await box.write("w.wdl", chain("sha256sum"));
    const third = await run("w.wdl", "./copy");
    expect(third.calls).toMatchObject({ reused: 1, computed: 1 });
    expect((await run("w.wdl", "./copy")).calls).toMatchObject({ reused: 2, computed: 0 });
    expect(first.state).toBe("succeeded");
  });
});

describeWith([s3Requirement], "what S3 holds", () => {
  let server: S3Address;
  let client: S3Client;
  let sdk: typeof import("@aws-sdk/client-s3");
  let bucket: string;
  let cache: string;

  beforeAll(async () => {
    server = await sharedS3();
    sdk = await import("@aws-sdk/client-s3");
    const { endpoint, region, ...credentials } = server;
    client = new sdk.S3Client({ endpoint, region, credentials, forcePathStyle: true });
  });
  afterAll(() => client?.destroy());
  beforeEach(async () => {
    bucket = await makeBucket(server, "bytes");
    cache = `s3://${bucket}/cache`;
    box = await Sandbox.create(s3Environment(server));
  });

  const put = (Key: string, Body: string) =>
    client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body }));
  const remove = (Key: string) => client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key }));
  const keys = async (ending: string) => {
    const { Contents = [] } = await client.send(
      new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: "cache/" }),
    );
    return Contents.map(({ Key = "" }) => Key).filter((key) => key.endsWith(ending));
  };

  const useInput = (kind: "File" | "Directory") => `version 1.2
${gate()}
task use {
  input { ${kind} f }
  command <<< cat ~{f}${kind === "Directory" ? "/*" : ""} >>>
  output { String r = read_string(stdout()) }
}
workflow q { input { ${kind} f  String v } call gate { input: v } call use { input: f } output { String r = use.r } }
`;

  it.each([
    ["File", "a cache on S3"],
    ["File", "a cache in a folder"],
    ["Directory", "a cache on S3"],
    ["Directory", "a cache in a folder"],
  ] as const)(
    "as a %s input and changes while its call waits is recorded as what was read, in %s",
    async (kind, where) => {
      const place = where === "a cache on S3" ? cache : "./lab";
      await box.write("q.wdl", useInput(kind));
      const name = kind === "File" ? "in/n.txt" : "in/d/n.txt";
      const input = `f=s3://${bucket}/${kind === "File" ? name : "in/d"}`;
      await put(name, "two-content\n");
      const words = ["q.wdl", input, "--max-cpus", "1", "--cache", place];
      const first = await runMeanwhile(words, "1", () => put(name, "six-content\n"));
      // Its content is read as soon as nothing is found under its ETag, which may be before or after the change.
      expect(first.state).toBe("succeeded");
      expect(["two-content", "six-content"]).toContain(first.outputs["q.r"]);
      await put(name, "two-content\n");
      const second = await run("q.wdl", place, input, "v=1");
      expect(second.outputs["q.r"]).toBe("two-content");
      await put(name, "six-content\n");
      const third = await run("q.wdl", place, input, "v=1");
      expect(third.outputs["q.r"]).toBe("six-content");
      // One of the two contents was computed by the first run, and nothing is computed twice.
      expect(second.calls.computed + third.calls.computed).toBe(1);
      const fourth = await run("q.wdl", place, input, "v=1");
      expect(fourth.outputs["q.r"]).toBe("six-content");
      expect(fourth.calls).toMatchObject({ reused: 2, computed: 0 });
    },
  );

  it("as a folder that loses and gains members while its call waits is what it is when it is read", async () => {
    await box.write("q.wdl", useInput("Directory"));
    await put("in/d/a", "a\n");
    await put("in/d/b", "b\n");
    const words = ["q.wdl", `f=s3://${bucket}/in/d`, "--max-cpus", "1", "--cache", cache];
    const first = await runMeanwhile(words, "1", async () => {
      await remove("in/d/b");
      await put("in/d/c", "c\n");
    });
    expect(["a\nb", "a\nc"]).toContain(first.outputs["q.r"]);
    expect((await run("q.wdl", cache, `f=s3://${bucket}/in/d`, "v=1")).outputs["q.r"]).toBe("a\nc");
    await put("in/d/b", "b\n");
    await remove("in/d/c");
    expect((await run("q.wdl", cache, `f=s3://${bucket}/in/d`, "v=1")).outputs["q.r"]).toBe("a\nb");
  });

  it("as an input that is missing when its turn comes fails the call by name, unless it was read before", async () => {
    await box.write("q.wdl", useInput("File"));
    await put("in/n.txt", "x\n");
    const words = ["run", "q.wdl", `f=s3://${bucket}/in/n.txt`, "v=1", "--max-cpus", "1", "--cache", cache];
    const running = box.run(...words, ...host);
    await expect.poll(() => existsSync(box.path("at-1")), { timeout: limitMs, interval: 50 }).toBe(true);
    await remove("in/n.txt");
    await open("1");
    const { code, err, out } = await running;
    const recorded = (await keys(".json")).filter((key) => key.includes("/entries/"));
    if (code === 0) expect(out).toMatch(/q\.r = x/);
    else expect(err).toContain("in/n.txt");
    expect(recorded).toHaveLength(code === 0 ? 2 : 1);
  });

  it.each([
    ["replaced", (key: string) => put(key, "EVIL-a-0123456789\n")],
    ["cut off", (key: string) => put(key, "data-a")],
    ["emptied", (key: string) => put(key, "")],
    ["deleted", remove],
  ] as const)("of a result and is %s after it was found is computed again", async (_, harm) => {
    await box.write("g.wdl", fileThroughGate());
    await open("1");
    await run("g.wdl", cache, "v=1");
    const elsewhere = box.with({ MEMOIR_HOME: box.path("other-home") });
    const home = box;
    box = elsewhere;
    const second = await runMeanwhile(["g.wdl", "--cache", cache], "2", async () => {
      for (const key of await keys("out/o/o.txt")) await harm(key);
    });
    expect([second.state, second.outputs["w.r"]]).toEqual(["succeeded", "v=2\ndata-a-0123456789"]);
    box = home;
    const third = await run("g.wdl", cache, "v=2");
    expect(third.outputs["w.r"]).toBe("v=2\ndata-a-0123456789");
    expect(third.calls).toMatchObject({ reused: 3, computed: 0 });
  });

  it("of the final outputs and is missing when they are delivered is computed again", async () => {
    const wdl = () => `version 1.1
task make { command <<< echo right > o.txt >>> output { File o = "o.txt" } }
${gate()}
workflow w { input { String v } call make call gate { input: v } output { File o = make.o  String r = gate.r } }
`;
    await box.write("w.wdl", wdl());
    await open("1");
    await run("w.wdl", cache, "v=1");
    const second = await runMeanwhile(["w.wdl", "--cache", cache], "2", async () => {
      for (const key of await keys("out/o/o.txt")) await remove(key);
    });
    expect(second.state).toBe("succeeded");
    expect(await readFile(second.outputs["w.o"] as string, "utf8")).toBe("right\n");
    expect(second.calls).toMatchObject({ reused: 0, computed: 2 });
  });

  it.each([
    ["lost", (folder: string) => remove(`${folder}/sub/b`)],
    ["got a changed", (folder: string) => put(`${folder}/a`, "two\n")],
    ["got a stray", (folder: string) => put(`${folder}/extra`, "x\n")],
  ] as const)("of a folder that %s member after it was found is what its manifest lists", async (_, harm) => {
    await box.write("d.wdl", folderThroughGate());
    await open("1");
    await run("d.wdl", cache, "v=1");
    const second = await runMeanwhile(["d.wdl", "--cache", cache], "2", async () => {
      const [member = ""] = await keys("out/d/d/a");
      await harm(member.slice(0, -"/a".length));
    });
    expect(second.outputs["w.r"]).toEqual(wholeFolder);
    expect((await run("d.wdl", cache, "v=2")).outputs["w.r"]).toEqual(wholeFolder);
  });

  it("and flips on the way is not used: once it comes again, always it is computed", async () => {
    const proxy = await flippingProxy(server.endpoint);
    try {
      const flaky = s3Environment({ ...server, endpoint: proxy.endpoint });
      await box.write("g.wdl", fileThroughGate());
      for (const v of ["1", "2", "3"]) await open(v);
      await run("g.wdl", cache, "v=1");
      box = box.with({ ...flaky, MEMOIR_HOME: box.path("other-home") });
      proxy.flips = 1;
      const once = await run("g.wdl", cache, "v=2");
      expect(once.outputs["w.r"]).toBe("v=2\ndata-a-0123456789");
      expect([proxy.flips, once.calls.reused]).toEqual([0, 1]);
      proxy.flips = Number.POSITIVE_INFINITY;
      const always = await run("g.wdl", cache, "v=3");
      expect(always.outputs["w.r"]).toBe("v=3\ndata-a-0123456789");
      expect(always.calls.reused).toBe(0);
    } finally {
      proxy.server.close();
    }
  });

  it("in a copy with other ETags is found by its content, which is read once", async () => {
    const proxy = await flippingProxy(server.endpoint);
    try {
      await box.write(
        "w.wdl",
        `version 1.1
task make { command <<< head -c 6000000 /dev/zero > o.bin >>> output { File o = "o.bin"  Int n = 7 } }
workflow w { call make output { Int n = make.n } }
`,
      );
      await run("w.wdl", cache);
      const [key = ""] = await keys("o.bin");
      await inParts(key);
      box = box.with({
        ...s3Environment({ ...server, endpoint: proxy.endpoint }),
        MEMOIR_HOME: box.path("other-home"),
      });
      expect((await run("w.wdl", cache)).calls).toMatchObject({ reused: 1, computed: 0 });
      const read = proxy.fetched.filter((path) => path.includes("o.bin")).length;
      expect(read).toBeGreaterThan(0);
      expect((await run("w.wdl", cache)).calls).toMatchObject({ reused: 1, computed: 0 });
      expect(proxy.fetched.filter((path) => path.includes("o.bin"))).toHaveLength(read);
    } finally {
      proxy.server.close();
    }
  });

  /** Writes an object again with the same bytes in two parts, as copying programs do: its ETag is another one then. */
  async function inParts(Key: string): Promise<void> {
    const at = { Bucket: bucket, Key };
    const whole = await client.send(new sdk.GetObjectCommand(at));
    const bytes = (await whole.Body?.transformToByteArray()) ?? new Uint8Array();
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(at));
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [i, Body] of [bytes.subarray(0, 5 << 20), bytes.subarray(5 << 20)].entries()) {
      const PartNumber = i + 1;
      const { ETag } = await client.send(new sdk.UploadPartCommand({ ...at, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await client.send(
      new sdk.CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }),
    );
    const after = await client.send(new sdk.HeadObjectCommand(at));
    expect(after.ETag).not.toBe(whole.ETag);
  }
});

describe("what the web holds", () => {
  let web: Web;
  beforeEach(async () => {
    box = await Sandbox.create();
    web = await startWeb();
    await box.write(
      "q.wdl",
      `version 1.1
${gate()}
task use { input { File f } command <<< cat ~{f} >>> output { String r = read_string(stdout()) } }
workflow q { input { File f  String v } call gate { input: v } call use { input: f } output { String r = use.r } }
`,
    );
  });
  afterEach(() => web.server.close());

  it.each(["etag", "last-modified", "neither"] as const)(
    "with %s and changes while its call waits is recorded as what was read",
    async (says) => {
      web.says = says;
      web.show("two-content\n");
      const input = `f=${web.url}/n.txt`;
      const words = ["q.wdl", input, "--max-cpus", "1", "--cache", "./lab"];
      const first = await runMeanwhile(words, "1", async () => web.show("six-content\n"));
      expect(first.state).toBe("succeeded");
      // It is read before the change or after it: the inputs of the next calls are placed while others compute.
      expect(["two-content", "six-content"]).toContain(first.outputs["q.r"]);
      web.show("two-content\n");
      expect((await run("q.wdl", "./lab", input, "v=1")).outputs["q.r"]).toBe("two-content");
      web.show("six-content\n");
      expect((await run("q.wdl", "./lab", input, "v=1")).outputs["q.r"]).toBe("six-content");
    },
  );
});

interface Web {
  readonly server: Server;
  readonly url: string;
  says: "etag" | "last-modified" | "neither";
  show(text: string): void;
}

async function startWeb(): Promise<Web> {
  let [text, version] = ["", 0];
  const web = {
    says: "etag" as Web["says"],
    show: (next: string) => {
      text = next;
      version++;
    },
  };
  const server = createServer((incoming, outgoing) => {
    const etag = `"${text.slice(0, 3)}"`;
    const modified = new Date(1_700_000_000_000 + version * 1_000).toUTCString();
    if (web.says === "etag") {
      outgoing.setHeader("etag", etag);
      const wanted = incoming.headers["if-match"];
      if (wanted !== undefined && wanted !== etag) return void outgoing.writeHead(412).end();
    }
    if (web.says === "last-modified") outgoing.setHeader("last-modified", modified);
    if (web.says !== "neither") outgoing.setHeader("content-length", text.length);
    outgoing.end(incoming.method === "HEAD" ? undefined : text);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(web, { server, url });
}

interface FlippingProxy {
  readonly server: Server;
  readonly endpoint: string;
  /** How many bodies of output files still get a wrong bit. */
  flips: number;
  /** Paths of output files that were asked for with GET. */
  readonly fetched: string[];
}

/** Hands calls on, Host header included, since that is signed. */
async function flippingProxy(to: string): Promise<FlippingProxy> {
  const { hostname, port } = new URL(to);
  const proxy = { flips: 0, fetched: [] as string[] };
  const server = createServer((incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    const isOutput = method === "GET" && url.includes("/out/");
    if (isOutput) proxy.fetched.push(url);
    const asked = request({ hostname, port, method, path: url, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => {
        const body = Buffer.concat(chunks);
        if (isOutput && proxy.flips > 0 && body.length > 0) {
          proxy.flips--;
          body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
        }
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        outgoing.end(body);
      });
    });
    asked.on("error", () => outgoing.destroy());
    incoming.pipe(asked);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(proxy, { server, endpoint });
}
