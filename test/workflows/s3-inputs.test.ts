/** Inputs on S3 whose keys are no usual file names, and what is (not) written where. */
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

  it("keep the names of their objects, and nothing is written beside them", async () => {
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

  it("that are not there, and buckets that are not there, are told apart", async () => {
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
});
