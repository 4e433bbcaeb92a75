import { describe, expect, test } from "vitest";
import { runPipeline } from "../run/testing/run-text.ts";

const show =
  "process FOO { output: stdout\n script: \"printf '${task.cpus} ${task.ext.args}'\" }\nworkflow W { FOO()\n FOO.out.view() }\n";
const nested = `${show}workflow { W() }`;
const direct = `${show}workflow { FOO().view() }`;

describe("selectors", () => {
  test.each<[string, string, string, string]>([
    [
      "a name with workflows is matched last",
      nested,
      "withName: 'FOO' { cpus = 1 }\n withName: '.*' { cpus = 2 }",
      "2 null",
    ],
    ["whatever their order", nested, "withName: '.*' { cpus = 2 }\n withName: 'FOO' { cpus = 1 }", "2 null"],
    [
      "of equal names the order of the file counts",
      direct,
      "withName: '.*' { cpus = 2 }\n withName: 'FOO' { cpus = 1 }",
      "1 null",
    ],
    ["a selector wins over settings for all", direct, "withName: FOO { cpus = 3 }\n cpus = 2", "3 null"],
    ["ext is merged by key", direct, "ext.args = 'x'\n withName: FOO { ext.other = 1 }", "1 x"],
    [
      "closures see the task",
      direct,
      'cpus = 2\n withName: FOO { ext.args = { "${task.process}-${task.cpus}" } }',
      "2 FOO-2",
    ],
    ["an exclamation mark inverts", nested, "withName: '!FOO' { cpus = 4 }", "4 null"],
  ])("%s", async (_, main, settings, expected) => {
    const { lines, trouble } = await runPipeline({
      files: { "main.nf": main, "nextflow.config": `process {\n${settings}\n}` },
    });
    expect([lines, trouble]).toEqual([[expected], ""]);
  });
});

describe("parameters", () => {
  const main =
    "params.o = 'script'\nparams.only = 'default'\nworkflow { println \"$params.o ${params.seen} $params.only\" }";
  const config = "params.o = 'config'\nparams.seen = params.o\n";
  test("what is given wins over configuration, and that over scripts", async () => {
    const files = { "main.nf": main, "nextflow.config": config };
    expect((await runPipeline({ files })).lines).toEqual(["config config default"]);
    expect((await runPipeline({ files, params: { o: "given" } })).lines).toEqual(["given given default"]);
  });
  test("names with dots are members, and those with dashes are written in camel case, too", async () => {
    const files = {
      "main.nf": "params.a = [b: 1, c: 2]\nworkflow { println params.a.b + params.a.c + params.fooBar }",
    };
    expect((await runPipeline({ files, params: { "a.b": "x", "foo-bar": "y" } })).lines).toEqual(["x2y"]);
  });
  test("a required parameter that is not given is an error", async () => {
    const end = await runPipeline({
      files: { "main.nf": "params { x: String }\nworkflow { println params.x }" },
    });
    expect([end.kind, end.trouble]).toEqual(["failed", expect.stringContaining("Parameter `x` is required")]);
  });
});

describe("files and profiles", () => {
  test("profiles, includes, functions and conditions", async () => {
    const files = {
      "main.nf": 'workflow { println "$params.a $params.b $params.c" }',
      "nextflow.config":
        "params.a = 1\nincludeConfig 'conf/more.config'\nprofiles { test { params.a = 2 }\n standard { params.c = 's' } }\ndef f(x) { x + 1 }\nparams.b = f(params.b)\nif (params.a == 1) { params.c = 'if' }",
      "conf/more.config": "params.b = 10",
    };
    expect((await runPipeline({ files })).lines).toEqual(["1 11 if"]);
    expect((await runPipeline({ files, profiles: ["test"] })).lines).toEqual(["2 11 null"]);
    expect((await runPipeline({ files, profiles: ["tset"] })).trouble).toContain(
      "Unknown configuration profile: 'tset'",
    );
  });
  // Both parsers of Nextflow: ConfigParserV1, whose profiles continue the scopes of the file, and ConfigDsl.
  test.each(["25.10", "26.04"] as const)(
    "files that are included after the profiles see what a profile has set (%s)",
    async (version) => {
      const end = await runPipeline({
        engineVersion: version,
        files: {
          "main.nf": "workflow { println params.fasta }",
          "nextflow.config":
            "params { base = 's3://far'\n genome = null }\nprofiles { test { includeConfig 'test.config' } }\nincludeConfig params.genome ? 'genomes.config' : '/dev/null'",
          "test.config": "params { base = '/near'\n genome = 'g' }",
          "genomes.config": 'params { fasta = "${params.base}/g.fa" }',
        },
        profiles: ["test"],
      });
      expect(end.lines).toEqual(["/near/g.fa"]);
    },
  );
  test("a scope that only a profile has wins over what follows, and a single name does", async () => {
    const end = await runPipeline({
      files: {
        "main.nf": 'workflow { println "${workflow.profile} ${params.x}" }',
        "nextflow.config":
          "profiles { test { params.x = 2\n docker.enabled = false } }\nparams.x = 1\ndocker.enabled = true",
      },
      profiles: ["test"],
    });
    expect(end.lines).toEqual(["test 2"]);
  });
  test("a missing include is an error at its place, /dev/null is nothing", async () => {
    const end = await runPipeline({
      files: {
        "main.nf": "workflow { }",
        "nextflow.config": "includeConfig '/dev/null'\nincludeConfig 'none.config'",
      },
    });
    expect(end.trouble).toContain("nextflow.config:2:1: error: the configuration file");
  });
});
