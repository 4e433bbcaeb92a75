/** Inputs on S3 whose keys are unusual file names, and what is (not) written where. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { freshAsk } from "../../src/kernel/index.ts";
import { openObjectStore } from "../../src/store/objects/index.ts";
import { describeWith } from "../servers/requirement.ts";
import { makeBucket, type S3Address, s3Environment, s3Requirement, sharedS3 } from "../servers/s3.ts";
import { type RunAnswer, Sandbox } from "./sandbox.ts";

const ask = freshAsk();
const names = `version 1.2
task look {
  input { File f }
  command <<< ls ~{sub(f, "/[^/]*$", "")} > listed; cat '~{f}' > content >>>
  output { String listed = read_string("listed")  String content = read_string("content")  String b = basename(f) }
}
workflow w {
  input { Array[File] files }
  scatter (f in files) { call look { input: f } }
  output { Array[String] listed = look.listed  Array[String] contents = look.content  Array[String] bases = look.b }
}
`;
const folders = `version 1.2
task look {
  input { Directory d }
  command <<< cd ~{d}; find . -type f | LC_ALL=C sort > "$OLDPWD/found" >>>
  output { Array[String] found = read_lines("found") }
}
workflow w { input { Directory d } call look { input: d } output { Array[String] found = look.found } }
`;
const cwl = `cwlVersion: v1.2
class: CommandLineTool
requirements: { InlineJavascriptRequirement: {} }
inputs: { f: File }
baseCommand: cat
arguments: [$(inputs.f.path)]
stdout: content
outputs:
  name: { type: string, outputBinding: { outputEval: $(inputs.f.basename) } }
  content: { type: string, outputBinding: { glob: content, loadContents: true, outputEval: "$(self[0].contents)" } }
`;

const sums = `version 1.2
task sum {
  input { File f }
  command <<< cksum < ~{f} > sum >>>
  output { String sum = read_string("sum") }
}
workflow w {
  input { Array[File] files }
  scatter (f in files) { call sum { input: f } }
  output { Array[String] sums = sum.sum }
}
`;
const folderSums = `version 1.2
task sum {
  input { Directory d }
  command <<< cat ~{d}/* | cksum > sum >>>
  output { String sum = read_string("sum") }
}
workflow w { input { Directory d } call sum { input: d } output { String total = sum.sum } }
`;
const mib = 1 << 20;

describeWith([s3Requirement], "inputs on S3", () => {
  let box: Sandbox;
  let server: S3Address;
  let bucket: string;

  beforeEach(async () => {
    server = await sharedS3();
    bucket = await makeBucket(server, "inputs");
    box = await Sandbox.create(s3Environment(server));
  });
  afterEach(() => box.remove());

  const objects = () =>
    openObjectStore(`s3://${bucket}`, {
      s3: { endpoint: server.endpoint, credentials: server },
      names: "any",
    });
  const put = async (...keys: readonly string[]) => {
    const store = objects();
    for (const key of keys) await store.put(key, Buffer.from(`content of ${key}`), ask);
    await store.close();
  };
  const keysIn = async () => {
    const store = objects();
    const found: string[] = [];
    for await (const { name } of store.list("", ask)) found.push(name);
    await store.close();
    return found.sort();
  };
  const run = (...words: string[]) => box.json<RunAnswer>("run", ...words, "--executor", "host");

  it("keep the names of their objects, and nothing is written next to them", async () => {
    const keys = [
      "a/sample#1.bam",
      "a/q?x.vcf",
      "a/100%25.txt",
      "a//b c+d.txt",
      "/é.txt.",
      "a/%2e%2e",
      "t~&=.x",
    ];
    await put(...keys);
    await box.write("n.wdl", names);
    await box.write("i.json", JSON.stringify({ "w.files": keys.map((key) => `s3://${bucket}/${key}`) }));
    const { outputs } = await run("n.wdl", "-i", "i.json", "--cache", "./cache", "--cache-host-tasks");
    const bases = keys.map((key) => key.slice(key.lastIndexOf("/") + 1));
    expect(outputs).toMatchObject({
      "w.bases": bases,
      "w.listed": bases,
      "w.contents": keys.map((key) => `content of ${key}`),
    });
    expect(await keysIn()).toEqual([...keys].sort());
  });

  it("keep them in CWL, where a location on S3 is not decoded", async () => {
    await put("x#1?.txt", "a b%20c.txt");
    await box.write("t.cwl", cwl);
    for (const key of ["x#1?.txt", "a b%20c.txt"]) {
      await box.write("i.json", JSON.stringify({ f: { class: "File", location: `s3://${bucket}/${key}` } }));
      const { outputs } = await run("t.cwl", "-i", "i.json");
      expect(outputs).toMatchObject({ name: key, content: `content of ${key}` });
    }
  });

  it("of folders with doubled slashes are the objects of that folder and of no other", async () => {
    await put("d/one", "d//two", "d//sub/#3", "d/e/four");
    await box.write("d.wdl", folders);
    const found = async (folder: string) =>
      (await run("d.wdl", `d=s3://${bucket}/${folder}`)).outputs["w.found"];
    expect(await found("d//")).toEqual(["./sub/#3", "./two"]);
    expect(await found("d/e")).toEqual(["./four"]);
    expect(await found("d/e/")).toEqual(["./four"]);
  });

  it("whose names no folder can hold are refused by name", async () => {
    const long = "n".repeat(300);
    await put("up/../../../evil", "clash/a", "clash/a/b", `l/${long}`, "empty//part");
    await box.write("d.wdl", folders);
    await box.write("n.wdl", names);
    for (const [folder, culprit] of [
      ["up", "up/../../../evil"],
      ["clash", "clash/a/b"],
      ["l", `l/${long}`],
      ["empty", "empty//part"],
    ] as const) {
      const { code, err } = await box.run("run", "d.wdl", `d=s3://${bucket}/${folder}`, "--executor", "host");
      expect([folder, code]).toEqual([folder, 1]);
      expect(err).toContain(culprit);
    }
    const words = JSON.stringify({ "w.files": [`s3://${bucket}/l/${long}`] });
    await box.write("i.json", words);
    const refused = await box.run("run", "n.wdl", "-i", "i.json", "--executor", "host");
    expect(refused.code).toBe(3);
    expect(refused.err).toContain("300 bytes, the limit is 255");
  });

  it("that do not exist, and buckets that do not exist, are distinguished", async () => {
    await box.write("n.wdl", names);
    for (const [uri, words] of [
      [`s3://${bucket}/nothing`, "there is no such object"],
      ["s3://no-such-bucket-at-all/x", "NoSuchBucket"],
    ] as const) {
      await box.write("i.json", JSON.stringify({ "w.files": [uri] }));
      const { err } = await box.run("run", "n.wdl", "-i", "i.json", "--executor", "host");
      expect(err).toContain(words);
    }
  });

  /** Equal bytes in parts have another ETag. */
  const putInParts = async (key: string, bytes: Buffer, partBytes: number) => {
    const sdk = await import("@aws-sdk/client-s3");
    const { endpoint, region } = server;
    const client = new sdk.S3Client({ endpoint, region, credentials: server, forcePathStyle: true });
    const place = { Bucket: bucket, Key: key };
    const { UploadId } = await client.send(new sdk.CreateMultipartUploadCommand(place));
    const parts: { readonly ETag: string | undefined; readonly PartNumber: number }[] = [];
    for (let start = 0; start < bytes.length; start += partBytes) {
      const PartNumber = parts.length + 1;
      const Body = bytes.subarray(start, start + partBytes);
      const { ETag } = await client.send(new sdk.UploadPartCommand({ ...place, UploadId, PartNumber, Body }));
      parts.push({ ETag, PartNumber });
    }
    const MultipartUpload = { Parts: parts };
    await client.send(new sdk.CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload }));
    client.destroy();
  };
  const putBytes = async (key: string, bytes: Buffer) => {
    const sdk = await import("@aws-sdk/client-s3");
    const { endpoint, region } = server;
    const client = new sdk.S3Client({ endpoint, region, credentials: server, forcePathStyle: true });
    await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }));
    client.destroy();
  };
  const sum = async (sandbox: Sandbox, ...keys: readonly string[]) => {
    await sandbox.write("s.wdl", sums);
    await sandbox.write("i.json", JSON.stringify({ "w.files": keys.map((key) => `s3://${bucket}/${key}`) }));
    const words = ["--executor", "host", "--cache", `s3://${bucket}/cache`, "--cache-host-tasks"];
    return sandbox.json<RunAnswer>("run", "s.wdl", "-i", "i.json", ...words);
  };
  const readAnything = ({ directory }: RunAnswer) => existsSync(join(directory, "downloads"));

  it("of equal bytes are one input, in however many parts they went up, and bytes that differ are not", async () => {
    const bytes = Buffer.alloc(11 * mib, "some bytes ");
    const others = Buffer.from(bytes);
    others[7 * mib] = 0;
    await putBytes("whole/big", bytes);
    await putInParts("five/big", bytes, 5 * mib);
    await putInParts("six/big", bytes, 6 * mib);
    await putInParts("other/big", others, 5 * mib);
    const first = await sum(box, "whole/big");
    expect(first.calls).toMatchObject({ computed: 1, reused: 0 });
    const copy = await sum(box, "five/big");
    expect(copy.calls).toMatchObject({ computed: 0, reused: 1 });
    expect(copy.outputs).toEqual(first.outputs);
    const other = await sum(box, "other/big");
    expect(other.calls).toMatchObject({ computed: 1, reused: 0 });
    expect(other.outputs).not.toEqual(first.outputs);
    // In one run, and where nothing has been read before.
    const elsewhere = await Sandbox.create(s3Environment(server));
    try {
      const all = await sum(elsewhere, "six/big", "whole/big", "five/big", "other/big");
      expect(all.calls).toMatchObject({ computed: 0, reused: 4 });
    } finally {
      await elsewhere.remove();
    }
  });

  it("that somebody has read before are found by their ETags alone, and read by nobody again", async () => {
    await putInParts("parts", Buffer.alloc(6 * mib, "x"), 5 * mib);
    const first = await sum(box, "parts");
    expect([first.calls.computed, readAnything(first)]).toEqual([1, true]);
    const again = await sum(box, "parts");
    expect([again.calls.reused, readAnything(again)]).toEqual([1, false]);
    const elsewhere = await Sandbox.create(s3Environment(server));
    try {
      const found = await sum(elsewhere, "parts");
      expect([found.calls.reused, readAnything(found)]).toEqual([1, false]);
    } finally {
      await elsewhere.remove();
    }
  });

  it("in equal folders are one input, too", async () => {
    const bytes = Buffer.alloc(6 * mib, "y");
    await putBytes("one/d/a", bytes);
    await putInParts("two/d/a", bytes, 5 * mib);
    await box.write("f.wdl", folderSums);
    const words = ["--executor", "host", "--cache", `s3://${bucket}/cache`, "--cache-host-tasks"];
    const of = (folder: string) =>
      box.json<RunAnswer>("run", "f.wdl", `d=s3://${bucket}/${folder}`, ...words);
    expect((await of("one/d")).calls).toMatchObject({ computed: 1 });
    expect((await of("two/d")).calls).toMatchObject({ computed: 0, reused: 1 });
  });

  it("that were replaced are other inputs, although they were known under the old ETag", async () => {
    await putBytes("changing", Buffer.from("before"));
    const before = await sum(box, "changing");
    await putBytes("changing", Buffer.from("after."));
    const after = await sum(box, "changing");
    expect(after.calls).toMatchObject({ computed: 1, reused: 0 });
    expect(after.outputs).not.toEqual(before.outputs);
  });
});
