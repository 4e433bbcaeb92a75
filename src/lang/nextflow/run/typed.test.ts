/** Processes whose inputs and outputs have types, and records. */
import { describe, expect, test } from "vitest";
import { runPipeline, type TextRun } from "./testing/run-text.ts";

async function run(main: string, more: Omit<TextRun, "files"> & { files?: TextRun["files"] } = {}) {
  const { files = {}, ...options } = more;
  return runPipeline({ ...options, files: { "main.nf": `nextflow.enable.types = true\n${main}`, ...files } });
}

async function lines(main: string, files: TextRun["files"] = {}) {
  const end = await run(main, { files });
  return end.trouble === "" ? end.lines : end.trouble;
}

describe("typed inputs", () => {
  test("paths and collections of paths are staged, other values are not", async () => {
    const main = `process P { input:
        id: String
        one: Path
        many: List<Path>
        loose: Object
        output: stdout()
        script: "ls; echo $id \${many*.name.join('+')}" }
      workflow { P('x', file('a.txt'), files('{b,c}.txt'), [file('d.txt')]).view() }`;
    const found = await lines(main, { "a.txt": "", "b.txt": "", "c.txt": "", "d.txt": "" });
    expect(found).toEqual(["a.txt", "b.txt", "c.txt", "x b.txt+c.txt"]);
  });
  test("tuples and records are taken apart, also as 25.10 wrote them", async () => {
    const main = `process T { input: tuple(id: String, f: Path)
        output: stdout()
        script: "echo $id $f" }
      process R { input: record(id: String, f: Path)
        output: stdout()
        script: "echo $id $f" }
      process O { input: (id, f): Tuple<String, Path>
        output: stdout()
        script: "echo $id $f; ls" }
      workflow {
        T(channel.of(tuple('t', file('a.txt')))).map { v -> v.trim() }.view()
        R(channel.of(record(id: 'r', f: file('a.txt'), more: 1))).map { v -> v.trim() }.view()
        O(channel.of(tuple('o', file('a.txt')))).map { v -> v.trim() }.view() }`;
    expect(await lines(main, { "a.txt": "" })).toEqual(["a.txt", "o a.txt", "r a.txt", "t a.txt"]);
  });
  test("files of a record type are staged, and a field that is missing is named", async () => {
    const main = `record Sample {
        id: String
        reads: Path
        index: Path?
      }
      process P { input: sample: Sample
        output: sample + record(out: file('o'))
        script: "cat \${sample.reads} > o; ls | wc -l >> o" }
      workflow { P(channel.of(SAMPLE)).view { r -> "\${r.id} \${r.reads.name} \${r.out.text.trim().tokenize()}" } }`;
    const given = "record(id: 's', reads: file('a.txt'))";
    expect(await lines(main.replace("SAMPLE", given), { "a.txt": "text\n" })).toEqual(["s a.txt [text, 2]"]);
    expect(await lines(main.replace("SAMPLE", "record(id: 's')"))).toContain(
      "The input `sample` is missing the field `reads` required by Sample",
    );
  });
  test("null is given only where the type says so", async () => {
    const main = (type: string) => `process P { input: f: ${type}
        stage: stageAs f, 'in.txt'
        output: stdout()
        script: '[[ -f in.txt ]] && cat in.txt || echo nothing' }
      workflow { P(null).view() }`;
    expect(await lines(main("Path?"))).toEqual(["nothing"]);
    expect(await lines(main("Path"))).toContain("The input `f` of process `P` is null");
  });
  test("stage: names files, variables and the standard input", async () => {
    const main = `process P { input:
        id: String
        f: Path
        several: List<Path>
        stage:
        stageAs f, "\${id}.txt"
        stageAs several, 'part?.txt'
        env 'WORD', id
        stdin id
        output: stdout()
        script: 'ls; echo $WORD; cat -' }
      workflow { P('x', file('a.txt'), files('{b,c}.txt')).view() }`;
    const found = await lines(main, { "a.txt": "", "b.txt": "", "c.txt": "" });
    expect(found).toEqual(["part1.txt", "part2.txt", "x", "x", "x.txt"]);
  });
});

describe("typed outputs", () => {
  test("are expressions over inputs and what the task leaves", async () => {
    const main = `def size(x) { x.length() }
      process P { input: word: String
        output:
        upper: String = word.toUpperCase()
        size: Integer = size(word)
        variable = env('X')
        asked = eval('echo 1 2')
        one: Path = file('one.txt')
        all = files('*.txt')*.name
        none = file('none.txt', optional: true)
        said = stdout()
        script: "X=y; touch one.txt two.txt; printf said" }
      workflow { P('abc')
        P.out.size.view()
        P.out.upper.mix(P.out.variable, P.out.asked, P.out.one.map { f -> f.name }, P.out.all, P.out.said).view()
        P.out.none.map { v -> v ?: 'nothing' }.view() }`;
    expect(await lines(main)).toEqual([
      "1 2",
      "3",
      "ABC",
      "[one.txt, two.txt]",
      "nothing",
      "one.txt",
      "said",
      "y",
    ]);
  });
  test("file() is one file, and fails where there are several or none", async () => {
    const main = (pattern: string) => `process P { output: file('${pattern}')
        script: 'touch a.txt b.txt' }
      workflow { P().map { f -> f.name }.view() }`;
    expect(await lines(main("a*"))).toEqual(["a.txt"]);
    expect(await lines(main("*.txt"))).toContain("expected 1..1, found 2");
    expect(await lines(main("c.txt"))).toContain("Missing output file(s) `c.txt`");
  });
  test("records carry files, are joined by a field, and are sent to topics", async () => {
    const main = `process A { input: id: String
        output: record(id: id, a: file('a.txt'))
        topic: record(name: 'A', id: id) >> 'seen'
        script: "echo a$id > a.txt" }
      process B { input: id: String
        output: record(id: id, b: file('b.txt'))
        script: "echo b$id > b.txt" }
      process C { input: record(id: String, a: Path, b: Path)
        output: stdout()
        script: "cat $a $b | xargs" }
      workflow { ids = channel.of('1', '2')
        C(A(ids).join(B(ids), by: 'id')).map { v -> v.trim() }.view()
        channel.topic('seen').view { r -> r.name + r.id } }`;
    expect(await lines(main)).toEqual(["A1", "A2", "a1 b1", "a2 b2"]);
  });
});
