import { describe, expect, test } from "vitest";
import { runPipeline } from "../../run/testing/run-text.ts";

async function printed(body: string, order: "as printed" | "sorted" = "sorted"): Promise<readonly string[]> {
  const {
    printed: all,
    lines,
    trouble,
  } = await runPipeline({ files: { "main.nf": `workflow {\n${body}\n}` } });
  expect(trouble).toBe("");
  return order === "sorted" ? lines : all;
}

describe("operators", () => {
  test.each<[string, string, readonly string[]]>([
    ["map leaves out null", "channel.of(1, 2, 3).map { it == 2 ? null : it * 10 }.view()", ["10", "30"]],
    ["map spreads a tuple", "channel.of([1, 'a']).map { n, s -> s * n }.view()", ["a"]],
    ["flatMap", "channel.of(1, 2).flatMap { [it, it * 10] }.view()", ["1", "10", "2", "20"]],
    [
      "filter by class, pattern and closure",
      "channel.of('a', 1, 'ab', 2).filter(Number).filter { it > 1 }.view()",
      ["2"],
    ],
    ["filter by pattern matches the whole text", "channel.of('a', 'ab').filter(~/a/).view()", ["a"]],
    [
      "first, last, count",
      "def c = channel.of(3, 4, 5)\nc.first().view()\nc.last().view()\nc.count().view()",
      ["3", "3", "5"],
    ],
    ["collect flattens one level", "channel.of([1, [2]], 3).collect().view()", ["[1, [2], 3]"]],
    [
      "collect of nothing is nothing, toList a list",
      "channel.empty().collect().view()\nchannel.empty().toList().view()",
      ["[]"],
    ],
    ["toSortedList", "channel.of(3, 1, 2).toSortedList { a, b -> b <=> a }.view()", ["[3, 2, 1]"]],
    [
      "groupTuple",
      "channel.of(['a', 1], ['b', 2], ['a', 3]).groupTuple().view()",
      ["[a, [1, 3]]", "[b, [2]]"],
    ],
    [
      "groupTuple by size drops what is incomplete",
      "channel.of(['a', 1], ['b', 2], ['a', 3]).groupTuple(size: 2).view()",
      ["[a, [1, 3]]"],
    ],
    [
      "groupTuple by the size of the key",
      "channel.of([groupKey('a', 1), 1], [groupKey('b', 2), 2]).groupTuple(remainder: true).view()",
      ["[a, [1]]", "[b, [2]]"],
    ],
    [
      "join pairs duplicates one by one",
      "left = channel.of(['k1', 'l1'], ['k1', 'l2'], ['k2', 'l3'])\nright = channel.of(['k1', 'r1'], ['k2', 'r2'])\nleft.join(right).view()",
      ["[k1, l1, r1]", "[k2, l3, r2]"],
    ],
    [
      "join keeps the rest when asked",
      "left = channel.of(['k1', 'l1'], ['k1', 'l2'], ['k2', 'l3'], ['k3', 'l4'])\nright = channel.of(['k1', 'r1'], ['k2', 'r2'])\nleft.join(right, remainder: true).view()",
      ["[k1, l1, r1]", "[k1, l2, null]", "[k2, l3, r2]", "[k3, l4, null]"],
    ],
    [
      "combine by a key crosses duplicates",
      "channel.of(['a', 1], ['a', 2]).combine(channel.of(['a', 3], ['b', 4]), by: 0).view()",
      ["[a, 1, 3]", "[a, 2, 3]"],
    ],
    ["combine with a list", "channel.of(1, 2).combine(['x']).view()", ["[1, x]", "[2, x]"]],
    [
      "cross",
      "channel.of(['a', 1]).cross(channel.of(['a', 2], ['a', 3])).view()",
      ["[[a, 1], [a, 2]]", "[[a, 1], [a, 3]]"],
    ],
    ["mix", "channel.of(1).mix(channel.of(2), channel.of(3)).view()", ["1", "2", "3"]],
    ["merge", "channel.of(1, 2).merge(channel.of('a', 'b', 'c')).view()", ["[1, a]", "[2, b]"]],
    [
      "branch takes the first label",
      'channel.of(1, 20).branch { n -> small: n < 10\n other: true\n return n * 2 }.set { r }\nr.small.view { "small $it" }\nr.other.view { "other $it" }',
      ["other 40", "small 1"],
    ],
    [
      "multiMap",
      "channel.of(1).multiMap { n -> a: n + 1\n b: c: n * 10 }.set { r }\nr.a.view()\nr.b.view()\nr.c.view()",
      ["10", "10", "2"],
    ],
    ["transpose", "channel.of(['a', [1, 2, 3], [4, 5]]).transpose().view()", ["[a, 1, 4]", "[a, 2, 5]"]],
    [
      "transpose with the rest",
      "channel.of(['a', [1, 2], [4]]).transpose(remainder: true).view()",
      ["[a, 1, 4]", "[a, 2, null]"],
    ],
    ["flatten", "channel.of([1, [2, [3]]]).flatten().view()", ["1", "2", "3"]],
    [
      "unique and distinct",
      'channel.of(1, 1, 2, 1).unique().view()\nchannel.of(1, 1, 2, 1).distinct().view { "d$it" }',
      ["1", "2", "d1", "d1", "d2"],
    ],
    [
      "take and until",
      'channel.of(1, 2, 3).take(2).view()\nchannel.of(1, 2, 3).until { it == 2 }.view { "u$it" }',
      ["1", "2", "u1"],
    ],
    [
      "ifEmpty",
      "channel.empty().ifEmpty('none').view()\nchannel.of(1).ifEmpty('none').view()",
      ["1", "none"],
    ],
    ["buffer", "channel.of(1, 2, 3).buffer(size: 2, remainder: true).view()", ["[1, 2]", "[3]"]],
    ["collate", "channel.of(1, 2, 3).collate(2, 1, false).view()", ["[1, 2]", "[2, 3]"]],
    [
      "reduce, sum, min and max",
      "c = channel.of(1, 2, 3)\nc.reduce { a, b -> a * b }.view()\nc.sum().view()\nc.min().view()\nc.max { -it }.view()",
      ["1", "1", "6", "6"],
    ],
    [
      "splitCsv with a header",
      "channel.of('a,b\\n1,\\n\\n\"x,y\",2').splitCsv(header: true).view()",
      ["[a:1, b:]", "[a:x,y, b:2]"],
    ],
    [
      "splitFasta",
      "channel.of('>s1 d\\nAC\\nGT\\n>s2\\nA\\n').splitFasta(record: [id: true, seqString: true]).view()",
      ["[id:s1, seqString:ACGT]", "[id:s2, seqString:A]"],
    ],
    [
      "splitText keeps line breaks",
      "channel.of('a\\nb\\nc').splitText(by: 2).map { it.size() }.view()",
      ["1", "4"],
    ],
    [
      "collectFile",
      "channel.of('b', 'a').collectFile(name: 'x.txt', newLine: true, sort: true).map { it.name + it.text.trim() }.view()",
      ["b", "x.txta"],
    ],
  ])("%s", async (_, body, expected) => {
    expect(await printed(body)).toEqual(expected);
  });

  test("collect puts what tasks made in the order of their inputs, whichever ends first", async () => {
    const { lines, trouble } = await runPipeline({
      files: {
        "main.nf": `process P {
          input: val n
          output: val n
          script: "for i in \\$(seq \${(3 - n) * 20000}); do :; done"
        }
        workflow { P(channel.of(0, 1, 2, 3)).collect().view() }`,
      },
    });
    expect([lines, trouble]).toEqual([["[0, 1, 2, 3]"], ""]);
  });

  test.each([
    [
      "channel.of(['a', 1], ['a', 2]).join(channel.of(['a', 3]), failOnDuplicate: true)",
      "duplicate emission on left channel",
    ],
    [
      "channel.of(['a', 1]).join(channel.of(['b', 3]), failOnMismatch: true)",
      "Join mismatch for the following entries",
    ],
    ["channel.of(['a', 1]).transpose(by: 0)", "Not a valid transpose element at index: 0"],
    ["channel.of(1).groupTuple(sizes: 1)", "Unknown option `sizes` of operator groupTuple"],
    ["channel.value(1).take(1)", "cannot be applied to a value channel"],
  ])("%s is refused", async (body, words) => {
    const end = await runPipeline({ files: { "main.nf": `workflow {\n${body}\n}` } });
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
});
