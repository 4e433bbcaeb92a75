import { describe, expect, it } from "vitest";
import { sha256 } from "../hash/index.ts";
import type { TaskPath } from "../kernel/index.ts";
import type { TaskCall } from "../task/index.ts";
import type { KeyFacts } from "./components.ts";
import { KEY_VERSION, keyOf } from "./key.ts";

const reads = "/mnt/memoir/inputs/0/reads.fq" as TaskPath;

const call: TaskCall = {
  name: "align",
  path: "main.align",
  language: "wdl",
  frontEndVersion: "1",
  command: "bwa mem /mnt/memoir/inputs/0/reads.fq > out.sam\n",
  shell: ["/bin/bash"],
  inputs: [{ path: reads, source: { kind: "file", location: "/data/reads.fq", basename: "reads.fq" } }],
  literalFiles: [{ path: "/mnt/memoir/inputs/1/list.txt" as TaskPath, content: "a\nb\n" }],
  env: { LANG: "C", A: "1" },
  images: ["bwa:1"],
  resources: { cpu: 2, memoryBytes: 2 ** 31, gpu: 0 },
  maxRetries: 0,
  acceptedExit: { kind: "codes", codes: [0] },
  network: false,
  outputRules: [{ name: "sam", type: "file", from: { kind: "path", path: "out.sam" } }],
  cachePolicy: { kind: "reusable" },
};

const facts: KeyFacts = {
  inputs: new Map([[reads, "sha256:aa"]]),
  container: { kind: "image", platform: "linux/amd64", configDigest: "sha256:cc" },
  resources: "ignored",
};

const keyWith = (change: Partial<TaskCall>, changedFacts: Partial<KeyFacts> = {}) =>
  keyOf({ ...call, ...change }, { ...facts, ...changedFacts }).key;

const expression = { kind: "expression", language: "wdl", text: "read_int(stdout())" } as const;

