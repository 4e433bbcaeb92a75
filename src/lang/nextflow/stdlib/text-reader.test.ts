import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runPipeline } from "../run/testing/run-text.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-text-reader-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const printed = async (code: string) => {
  const { lines, trouble } = await runPipeline({
    files: { "main.nf": `workflow { ${code.replaceAll("FOLDER", folder)} }` },
  });
  return [...lines, ...(trouble === "" ? [] : [trouble])];
};

/** Longer than scripts may read at once; what follows the content takes no space on the disk. */
const large = async (name: string, content: string | Uint8Array) => {
  await writeFile(join(folder, name), content);
  await truncate(join(folder, name), 600 * 2 ** 20);
};

// nf-core/sarek reads the flow cell from there.
test("the first line of a large packed file is read as scripts of nf-core do it", async () => {
  await large("reads.fastq.gz", gzipSync("@FC:1:HXX:2\nACGT\n"));
  expect(
    await printed(`file('FOLDER/reads.fastq.gz').withInputStream { stream ->
      def unpacked = new java.util.zip.GZIPInputStream(stream)
      def reader = new BufferedReader(new InputStreamReader(unpacked, 'ASCII'))
      println reader.readLine()
    }`),
  ).toEqual(["@FC:1:HXX:2"]);
});

test("a reader of a large file gives line after line", async () => {
  await large("lines.txt", "one\ntwo\n");
  expect(
    await printed("file('FOLDER/lines.txt').withReader { println it.readLine() + ' ' + it.readLine() }"),
  ).toEqual(["one two"]);
});

test("no line is lost or cut where a part of the file ends", async () => {
  const lines = Array.from({ length: 40_000 }, (_, index) => `line ${index} é`);
  await writeFile(join(folder, "plain.txt"), lines.join("\n"));
  // Several packed parts one after another, as bgzip writes them.
  const parts = [0, 1, 2, 3].map((each) =>
    gzipSync(`${lines.slice(each * 10_000, (each + 1) * 10_000).join("\n")}\n`, { level: 0 }),
  );
  await writeFile(join(folder, "packed.gz"), Buffer.concat(parts));
  const count = (reader: string) =>
    printed(`def reader = ${reader}
      def n = 0
      def last = null
      reader.eachLine { line -> assert line == "line \${n} é"; n += 1; last = line }
      println "\${n} \${last} \${reader.readLine()}"`);
  const all = ["40000 line 39999 é null"];
  expect(await count("file('FOLDER/plain.txt').newReader()")).toEqual(all);
  expect(
    await count(
      "new BufferedReader(new InputStreamReader(new java.util.zip.GZIPInputStream(file('FOLDER/packed.gz').newInputStream())))",
    ),
  ).toEqual(all);
});
