import { describe, expect, test } from "vitest";
import { runPipeline } from "../../run/testing/run-text.ts";

const sheetSchema = JSON.stringify({
  type: "array",
  items: {
    type: "object",
    properties: {
      sample: {
        type: "string",
        pattern: "^\\S+$",
        errorMessage: "Sample names have no spaces",
        meta: ["id"],
      },
      depth: { type: "integer", meta: "depth" },
      fastq_1: { type: "string", format: "file-path", exists: true },
      fastq_2: { type: "string", format: "file-path", exists: true },
      kind: { type: "string", default: "dna" },
    },
    required: ["sample", "fastq_1"],
  },
});

async function list(sheet: string, name = "sheet.csv") {
  return runPipeline({
    files: {
      "main.nf": `include { samplesheetToList } from 'plugin/nf-schema'
        workflow { samplesheetToList("$projectDir/${name}", "$projectDir/schema.json").each { println it } }`,
      "schema.json": sheetSchema,
      [name]: sheet,
      "a.fq": "",
      "b.fq": "",
    },
  });
}

describe("samplesheetToList", () => {
  test("rows come in the order of the schema, the meta map first, what is missing as an empty list", async () => {
    const { printed, trouble } = await list("fastq_1,sample,fastq_2,depth\na.fq,s1,b.fq,3\na.fq,s2,,\n");
    expect(trouble).toBe("");
    expect(printed).toEqual([
      "[[id:s1, depth:3], LAUNCH/a.fq, LAUNCH/b.fq, dna]",
      "[[id:s2, depth:[]], LAUNCH/a.fq, [], dna]",
    ]);
  });
  test("YAML, JSON and TSV are read, too", async () => {
    const expected = ["[[id:s, depth:1], LAUNCH/a.fq, [], dna]"];
    expect((await list("- sample: s\n  depth: 1\n  fastq_1: a.fq\n", "s.yml")).printed).toEqual(expected);
    expect((await list('[{"sample": "s", "depth": 1, "fastq_1": "a.fq"}]', "s.json")).printed).toEqual(
      expected,
    );
    expect((await list("sample\tdepth\tfastq_1\ns\t1\ta.fq\n", "s.tsv")).printed).toEqual(expected);
  });
  test.each([
    [
      "sample,fastq_1\ns 1,a.fq\n",
      "-> Entry 1: Error for field 'sample' (s 1): \"s 1\" does not match regular expression ^\\S+$ (Sample names have no spaces)",
    ],
    ["sample,fastq_1\ns,a.fq\nt,\n", "-> Entry 2: Missing required field(s): fastq_1"],
    ["sample,fastq_1\ns,none.fq\n", "the file or directory 'none.fq' does not exist"],
    [
      "sample,fastq_1,depth\ns,a.fq,deep\n",
      "Error for field 'depth' (deep): Value is [string] but should be [integer]",
    ],
  ])("%j is refused", async (sheet, words) => {
    const end = await list(sheet);
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
  test("columns that the schema does not know are a warning", async () => {
    expect((await list("sample,fastq_1,more\ns,a.fq,x\n")).trouble).toContain("unidentified headers");
  });
});

describe("parameters", () => {
  const schema = JSON.stringify({
    $defs: {
      io: {
        title: "Input/output options",
        properties: {
          input: { type: "string" },
          n: { type: "integer", minimum: 1, default: 2, description: "How many" },
          mode: { type: "string", enum: ["fast", "slow"], default: "fast" },
          secret: { type: "string", hidden: true },
        },
        required: ["input"],
      },
    },
    allOf: [{ $ref: "#/$defs/io" }],
  });
  const call = (body: string, params: Record<string, unknown>) =>
    runPipeline({
      files: {
        "main.nf": `include { validateParameters; paramsSummaryMap; paramsSummaryLog; paramsHelp } from 'plugin/nf-schema'
          workflow { ${body} }`,
        "nextflow.config": "params.n = 2\nparams.mode = 'fast'\nparams.input = null",
        "nextflow_schema.json": schema,
      },
      params,
    });

  test("what is right passes, text that means a number is one", async () => {
    expect(await call("validateParameters()", { input: "x", n: "3" })).toMatchObject({
      kind: "succeeded",
      trouble: "",
    });
  });
  test.each<[Record<string, unknown>, string]>([
    [{}, "Missing required parameter(s): input"],
    [{ input: "x", n: 0 }, "* --n (0): 0 is lesser than 1"],
    [{ input: "x", n: "two" }, "* --n (two): Value is [string] but should be [integer]"],
    [{ input: "x", mode: "odd" }, "Expected any of [fast, slow]"],
  ])("%j is refused", async (params, words) => {
    const end = await call("validateParameters()", params);
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining(words)]);
  });
  test.each([
    ["nf-schema@2.5.1", "succeeded"],
    ["nf-schema@2.10.0", "failed"],
    ["nf-schema", "failed"],
  ])("with %s false for a text is %s", async (plugin, kind) => {
    const end = await runPipeline({
      files: {
        "main.nf":
          "include { validateParameters } from 'plugin/nf-schema'\nworkflow { validateParameters() }",
        "nextflow.config": `plugins { id '${plugin}' }\nparams.mode = 'fast'\nparams.input = 'x'`,
        "nextflow_schema.json": schema,
      },
      params: { mode: false },
    });
    expect(end.kind).toBe(kind);
  });
  test("an unknown parameter is a warning", async () => {
    expect(await call("validateParameters()", { input: "x", inptu: "y" })).toMatchObject({
      kind: "succeeded",
      trouble: expect.stringContaining("* --inptu: y"),
    });
  });
  test("the summary has what differs from the defaults, the help what is not hidden", async () => {
    const summary = await call("println paramsSummaryMap(workflow)['Input/output options']", {
      input: "x",
      n: 2,
      mode: "slow",
    });
    expect(summary.lines).toEqual(["[input:x, mode:slow]"]);
    const help = await call("println paramsHelp('run it')", { input: "x" });
    expect(help.printed.join("\n")).toContain("How many [default: 2]");
    expect(help.printed.join("\n")).not.toContain("secret");
  });
});

