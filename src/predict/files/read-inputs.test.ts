import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freshAsk, isAppError } from "../../kernel/index.ts";
import { CsvScanner } from "./csv-scan.ts";
import { JsonScanner } from "./json-scan.ts";
import { type ReadInputsRequest, readInputs } from "./read-inputs.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-read-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(name: string, content: string | Uint8Array, request: Partial<ReadInputsRequest> = {}) {
  const path = join(folder, name);
  await writeFile(path, content);
  const inputs: string[] = [];
  const notes: string[] = [];
  for await (const chunk of readInputs({ path, chunkRows: 1000, ...request }, freshAsk())) {
    inputs.push(...chunk.inputs);
    if (chunk.note !== undefined) notes.push(chunk.note);
  }
  return { inputs, notes };
}

async function failure(name: string, content: string | Uint8Array, request: Partial<ReadInputsRequest> = {}) {
  return await read(name, content, request).then(
    () => "no error",
    (error: unknown) =>
      isAppError(error) ? `${error.code}: ${error.message.replaceAll(folder, "<dir>")}` : String(error),
  );
}

describe("reading inputs", () => {
  it("takes a single column under any header", async () => {
    expect((await read("a.csv", "molecule\nCCO\nCCC\n")).inputs).toEqual(["CCO", "CCC"]);
  });

  it("keeps order and duplicates, and reads a last line without a line break", async () => {
    expect((await read("b.csv", "smiles\nCCO\nCCC\nCCO")).inputs).toEqual(["CCO", "CCC", "CCO"]);
  });

  it("finds the column by its header, whatever its case, among others", async () => {
    const { inputs } = await read("c.csv", "key,SMILES,name\nk,CCO,ethanol\nk,CCC,propane\n");
    expect(inputs).toEqual(["CCO", "CCC"]);
  });

  it("prefers `input`, as Memoir's own outputs have it", async () => {
    const { inputs, notes } = await read("d.csv", "smiles,input\na,b\n");
    expect(inputs).toEqual(["b"]);
    expect(notes[0]).toContain("has the columns input and smiles: the inputs are those of input");
  });

  it.each([
    ["smiles,smiles\na,b\n", {}, "columns 1 and 2 are both called smiles"],
    ["smiles,id,SMILES\na,1,b\n", {}, "columns 1 and 3 are both called SMILES"],
    ["a,b,a\n1,2,3\n", { column: "a" }, "columns 1 and 3 are both called a"],
    ["A,b,A\n1,2,3\n", { column: "a" }, "columns 1 and 3 are both called A"],
  ])("refuses two columns of one name: %j", async (text, options, says) => {
    await expect(read("twice.csv", text, options)).rejects.toMatchObject({
      code: "PREDICT_INPUT_COLUMNS_UNCLEAR",
      message: expect.stringContaining(says),
    });
  });

  it("takes one of two columns of one name by its number, or by its exact case", async () => {
    expect((await read("n.csv", "smiles,smiles\na,b\n", { column: "2" })).inputs).toEqual(["b"]);
    expect((await read("n.csv", "smiles,SMILES\na,b\n", { column: "SMILES" })).inputs).toEqual(["b"]);
  });

  it("refuses an object of a JSON list that has a name twice, and hints at JSON", async () => {
    for (const text of ['[{"smiles":"a","smiles":"b"}]', '[{"id": {"x": 1}, "input":"a","In\\u0070ut":"b"}]'])
      await expect(read("twice.json", text)).rejects.toMatchObject({
        code: "PREDICT_INPUT_MALFORMED",
        message: expect.stringContaining("element 1 has two values called"),
        hint: expect.stringMatching(/^A JSON file/),
      });
    const nested = '[{"input": {"key": "k", "input": "a"}, "output": {"input": "x", "key": "\\" : {"}}]';
    expect((await read("nested.json", nested)).inputs).toEqual(["a"]);
  });

  it("takes the column that the user names, by header or by number", async () => {
    expect((await read("e.csv", "a,b\n1,2\n", { column: "B" })).inputs).toEqual(["2"]);
    expect((await read("e.csv", "a,b\n1,2\n", { column: "1" })).inputs).toEqual(["1"]);
  });

  it.each([
    ["semicolon", "name;smiles\na;CCO\nb;CCC\n"],
    ["tab", "\ufeffsmiles\tname\r\nCCO\ta\r\nCCC\tb\r\n"],
    ["pipe", "smiles|name\nCCO|a\nCCC|b\n"],
    ["space", "smiles name\nCCO  a\nCCC\tb \n"],
    ["semicolon", '"na;me";"smiles"\n"a;b";CCO\nb;CCC\n'],
  ])("notices %s as the delimiter by the first two lines, and says so", async (called, content) => {
    const { inputs, notes } = await read("s.csv", content);
    expect(inputs).toEqual(["CCO", "CCC"]);
    expect(notes[0]).toContain(`read with ${called} as its delimiter`);
  });

  it.each([
    ["a;CCO\nb;CCC\n", "semicolon"],
    ["CCO ethanol\nCCC propane\n", "space"],
    ["CCO\tethanol\nCCC\tpropane\n", "tab"],
  ])(
    "refuses a table whose columns have no names rather than take its lines for molecules",
    async (content, called) => {
      const words = await failure("t.csv", content);
      expect(words).toContain(
        `PREDICT_INPUT_COLUMNS_UNCLEAR: cannot read <dir>/t.csv: line 1 looks ${called}-separated`,
      );
      expect((await read("t.csv", content, { delimiter: "," })).inputs.length).toBeGreaterThan(0);
    },
  );

  it("leaves a column of texts with blanks alone", async () => {
    expect((await read("u.csv", "canonical smiles\nCCO\nCCC\n")).inputs).toEqual(["CCO", "CCC"]);
    expect((await read("v.csv", "drug name\nacetic acid\n")).inputs).toEqual(["acetic acid"]);
  });

  it.each([
    ["a .tsv with commas", "a.tsv", "smiles,name\nCCO,a\nCCC,b\n"],
    ["a .tsv with semicolons", "a.tsv", "smiles;name\nCCO;a\nCCC;b\n"],
    ["Excel's first line", "a.csv", "\ufeffsep=;\r\nname;smiles\r\na;CCO\r\nb;CCC\r\n"],
    ["decimal commas in cells", "a.csv", "smiles;value\nCCO;1,5\nCCC;2,5\n"],
    ["a decimal comma in each line, the header included", "a.csv", "smiles;a,b\nCCO;1,5\nCCC;2,5\n"],
    ["a cell in quotes with line breaks first", "a.csv", '"the\nname";smiles\n"a\nb";CCO\nb;CCC\n'],
    ["lone carriage returns", "a.csv", "name;smiles\ra;CCO\rb;CCC"],
    ["blanks and tabs in turn", "a.csv", "name\tsmiles \n a CCO\nb\tCCC\n"],
  ])("reads a table in spite of %s", async (_, name, content) => {
    expect((await read(name, content)).inputs).toEqual(["CCO", "CCC"]);
  });

  it("reads a table by a column that the user names", async () => {
    const text = "a;molecule\n1;CCO\n";
    expect((await read("b.csv", text, { column: "molecule" })).inputs).toEqual(["CCO"]);
    expect((await read("b.csv", "1;CCO\n2;CCC\n", { column: "2", header: "absent" })).inputs).toEqual([
      "CCO",
      "CCC",
    ]);
    expect(
      (await read("b.csv", "CCO ethanol\nCCC propane\n", { column: "1", header: "absent" })).inputs,
    ).toEqual(["CCO", "CCC"]);
    expect((await read("b.csv", "my text\nhello world\n", { column: "1" })).inputs).toEqual(["hello world"]);
  });

  it.each([
    ["names behind some", "smiles\nCCO ethanol\nCCC propane\nC\n"],
    ["names of one or two words", "smiles name\nCCO ethyl alcohol\nCCC propane\n"],
    ["cells behind a tab under a header of one cell", "smiles\nCCO\ta\nCCC\tb\n"],
    ["cells behind a semicolon under a header of one cell", "smiles\nCCO;a\nCCC;b\n"],
    ["one line and no header", "CCO ethanol\n"],
    ["a blank and a name in a column of a table", "id,smiles\n1,CCO ethanol\n2,CCC propane\n"],
  ])("refuses molecules that carry something: %s", async (_, content) => {
    expect(await failure("c.csv", content)).toMatch(/^PREDICT_INPUT_COLUMNS_UNCLEAR: .*--delimiter/);
  });

  it.each([
    ["sentences", "input text", ["hello world", "I am", "I am not"]],
    ["sentences of as many words as the header", "smiles text", ["hello world", "good bye"]],
    ["texts with semicolons", "text", ["hello; world", "one; two; three"]],
    ["SMARTS", "smarts", ["[C;H1]", "[N;H2]"]],
    ["CXSMILES", "smiles", ["CCO |$;;R$|", "CCN |$;;R$|"]],
    ["a stray name among molecules", "smiles", ["CCO", "CCC", "CCN", "CC", "CCO ethanol"]],
  ])("leaves one column of %s as it is", async (_, header, rows) => {
    expect((await read("d.csv", `${header}\n${rows.join("\n")}\n`)).inputs).toEqual(rows);
  });

  it("decides nothing before it has seen enough, however small the blocks are", () => {
    for (const text of ["canonical smiles\nCCO\nCCC\n", "name;smiles\na;CCO\nb;CCC\n"])
      for (let cut = 1; cut < text.length; cut++) {
        const scanner = new CsvScanner({ name: "x" });
        const got: string[] = [];
        scanner.feed(text.slice(0, cut), false, got);
        scanner.feed(text.slice(cut), true, got);
        expect(got).toEqual(["CCO", "CCC"]);
      }
  });

  it("keeps what CXSMILES say behind the SMILES, and refuses commas in a .smi file", async () => {
    expect((await read("y.smi", "CCO |$;;R$| ethanol\nCCC  |c:1| b\n")).inputs).toEqual([
      "CCO |$;;R$|",
      "CCC  |c:1|",
    ]);
    expect(await failure("y.smi", "CCO,ethanol\n")).toBe(
      'PREDICT_INPUT_MALFORMED: cannot read <dir>/y.smi, line 1: expected blanks or a tab behind the SMILES (--delimiter names another one), got "CCO,ethanol"',
    );
    expect((await read("y.smi", "smiles,name\nCCO,a\n", { delimiter: "," })).inputs).toEqual(["CCO"]);
  });

  it("takes the first word of each line of a .smi file", async () => {
    expect((await read("w.smi", "CCO ethyl alcohol\n\nCCC\tpropane\r\nC\n")).inputs).toEqual([
      "CCO",
      "CCC",
      "C",
    ]);
    expect((await read("x.smi", "SMILES Name\nCCO a\n")).inputs).toEqual(["CCO"]);
  });

  it("reads CRLF, a byte order mark, lone CR and blank lines; blank lines are not rows", async () => {
    expect((await read("f.csv", "\ufeffsmiles\r\nCCO\r\n\r\nCCC\r\n  \r\n")).inputs).toEqual(["CCO", "CCC"]);
    expect((await read("f.csv", "smiles\rCCO\rCCC")).inputs).toEqual(["CCO", "CCC"]);
  });

  it("keeps separators, quotes and line breaks inside a quoted cell", async () => {
    const text = 'smiles\n"C,C"\n"a ""b"""\n"two\nlines"\n"crlf\r\nkept"\r\nCCO\n';
    expect((await read("g.csv", text)).inputs).toEqual(["C,C", 'a "b"', "two\nlines", "crlf\r\nkept", "CCO"]);
  });

  it("counts a quoted empty cell as a row and spaces as part of the input", async () => {
    expect((await read("h.csv", 'smiles\n""\n CCO \n')).inputs).toEqual(["", " CCO "]);
  });

  it("reads TSV", async () => {
    expect((await read("i.tsv", "smiles\tname\nC,C\tx\n")).inputs).toEqual(["C,C"]);
  });

  it("reads text beyond ASCII whatever block it falls into", async () => {
    const rows = Array.from({ length: 60_000 }, (_, i) => `é${i}—ü𝛼`);
    expect((await read("j.csv", `input\n${rows.join("\n")}\n`)).inputs).toEqual(rows);
    expect((await read("j.json", JSON.stringify(rows))).inputs).toEqual(rows);
  });

  it("counts a first line that looks like a molecule as a row, and says so", async () => {
    const { inputs, notes } = await read("k.csv", "CC(C)Cc1ccc(cc1)O\nCCC\n");
    expect(inputs).toEqual(["CC(C)Cc1ccc(cc1)O", "CCC"]);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toContain("has no header");
    expect((await read("k.csv", "CCO\nCCC\n", { header: "present" })).inputs).toEqual(["CCC"]);
    expect((await read("k.csv", "name\nCCC\n", { header: "absent" })).inputs).toEqual(["name", "CCC"]);
  });

  it("reads JSON lists of strings, of objects and of Memoir's own output", async () => {
    const json =
      '["CCO", {"input": "C\\"C"}, {"SMILES": "x"}, {"input": {"key": "k", "input": "y"}, "output": {"a": 1}}]';
    expect((await read("l.json", json)).inputs).toEqual(["CCO", 'C"C', "x", "y"]);
    expect((await read("l.json", " [ ] \n")).inputs).toEqual([]);
  });

  it("cuts chunks at the asked number of rows", async () => {
    const path = join(folder, "m.csv");
    await writeFile(path, `smiles\n${Array.from({ length: 2500 }, (_, i) => `C${i}`).join("\n")}\n`);
    const sizes: number[] = [];
    for await (const chunk of readInputs({ path, chunkRows: 1000 }, freshAsk()))
      sizes.push(chunk.inputs.length);
    expect(sizes).toEqual([1000, 1000, 500]);
  });

  it("reads a cell of a mebibyte and refuses one of nine", async () => {
    const big = "C".repeat(1 << 20);
    expect((await read("n.csv", `smiles\n${big}\nCCO\n`)).inputs).toEqual([big, "CCO"]);
    expect(await failure("n.csv", `smiles\nCCO\n${"C".repeat(9 << 20)}\n`)).toMatch(
      /^PREDICT_INPUT_CELL_TOO_LARGE/,
    );
    expect(await failure("n.csv", `smiles\n"${"C\n".repeat(5 << 20)}"\n`)).toMatch(
      /^PREDICT_INPUT_CELL_TOO_LARGE/,
    );
  });

  it.each([
    ["none.csv", "", "PREDICT_INPUT_EMPTY: cannot read the inputs from <dir>/none.csv: the file is empty"],
    [
      "blank.csv",
      "\n\n",
      "PREDICT_INPUT_EMPTY: cannot read the inputs from <dir>/blank.csv: the file is empty",
    ],
    [
      "two.csv",
      "id,molecule\n1,CCO\n",
      "PREDICT_INPUT_COLUMNS_UNCLEAR: cannot determine which column of <dir>/two.csv contains the inputs: got 2 columns (id, molecule), and none of them is called smiles or input",
    ],
    [
      "ragged.csv",
      "smiles\nCCO\nC,C\n",
      "PREDICT_INPUT_MALFORMED: cannot read <dir>/ragged.csv, line 3: got 2 cells, expected 1 as in the first line",
    ],
    [
      "open.csv",
      'smiles\nCCO\n"CC\nCCC\n',
      "PREDICT_INPUT_MALFORMED: cannot read <dir>/open.csv, line 3: a quoted cell is never closed",
    ],
    [
      "after.csv",
      'smiles\n"CC"O\n',
      'PREDICT_INPUT_MALFORMED: cannot read <dir>/after.csv, line 2: text follows a closing quote: "O\\n"',
    ],
    [
      "bad.json",
      '["CCO",\n {"name": "x"}]',
      'PREDICT_INPUT_MALFORMED: cannot read <dir>/bad.json, line 2: element 2 has no input: expected a string or an object with "input", got {"name": "x"}',
    ],
    [
      "open.json",
      '["CCO"',
      "PREDICT_INPUT_MALFORMED: cannot read <dir>/open.json, line 1: the list is not closed",
    ],
    [
      "object.json",
      '{"input": "CCO"}',
      'PREDICT_INPUT_MALFORMED: cannot read <dir>/object.json, line 1: expected one list, got "{\\"input\\": \\"C"',
    ],
  ])("refuses %s and says where and why", async (name, content, words) => {
    expect(await failure(name, content)).toBe(words);
  });

  it("refuses UTF-16 and broken UTF-8 by name", async () => {
    expect(await failure("u.csv", Buffer.from("\ufeffsmiles\nCCO\n", "utf16le"))).toContain("got UTF-16");
    const unmarked = Buffer.from("smiles\nCCO\n", "utf16le");
    expect(await failure("u.csv", unmarked)).toContain("got UTF-16");
    expect(await failure("u.csv", unmarked.swap16())).toContain("got UTF-16");
    expect(await failure("z.csv", gzipSync("smiles\nCCO\n"))).toContain("got data compressed with gzip");
    expect(await failure("u.csv", Buffer.from("smiles\nCCO\ncaf\xe9\n", "latin1"))).toContain(
      "line 3 is not UTF-8",
    );
  });

  it("says what it cannot read: nothing there, a folder, another extension", async () => {
    const ask = freshAsk();
    const code = (path: string) =>
      readInputs({ path, chunkRows: 1 }, ask)
        .next()
        .then(String, (error: unknown) => (isAppError(error) ? error.code : String(error)));
    expect(await code(join(folder, "nowhere.csv"))).toBe("FILE_NOT_FOUND");
    expect(await code(join(folder, "x.txt"))).toBe("PREDICT_FORMAT_UNKNOWN");
    expect(await code(join(folder, "no-extension"))).toBe("PREDICT_FORMAT_UNKNOWN");
  });
});