describe("the key of a call", () => {
  it("is frozen: equal calls give these keys in every release with this KEY_VERSION", () => {
    expect(KEY_VERSION).toBe(2);
    expect({
      plain: keyWith({}),
      host: keyWith({}, { container: { kind: "environment", identity: "linux x64 debian 12" } }),
      strict: keyWith({}, { resources: "strict" }),
      anyExit: keyWith({ acceptedExit: { kind: "any" } }),
      expression: keyWith({ outputRules: [{ name: "n", type: "int", from: expression }] }),
      nextflow: keyWith({ language: "nextflow", family: "nextflow" }),
      empty: keyWith({ inputs: [], literalFiles: [], env: {}, outputRules: [] }, { inputs: new Map() }),
    }).toEqual(frozen);
  });

  it("is the same for a WDL task and a CWL tool with equal components", () => {
    expect(keyWith({ language: "cwl", frontEndVersion: "9" })).toBe(keyWith({}));
  });

  const changes: Record<string, string> = {
    "the task's name": keyWith({ name: "align2" }),
    "a name of an input in the working directory": keyWith({
      linkedInputs: [{ path: "/mnt/memoir/work/a.fq" as TaskPath, to: reads }],
    }),
    "another name of an input there": keyWith({
      linkedInputs: [{ path: "/mnt/memoir/work/b.fq" as TaskPath, to: reads }],
    }),
    "what else decides the result": keyWith({ extraKey: { strict: true } }),
    "the language family": keyWith({ family: "nextflow" }),
    "the command": keyWith({ command: `${call.command} ` }),
    "the shell": keyWith({ shell: ["/bin/bash", "-e"] }),
    "an input's content": keyWith({}, { inputs: new Map([[reads, "sha256:ab"]]) }),
    "that an input is writable": keyWith({
      inputs: call.inputs.map((input) => ({ ...input, writable: true })),
    }),
    "a written file's content": keyWith({
      literalFiles: call.literalFiles.map((file) => ({ ...file, content: "b\na\n" })),
    }),
    "a variable's value": keyWith({ env: { LANG: "C", A: "2" } }),
    "a variable's name": keyWith({ env: { LANG: "C", B: "1" } }),
    "a variable of the user": keyWith({ passedEnv: { TOKEN: "1" } }),
    "its value": keyWith({ passedEnv: { TOKEN: "2" } }),
    "the program of a host task": keyWith(
      {},
      { container: { kind: "environment", identity: "linux", program: "sha256:dd" } },
    ),
    "a program that is not there": keyWith(
      {},
      { container: { kind: "environment", identity: "linux", program: "absent" } },
    ),
    "the image": keyWith(
      {},
      { container: { kind: "image", platform: "linux/amd64", configDigest: "sha256:cd" } },
    ),
    "the platform": keyWith(
      {},
      { container: { kind: "image", platform: "linux/arm64", configDigest: "sha256:cc" } },
    ),
    "no container": keyWith({}, { container: { kind: "environment", identity: "x" } }),
    "the image's entry point": keyWith(
      {},
      {
        container: {
          kind: "image",
          platform: "linux/amd64",
          configDigest: "sha256:cc",
          entrypoint: "kept",
        },
      },
    ),
    "another name of the working directory": keyWith({ workDir: "/srv/results" }),
    "an input outside the task root": keyWith({
      literalFiles: call.literalFiles.map((file) => ({ ...file, path: "/etc/tool.conf" as TaskPath })),
    }),
    network: keyWith({ network: true }),
    "an output's path": keyWith({
      outputRules: [{ name: "sam", type: "file", from: { kind: "path", path: "o.sam" } }],
    }),
    "an output's name": keyWith({
      outputRules: [{ name: "bam", type: "file", from: { kind: "path", path: "out.sam" } }],
    }),
    "an output's type": keyWith({
      outputRules: [{ name: "sam", type: "file?", from: { kind: "path", path: "out.sam" } }],
    }),
    "accepted exit codes": keyWith({ acceptedExit: { kind: "codes", codes: [0, 1] } }),
    "strict resources": keyWith({}, { resources: "strict" }),
  };

  it.each(Object.keys(changes))("changes with %s", (name) => {
    expect(changes[name]).not.toBe(keyWith({}));
  });

  it("is another one for every one of these changes", () => {
    expect(new Set(Object.values(changes)).size).toBe(Object.keys(changes).length);
  });

  it.each([
    [
      "where the inputs lie",
      { inputs: [{ path: reads, source: { kind: "file", location: "s3://b/r", basename: "r" } }] },
    ],
    ["the call's place in the run", { path: "other.scatter.align[7]" }],
    ["the image's name", { images: ["registry.example/bwa@sha256:00"] }],
    ["resources", { resources: { cpu: 64, memoryBytes: 1, gpu: 1, diskBytes: 5 } }],
    ["time limits and retries", { timeoutMs: 5, maxRetries: 9 }],
    ["the order of variables", { env: { A: "1", LANG: "C" } }],
    ["repeated exit codes", { acceptedExit: { kind: "codes", codes: [0, 0] } }],
    ["the front end's version, when outputs are plain", { frontEndVersion: "2" }],
    ["the cache policy", { cachePolicy: { kind: "never", reason: "volatile" } }],
  ] satisfies [string, Partial<TaskCall>][])("does not change with %s", (_, change) => {
    expect(keyWith(change)).toBe(keyWith({}));
  });

  it("changes with the front end's version where outputs are expressions of its language", () => {
    const outputRules = [{ name: "n", type: "int", from: expression }];
    expect(keyWith({ outputRules, frontEndVersion: "2" })).not.toBe(keyWith({ outputRules }));
  });

  it("holds no value of a user's variable, and none that the task declares itself", () => {
    const passed = { ...call, passedEnv: { TOKEN: "secret-value", A: "unused" } };
    const text = JSON.stringify(keyOf(passed, facts).components);
    expect(text).not.toContain("secret-value");
    expect(keyWith({ passedEnv: { A: "unused" } })).toBe(keyWith({}));
  });

  it("holds the name of a secret and not its value, whichever other variable has that name", () => {
    const one = keyWith({ secretEnv: { TOKEN: "1" } });
    expect(keyWith({ secretEnv: { TOKEN: "2" } })).toBe(one);
    expect(keyWith({ secretEnv: { TOKEN: "1" }, passedEnv: { TOKEN: "3" } })).toBe(one);
    expect(keyWith({ secretEnv: { OTHER: "1" } })).not.toBe(one);
    expect(keyWith({})).not.toBe(one);
  });

  it("changes with resources under the strict policy", () => {
    const resources = { cpu: 3, memoryBytes: 2 ** 31, gpu: 0 };
    expect(keyWith({ resources }, { resources: "strict" })).not.toBe(keyWith({}, { resources: "strict" }));
  });

  it("takes a staged file and a written file of equal content and place as the same input", () => {
    const path = call.literalFiles[0]?.path as TaskPath;
    const source = { kind: "file", location: "/x/list.txt", basename: "list.txt" } as const;
    const identity = `sha256:${sha256("a\nb\n")}`;
    const inputs = new Map([...facts.inputs, [path, identity] as const]);
    expect(keyWith({ literalFiles: [], inputs: [...call.inputs, { path, source }] }, { inputs })).toBe(
      keyWith({}),
    );
  });
});

/** Never edit a row: raise KEY_VERSION and say so in the changelog. */
const frozen = {
  plain: "02045fb5c0d721c27b3ac37ee9105aca77dc141ab19c50fe72c7b5bd789e6e6e",
  host: "0c706d2e66c680aa8dbf0a6618907fce9757c6d0f062ffd090257a35828cef52",
  strict: "426fbd840e2ab83e53dd42a16e5563d604ba1aa55b0c764d82dd2fe45d6b5951",
  anyExit: "44454d13c49ca34af235c5f19098db3f9a3592ca4d04e642459a3c6bd9995c24",
  expression: "79fca9b83e3bdf13f250b956b44e629f0c2dd5c7451f01e8684db2f1b0ccb224",
  nextflow: "fab723e621a18bbb7462ff2bb3ff7e3ee93c42d04e77ed70799dd332f3834910",
  empty: "57383ceb6f6afa079665d4c09ce9781e27c9aede2e51e8f4a8600256a41bcf76",
};
