/** What scripts of Nextflow 23.10 and 24.10 have beyond the strict syntax. */
import { describe, expect, test } from "vitest";
import { runPipeline, type TextRun } from "./testing/run-text.ts";

async function printed(main: string, more: Omit<TextRun, "files"> & { files?: TextRun["files"] } = {}) {
  const { files = {}, ...options } = more;
  const end = await runPipeline({ engineVersion: "24.10", ...options, files: { "main.nf": main, ...files } });
  return end.trouble === "" ? end.printed.join(" ") : end.trouble;
}

describe("statements", () => {
  test("loops with break and continue, also of a labelled loop", async () => {
    const main = `int total = 0
      for (int i = 0; i < 9; i++) { if (i == 2) continue; if (i == 5) break; total += i }
      for (x in 1..3) total += x
      while (total > 10) { total-- }
      do { total -= 1 } while (total > 5)
      println total
      outer:
      for (i in 1..3) { for (j in 1..3) { if (j == 2) continue outer; if (i == 3) break outer; println "$i.$j" } }`;
    expect(await printed(main)).toBe("5 1.1 2.1");
  });
  test("a switch falls through, and matches values, classes, patterns, lists, ranges and closures", async () => {
    const main = `def kind(v) {
        switch (v) {
          case 1: return 'one'
          case String: return 'text'
          case [3, 4]: return 'listed'
          case { it > 100 }: return 'big'
          case 5..9:
            def found = 'ranged'
            return found
          default: return 'other'
        }
      }
      def seen = []
      switch ('b') { case 'a': seen << 'a'
        case 'b': seen << 'b'
        case 'c': seen << 'c'; break
        default: seen << 'd' }
      println([kind(1), kind('s'), kind(3), kind(200), kind(7), kind(50), seen])`;
    expect(await printed(main)).toBe("[one, text, listed, big, ranged, other, [b, c]]");
  });
  test("several variables take the channels of a workflow, of branch and of multiMap, with and without def", async () => {
    const main = `workflow W { take: x
        main: y = x.map { it + 1 }
        emit: x
        y }
      workflow {
        (a, b) = W(Channel.of(1))
        def (small, big) = Channel.of(10, 200).branch { small: it < 100
          big: true }
        def (int one, two) = [3, 4]
        (c, d) = Channel.of(5).multiMap { c: it
          d: it * 2 }
        a.concat(b, small, big, Channel.of(one + two), c, d).view()
      }`;
    expect(await printed(main)).toBe("1 2 10 200 7 5 10");
    const tooFew = "workflow { (a, b) = Channel.of(1).branch { a: true } }";
    expect(await printed(tooFew)).toContain("there is no output 1");
  });
  test("finally runs however its body ends", async () => {
    const main = `def f(how) {
        try {
          if (how == 'return') return 'returned'
          throw new IllegalStateException(how)
        } catch (IllegalArgumentException | IllegalStateException e) {
          if (how == 'again') throw e
          return e.message
        } finally { println 'finally' }
      }
      println f('return')
      println f('caught')
      try { f('again') } catch (Exception e) { println 'out' }`;
    expect(await printed(main)).toBe("finally returned finally caught finally out");
  });
  test("what `def` declares at the top is known to processes, workflows and closures", async () => {
    const main = `def text = 'top'
      def (one, two) = [1, 2]
      int[] numbers = [3, 1]
      def count = 0
      def three = 3, four = 4
      def up = { -> count++ }
      process P { output: stdout
        script: "echo $text \${one + two + three - 3 + four - 4} \${numbers.sort()}" }
      workflow { up(); up()
        P().map { it.trim() + count }.view() }`;
    expect(await printed(main)).toBe("top 3 [1, 3]2");
  });
  test("closures are joined, and curried", async () => {
    expect(
      await printed(`def twice = { it * 2 }
        println([(twice >> { it + 1 })(4), (twice << { it + 1 })(4), { x, y -> x - y }.curry(10)(4)])`),
    ).toBe("[9, 10, 6]");
  });
  test("classes and static methods are imported", async () => {
    const main = `import static java.lang.Math.max as most
      import groovy.json.JsonOutput
      import org.acme.Tool
      println most(2, 3) + JsonOutput.toJson([a: 1]) + Tool.twice(4)`;
    const tool = "package org.acme\nclass Tool { static int twice(int x) { x * 2 } }";
    expect(await printed(main, { files: { "lib/org/acme/Tool.groovy": tool } })).toBe('3{"a":1}8');
  });
});

