/**
 * What DockerRequirement and absolute names of InitialWorkDirRequirement promise, in real containers of both engines:
 * where things are, what runs around the command, where images come from, and that all of it is in the key.
 */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { dockerRequirement, startDocker } from "../servers/docker.ts";
import { podmanRequirement, startPodman } from "../servers/podman.ts";
import { describeWith } from "../servers/requirement.ts";
import type { TestEngine } from "../servers/test-engine.ts";
import { type TestImages, testImages, testImagesRequirement } from "../servers/test-images.ts";
import { type RunAnswer, Sandbox } from "../workflows/sandbox.ts";

for (const { requirement, start, title } of [
  { requirement: podmanRequirement, start: startPodman, title: "Podman" },
  { requirement: dockerRequirement, start: startDocker, title: "Docker" },
]) {
  describeWith([requirement, testImagesRequirement], `CWL tools in containers of ${title}`, () => {
    let engine: TestEngine;
    let images: TestImages;
    let box: Sandbox;

    beforeAll(async () => {
      [engine, images] = await Promise.all([start(), testImages()]);
      await engine.load(images.busybox);
    });
    afterAll(() => engine?.stop());
    beforeEach(async () => {
      box = await Sandbox.create(engine.env);
    });
    afterEach(() => box.remove());

    /** A tool that requires `docker` (lines of DockerRequirement, indented by four) and has these other lines. */
    const tool = (docker: string, lines: string, version = "v1.2") => `cwlVersion: ${version}
class: CommandLineTool
requirements:
  DockerRequirement:
    ${docker}
${lines}`;
    const here = () => `dockerPull: ${images.busybox.reference}`;

    async function run(...words: readonly string[]): Promise<RunAnswer> {
      const all = ["run", ...words, "--engine", engine.kind, "--cache", "./cache", "--json"];
      const { code, out, err } = await box.run(...all);
      if (out === "") throw new Error(`memoir ${all.join(" ")} ended with ${code}:\n${err}`);
      const answer = JSON.parse(out) as RunAnswer;
      if (answer.state !== "succeeded") throw new Error(JSON.stringify(answer.failures));
      return answer;
    }

    /** Its outputs as texts, and how it came by them. */
    async function texts(...words: readonly string[]): Promise<Record<string, string>> {
      const { outputs, calls } = await run(...words);
      const read = Object.entries(outputs).map(async ([name, path]) => [
        name,
        await readFile(String(path), "utf8"),
      ]);
      const how = calls.reused > 0 ? "reused" : "computed";
      return { how, ...Object.fromEntries(await Promise.all(read)) };
    }

    /** What the run says that it cannot do. */
    async function refusal(...words: readonly string[]): Promise<string> {
      const { code, out, err } = await box.run("run", ...words, "--engine", engine.kind, "--no-cache");
      expect(code).not.toBe(0);
      return out + err;
    }

    it("have their output directory where the document wants it", async () => {
      const document = (folder: string) =>
        tool(
          `${here()}\n    dockerOutputDirectory: ${folder}`,
          `  InitialWorkDirRequirement:
    listing: [{entryname: in/given.txt, entry: $(inputs.data)}, {entryname: note.txt, entry: "a note\\n"}]
  InlineJavascriptRequirement: {}
  ShellCommandRequirement: {}
arguments:
  - shellQuote: false
    valueFrom: pwd; echo $HOME; echo $(runtime.outdir); cat $(inputs.data.path) note.txt; echo made > ${folder}/made.txt
stdout: seen.txt
inputs: {data: File}
outputs:
  seen: stdout
  made: {type: File, outputBinding: {glob: $(runtime.outdir)/made.*}}
  given: {type: File, outputBinding: {glob: in/*.txt, outputEval: "$(self[0])"}}
`,
        );
      await box.write("data.txt", "data\n");
      await box.write("t.cwl", document("/srv/results"));
      const results = {
        seen: "/srv/results\n/srv/results\n/srv/results\ndata\na note\n",
        made: "made\n",
        given: "data\n",
      };
      expect(await texts("t.cwl", "data=data.txt")).toEqual({ how: "computed", ...results });
      expect(await texts("t.cwl", "data=data.txt")).toEqual({ how: "reused", ...results });
      await box.write("t.cwl", document("/srv/others"));
      expect((await texts("t.cwl", "data=data.txt"))["how"]).toBe("computed");
    });

    it("that only suggest an output directory find it by both of its names", async () => {
      await box.write(
        "t.cwl",
        tool(`${here()}\n    dockerOutputDirectory: /srv/results`, "")
          .replace("requirements:", "hints:")
          .concat(
            `baseCommand: [sh, -c, "echo one > /srv/results/one; echo two > $0/two"]
arguments: [$(runtime.outdir)]
inputs: {}
outputs:
  one: {type: File, outputBinding: {glob: one}}
  two: {type: File, outputBinding: {glob: two}}
`,
          ),
      );
      expect(await texts("t.cwl")).toEqual({ how: "computed", one: "one\n", two: "two\n" });
    });

    it("find inputs, texts and folders at absolute paths, and may change what they are given as writable", async () => {
      await box.write(
        "t.cwl",
        tool(
          here(),
          `  InlineJavascriptRequirement: {}
  InitialWorkDirRequirement:
    listing:
      - {entryname: /opt/reference/genome.fa, entry: $(inputs.genome)}
      - {entryname: /etc/tool.conf, entry: "level: $(inputs.level)\\n"}
      - {entryname: /opt/own.txt, entry: $(inputs.genome), writable: true}
      - entryname: /opt/folder
        writable: true
        entry: '$({class: "Directory", basename: "x", listing: [inputs.genome, {class: "File", basename: "b", contents: "b"}]})'
baseCommand: [sh, -c]
arguments:
  - cat $(inputs.genome.path) /etc/tool.conf; echo more >> /opt/own.txt; cat /opt/own.txt; touch /opt/folder/new; ls /opt/folder;
    if echo no 2> /dev/null >> /opt/reference/genome.fa; then echo writable; fi
stdout: seen.txt
inputs: {genome: {type: File, secondaryFiles: [.fai]}, level: {type: int, default: 1}}
outputs:
  seen: stdout
  again: {type: File, outputBinding: {outputEval: $(inputs.genome)}}
`,
        ),
      );
      await box.write("genome.fa", "ACGT\n");
      await box.write("genome.fa.fai", "index\n");
      // An input lies where the entry that came last has put it.
      const first = await texts("t.cwl", "genome=genome.fa");
      expect(first).toEqual({
        how: "computed",
        seen: "ACGT\nlevel: 1\nACGT\nmore\nb\ngenome.fa\ngenome.fa.fai\nnew\n",
        again: "ACGT\n",
      });
      expect(await readFile(box.path("genome.fa"), "utf8")).toBe("ACGT\n");
      expect(await texts("t.cwl", "genome=genome.fa")).toEqual({ ...first, how: "reused" });
      expect(await texts("t.cwl", "genome=genome.fa", "level=2")).toMatchObject({ how: "computed" });
      await box.write("genome.fa.fai", "other\n");
      expect(await texts("t.cwl", "genome=genome.fa")).toMatchObject({ how: "computed" });
    });

    it("never put anything over what Memoir and the engine need, nor absolute names where they are not legal", async () => {
      const document = (name: string, version?: string) =>
        tool(
          here(),
          `  InitialWorkDirRequirement: {listing: [{entryname: ${name}, entry: x}]}
baseCommand: "true"
inputs: {}
outputs: {}
`,
          version,
        );
      for (const [name, why] of [
        ["/mnt/memoir/command", "would hide /mnt/memoir"],
        ["/mnt/x/../memoir/rc", "would hide /mnt/memoir"],
        ["/mnt", "would hide /mnt/memoir"],
        ["/", "would hide the whole image"],
        ["/proc/self/x", "belongs to the engine"],
        ["/dev/shm/../null", "belongs to the engine"],
        ["../rc", "leads outside"],
      ] as const) {
        await box.write("t.cwl", document(name));
        expect(await refusal("t.cwl"), name).toContain(why);
      }
      await box.write("t.cwl", document("/opt/x", "v1.1"));
      expect(await refusal("t.cwl")).toContain("is absolute");
      await box.write(
        "t.cwl",
        document("/opt/x")
          .replace("requirements:\n  DockerRequirement:", "hints:\n  DockerRequirement:")
          .replace("  InitialWork", "requirements:\n  InitialWork"),
      );
      expect(await refusal("t.cwl")).toContain("is absolute");
      await box.write("t.cwl", document("x").replace(here(), `${here()}\n    dockerOutputDirectory: /mnt`));
      expect(await refusal("t.cwl")).toContain("dockerOutputDirectory /mnt would hide");
    });

    it("run behind the entry point of an image that the document builds, and are its own command without words", async () => {
      const document = (words: string, entry = "entry") =>
        tool(
          `dockerFile: |
      FROM ${images.busybox.reference}
      RUN ["/bin/sh", "-c", "echo built > /built"]
      ENTRYPOINT ["/bin/sh", "-c", "cat /built; echo ${entry} \\"$@\\"", "sh"]
      CMD ["own", "command"]`,
          `${words}
stdout: out.txt
inputs: {}
outputs: {out: stdout}
`,
        );
      await box.write("t.cwl", document("baseCommand: [a, 'b c']"));
      expect(await texts("t.cwl")).toEqual({ how: "computed", out: "built\nentry a b c\n" });
      expect(await texts("t.cwl")).toEqual({ how: "reused", out: "built\nentry a b c\n" });
      await box.write("t.cwl", document(""));
      expect(await texts("t.cwl")).toEqual({ how: "computed", out: "built\nentry own command\n" });
      await box.write("t.cwl", document("baseCommand: [a, 'b c']", "changed"));
      expect(await texts("t.cwl")).toEqual({ how: "computed", out: "built\nchanged a b c\n" });
      await box.write("t.cwl", document("baseCommand: a").replace("/bin/sh", "/no/such/program"));
      expect(await refusal("t.cwl")).toContain("building from a Dockerfile: ");
    });

    it("run in images of archives: saved ones by the name in them, and root file systems", async () => {
      const out = `baseCommand: [sh, -c, "cat /etc/memoir-test; type bash > /dev/null 2>&1 && echo bash; true"]
stdout: out.txt
inputs: {}
outputs: {out: stdout}
`;
      await copyFile(images.bash.archive, box.path("image.tar"));
      await box.write("load.cwl", tool("dockerLoad: image.tar", out));
      expect(await texts("load.cwl")).toEqual({ how: "computed", out: "a test image\nbash\n" });
      expect(await texts("load.cwl")).toEqual({ how: "reused", out: "a test image\nbash\n" });
      await box.write("load.cwl", tool("dockerLoad: image.tar\n    dockerImageId: memoir-test/another", out));
      expect((await texts("load.cwl"))["how"]).toBe("reused");
      // The same name, another image.
      await copyFile(images.busybox.archive, box.path("image.tar"));
      expect(await texts("load.cwl")).toEqual({ how: "computed", out: "a test image\n" });
      await box.write("image.tar", "no archive");
      expect(await refusal("load.cwl")).toContain("loading image.tar: ");

      const server = createServer((_, answer) =>
        createReadStream(images.busybox.archive).pipe(answer.setHeader("etag", '"1"')),
      );
      try {
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        await box.write("load.cwl", tool(`dockerLoad: http://127.0.0.1:${port}/image.tar`, out));
        // The same image as before, wherever it came from.
        expect(await texts("load.cwl")).toEqual({ how: "reused", out: "a test image\n" });
      } finally {
        server.close();
      }

      await writeFile(box.path("root.tar.gz"), gzipSync(await readFile(images.busybox.layer), { level: 1 }));
      await box.write("import.cwl", tool("dockerImport: root.tar.gz", out));
      expect(await texts("import.cwl")).toEqual({ how: "computed", out: "a test image\n" });
      expect(await texts("import.cwl")).toEqual({ how: "reused", out: "a test image\n" });
    });

    it("run in an image of the engine's own by its name or id, and are computed again when the name means another (H)", async () => {
      const moving = "memoir-test-moving:1";
      const tag = (id: string) => promisify(execFile)(engine.kind, ["tag", id, moving], { env: engine.env });
      await engine.load(images.bash);
      const out = `baseCommand: [sh, -c, "type bash > /dev/null 2>&1 && echo bash || echo none"]
stdout: out.txt
inputs: {}
outputs: {out: stdout}
`;
      await tag(images.busybox.configDigest);
      await box.write("t.cwl", tool(`dockerImageId: ${moving}`, out));
      expect(await texts("t.cwl")).toEqual({ how: "computed", out: "none\n" });
      expect(await texts("t.cwl")).toEqual({ how: "reused", out: "none\n" });
      await tag(images.bash.configDigest);
      expect(await texts("t.cwl")).toEqual({ how: "computed", out: "bash\n" });
      await box.write("t.cwl", tool(`dockerImageId: ${images.busybox.configDigest}`, out));
      expect(await texts("t.cwl")).toEqual({ how: "reused", out: "none\n" });
    });

    it("read standard input through a pipe", async () => {
      await box.write(
        "t.cwl",
        tool(
          here(),
          `baseCommand: [sh, -c, "[ -p /dev/stdin ] && cat"]
stdout: out.txt
inputs: {text: stdin}
outputs: {out: stdout}
`,
        ),
      );
      await box.write("text.txt", "some text\n");
      expect(await texts("t.cwl", "text=text.txt")).toEqual({ how: "computed", out: "some text\n" });
    });
  });
}
