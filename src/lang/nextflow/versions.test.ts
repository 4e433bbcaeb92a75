import { describe, expect, test } from "vitest";
import { runPipeline, type TextRun } from "./run/testing/run-text.ts";
import { differences, languageOf, type Release, releases, rulesOf } from "./versions.ts";

interface Case {
  readonly main: string;
  readonly run?: Omit<TextRun, "files"> & { readonly files?: TextRun["files"] };
  /** What is printed, or part of what goes wrong, by release. */
  readonly expected: Readonly<Record<Release, string | RegExp>>;
}

function each<T>(...[a, b, c, d]: readonly [T, T, T, T]): Readonly<Record<Release, T>> {
  return { "23.10": a, "24.10": b, "25.10": c, "26.04": d };
}

const later = (since: string) => new RegExp(`in Nextflow .* is not supported[^]*it exists since ${since}`);

/** One for each row of the table. */
const cases: { readonly [Name in keyof typeof differences]: Case } = {
  strictSyntax: {
    main: "workflow { for (x in [1, 2]) println x }",
    expected: each<string | RegExp>("1 2", "1 2", "1 2", /a for loop in the strict syntax/),
  },
  choosesParser: {
    main: "workflow { for (x in [1, 2]) println x }",
    run: { environment: { NXF_SYNTAX_PARSER: "v2" } },
    expected: each<string | RegExp>("1 2", "1 2", /strict/, /strict/),
  },
  detectsTypes: {
    main: "workflow { println([params.n.getClass().simpleName, params.b == true, params.s == '7']) }",
    run: {
      files: { "nextflow.config": "params { n = 1\n b = false\n s = 'x' }" },
      params: { n: "3", b: "true", s: "7" },
    },
    expected: each(
      "[String, false, true]",
      "[String, false, true]",
      "[String, false, true]",
      "[Integer, true, true]",
    ),
  },
  bareEnvironment: {
    main: 'workflow { println "$PLACE ${params.place}" }',
    run: {
      files: { "nextflow.config": "params.place = PLACE" },
      environment: { PLACE: "here" },
    },
    expected: each<string | RegExp>("here here", "here here", "here here", /PLACE/),
  },
  profileOrder: {
    main: "workflow { println params.x }",
    run: {
      files: { "nextflow.config": "profiles { a { params.x = 'a' }\n b { params.x = 'b' } }" },
      profiles: ["b", "a"],
    },
    expected: each("b", "b", "b", "a"),
  },
  publishFailOnError: {
    main: `process P { publishDir 'blocked'
      output: path 'f'
      script: 'touch f' }
      workflow { P(); P.out.map { it.name }.view() }`,
    run: { files: { blocked: "a file" } },
    expected: each<string | RegExp>("f", /blocked/, /blocked/, /blocked/),
  },
  publishVariable: {
    main: `process P { publishDir 'blocked'
      output: path 'f'
      script: 'touch f' }
      workflow { P(); P.out.map { it.name }.view() }`,
    run: { files: { blocked: "a file" }, environment: { NXF_PUBLISH_FAIL_ON_ERROR: "false" } },
    expected: each("f", "f", "f", "f"),
  },
  comparesPublished: {
    main: `process P { publishDir 'results', mode: 'copy', overwrite: 'deep'
      output: path 'f'
      script: 'echo new > f' }
      workflow { P() }`,
    run: { files: { "results/f": "old\n" } },
    expected: each("f=old", "f=new", "f=new", "f=new"),
  },
  workflowOutputs: {
    main: `nextflow.preview.output = true
      process P { output: path 'f'
        script: 'echo it > f' }
      workflow { main: P()
        publish: P.out >> 'files' }
      output { 'files' { mode 'copy' } }`,
    expected: each<string | RegExp>(later("24.04"), "files/f=it", "files/f=it", "files/f=it"),
  },
  topics: {
    main: `process P { output: val 1, topic: t
        script: 'true' }
      workflow { P(); channel.topic('t').view() }`,
    expected: each<string | RegExp>(later("24.04"), /without nextflow.preview.topic = true/, "1", "1"),
  },
  evalOutputs: {
    main: `process P { output: tuple val(1), eval('echo two')
        script: 'true' }
      workflow { P(); P.out.view() }`,
    expected: each<string | RegExp>(later("24.04"), "[1, two]", "[1, two]", "[1, two]"),
  },
  resourceLimits: {
    main: `process P { cpus 8
        resourceLimits cpus: 2
        output: stdout
        script: "echo $task.cpus" }
      workflow { P(); P.out.map { it.trim() }.view() }`,
    expected: each("8", "2", "2", "2"),
  },
  envKeepsLines: {
    main: `process P { output: env('X')
        script: "X=\\$(printf 'a  b\\\\nc')" }
      workflow { P(); P.out.map { it.replace('\\n', '|') }.view() }`,
    expected: each("a b c", "a  b|c", "a  b|c", "a  b|c"),
  },
  previousTrace: {
    main: `process P { errorStrategy 'retry'
        output: stdout
        script: "echo \${task.previousTrace?.exit}; exit \${task.attempt == 1 ? 3 : 0}" }
      workflow { P(); P.out.map { it.trim() }.view() }`,
    expected: each("null", "3", "3", "3"),
  },
  failOnIgnore: {
    main: `process P { errorStrategy 'ignore'
        script: 'exit 3' }
      workflow { P(); println 'built' }`,
    run: { files: { "nextflow.config": "workflow.failOnIgnore = true" } },
    expected: each<string | RegExp>("built", /were ignored/, /were ignored/, /were ignored/),
  },
  parameterBlock: {
    main: "params { x: Integer = 1 }\nworkflow { println params.x }",
    expected: each<string | RegExp>(later("25.10"), later("25.10"), "1", "1"),
  },
  handlerSections: {
    main: "workflow { main: println 1\n onComplete: println 2 }",
    expected: each<string | RegExp>(later("25.10"), later("25.10"), "1 2", "1 2"),
  },
  runsSingleProcess: {
    main: `process P { debug true
        input: val x
        script: "echo $x" }`,
    run: { params: { x: "given" } },
    expected: each<string | RegExp>(/no workflow/, /no workflow/, "given", "given"),
  },
  showsOutputs: {
    main: `workflow { main: println 'x'
      publish: list = channel.of(1, 2) }
    output { list { } }`,
    run: { outputFormat: "text" },
    expected: each<string | RegExp>(
      /publish/,
      /publish|output/,
      "x Outputs:   LAUNCH/results   list:     - 1     - 2",
      "x Outputs:   LAUNCH/results   list:     - 1     - 2",
    ),
  },
  needsEntry: {
    main: "workflow W { println 1 }",
    expected: each<string | RegExp>("", /No entry workflow/, /No entry workflow/, /No entry workflow/),
  },
  typedProcesses: {
    main: `nextflow.preview.types = true
      process P { input: x: Integer
        output: y = x + 1
        script: 'true' }
      workflow { P(channel.of(1)).view() }`,
    expected: each<string | RegExp>(later("25.10"), later("25.10"), "2", "2"),
  },
};

