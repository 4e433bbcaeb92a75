/** Corners of channels, factories and operators: what each promises beyond its usual case. */
import { describe, expect, test } from "vitest";
import { runPipeline } from "../../run/testing/run-text.ts";

async function printed(
  body: string,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const { lines, trouble } = await runPipeline({ files: { "main.nf": `workflow {\n${body}\n}`, ...files } });
  expect(trouble).toBe("");
  return lines;
}

type Case = readonly [name: string, body: string, expected: readonly string[]];

describe("channels and factories", () => {
  test.each<Case>([
    [
      "of expands ranges, and emits lists whole",
      "channel.of(1..3, 'X', [1, 2]).view()",
      ["1", "2", "3", "X", "[1, 2]"],
    ],
    [
      "of nothing and fromList of nothing are empty",
      "channel.of().mix(channel.fromList([])).count().view()",
      ["0"],
    ],
    ["Channel in capitals is the same", "Channel.of(1).view()", ["1"]],
    ["from flattens one list", "Channel.from([1, [2, 3]]).view()", ["1", "[2, 3]"]],
    [
      "a channel with several consumers gives everything to each",
      'def c = channel.of(1, 2)\nc.map { "a$it" }.view()\nc.map { "b$it" }.view()',
      ["a1", "a2", "b1", "b2"],
    ],
    [
      "fromPath emits files only unless asked otherwise",
      "channel.fromPath('d/*').view { it.name }\nchannel.fromPath('d/*', type: 'any').view { \"any ${it.name}\" }\nchannel.fromPath('d/*', type: 'dir').view { \"dir ${it.name}\" }",
      ["a.txt", "any a.txt", "any sub", "dir sub"],
    ],
    [
      "fromPath emits a missing path that is not a pattern, and takes a list",
      "channel.fromPath('none.txt').view { it.name }\nchannel.fromPath(['d/a.txt', 'd/.h.txt']).view { it.name }",
      [".h.txt", "a.txt", "none.txt"],
    ],
    [
      "patterns find hidden files only with hidden: true, or where they begin with a dot",
      "channel.fromPath('d/*.txt', hidden: true).count().view()\nchannel.fromPath('d/.*.txt').count().view()\nchannel.fromPath('d/**.txt').count().view()",
      ["1", "2", "2"],
    ],
    [
      "fromFilePairs groups by what comes before the alternatives, and drops incomplete groups",
      "channel.fromFilePairs('r/*_{1,2}.fq').view { id, f -> \"$id ${f*.name}\" }",
      ["s [s_1.fq, s_2.fq]"],
    ],
    [
      "fromFilePairs of any size, flat, or by a closure",
      "channel.fromFilePairs('r/*_{1,2}.fq', size: -1).count().view()\nchannel.fromFilePairs('r/s_{1,2}.fq', flat: true).view { it[0] + it.size() }\nchannel.fromFilePairs('r/*.fq', size: -1) { it.name[0] }.view { id, f -> \"$id${f.size()}\" }",
      ["2", "s2", "s3", "t1"],
    ],
    ["value channels of nothing send nothing", "channel.value().map { 1 }.view()\nprintln 'end'", ["end"]],
  ])("%s", async (_, body, expected) => {
    const files = {
      "d/a.txt": "",
      "d/.h.txt": "",
      "d/sub/b.txt": "",
      "r/s_1.fq": "",
      "r/s_2.fq": "",
      "r/t_1.fq": "",
    };
    expect(await printed(body, files)).toEqual([...expected].sort());
  });

  test.each([
    ["channel.fromPath('none/*.txt', checkIfExists: true)", "No files match pattern `*.txt` at path: "],
    ["channel.fromPath('none.txt', checkIfExists: true)", "No such file or directory: "],
  ])("%s is refused", async (expression, words) => {
    const end = await runPipeline({ files: { "main.nf": `workflow {\n${expression}.view()\n}` } });
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
});

describe("corners of operators", () => {
  test.each<Case>([
    [
      "flatMap of a map gives its entries, of null and others themselves",
      "channel.of([a: 1], 'x').flatMap { it }.view { it instanceof String ? it : it.key }",
      ["a", "x"],
    ],
    ["filter by a literal", "channel.of('a', 'b', 'a').filter('a').count().view()", ["2"]],
    [
      "first and count with criteria",
      "channel.of('a', 1, 2).first(Number).view()\nchannel.of(1, 2, 3).count { it > 1 }.view()",
      ["1", "2"],
    ],
    [
      "collect maps first, sorts, and flattens unless asked not to",
      "channel.of(3, 1).collect { [it] }.view()\nchannel.of(3, 1).collect(sort: true).view()\nchannel.of([3], [1]).collect(flat: false, sort: { it[0] }).view()",
      ["[3, 1]", "[1, 3]", "[[1], [3]]"],
    ],
    [
      "collect sorts with two parameters",
      "channel.of(1, 3, 2).collect(sort: { a, b -> b <=> a }).view()",
      ["[3, 2, 1]"],
    ],
    [
      "toList never flattens",
      "channel.of([1], 2).toList().view()\nchannel.value(7).toList().view()",
      ["[[1], 2]", "[7]"],
    ],
    [
      "groupTuple with several keys keeps positions",
      "channel.of([1, 'a', 'x'], [2, 'a', 'x'], [3, 'b', 'x']).groupTuple(by: [1, 2]).view()",
      ["[[1, 2], a, x]", "[[3], b, x]"],
    ],
    [
      "groupTuple with a size begins a new group when one is whole",
      "channel.of(['a', 1], ['a', 2], ['a', 3]).groupTuple(size: 2, remainder: true).view()",
      ["[a, [1, 2]]", "[a, [3]]"],
    ],
    [
      "groupTuple sorts each list alone",
      "channel.of(['a', 3, 'y'], ['a', 1, 'z']).groupTuple(sort: true).view()",
      ["[a, [1, 3], [y, z]]"],
    ],
    [
      "groupKey behaves as what it holds",
      "def k = groupKey('ab', 3)\nprintln k.toUpperCase()\nprintln k.size()\nprintln k.getGroupSize()\nprintln k.getGroupTarget()\nprintln k == 'ab'",
      ["AB", "2", "3", "ab", "true"],
    ],
    [
      // subworkflows of nf-core ask for them
      "groupKey shows its own members before those of its map",
      "def k = groupKey([id: 1, size: 9], 3)\nprintln k.target.size\nprintln k.size\nprintln k.id\nprintln([k, [id: 1]].collect { it.hasProperty('target') ? 1 : 0 })",
      ["9", "3", "1", "[1, 0]"],
    ],
    [
      "join of single items, and of several keys",
      "channel.of('a', 'b').join(channel.of('b')).view()\nchannel.of(['a', 1, 'l']).join(channel.of(['a', 1, 'r']), by: [0, 1]).view()",
      ["b", "[a, 1, l, r]"],
    ],
    [
      "join keeps the rest of both sides",
      "channel.of(['a', 1]).join(channel.of(['b', 2]), remainder: true).view()",
      ["[a, 1, null]", "[b, null, 2]"],
    ],
    [
      "combine flattens one level on both sides",
      "channel.of([1, 2]).combine(channel.of(['a', ['b']])).view()",
      ["[1, 2, a, [b]]"],
    ],
    [
      "cross has pairs of pairs, and a later left item replaces the earlier",
      "channel.of(['a', 1], ['a', 2]).cross(channel.of(['a', 'x'])).count().view()",
      ["1"],
    ],
    ["concat waits for each", "channel.of(1, 2).concat(channel.of(3)).toList().view()", ["[1, 2, 3]"]],
    [
      "merge repeats values, and from a value is a value",
      "channel.of(1, 2).merge(channel.value('v')).view()\nchannel.value(1).merge(channel.value(2)).view()\n",
      ["[1, 2]", "[1, v]", "[2, v]"],
    ],
    [
      "branch takes the first that is true, and drops what none is",
      "channel.of(1, 5, 50).branch { small: it < 10\nreturn \"s$it\"\nodd: it == 1\nhuge: it > 100 }.set { r }\nr.small.view()\nr.odd.view { 'odd' }\nr.huge.view { 'huge' }",
      ["s1", "s5"],
    ],
    [
      "branchCriteria is kept for several",
      "def c = branchCriteria { a: it < 2\nb: true }\nchannel.of(1, 2).branch(c).a.view()",
      ["1"],
    ],
    [
      "multiMap shares an expression between labels",
      "channel.of(1).multiMap { a: b: it + 1 }.set { r }\nr.a.mix(r.b).view()",
      ["2", "2"],
    ],
    [
      "transpose leaves what has no list, and nothing of an empty list",
      "channel.of(['a', 1]).transpose().view()\nchannel.of(['b', []]).transpose().count().view()\nchannel.of([1, [2, 3], [4, 5]]).transpose(by: 1).view()",
      ["[a, 1]", "0", "[1, 2, [4, 5]]", "[1, 3, [4, 5]]"],
    ],
    [
      "unique and distinct with a key",
      "channel.of(1, 3, 2, 5).unique { it % 2 }.view()\nchannel.of(1, 3, 2).distinct { it % 2 }.count().view()",
      ["1", "2", "2"],
    ],
    [
      "take of all and of none, until leaves out what stops it",
      "channel.of(1, 2).take(-1).count().view()\nchannel.of(1, 2).take(0).count().view()\nchannel.of(1, 2, 9, 3).until { it > 5 }.toList().view()",
      ["2", "0", "[1, 2]"],
    ],
    [
      "randomSample of a size and a seed",
      "channel.of(1..100).randomSample(10, 5).toList().view { it.toSet().size() }",
      ["10"],
    ],
    [
      "ifEmpty with a closure, and a first of nothing",
      "channel.empty().ifEmpty { 'none' }.view()\nchannel.empty().first().view()",
      ["none"],
    ],
    [
      "view with a closure or a tag passes items on",
      "channel.of(1).view { \"v$it\" }.view(tag: 't')",
      ["[t] 1", "v1"],
    ],
    [
      "min, max, sum, mean, reduce",
      "def c = channel.of('aaa', 'b', 'cc')\nc.min { it.size() }.view()\nc.max { a, b -> a.size() <=> b.size() }.view()\nchannel.of(1, 2, 3).sum { it * 2 }.view()\nchannel.of(1, 2, 4).mean().view { it > 2.3 && it < 2.4 }\nchannel.of(1, 2, 3).reduce('') { acc, v -> acc + v }.view()",
      ["b", "aaa", "12", "true", "123"],
    ],
    [
      "buffer by what opens and closes, and with a skip",
      "channel.of(1, 2, 3, 1, 2, 3).buffer(2, 3).view()\nchannel.of(1, 2, 3, 4, 5).buffer { it % 2 == 0 }.view()\nchannel.of(1, 2, 3, 4).buffer(size: 2, skip: 1).view()",
      ["[2, 3]", "[2, 3]", "[1, 2]", "[3, 4]", "[2, 3]"],
    ],
    [
      "collate with the rest",
      "channel.of(1, 2, 3).collate(2).view()\nchannel.of(1, 2, 3).collate(2, 1).view()",
      ["[1, 2]", "[3]", "[1, 2]", "[2, 3]", "[3]"],
    ],
    [
      "subscribe gets items, and the end",
      "channel.of(1).subscribe(onNext: { println it }, onComplete: { println 'done' })",
      ["1", "done"],
    ],
    [
      "tap and set give the channel a name",
      "channel.of(1).tap { a }.map { it + 1 }.set { b }\na.view()\nb.view()",
      ["1", "2"],
    ],
    [
      "collectFile from pairs, from texts, with a seed and sorted",
      "channel.of(['b', '2'], ['a', '1'], ['b', '3']).collectFile(sort: true) { n, t -> [\"${n}.txt\", t + '\\n'] }.view { it.name + it.text.readLines() }\nchannel.of('y', 'x').collectFile(name: 'all.txt', newLine: true, sort: true, seed: 'top').view { it.text.readLines() }\nchannel.of('q').collectFile().view { it.name }\nchannel.empty().collectFile(name: 'n').view()",
      ["a.txt[1]", "b.txt[2, 3]", "[top, x, y]", "collect-file.data"],
    ],
    [
      "collectFile keeps one header",
      "channel.of('h\\n1\\n', 'h\\n2\\n').collectFile(name: 'k.csv', keepHeader: true, sort: true).view { it.text.readLines() }",
      ["[h, 1, 2]"],
    ],
    [
      "splitCsv with names, separators and missing cells",
      "channel.of('a;1\\n\\nb;').splitCsv(sep: ';', header: ['k', 'v']).view()\nchannel.of('x,y\\n1\\n').splitCsv(header: true).view()\nchannel.of('\"a,b\",c').splitCsv().view { it[0] }",
      ["[k:a, v:1]", "[k:b, v:]", "[x:1, y:null]", "a,b"],
    ],
    [
      "splitCsv takes an empty separator and an empty quote as none",
      "channel.of('a,b').splitCsv(sep: '', quote: '', header: false).view()",
      ["[a, b]"],
    ],
    [
      "join with failOnDuplicate lets keys come twice that meet nothing",
      "channel.of(['a', 1], ['b', 2], ['b', 3]).join(channel.of(['a', 4]), failOnDuplicate: true, remainder: true).view()",
      ["[a, 1, 4]", "[b, 2, null]", "[b, 3, null]"],
    ],
    [
      "a group key stands for its key on the left of operators and indexes",
      "def k = groupKey([id: 1, n: 2], 1)\nchannel.of(k - [n: 2], k + [m: 3], k['id']).view()",
      ["[id:1]", "[id:1, n:2, m:3]", "1"],
    ],
    [
      "splitText keeps ends of lines, and groups them",
      "channel.of('a\\nb\\nc\\n').splitText().view { it.trim() }\nchannel.of('a\\nb\\nc\\n').splitText(by: 2).view { it.size() }",
      ["2", "4", "a", "b", "c"],
    ],
    [
      "splitFasta with records and by size",
      "channel.of('>s1 d\\nAC\\nGT\\n>s2\\nA\\n').splitFasta(record: [id: true, desc: true, seqString: true]).view()\nchannel.of('>a\\nA\\n>b\\nC\\n>c\\nG\\n').splitFasta(by: 2).count().view()",
      ["[id:s1, desc:d, seqString:ACGT]", "[id:s2, desc:null, seqString:A]", "2"],
    ],
    [
      "splitFastq with records",
      "channel.of('@r1\\nAC\\n+\\nII\\n').splitFastq(record: true).view { it.readHeader + it.readString + it.qualityString }",
      ["r1ACII"],
    ],
    [
      "splitJson of lists, maps and paths",
      'channel.of(\'{"a": [1, 2], "b": 3}\').splitJson().view { "${it.key} ${it.value}" }\nchannel.of(\'{"a": [1, 2]}\').splitJson(path: \'a\').view()',
      ["a [1, 2]", "b 3", "1", "2"],
    ],
    [
      "the chunk takes the place of the element that was split",
      "channel.of(['id', 'a\\nb\\n']).splitText(elem: 1).view { it[0] + it[1].trim() }",
      ["ida", "idb"],
    ],
    [
      "count of lines, sequences and records",
      "channel.of('a\\nb\\n').countLines().view()\nchannel.of('>a\\nA\\n').countFasta().view()\nchannel.of('@r\\nA\\n+\\nI\\n').countFastq().view()",
      ["2", "1", "1"],
    ],
    [
      "conversions",
      "channel.of('3').toInteger().view { it + 1 }\nchannel.of('1.5').toFloat().view { it * 2 }",
      ["4", "3.0"],
    ],
  ])("%s", async (_, body, expected) => {
    expect(await printed(body)).toEqual([...expected].sort());
  });

  test.each([
    [
      "channel.of(['a', 1], ['a', 2]).join(channel.of(['a', 3]), failOnDuplicate: true)",
      "duplicate emission",
    ],
    [
      "channel.of(['a', 1]).join(channel.of(['b', 2]), failOnMismatch: true)",
      "Join mismatch for the following entries",
    ],
    ["channel.value(1).reduce { a, b -> a }", "value channel"],
  ])("%s is refused", async (expression, words) => {
    const end = await runPipeline({ files: { "main.nf": `workflow {\n${expression}.view()\n}` } });
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
});