describe("validate, fromSamplesheet and settings", () => {
  const files = {
    "nextflow_schema.json": JSON.stringify({
      definitions: {
        io: {
          title: "Input",
          properties: {
            input: { type: "string", format: "file-path", schema: "assets/sheet.json" },
            old: { type: "string", deprecated: true },
          },
        },
      },
      allOf: [{ $ref: "#/definitions/io" }],
    }),
    "assets/sheet.json": JSON.stringify({
      type: "array",
      items: {
        type: "object",
        properties: {
          sample: { type: "string", meta: ["id"] },
          reads: { type: "string", format: "file-path", exists: true },
        },
        required: ["sample", "reads"],
      },
    }),
    "sheet.csv": "sample,reads,extra\ns,a.fq,1\n",
    "a.fq": "",
  };
  const run = (
    main: string,
    { config = "", params = {} }: { config?: string; params?: Record<string, unknown> } = {},
  ) =>
    runPipeline({
      files: { ...files, "main.nf": main, "nextflow.config": config },
      params: { input: "sheet.csv", ...params },
    });

  test("the channel factory of nf-validation gives the rows of the samplesheet that a parameter names", async () => {
    const end = await run(
      "include { fromSamplesheet } from 'plugin/nf-validation'\nworkflow { Channel.fromSamplesheet('input').view() }",
    );
    expect([end.kind, end.lines]).toEqual(["succeeded", ["[[id:s], LAUNCH/a.fq]"]]);
  });
  test("a parameter without a schema of its samplesheet is refused", async () => {
    const end = await run(
      "include { fromSamplesheet } from 'plugin/nf-validation'\nworkflow { channel.fromSamplesheet('old') }",
    );
    expect(end.trouble).toContain("names no schema of a samplesheet");
  });
  test.each([
    ["", "succeeded", "unidentified headers"],
    ["validation.failUnrecognisedHeaders = true", "failed", "unidentified headers"],
    ["validation { logging { unrecognisedHeaders = 'error' } }", "failed", "unidentified headers"],
    ["validation.logging.unrecognisedHeaders = 'skip'", "succeeded", ""],
  ])("headers that the schema does not know, with %j: %s", async (config, kind, words) => {
    const main =
      "include { samplesheetToList } from 'plugin/nf-schema'\nworkflow { samplesheetToList(params.input, \"$projectDir/assets/sheet.json\") }";
    const end = await run(main, { config });
    expect([end.kind, end.trouble]).toEqual([kind, words === "" ? "" : expect.stringContaining(words)]);
  });
  test("a group of parameters does not fail by a parameter that is ignored", async () => {
    const group = { type: "object", properties: { filter: { type: "string" }, depth: { type: "integer" } } };
    const schema = { type: "object", $defs: { group }, allOf: [{ $ref: "#/$defs/group" }] };
    const check = (depth: string) =>
      runPipeline({
        files: {
          "nextflow_schema.json": JSON.stringify(schema),
          "main.nf":
            "include { validateParameters } from 'plugin/nf-schema'\nworkflow { validateParameters() }",
          "nextflow.config": `params { filter = 30\n depth = ${depth} }\nvalidation.defaultIgnoreParams = ['filter']`,
        },
      });
    const right = await check("3");
    expect([right.kind, right.trouble]).toEqual(["succeeded", ""]);
    const wrong = await check("'deep'");
    expect([wrong.kind, wrong.trouble]).toEqual(["failed", expect.stringContaining("* --depth (deep)")]);
  });
  test("a deprecated parameter that is set is refused", async () => {
    const end = await run(
      "include { validateParameters } from 'plugin/nf-schema'\nworkflow { validateParameters() }",
      { params: { old: "x" } },
    );
    expect([end.kind, end.trouble]).toEqual([
      "failed",
      expect.stringContaining("* --old (x): This option is deprecated"),
    ]);
  });
  test("validate answers what is wrong with a value, or fails", async () => {
    const main = (call: string) =>
      `include { validate } from 'plugin/nf-schema'\nworkflow { println ${call} }`;
    const rows = "[[sample: 's', reads: 'a.fq'], [sample: 1]]";
    const listed = await run(main(`validate(${rows}, 'assets/sheet.json', exitOnError: false)`));
    expect(listed.printed.join()).toContain("/1/sample (1): Value is [integer] but should be [string]");
    expect((await run(main(`validate(${rows}, 'assets/sheet.json')`))).kind).toBe("failed");
    expect((await run(main("validate([], 'assets/sheet.json')"))).printed).toEqual(["[]"]);
  });
});