describe("the table of versions", () => {
  const rows = Object.entries(cases).flatMap(([name, given]) =>
    releases.map((release) => ({ name, release, ...given })),
  );
  test.each(rows)("$name in $release", async ({ main, run = {}, release, expected }) => {
    const { files = {}, ...options } = run;
    const end = await runPipeline({
      ...options,
      files: { "main.nf": main, ...files },
      engineVersion: release,
    }).catch((error: Error) => ({ printed: [], trouble: error.message, results: {}, kind: "failed" }));
    const wanted = expected[release];
    if (wanted instanceof RegExp) {
      expect(end.trouble).toMatch(wanted);
      expect(end.kind).not.toBe("succeeded");
    } else {
      const published = Object.entries(end.results).map(([name, text]) => `${name}=${text.trim()}`);
      expect([[...end.printed, ...published].join(" "), end.kind]).toEqual([wanted, "succeeded"]);
    }
  });
  test("has a value for each release in each row", () => {
    for (const row of Object.values(differences)) expect(Object.keys(row)).toEqual([...releases]);
  });
});

describe("which Nextflow a run follows", () => {
  const version = (request: Parameters<typeof languageOf>[0]) => languageOf(request).version;
  test("25.10 by default, and what is asked for otherwise", () => {
    expect(version({})).toBe("25.10.4");
    expect(version({ asked: "24.10" })).toBe("24.10.9");
    expect(version({ environment: { NXF_VER: "23.10.1" } })).toBe("23.10.1");
    expect(version({ environment: { NXF_VER: "23.10.1" }, required: ">=24" })).toBe("23.10.1");
    expect(version({ asked: "26.04", environment: { NXF_VER: "23.10.1" } })).toBe("26.04.6");
    expect(version({ environment: { NXF_VER: "" } })).toBe("25.10.4");
  });
  test.each([
    [">=23.10.0", "25.10.4"],
    ["!>=25.10.6", "25.10.6"],
    ["!>=24.04.2, <25", "24.10.9"],
    ["23.10.1", "23.10.1"],
    ["!24.10.3", "24.10.3"],
    ["24.04+", "24.10.9"],
    [">25.10", "25.10.4"],
    [">=26.04", "26.04.0"],
    ["<24", "23.10.4"],
    ["24.04.4", "24.10.9"],
    [">=99", "25.10.4"],
    ["nonsense !", "25.10.4"],
  ])("manifest.nextflowVersion = '%s' chooses %s", (required, expected) => {
    expect(version({ required })).toBe(expected);
  });
  test("a version that is not offered stands for the nearest later one, with a warning", () => {
    const { version: found, warnings } = languageOf({ environment: { NXF_VER: "24.04.2" } });
    expect([found, warnings]).toEqual([
      "24.10.9",
      [expect.stringContaining("NXF_VER names Nextflow 24.04.2")],
    ]);
    expect(version({ environment: { NXF_VER: "22.10.6" } })).toBe("23.10.4");
    expect(version({ environment: { NXF_VER: "27.10.0" } })).toBe("26.04.6");
    expect(version({ environment: { NXF_VER: "25.11.0-edge" } })).toBe("26.04.6");
    expect(() => languageOf({ environment: { NXF_VER: "newest" } })).toThrow("newest is not a version");
  });
  test("NXF_SYNTAX_PARSER chooses the older parser with 26.04, and the strict one with 25.10", () => {
    expect(rulesOf("26.04", "v1")).toEqual({
      ...rulesOf("26.04"),
      strictSyntax: false,
      detectsTypes: true,
      bareEnvironment: true,
      profileOrder: "of the file",
    });
    expect(rulesOf("25.10", "v2").strictSyntax).toBe(true);
    expect(rulesOf("24.10", "v2").strictSyntax).toBe(false);
  });

  const manifest = (text: string) => ({
    "main.nf": "workflow { println nextflow.version }",
    "nextflow.config": `manifest { nextflowVersion = '${text}' }`,
  });
  test("scripts see it", async () => {
    const environment = { NXF_VER: "24.10.5" };
    expect((await runPipeline({ files: manifest("!>=24"), environment })).lines).toEqual(["24.10.5"]);
    expect((await runPipeline({ files: manifest("!>=26.04") })).lines).toEqual(["26.04.0"]);
  });
  test("a requirement with `!` that is not met fails the run by name, and warns without", async () => {
    const environment = { NXF_VER: "24.10.5" };
    const refused = await runPipeline({ files: manifest("!>=25.04"), environment });
    expect([refused.kind, refused.lines]).toEqual(["failed", []]);
    expect(refused.trouble).toContain(
      "Nextflow version 24.10.5 does not match workflow required version: >=25.04",
    );
    const warned = await runPipeline({ files: manifest(">=25.04"), environment });
    expect([warned.kind, warned.lines]).toEqual(["succeeded", ["24.10.5"]]);
    expect(warned.trouble).toContain(
      "Nextflow version 24.10.5 does not match workflow required version: >=25.04 -- Execution will continue",
    );
    const impossible = await runPipeline({ files: manifest("!>=99.1") });
    expect(impossible.trouble).toContain(
      "Nextflow version 25.10.4 does not match workflow required version: >=99.1",
    );
  });
  test("a requirement in a file that the configuration includes counts, too", async () => {
    const files = {
      "main.nf": "workflow { println nextflow.version }",
      "nextflow.config": "includeConfig 'conf/base.config'",
      "conf/base.config": "manifest.nextflowVersion = '24.10.2'",
    };
    expect((await runPipeline({ files })).lines).toEqual(["24.10.2"]);
  });
});
