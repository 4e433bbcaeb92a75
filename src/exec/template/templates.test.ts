import { describe, expect, it } from "vitest";
import { isAppError } from "../../kernel/index.ts";
import { parseStatus } from "./job-watch.ts";
import type { presets } from "./presets.ts";
import { readTemplateOptions } from "./template-options.ts";
import { fill, parseStates, parseTemplate } from "./templates.ts";

const refused = expect.toSatisfy((error: unknown) => isAppError(error, "CLI_USAGE"));

describe("a template", () => {
  it("is cut into words before values are put in, so that no value becomes another word", () => {
    const parts = parseTemplate("sub -N {name} '-o {out}' -v \"A=1 B=2\"", "submit");
    const name = "x; rm -rf / 'y' \"z\" $(id) [ ] {out}";
    expect(fill(parts, { name, out: "/a b" })).toEqual(["sub", "-N", name, "-o /a b", "-v", "A=1 B=2"]);
  });

  it("leaves out words and parts of words whose values are missing", () => {
    const parts = parseTemplate(
      "sub [ -M {memory_mb} ] -l n={cpus}[,mem={memory_mb}mb] -R span[hosts=1]",
      "submit",
    );
    expect(fill(parts, { cpus: "2", memory_mb: "10" })).toEqual([
      "sub",
      "-M",
      "10",
      "-l",
      "n=2,mem=10mb",
      "-R",
      "span[hosts=1]",
    ]);
    expect(fill(parts, { cpus: "2" })).toEqual(["sub", "-l", "n=2", "-R", "span[hosts=1]"]);
  });

  it.each(["", "  ", "[ sub ]", "sub [ x", "sub x ]", "sub [ [ x ] ]", "sub {nmae}", "sub 'x", "sub {id}"])(
    "is refused with a message: %s",
    (text) => expect(() => parseTemplate(text, "submit")).toThrow(refused),
  );
});

describe("a list of jobs", () => {
  it.each([
    [
      "pbs",
      "Job id              Name             User            Time Use S Queue\n------------------- ---------------- --------------- -------- - -----\n123.server          m12              ada             00:00:01 R batch\n124.server          STDIN            bob             0        Q batch\n",
      { 123: "R", 124: "Q" },
    ],
    ["lsf", "201 RUN\n202 PEND\n", { 201: "RUN", 202: "PEND" }],
    [
      "sge",
      "job-ID  prior   name       user         state submit/start at     queue      slots ja-task-ID\n-------\n      7 0.55500 m12        ada          qw    11/30/2026 10:00:00                1\n      8 0.55500 m13        ada          Eqw   11/30/2026 10:00:00                1\n",
      { 7: "qw", 8: "Eqw" },
    ],
  ] as const)("of %s is read", (scheduler, text, states) => {
    const { templates } = readTemplateOptions({ scheduler });
    expect(Object.fromEntries(parseStatus(text, templates.row))).toEqual(states);
    for (const state of Object.values(states)) expect(templates.states.has(state)).toBe(true);
  });
});

describe("the options", () => {
  it("of a scheduler can be replaced one by one", () => {
    const { templates } = readTemplateOptions({ scheduler: "sge", "cancel-command": "kill-it {id}" });
    expect(fill(templates.cancel, { id: "5" })).toEqual(["kill-it", "5"]);
    expect(templates.jobId.exec("5")?.[1]).toBe("5");
  });

  it("find the job's id in what schedulers answer", () => {
    const find = (scheduler: keyof typeof presets, answer: string) =>
      readTemplateOptions({ scheduler }).templates.jobId.exec(answer)?.[1];
    expect(find("pbs", "123.server.example")).toBe("123.server.example");
    expect(find("lsf", "Job <45> is submitted to default queue <normal>.")).toBe("45");
    expect(find("sge", "77")).toBe("77");
  });

  it("are refused where one is missing or wrong", () => {
    const own = {
      "submit-command": "s",
      "status-command": "q",
      "cancel-command": "c {id}",
      "job-id-pattern": "(\\d+)",
      "status-pattern": "(?<id>\\d+) (?<state>\\S+)",
      "job-states": "active=R",
    };
    expect(() => readTemplateOptions(own)).not.toThrow();
    for (const name of Object.keys(own))
      expect(() => readTemplateOptions({ ...own, [name]: "" })).toThrow(refused);
    for (const wrong of [
      { "status-pattern": "(\\d+)" },
      { "job-id-pattern": "(" },
      { "job-states": "on=R" },
      { "max-jobs": "0" },
    ])
      expect(() => readTemplateOptions({ ...own, ...wrong })).toThrow(refused);
    expect(() => readTemplateOptions({})).toThrow(refused);
    expect(parseStates("active=Q,R ended=C").get("C")).toBe("ended");
  });
});