test.each([
  ["5M2S+T", ""],
  ["+T", ""],
  ["5M+T3S", "indefinite length"],
  ["5X", "no segment"],
  ["0T", "zero length"],
])("the structure of reads %s of nf-fgbio", async (text, words) => {
  const end = await runPipeline({
    files: {
      "main.nf": `include { readStructure } from 'plugin/nf-fgbio'
        workflow {
          try { readStructure('${text}'); println 'right' }
          catch (java.lang.reflect.InvocationTargetException e) { println e.getCause().getMessage() }
        }`,
    },
  });
  expect(end.printed).toEqual([words === "" ? "right" : expect.stringContaining(words)]);
});

test("a plugin that is not built in is refused at its place", async () => {
  const end = await runPipeline({
    files: { "main.nf": "include { f } from 'plugin/nf-other'\nworkflow { f() }" },
  });
  expect(end.trouble).toContain("main.nf:1:11: error: f of the plugin nf-other is not supported");
});

test("plugins of the configuration that are not built in have no effect, with a warning", async () => {
  const end = await runPipeline({
    files: {
      "main.nf": "workflow { println 1 }",
      "nextflow.config": "plugins { id 'nf-prov@1.2'; id 'nf-schema@2.4.2'; id 'nf-other' }",
    },
  });
  expect([end.printed, end.trouble]).toEqual([
    ["1"],
    "the plugin nf-other is not built in, and has no effect",
  ]);
});