describe("classes in lib", () => {
  const lib = `package acme
    import groovy.transform.CompileStatic
    @CompileStatic
    class Counter {
      static final String UNIT = 'items'
      private static Map<String, Counter> known = [:]
      enum Size { SMALL, LARGE }
      int count = 1
      protected List<String> names = []
      Counter() {}
      Counter(String name) { this.names << name; this.count = 9 }
      Counter(int count, String... names) { this.count = count; this.names = names as List }
      static Counter of(String name) { def made = new Counter(name); known[name] = made; return made }
      static int size() { return known.size() }
      String describe() { "$count \${names.join('+')} $UNIT" }
      String describe(String end) { describe() + end }
      def who() { 'counter' }
      @Override String toString() { "Counter($count)" }
    }
    class Special extends Counter {
      def who() { 'special ' + super.who() }
    }`;
  const run = (main: string) => printed(main, { files: { "lib/Counter.groovy": lib } });
  test("have fields, methods and constructors, chosen by what is given", async () => {
    expect(
      await run(`def c = new Counter(count: 3)
        println([c.describe(), c.describe('!'), new Counter('a').describe(), new Counter(2, 'x', 'y').describe()])
        c.count = 5
        println "$c \${c.getCount()}"`),
    ).toBe("[3  items, 3  items!, 9 a items, 2 x+y items] Counter(5) 5");
  });
  test("have static members that keep their values, and classes within them", async () => {
    expect(
      await run(
        "println([Counter.UNIT, Counter.of('z').names, Counter.size(), Counter.Size.LARGE, Counter.Size.values().size()])",
      ),
    ).toBe("[items, [z], 1, LARGE, 2]");
  });
  test("have parents", async () => {
    expect(
      await run(
        "def s = new Special(count: 4)\nprintln([s.who(), s.describe(), s instanceof Counter, s.toString()])",
      ),
    ).toBe("[special counter, 4  items, true, Counter(4)]");
  });
});

describe("parameters of included scripts", () => {
  const module = `params.x = 'default'
    params.y = 1
    def hidden = "hidden \${params.x}"
    process SHOW { debug true
      script: "echo $params.x $params.y $hidden" }`;
  test("addParams adds to those of the script that includes, params replaces them", async () => {
    const main = `params.x = 'main'
      include { SHOW } from './show' addParams(x: 'added', y: 2)
      include { SHOW as ONLY } from './show' params(x: 'only')
      include { SHOW as SAME } from './show'
      workflow { SHOW(); ONLY(); SAME(); println params.x }`;
    const end = await runPipeline({ engineVersion: "23.10", files: { "main.nf": main, "show.nf": module } });
    expect([end.trouble, end.lines]).toEqual([
      "",
      ["added 2 hidden added", "main", "main 1 hidden main", "only 1 hidden only"],
    ]);
  });
  test("a default of an included script changes nothing that is set", async () => {
    const main = "params.x = 'main'\ninclude { SHOW } from './show'\nworkflow { SHOW(); println params.x }";
    expect(await printed(main, { files: { "show.nf": module }, params: { y: 7 } })).toBe(
      "main main 7 hidden main",
    );
  });
});

describe("older configuration", () => {
  test("has functions, conditions and names of environment variables", async () => {
    const config = `params { max_cpus = 2; max_memory = '8.GB' }
      def check_max(obj, type) {
        if (type == 'memory') {
          try {
            if (obj.compareTo(params.max_memory as nextflow.util.MemoryUnit) == 1)
              return params.max_memory as nextflow.util.MemoryUnit
            else
              return obj
          } catch (all) { return obj }
        } else if (type == 'cpus') {
          return Math.min(obj, params.max_cpus as int)
        }
      }
      process { cpus = { check_max(4 * task.attempt, 'cpus') }
        memory = { check_max(16.GB * task.attempt, 'memory') } }
      if (PLACE == 'here') { params.at = "$PLACE!" }`;
    const main = `process P { debug true
        script: "echo $task.cpus $task.memory $params.at" }
      workflow { P() }`;
    expect(
      await printed(main, { files: { "nextflow.config": config }, environment: { PLACE: "here" } }),
    ).toBe("2 8 GB here!");
  });
});
