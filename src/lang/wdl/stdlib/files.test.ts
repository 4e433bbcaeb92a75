import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluateText, runText } from "../run/testing/run-text.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "memoir-stdlib-"));
  await writeFile(join(folder, "lines.txt"), "one\r\ntwo\n\nlast\n");
  await writeFile(join(folder, "table.tsv"), "name\tage\nAnn\t7\nBob\t9\n");
  await writeFile(join(folder, "map.tsv"), "b\t1\na\t2\n");
  await writeFile(join(folder, "value.json"), '{"big": 9007199254740993, "f": 1.0, "list": [1, null, "x"]}');
  await writeFile(join(folder, "number.txt"), " 42\n");
  await writeFile(join(folder, "empty.txt"), "");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(outputs: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  const lines = Object.entries(outputs).map(([declaration, expression]) => `${declaration} = ${expression}`);
  const inputs = ["lines.txt", "table.tsv", "map.tsv", "value.json", "number.txt", "empty.txt"];
  const text = `version 1.2\nworkflow t {
    input { ${inputs.map((name) => `File ${name.replace(/\..*/, "")}`).join("\n")} }
    output { ${lines.join("\n")} }
  }`;
  const end = await runText({
    documents: { "main.wdl": text },
    folder,
    inputs: Object.fromEntries(inputs.map((name) => [name.replace(/\..*/, ""), name])),
  });
  if (end.result.kind !== "succeeded") throw new Error(end.failures);
  return end.outputs;
}

describe("reading files", () => {
  it("lines, texts, numbers and flags", async () => {
    expect(
      await read({
        "Array[String] all": "read_lines(lines)",
        "Array[String] none": "read_lines(empty)",
        "String text": "read_string(number)",
        "Int whole": "read_int(number)",
        "Float broken": "read_float(number)",
        "Float bytes": "size(number)",
        "Float kilo": 'size([number, empty], "KiB")',
      }),
    ).toEqual({
      all: ["one", "two", "", "last"],
      none: [],
      text: " 42",
      whole: 42,
      broken: 42,
      bytes: 4,
      kilo: 4 / 1024,
    });
  });

  it("tables, maps and objects", async () => {
    expect(
      await read({
        "Array[Array[String]] rows": "read_tsv(table)",
        "Array[Object] people": "read_tsv(table, true)",
        "Array[Object] renamed": 'read_tsv(table, true, ["who", "years"])',
        "Map[String, String] mapped": "read_map(map)",
        "Array[Object] objects": "read_objects(table)",
        "Int age": "read_objects(table)[1].age",
      }),
    ).toEqual({
      rows: [
        ["name", "age"],
        ["Ann", "7"],
        ["Bob", "9"],
      ],
      people: [
        { name: "Ann", age: "7" },
        { name: "Bob", age: "9" },
      ],
      renamed: [
        { who: "Ann", years: "7" },
        { who: "Bob", years: "9" },
      ],
      mapped: { b: "1", a: "2" },
      objects: [
        { name: "Ann", age: "7" },
        { name: "Bob", age: "9" },
      ],
      age: 9,
    });
  });

  it("JSON keeps 64-bit integers and the difference between 1 and 1.0", async () => {
    expect(
      await read({
        "String big": '"~{read_json(value).big}"',
        "String one": '"~{read_json(value).f}"',
        "Int first": "read_json(value).list[0]",
      }),
    ).toEqual({ big: "9007199254740993", one: "1.000000", first: 1 });
  });

  it.each([
    ["Int x", "read_int(table)", /expected one Int, got "name/],
    ["Boolean x", "read_boolean(number)", /expected true or false, got "42"/],
    ["Map[String, String] x", "read_map(lines)", /line 1 has 1 columns, expected 2/],
    ["Object x", "read_json(empty)", /line 1, column 1: expected a value, got the end/],
    ["String x", 'read_string("nowhere.txt")', /cannot read nowhere.txt: it does not exist/],
    ["Object x", "read_object(table)", /expected two lines, got 3/],
    ["Float x", 'size(number, "stones")', /the unit "stones"/],
  ])("%s = %s says what came and what was expected", async (declaration, expression, message) => {
    await expect(read({ [declaration]: expression })).rejects.toThrow(message);
  });
});

describe("writing files", () => {
  it.each([
    ['write_lines(["a", "b"])', "a\nb\n"],
    ['write_tsv([["a", "b"], ["c", "d"]])', "a\tb\nc\td\n"],
    ['write_tsv([["a", "b"]], true, ["x", "y"])', "x\ty\na\tb\n"],
    ['write_map({"k": "v", "l": "w"})', "k\tv\nl\tw\n"],
    ['write_json({"a": [1, 2.0, None]})', '{"a":[1.0,2.0,null]}\n'],
    ['write_object(object {a: 1, b: "x"})', "a\tb\n1\tx\n"],
    ["write_objects([object {a: 1}, object {a: 2}])", "a\n1\n2\n"],
    ["write_lines([])", ""],
  ])("%s", async (expression, content) => {
    const text = `version 1.2\nworkflow t { output { File written = ${expression} } }`;
    const end = await runText({ documents: { "main.wdl": text }, folder });
    const written = end.result.outputs["t.written"];
    const location =
      typeof written === "object" && written !== null && "location" in written ? written.location : "";
    expect(end.failures).toBe("");
    expect(await readFile(location, "utf8")).toBe(content);
  });

  it("what has no form in the format is refused", async () => {
    await expect(evaluateText({ "File x": 'write_json((1, "a"))' })).rejects.toThrow(
      /cannot write a Pair as JSON/,
    );
    await expect(evaluateText({ "File x": "write_json({1: 2})" })).rejects.toThrow(/keys must be String/);
    await expect(evaluateText({ "File x": "write_objects([object {a: 1}, object {b: 1}])" })).rejects.toThrow(
      /object 2 has the members b, the first has a/,
    );
  });
});