describe("keywords", () => {
  /** What is wrong with a value by a schema; its top level and that of the schema are objects. */
  async function faults(schema: object, value: string, files: Record<string, string> = {}) {
    const end = await runPipeline({
      files: {
        "s.json": JSON.stringify(schema),
        "main.nf": `include { validate } from 'plugin/nf-schema'
          workflow { validate([v: ${value}], 's.json', exitOnError: false).each { println it } }`,
        ...files,
      },
    });
    expect(end.kind).toBe("succeeded");
    return end.printed;
  }
  const of = (schema: object) => ({ type: "object", properties: { v: schema } });

  test.each<[string, object, string, string[]]>([
    [
      "patternProperties",
      { patternProperties: { "^n_": { type: "integer" } } },
      "[n_a: 'x', b: 'x']",
      ["/v/n_a (x): Value is [string] but should be [integer]"],
    ],
    [
      "additionalProperties",
      { properties: { a: {} }, additionalProperties: { type: "integer" } },
      "[a: 'x', b: 'x']",
      ["/v/b (x): Value is [string] but should be [integer]"],
    ],
    [
      "additionalProperties with patterns",
      { patternProperties: { "^n_": {} }, additionalProperties: false },
      "[n_a: 1, b: 2]",
      ["/v/b (2): Value is not allowed"],
    ],
    [
      "propertyNames",
      { propertyNames: { maxLength: 1 } },
      "[ab: 1]",
      ['/v/ab (1): "ab" is longer than 1 characters'],
    ],
    ["minProperties", { minProperties: 2 }, "[a: 1]", ['/v ({"a":1}): there are fewer than 2 properties']],
    [
      "contains",
      { contains: { type: "integer" } },
      "['a', 'b']",
      ['/v (["a","b"]): only 0 of the items are as at least 1 should be'],
    ],
    [
      "prefixItems",
      { prefixItems: [{ type: "integer" }], items: { type: "string" } },
      "['a', 'b']",
      ["/v/0 (a): Value is [string] but should be [integer]"],
    ],
    [
      "dependentSchemas",
      { dependentSchemas: { a: { required: ["b"] } } },
      "[a: 1]",
      ['/v ({"a":1}): Missing required field(s): b'],
    ],
    [
      "dependencies",
      { dependencies: { a: ["b"], c: { required: ["d"] } } },
      "[a: 1, c: 1]",
      [
        '/v ({"a":1,"c":1}): Missing required field(s): d',
        '/v ({"a":1,"c":1}): b is required when a is given',
      ],
    ],
    ["format email", { format: "email" }, "'here'", ['/v (here): "here" is not in the valid format (email)']],
    [
      "format date",
      { format: "date" },
      "'2026-13-01'",
      ['/v (2026-13-01): "2026-13-01" is not in the valid format (date)'],
    ],
    [
      "file-path of a pattern",
      { format: "file-path" },
      "'*.csv'",
      ["/v (*.csv): '*.csv' is not a file, but a file path pattern"],
    ],
    [
      "file-path-pattern",
      { format: "file-path-pattern" },
      "'none*.csv'",
      ["/v (none*.csv): No files were found using the glob pattern 'none*.csv'"],
    ],
    [
      "anyOf, with the words of the schema",
      { anyOf: [{ type: "integer" }, { maxLength: 0 }], errorMessage: "wrong" },
      "'x'",
      [
        "/v (x): Value is [string] but should be [integer]",
        '/v (x): "x" is longer than 0 characters',
        "/v (x): Value does not match against any of the schemas (wrong)",
      ],
    ],
    [
      "oneOf",
      { oneOf: [{ type: "string" }, { maxLength: 3 }] },
      "'x'",
      ["/v (x): Value matches against more than one schema. Matched schema indexes [0, 1]"],
    ],
    [
      "a long value",
      { type: "integer" },
      "'a' * 200",
      [`/v (${"a".repeat(75)}...${"a".repeat(75)}): Value is [string] but should be [integer]`],
    ],
  ])("%s", async (_, schema, value, expected) => {
    expect(await faults(of(schema), value)).toEqual(expected);
  });

  test("a file by its own schema: errors of its entries and members, without the words of the parameter", async () => {
    const parameter = { format: "file-path", schema: "inner.json", errorMessage: "not of the file" };
    const files = {
      "inner.json": JSON.stringify({
        type: "object",
        properties: { a: { properties: { b: { type: "integer" } } } },
      }),
      "m.yml": "a:\n  b: x\n",
    };
    expect((await faults(of(parameter), "'m.yml'", files)).join("|")).toBe(
      "/v (m.yml): Validation of file failed:|\t* --a.b (x): Value is [string] but should be [integer]",
    );
  });
});

test("samplesheets without names of columns, with empty ones, and with null as a default", async () => {
  const list = async (schema: object, sheet: string) =>
    (
      await runPipeline({
        files: {
          "main.nf": `include { samplesheetToList } from 'plugin/nf-schema'
            workflow { println samplesheetToList("$projectDir/s.csv", "$projectDir/s.json") }`,
          "s.json": JSON.stringify({ type: "array", items: schema }),
          "s.csv": sheet,
        },
      })
    ).printed;
  expect(await list({ type: "string" }, "one\ntwo\n")).toEqual(["[one, two]"]);
  const properties = { a: { type: "string" }, b: { type: "string", default: null } };
  expect(await list({ properties }, "a,,b\n1,2,\n")).toEqual(["[[1, null]]"]);
});
