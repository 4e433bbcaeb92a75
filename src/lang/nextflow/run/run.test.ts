import { describe, expect, test } from "vitest";
import { runPipeline, type TextRun } from "./testing/run-text.ts";

async function run(main: string, more: Omit<TextRun, "files"> & { files?: TextRun["files"] } = {}) {
  const { files, ...options } = more;
  return runPipeline({ ...options, files: { "main.nf": main, ...files } });
}

describe("inputs", () => {
  test("a task is made for each item of the shortest queue, and values repeat", async () => {
    const { lines, calls } = await run(`process P {
      input: val a
      val b
      output: stdout
      script: "printf '$a$b'"
    }
    workflow { P(channel.of(1, 2, 3), 'x').view() }`);
    expect([lines, calls]).toEqual([
      ["1x", "2x", "3x"],
      ["P", "P", "P"],
    ]);
  });
  test("only values make one task, whose outputs are values again", async () => {
    const { lines } = await run(`process P { input: val a
      output: val a
      script: "true" }
    process Q { input: val a
      val b
      output: stdout
      script: "printf $a$b" }
    workflow { Q(P(1), channel.of(1, 2)).view() }`);
    expect(lines).toEqual(["11", "12"]);
  });
  test("each makes the product", async () => {
    const { lines } = await run(`process P { input: val a
      each b
      output: stdout
      script: "printf $a$b" }
    workflow { P(channel.of(1, 2), ['x', 'y']).view() }`);
    expect(lines).toEqual(["1x", "1y", "2x", "2y"]);
  });
  test("files get the names that are asked for, and show them in the script", async () => {
    const { lines, trouble } = await run(
      `process P {
        input: path a
        path 'b?.txt'
        path c, stageAs: 'dir/*'
        output: stdout
        script: "echo $a $c; ls b*.txt; cat $a $c"
      }
      workflow { P(file('x(1).txt'), [file('y.txt'), file('z.txt')], file('y.txt')).view { it.trim().readLines().join('|') } }`,
      { files: { "x(1).txt": "X\n", "y.txt": "Y\n", "z.txt": "Z\n" } },
    );
    expect([lines, trouble]).toEqual([["x(1).txt dir/y.txt|b1.txt|b2.txt|X|Y"], ""]);
  });
  test("two files of one name are refused before the task", async () => {
    const end = await run(
      "process P { input: path a\n script: 'true' }\nworkflow { P([file('a/x'), file('b/x')]) }",
      { files: { "a/x": "", "b/x": "" } },
    );
    expect([end.kind, end.calls, end.trouble]).toEqual([
      "failed",
      [],
      expect.stringContaining("input file name collision"),
    ]);
  });
  test("typed inputs are values, and files where the type says so", async () => {
    const { lines, trouble } = await run(
      `nextflow.preview.types = true
      process P { input: x: Path
        tuple(id: String, more: List<Path>)
        output: stdout
        script: "printf '$x $id $more'" }
      workflow { P(file('x.txt'), ['i', [file('y.txt'), file('z.txt')]]).view() }`,
      { files: { "x.txt": "", "y.txt": "", "z.txt": "" } },
    );
    expect([lines, trouble]).toEqual([["x.txt i [y.txt, z.txt]"], ""]);
  });
  test("one file can be iterated as a list can", async () => {
    const { lines } = await run(
      "process P { input: path a\n output: stdout\n script: \"printf '${a.join(' ')} ${a.collect { it.baseName }}'\" }\nworkflow { P(file('x.txt')).view() }",
      { files: { "x.txt": "" } },
    );
    expect(lines).toEqual(["x.txt [x]"]);
  });
  test("an empty list stands for no files", async () => {
    const { lines } = await run(
      "process P { input: path a\n output: stdout\n script: \"printf '[$a]'\" }\nworkflow { P([]).view() }",
    );
    expect(lines).toEqual(["[]"]);
  });
  test("a file that is not there is a link that leads nowhere", async () => {
    const { lines } = await run(
      "process P { input: path a\n output: stdout\n script: '[ -L x ] && [ ! -e x ] && echo nowhere' }\nworkflow { P('/nowhere/x').view() }",
    );
    expect(lines).toEqual(["nowhere"]);
  });
  test("env and stdin", async () => {
    const { lines } = await run(
      "process P { input: env 'X'\n stdin\n output: stdout\n script: 'echo $X; cat' }\nworkflow { P('a', 'b').view() }",
    );
    expect(lines).toEqual(["a", "b"]);
  });
  test.each([
    ["P(null)", "Path value cannot be null"],
    ["P('rel.txt')", "Not a valid path value: 'rel.txt'"],
    ["P.out", "is used before P is called"],
  ])("%s is refused", async (call, words) => {
    const end = await run(
      `process P { input: path a\n output: stdout\n script: 'true' }\nworkflow { ${call} }`,
    );
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
  test("a call without the arguments is refused before the run", async () => {
    const end = await run("process P { input: path a\n output: stdout\n script: 'true' }\nworkflow { P() }");
    expect([end.kind, end.trouble]).toEqual([
      "refused",
      expect.stringContaining("declares 1 input but was called with 0 arguments"),
    ]);
  });
});

describe("outputs", () => {
  test("of one file the file, of several a list; inputs are not found by patterns", async () => {
    const { lines } = await run(
      `process P {
        input: path 'in.txt'
        output: path '*.txt', emit: some
        path 'one', emit: one
        path '*', includeInputs: true, emit: all
        script: "touch a.txt b.txt one .hidden"
      }
      workflow {
        P(file('x.txt'))
        P.out.some.map { it*.name }.view()
        P.out.one.map { it.name }.view()
        P.out.all.map { it*.name }.view()
      }`,
      { files: { "x.txt": "" } },
    );
    expect(lines).toEqual(["[a.txt, b.txt, in.txt, one]", "[a.txt, b.txt]", "one"]);
  });
  test("what is in a folder that is an input is found, and links that lead nowhere are not", async () => {
    const { lines, trouble } = await run(
      `process P { input: path d
        path 'none'
        output: path '*/x'
        path '*', emit: all
        script: 'mkdir e; touch e/x; ln -s /nowhere/y broken' }
      workflow { P(file('d'), '/nowhere/none')
        P.out[0].map { it.size() }.view()
        P.out.all.map { it.name }.view() }`,
      { files: { "d/x": "" } },
    );
    expect([lines, trouble]).toEqual([["2", "e"], ""]);
  });
  test("an optional output that is missing is skipped as a whole, and the others are sent", async () => {
    const { lines, calls } = await run(`process P {
      output: tuple val(1), path('a.txt'), optional: true, emit: a
      tuple val(2), path('b.txt', optional: true), emit: b
      path 'c.txt', emit: c
      script: "touch b.txt c.txt"
    }
    process Q { input: tuple val(x), path(y)
      script: 'true' }
    workflow {
      P()
      Q(P.out.a)
      P.out.a.collect().view()
      P.out.a.toList().view()
      P.out.b.view { n, f -> n + f.name }
      P.out.c.view { it.name }
    }`);
    expect([lines, calls]).toEqual([["2b.txt", "[]", "c.txt"], ["P"]]);
  });
  test("env, eval, stdout, values and variables of the script", async () => {
    const { lines, trouble } = await run(`process P {
      output: env 'X', emit: x
      eval('echo "a b" | tr a-z A-Z'), emit: e
      val name, emit: n
      script:
      name = 'out'.reverse()
      """
      X=( 1 2 )
      """
    }
    workflow { P()
      P.out.x.view()
      P.out.e.view()
      P.out.n.view() }`);
    expect([lines, trouble]).toEqual([["1 2", "A B", "tuo"], ""]);
  });
  test("topics gather what processes send to them", async () => {
    const { lines } = await run(`process P { input: val x
      output: tuple val(task.process), val(x), topic: versions
      script: 'true' }
    workflow { P(channel.of(1, 2)); channel.topic('versions').view(); channel.topic('none').toList().view() }`);
    expect(lines).toEqual(["[P, 1]", "[P, 2]", "[]"]);
  });
  test("a missing file fails the task by the name of its pattern", async () => {
    const end = await run("process P { output: path 'x*.txt'\n script: 'true' }\nworkflow { P() }");
    expect([end.kind, end.trouble]).toEqual([
      "failed",
      expect.stringContaining("Missing output file(s) `x*.txt` expected by process `P`"),
    ]);
  });
  test("the meta map is that of this run, and joins find it", async () => {
    const main = `params.key = 'a'
      process P { input: tuple val(meta), val(s)
        output: tuple val(meta), path('f')
        script: "echo $s > f" }
      workflow {
        src = channel.of(1, 2).map { [[id: it, inner: [k: params.key]], "s$it"] }
        P(src).join(src).map { m, f, s -> m.inner.k + s + f.text.trim() }.view()
      }`;
    expect((await run(main)).lines).toEqual(["as1s1", "as2s2"]);
    expect((await run(main, { params: { key: "b" } })).lines).toEqual(["bs1s1", "bs2s2"]);
  });
});

describe("scripts", () => {
  test("stubs, templates, shell blocks, exec and programs of the project", async () => {
    const files = { "templates/t.sh": "echo template $x", "bin/tool": "#!/bin/bash\necho tool\n" };
    const main = `process T { input: val x
      output: stdout
      script: template 't.sh' }
    process S { input: val x
      output: stdout
      shell: 'echo shell !{x} $HOSTNAME_NOT' }
    process E { input: val x
      output: val y
      exec: y = x + '!' }
    process B { output: stdout
      script: 'tool'
      stub: 'echo stub' }
    workflow { T('1').mix(S('2'), E('3'), B()).view() }`;
    expect((await run(main.replace(" $HOSTNAME_NOT", ""), { files })).lines).toEqual([
      "3!",
      "shell 2",
      "template 1",
      "tool",
    ]);
    expect((await run(main.replace(" $HOSTNAME_NOT", ""), { files, stub: true })).lines).toContain("stub");
  });
  test("programs of a module are found by its processes", async () => {
    const files = {
      "m/main.nf": "process P { output: stdout\n script: 'hello x' }",
      "m/resources/usr/bin/hello": "#!/bin/bash\necho hello $1\n",
    };
    const { lines, trouble } = await run("include { P } from './m'\nworkflow { P().view() }", { files });
    expect([lines, trouble]).toEqual([["hello x"], ""]);
  });
  test("the indent of a script goes, and another interpreter may run it", async () => {
    const { lines } = await run(`process P { output: stdout
      script:
      '''
      #!/usr/bin/env perl
      print "perl\\\\n";
        print "too\\\\n";
      ''' }
    workflow { P().view() }`);
    expect(lines).toEqual(["perl", "too"]);
  });
  test("when leaves tasks out", async () => {
    const { lines, calls } = await run(
      "process P { input: val x\n output: val x\n when: x > 1\n script: 'true' }\nworkflow { P(channel.of(1, 2)).view() }",
    );
    expect([lines, calls]).toEqual([["2"], ["P"]]);
  });
});

describe("failures", () => {
  test("a retry sees its attempt and asks for more", async () => {
    const { lines, calls, kind } = await run(`process P {
      errorStrategy { task.exitStatus == 7 ? 'retry' : 'terminate' }
      maxRetries 3
      memory { 1.GB * task.attempt }
      output: stdout
      script: "[ \${task.attempt} -gt 2 ] || exit 7; printf '\${task.memory}'"
    }
    workflow { P().view() }`);
    expect([kind, lines, calls]).toEqual(["succeeded", ["3 GB"], ["P", "P", "P"]]);
  });
  test("ignored failures send nothing, others end the run", async () => {
    const process = (strategy: string) =>
      `process P { errorStrategy '${strategy}'\n input: val x\n output: val x\n script: "exit \${x - 1}" }\nworkflow { P(channel.of(1, 2)).collect().view() }`;
    expect(await run(process("ignore"))).toMatchObject({ kind: "succeeded", lines: ["[1]"] });
    expect(await run(process("terminate"))).toMatchObject({
      kind: "failed",
      trouble: expect.stringContaining("P (2): the command ended with code 1"),
    });
  });
  test("a failing expression shows its place", async () => {
    const end = await run("workflow {\n  channel.of(1).map { it.nothing() }\n}");
    expect(end.trouble).toContain("main.nf:2:23: error: Integer has no method nothing()");
  });
  test("error and exit end the run", async () => {
    expect(await run("workflow { error 'bad input' }")).toMatchObject({
      kind: "failed",
      trouble: expect.stringContaining("bad input"),
    });
    expect(await run("exit 0, 'done'\nworkflow { println 'x' }")).toMatchObject({
      kind: "succeeded",
      lines: [],
    });
  });
});

describe("workflows", () => {
  test("includes have aliases, workflows take and emit, names are qualified", async () => {
    const { lines, calls } = await run(
      `include { P as FIRST; P as SECOND; W; twice } from './lib'
      workflow { FIRST(channel.of(1)); SECOND(FIRST.out); W(SECOND.out, twice(2)); W.out.res.view(); W.out.size.view() }`,
      {
        files: {
          "lib.nf": `def twice(n) { n * 2 }
          process P { input: val x
            output: val y
            exec: y = x + 1 }
          process Q { input: val x
            output: stdout
            script: "printf \${task.process}" }
          workflow W { take: ch
            n
            main: Q(ch)
            size = n
            emit: res = Q.out
            size }`,
        },
      },
    );
    expect([lines, calls]).toEqual([["4", "W:Q"].sort(), ["FIRST", "SECOND", "W:Q"]]);
  });
  test("constructors call those of their parents, and exceptions of scripts are thrown and caught", async () => {
    const { lines } = await run(
      `class Shape { def name
        Shape(n) { name = n } 
        def describe(x) { "shape $name $x" } }
      class Square extends Shape { def size = 2
        Square(n) { super(n + '!')
          size = size + 1 }
        def describe(x) { super.describe(x) + " of $size" } }
      class TooLarge extends RuntimeException { TooLarge(String what) { super("too large: " + what) } }
      class Other extends TooLarge { Other() { super('other') } }
      workflow {
        println new Square('s').describe(1)
        try { throw new TooLarge('x') } catch (TooLarge e) { println "caught $e.message" }
        try { throw new Other() } catch (Exception e) { println "caught $e.message" }
      }`,
    );
    expect(lines).toEqual(["caught too large: other", "caught too large: x", "shape s! 1 of 3"]);
  });
  test("modules of the registry are found where they are installed", async () => {
    const script = `include { HI } from 'nf-core/hi'
      workflow { HI() }`;
    const installed = { "modules/nf-core/hi/main.nf": "process HI { exec: println 'installed' }" };
    expect((await run(script, { files: installed })).lines).toEqual(["installed"]);
    expect((await run(script)).trouble).toContain("nextflow module install nf-core/hi");
  });
  test("channels are piped", async () => {
    const { lines } = await run(`process P { output: val 'a'
      exec: null }
    process Q { input: val x
      output: val y
      exec: y = x + 'b' }
    workflow { P | Q | map { it.toUpperCase() } | view }`);
    expect(lines).toEqual(["AB"]);
  });
  test("a process with exec finds the files that its code writes, by name and by pattern", async () => {
    const { lines } = await run(`process Q {
      input: val id
      output: tuple val(id), path("*.csv")
      exec:
      task.workDir.resolve("\${id}.csv").text = "x"
      task.workDir.resolve("two.csv").text = "y"
    }
    workflow { Q('a').view { id, files -> files.collect { it.name + it.text } } }`);
    expect(lines).toEqual(["[a.csvx, two.csvy]"]);
  });
  test("a process is called once under one name", async () => {
    const text = "process P { exec: null }\nworkflow { P()\n if (workflow) { P() } }";
    expect((await run(text)).trouble).toContain("P has been called already");
  });
  test("an unknown include says so at its place", async () => {
    const end = await run("include { PX } from './lib'\nworkflow { }", {
      files: { "lib.nf": "process PY { exec: null }" },
    });
    expect([end.kind, end.trouble]).toEqual(["refused", expect.stringContaining("did you mean PY?")]);
    expect((await run("include { A } from './none'\nworkflow { }")).trouble).toContain(
      "there is no script ./none",
    );
  });
  test("classes of lib have static methods, fields and objects", async () => {
    const lib = `class Tool {
      static String prefix = 'p-'
      String name
      int count = 2
      static String join(a, b) { return prefix + a + b }
      Tool(String name) { this.name = name }
      def twice() { name * count }
    }`;
    const { lines, trouble } = await run(
      "workflow { println Tool.join('a', 1)\n println new Tool('x').twice() }",
      {
        files: { "lib/Tool.groovy": lib },
      },
    );
    expect([lines, trouble]).toEqual([["p-a1", "xx"], ""]);
  });
  test("a name that nothing defines is found before anything runs", async () => {
    const end = await run("def f(sample) { smaple }\nworkflow { channel.of(1).map { x -> y + x } }");
    expect(end.kind).toBe("refused");
    expect(end.trouble).toContain("main.nf:1:17: error: `smaple` is not defined");
    expect(end.trouble).toContain("help: did you mean `sample`?");
    expect(end.trouble).toContain("main.nf:2:37: error: `y` is not defined");
  });
  test("handlers run at the end", async () => {
    const { lines } = await run(
      "workflow { println 'body' }\nworkflow.onComplete { println \"ok ${workflow.success}\" }",
    );
    expect(lines).toEqual(["body", "ok true"]);
  });
});

describe("publishing", () => {
  test("publishDir has patterns, names and modes", async () => {
    const { results } = await run(`process P {
      publishDir 'results', mode: 'copy', pattern: '*.txt', saveAs: { f -> f == 'b.txt' ? null : "sub/$f" }
      output: path '*.{txt,log}'
      path 'd'
      script: 'echo a > a.txt; echo b > b.txt; echo c > c.log; mkdir d; echo e > d/e.txt'
    }
    workflow { P() }`);
    expect(results).toEqual({ "sub/a.txt": "a\n" });
  });
  test("copyNoFollow keeps links to other files of the task, and copies what other links lead to", async () => {
    const main = `process P { publishDir 'results', mode: 'copyNoFollow'
      input: path 'in.txt'
      output: path '*'
      path 'd/*'
      script: 'echo a > a.txt; ln -s a.txt b.txt; ln -s in.txt c.txt; mkdir d; ln -s ../a.txt d/e.txt' }
    workflow { P(file('in.txt')) }`;
    const { results, trouble } = await run(main, { files: { "in.txt": "in" } });
    expect([trouble, results]).toEqual([
      "",
      { "a.txt": "a\n", "b.txt": "a\n", "c.txt": "in", "d/e.txt": "a\n" },
    ]);
  });
  test("a file of a task is in the folder in which the task made it", async () => {
    const { lines } = await run(`process P { output: path 'a/*/*.txt'
      script: 'mkdir -p a/b; touch a/b/c.txt' }
    workflow { P().view { "\${it.parent.name} \${it.parent.parent.name}" } }`);
    expect(lines).toEqual(["b a"]);
  });
  test("storeDir keeps results, and finds them again", async () => {
    const main = `process P { storeDir 'results'
      output: path 'a.txt'
      script: 'echo a > a.txt' }
    workflow { P().view { it.text.trim() } }`;
    const first = await run(main);
    expect([first.lines, first.results]).toEqual([["a"], { "a.txt": "a\n" }]);
    const again = await run(main, { files: { "results/a.txt": "kept" } });
    expect(again.lines).toEqual(["kept"]);
  });
  test("workflow outputs have paths and an index", async () => {
    const { results, trouble } = await run(`process P { input: val id
      output: tuple val(id), path('*.txt')
      script: "echo $id > \${id}.txt" }
    workflow { main: P(channel.of('x', 'y'))
      publish: files = P.out.map { id, f -> [id: id, file: f] } }
    output { files { path { r -> r.file >> "by/\${r.id}/" }
      mode 'copy'
      index { path 'index.csv'
        header true } } }`);
    expect(trouble).toBe("");
    expect(Object.keys(results)).toEqual(["by/x/x.txt", "by/y/y.txt", "index.csv"]);
    expect(results["index.csv"]).toMatch(/^"id","file"\n"x","[^"]*by\/x\/x.txt"\n"y"/);
  });
});

describe("files and clauses of scripts", () => {
  test("paths are written, appended to, copied into folders and taken apart", async () => {
    const { lines, trouble } = await run(`workflow {
      f = file('out/a.tar.gz')
      f.parent.mkdirs()
      f.text = 'x'
      f << 'y'
      f.append('z')
      println f.text
      println "\${f.name} \${f.baseName} \${f.simpleName} \${f.extension}"
      file('copy').mkdirs()
      println f.copyTo(file('copy')).name
      println file('copy/a.tar.gz').exists()
      println file('out/*').size()
      println files('out/none*').size()
      println f.resolveSibling('b').name
      println file('copy').relativize(file('copy/d/e')).toString()
      println file('copy').list().toList()
    }`);
    expect([trouble, lines]).toEqual([
      "",
      ["0", "1", "[a.tar.gz]", "a.tar.gz", "a.tar.gz a.tar a gz", "b", "d/e", "true", "xyz"],
    ]);
  });

  test("what a workflow takes stays what it was given, and what it emits has names", async () => {
    const { lines, trouble } = await run(`
    workflow INNER { take: on
      ch
      main: if (on) out = ch.map { it + 1 } else out = ch
      emit: out
      twice = out.map { it * 2 } }
    workflow ONE { take: ch
      emit: ch.map { -it } }
    workflow { INNER(true, channel.of(1))
      INNER.out.out.mix(INNER.out.twice).view()
      ONE(INNER.out[0]).view()
      (channel.of(10) & channel.of(20)) | ADD | view
      channel.of(5).set { five }
      five.view() }
    workflow ADD { take: a
      b
      emit: a.combine(b).map { x, y -> x + y } }`);
    expect([trouble, lines]).toEqual(["", ["-2", "2", "30", "4", "5"].sort()]);
  });

  test.each([
    ["workflow { P.out.view() }", "P"],
    ["workflow { P()\nP.out.view() }", "P"],
    ["workflow { error 'no way' }", "no way"],
    ["workflow { exit 3, 'enough' }", "enough"],
  ])("%j ends the run", async (workflow, words) => {
    const end = await run(`process P { script: 'true' }\n${workflow}`);
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });

  test("a handler that fails is a warning, and the run ends as it did", async () => {
    const end = await run("workflow { println 1 }\nworkflow.onComplete { throw new Exception('late') }");
    expect([end.kind, end.lines, end.trouble]).toEqual(["succeeded", ["1"], expect.stringContaining("late")]);
  });
});

describe("workflow outputs", () => {
  const made = `process P { input: val id
    output: tuple val(id), path('d/*.txt')
    script: "mkdir d; echo $id > d/\${id}.txt" }
  process ONE { output: path 'one.txt'
    script: 'echo 1 > one.txt' }
`;
  const shown = (end: { readonly printed: readonly string[] }) =>
    end.printed.map((line) => line.replace(/^ +/, ""));

  test("files keep their path in the task; what is not sent anywhere is null in the index", async () => {
    const end = await run(
      `${made}workflow { main: P(channel.of('x'))
      publish: all = P.out.map { id, f -> [id: id, file: f, other: f.size()] }
      some = P.out.map { id, f -> [id: id, a: f] } }
    output { all { mode 'copy'
        index { path 'all.csv' } }
      some { path { r -> r.a >> (r.id == 'x' ? null : 'd/') }
        index { path 'some.json' } } }`,
    );
    expect(end.trouble).toBe("");
    expect(Object.keys(end.results)).toEqual(["all.csv", "d/x.txt", "some.json"]);
    expect(end.results["all.csv"]).toMatch(/^"x","[^"]*\/results\/d\/x.txt","2"\n$/);
    expect(JSON.parse(end.results["some.json"] ?? "")).toEqual([{ id: "x", a: null }]);
  });

  test("a value channel gives its value, and the end of a run shows all outputs", async () => {
    const main = `${made}workflow { main: ONE()
      P(channel.of('y'))
      publish: one = ONE.out
      rec = ONE.out.map { f -> [n: 1, f: f] }
      all = P.out }
    output { one { mode 'copy' }
      rec { path 'r'
        index { path 'rec.json' } }
      all { path 'sub' } }`;
    const text = await run(main, { outputFormat: "text" });
    expect(JSON.parse(text.results["rec.json"] ?? "")).toMatchObject({ n: 1 });
    expect(shown(text)).toEqual([
      "Outputs:",
      "LAUNCH/results",
      "one: one.txt",
      "rec: rec.json",
      "all:",
      "- [y, sub/d/y.txt]",
    ]);
    const json = await run(main, { outputFormat: "json" });
    expect(JSON.parse(json.printed.join("\n"))).toEqual({
      one: "LAUNCH/results/one.txt",
      rec: "LAUNCH/results/rec.json",
      all: [["y", "LAUNCH/results/sub/d/y.txt"]],
    });
    expect((await run(main)).printed).toEqual([]);
  });

  test.each([
    ["workflow { main: x = 1 }\noutput { a { } }", "declared in the output block but not assigned"],
    ["workflow { main: x = 1\npublish: b = x }\noutput { }", "assigned in the workflow but not declared"],
    ["workflow { main: x = 1\npublish: b = x }\noutput { b { path '/abs' } }", "must be a relative path"],
    ["workflow { main: x = 1\npublish: b = x }\noutput { b { index { } } }", "is missing `path` option"],
    [
      "workflow { main: x = 1\npublish: b = x }\noutput { b { index { path 'x.txt' } } }",
      "should be CSV, JSON, or YAML",
    ],
    [
      "workflow { main: x = [1]\npublish: b = x }\noutput { b { index { path 'x.csv'\n header true } } }",
      "Records must be map objects",
    ],
  ])("%j is refused", async (main, words) => {
    const end = await run(main);
    expect([end.kind === "succeeded", end.trouble]).toEqual([false, expect.stringContaining(words)]);
  });

  test("parameters that a script declares are checked by their names", async () => {
    const main = "params { input: String\n deep: Boolean }\nworkflow { println params.deep }";
    expect((await run(main)).trouble).toContain("Parameter `input` is required");
    const wrong = await run(main, { params: { input: "x", inputs: "y" } });
    expect(wrong.trouble).toContain("Parameter `inputs` was specified");
    const known = await run(main, {
      params: { input: "x", outdir: "y" },
      files: { "nextflow.config": "params.outdir = 'z'" },
    });
    expect([known.trouble, known.lines]).toEqual(["", ["false"]]);
  });
});

describe("what scripts know of their run", () => {
  test("a task that ended well has the exit status 0, and runs on the local executor", async () => {
    const { lines } = await run(`process P { output: val(task.exitStatus)
      stdout
      script: "printf \${task.executor}" }
    workflow { P()
      P.out[0].mix(P.out[1]).view() }`);
    expect(lines).toEqual(["0", "local"]);
  });

  test("a retry sees what failed before as a trace has it, and why", async () => {
    const { lines } = await run(`process P { errorStrategy 'retry'
      memory { task.attempt > 1 ? task.previousTrace.memory * 2 : 256.MB }
      time 1.h
      output: stdout
      script:
      if (task.attempt == 1) 'exit 3'
      else "printf '%s\\\\n' '\${task.memory} \${task.previousTrace.memory} \${task.previousTrace.time}' '\${task.previousException.toString().replace('\`', '')}'" }
    workflow { P().view() }`);
    expect(lines).toEqual([
      "512 MB 268435456 3600000",
      "nextflow.exception.ProcessFailedException: Process P terminated with an error exit status (3)",
    ]);
  });

  test("handlers may be in the configuration; they see counts, and what the failed task said", async () => {
    const { printed } = await run(
      `params.who = 'me'
    process P { errorStrategy { x == 1 ? 'ignore' : 'terminate' }
      input: val x
      script: "echo trouble >&2; exit 4" }
    process Q { output: val 1
      script: 'true' }
    workflow { Q()
      P(Q.out.map { 1 }.concat(channel.of(2))) }
    workflow.onError { println "error \${workflow.errorMessage}" }`,
      {
        files: {
          "nextflow.config":
            "workflow { onComplete = { println \"${params.who} ${workflow.success} ${workflow.exitStatus} ${workflow.stats.failedCount} ${workflow.duration.toMillis() >= 0} ${workflow.complete >= workflow.start} ${workflow.errorReport.contains('exit status (4)')}\" } }",
        },
      },
    );
    expect(printed).toEqual(["error trouble", expect.stringMatching(/^me false 4 [12] true true true$/)]);
  });

  test("a script that names the home folder sees the user's, another does not", async () => {
    const { lines } = await run(
      `process P { output: stdout
      script: 'echo P $HOME' }
    process Q { output: stdout
      script: 'printenv | grep -c ^HOME= || true' }
    workflow { P().mix(Q()).view { it.trim() } }`,
      { environment: { HOME: "/home/me" } },
    );
    expect(lines).toEqual(["0", "P /home/me"]);
  });
});