/** Cuts a text after line breaks, as the block reader does. */
function cutAtBreaks(text: string, every: number): string[] {
  const pieces: string[] = [];
  let from = 0;
  let breaks = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\n" || ++breaks % every !== 0) continue;
    pieces.push(text.slice(from, i + 1));
    from = i + 1;
  }
  return [...pieces, text.slice(from)];
}

describe("scanners", () => {
  it("give the same rows however the text is cut into blocks, for any cells", () => {
    const cell = fc.string({ unit: fc.constantFrom("C", ",", '"', "\n", "\r", " ", "é", "1"), maxLength: 8 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        (rows, every) => {
          const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
          const text = `name,input\n${rows.map(([a, b]) => `${quoted(a)},${quoted(b)}\n`).join("")}`;
          const scanner = new CsvScanner({ separator: ",", name: "x" });
          const got: string[] = [];
          const pieces = cutAtBreaks(text, every);
          pieces.forEach((piece, i) => {
            scanner.feed(piece, i === pieces.length - 1, got);
          });
          expect(got).toEqual(rows.map(([, input]) => input));
        },
      ),
    );
  });

  it("read JSON cut between any two characters", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 8 }), fc.integer({ min: 1, max: 5 }), (inputs, size) => {
        const text = JSON.stringify(
          inputs.map((input, i) => (i % 2 === 0 ? input : { input, more: [1, "]"] })),
        );
        const scanner = new JsonScanner({ name: "x" });
        const got: string[] = [];
        for (let i = 0; i < text.length; i += size)
          scanner.feed(text.slice(i, i + size), i + size >= text.length, got);
        expect(got).toEqual(inputs);
      }),
    );
  });
});
