/** Files that are not UTF-8, and texts with zero characters: no workflow gets another text than the file has. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { onHost, runOnHost, Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.create();
  await box.write("latin1.txt", Buffer.from("caf\xe9\n", "latin1"));
  await box.write("zero.txt", "a\0b\n");
});
afterAll(() => box.remove());

const readers = ["read_string", "read_lines", "read_tsv", "read_json", "read_map", "read_objects"] as const;
const types = {
  read_string: "String",
  read_lines: "Array[String]",
  read_tsv: "Array[Array[String]]",
  read_json: "String",
  read_map: "Map[String, String]",
  read_objects: "Array[Object]",
} as const;

describe("WDL", () => {
  it.each(readers)("%s of a file that is not UTF-8 fails", async (name) => {
    await box.write(
      `${name}.wdl`,
      `version 1.0\nworkflow w {\n  input { File f }\n  output { ${types[name]} o = ${name}(f) }\n}\n`,
    );
    const { code, err } = await box.run("run", `${name}.wdl`, "f=latin1.txt", ...onHost);
    expect(err).toContain("latin1.txt: it is not UTF-8");
    expect(code).not.toBe(0);
    expect(code).not.toBe(70);
  });

  it("a task whose standard output is not UTF-8 fails where it is read, and not where it is handed on", async () => {
    await box.write(
      "task.wdl",
      `version 1.1
task t {
  input { Boolean asText }
  command <<< printf 'caf\\351' >>>
  output { File? file = if asText then None else stdout()  String? text = if asText then read_string(stdout()) else None }
}
workflow w {
  input { Boolean asText }
  call t { input: asText }
  output { File? file = t.file }
}
`,
    );
    const text = await runOnHost(box, "task.wdl", "asText=true");
    expect(text.state).toBe("failed");
    expect(JSON.stringify(text.failures)).toContain("is not UTF-8, so it cannot be read as text");
    expect((await runOnHost(box, "task.wdl", "asText=false")).state).toBe("succeeded");
  });

  it("a zero character is kept", async () => {
    await box.write(
      "zero.wdl",
      "version 1.1\nworkflow w {\n  input { File f }\n  output { String o = read_string(f) }\n}\n",
    );
    expect((await runOnHost(box, "zero.wdl", "f=zero.txt")).outputs).toEqual({ "w.o": "a\0b" });
  });

  it("inputs that are not UTF-8 are refused", async () => {
    await box.write("in.json", Buffer.from('{"w.s": "caf\xe9"}', "latin1"));
    await box.write(
      "s.wdl",
      "version 1.1\nworkflow w {\n  input { String s }\n  output { String o = s }\n}\n",
    );
    const { code, err } = await box.run("run", "s.wdl", "-i", "in.json", ...onHost);
    expect(err).toContain("reading the inputs in.json: they are not UTF-8 [FILE_NOT_UTF8]");
    expect(code).toBe(3);
  });
});

describe("CWL", () => {
  const tool = `cwlVersion: v1.2
class: ExpressionTool
requirements: { InlineJavascriptRequirement: {} }
inputs: { f: { type: File, loadContents: true } }
outputs: { o: string }
expression: '$({"o": inputs.f.contents})'
`;

  it("loadContents of a file that is not UTF-8 fails", async () => {
    await box.write("contents.cwl", tool);
    const { code, err } = await box.run("run", "contents.cwl", "f=latin1.txt", ...onHost);
    expect(err).toContain("loadContents reads text, and latin1.txt is not UTF-8");
    expect(code).not.toBe(0);
    expect(code).not.toBe(70);
  });

  it("before v1.2, a text that is cut inside a character is its beginning", async () => {
    await box.write("long.txt", `${"a".repeat(64 * 1024 - 1)}ß`);
    await box.write(
      "long.cwl",
      tool
        .replace("v1.2", "v1.0")
        .replace(/f: \{.*\} \}/, "f: { type: File, inputBinding: { loadContents: true } } }"),
    );
    const { outputs } = await runOnHost(box, "long.cwl", "f=long.txt");
    expect(outputs).toEqual({ o: "a".repeat(64 * 1024 - 1) });
  });
});

describe("a document that is not UTF-8", () => {
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  const wdl = latin1("version 1.0\ntask t {\n  command <<< echo caf\xe9 >>>\n}\n");

  it.each([
    ["WDL", "latin1.wdl", wdl, 3],
    [
      "CWL",
      "latin1.cwl",
      latin1(
        "cwlVersion: v1.2\nclass: CommandLineTool\nbaseCommand: [echo, caf\xe9]\ninputs: []\noutputs: []\n",
      ),
      3,
    ],
    ["Nextflow", "latin1.nf", latin1("workflow {\n  println 'caf\xe9'\n}\n"), 2],
  ])("of %s is refused with its line", async (_, name, bytes, line) => {
    await box.write(name, bytes);
    for (const verb of [["check"], ["run", ...onHost]]) {
      const [command = "", ...options] = verb;
      const { code, err } = await box.run(command, name, ...options);
      expect(err).toContain(`${name}: line ${line} is not UTF-8`);
      expect(code).toBe(3);
    }
  });

  it("is refused when another imports it", async () => {
    await box.write("lib.wdl", wdl);
    await box.write("main.wdl", 'version 1.0\nimport "lib.wdl" as lib\nworkflow w { call lib.t }\n');
    const { code, out, err } = await box.run("check", "main.wdl");
    expect(out + err).toContain("lib.wdl: line 3 is not UTF-8");
    expect(code).not.toBe(0);
    expect(code).not.toBe(70);
  });
});
