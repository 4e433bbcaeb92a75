/** Documents that are small and mean much, or long and mean little: nothing takes more than its share of time. */
import { describe, expect, it } from "vitest";
import { freshAsk } from "../../kernel/index.ts";
import type { Loaded, SourceTree } from "../core/index.ts";
import { createWdlFrontEnd } from "./front-end.ts";
import { runText } from "./run/testing/run-text.ts";

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join("\n");

function load(documents: Readonly<Record<string, string>>): Promise<Loaded> {
  const tree: SourceTree = {
    name: "flow",
    read: async (uri) => (documents[uri] === undefined ? undefined : { name: uri, text: documents[uri] }),
    resolve: (reference) => reference,
    hostPathOf: () => undefined,
    list: async () => Object.keys(documents),
    listFolder: async () => undefined,
  };
  return createWdlFrontEnd().load(tree, "main.wdl", { lenient: false }, freshAsk());
}

/** Each workflow calls the one below twice: 2^40 calls of one task. */
function doubling(input: string): Readonly<Record<string, string>> {
  const documents: Record<string, string> = {
    "w0.wdl": `version 1.0\ntask t {\n  input {\n    ${input}\n  }\n  command <<<>>>\n}\nworkflow w0 {\n  call t\n}\n`,
  };
  for (let n = 1; n <= 40; n++)
    documents[n === 40 ? "main.wdl" : `w${n}.wdl`] =
      `version 1.0\nimport "w${n - 1}.wdl" as below\nworkflow w${n} {\n  if (false) {\n    call below.w${n - 1} as a\n    call below.w${n - 1} as b\n  }\n}\n`;
  return documents;
}

describe("large documents", () => {
  it("with a workflow that calls another twice, and so on forty times, are read, and their run ends", async () => {
    const { program } = await load(doubling("Int? x"));
    expect(program?.interface.tasks).toEqual(["t"]);
    expect(await program?.checkInputs({ values: {}, baseDir: "/" }, freshAsk())).toEqual([]);
    const open = await load(doubling("Int x"));
    const missing = await open.program?.checkInputs({ values: {}, baseDir: "/" }, freshAsk());
    expect(missing?.length).toBe(10_000);
    expect(missing?.[0]?.message).toMatch(/^the input "w40\.a\.a\..*t\.x" of type Int is missing$/);
  });

  it("with 10,000 calls run", async () => {
    const text = `version 1.1\ntask t {\n  command <<<>>>\n}\nworkflow w {\n${lines(10_000, (n) => `if (false) { call t as t${n} }`)}\noutput { Int n = 1 }\n}\n`;
    expect((await runText({ documents: { "main.wdl": text } })).outputs).toEqual({ n: 1 });
  });

  it("with an array or a map of 200,000 items in one expression run", async () => {
    const items = lines(200_000, (n) => `${n}, `);
    const entries = lines(100_000, (n) => `"${n}": ${n}, `);
    const text = `version 1.1\nworkflow w {\n  Array[Int] a = [${items}]\n  Map[String, Int] m = {${entries}}\n  output {\n    Int i = length(a)\n    Int j = m["99999"]\n  }\n}\n`;
    expect((await runText({ documents: { "main.wdl": text } })).outputs).toEqual({ i: 200_000, j: 99_999 });
  });

  it("with 5,000 inputs that are described, given and required are read", async () => {
    const text = `version 1.1\nworkflow w {\n  parameter_meta {\n${lines(5_000, (n) => `x${n}: "d${n}"`)}\n}\n  input {\n${lines(5_000, (n) => `Int x${n}`)}\n}\n}\n`;
    const { program } = await load({ "main.wdl": text });
    expect(program?.interface.parameters.at(-1)).toMatchObject({ name: "w.x4999", description: "d4999" });
    const values = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`x${n}`, n]));
    expect(await program?.checkInputs({ values, baseDir: "/" }, freshAsk())).toEqual([]);
    const wrong = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`y${n}`, n]));
    expect((await program?.checkInputs({ values: wrong, baseDir: "/" }, freshAsk()))?.length).toBe(10_000);
  });

  it("in which as much is wrong as there is text are refused, and everything is counted", async () => {
    const bodies: Readonly<Record<string, readonly [count: number, text: string]>> = {
      "unknown inputs of a call": [
        40_000,
        `task t {\ninput {\nInt a\n}\ncommand {}\n}\nworkflow w {\ncall t { input: a = 1,\n${lines(40_000, (n) => `x${n} = 1,`)} }\n}`,
      ],
      "unknown inputs of a call with many": [
        20_001,
        `task t {\ninput {\n${lines(20_000, (n) => `Int aa${n}`)}\n}\ncommand {}\n}\nworkflow w {\ncall t { input:\n${lines(20_000, (n) => `ab${n} = 1,`)} }\n}`,
      ],
      "unknown names": [40_000, `workflow w {\n${lines(40_000, (n) => `Int a${n} = b${n}`)}\n}`],
      "unknown names in one line": [
        40_000,
        `workflow w {${lines(40_000, (n) => `Int a${n} = b${n}`).replaceAll("\n", " ")}}`,
      ],
      "one name for all": [39_999, `workflow w {\n${lines(40_000, () => "Int a = 1")}\n}`],
      "unknown types": [40_000, `workflow w {\n${lines(40_000, (n) => `Foo a${n} = 1`)}\n}`],
      "calls that lack many inputs": [
        10_000,
        `task t {\ninput {\n${lines(10_000, (n) => `Int a${n}`)}\n}\ncommand {}\n}\nworkflow w {\n${lines(10_000, (n) => `call t as c${n}`)}\n}`,
      ],
      "calls of unknown tasks": [
        20_000,
        `${lines(10_000, (n) => `task t${n} {\ncommand {}\n}`)}\nworkflow w {\n${lines(20_000, (n) => `call u${n}`)}\n}`,
      ],
    };
    for (const [what, [count, text]] of Object.entries(bodies)) {
      const { diagnostics } = await load({ "main.wdl": `version 1.1\n${text}\n` });
      expect(diagnostics.length, what).toBe(count);
    }
  });

  it("in which everything depends on everything are refused", async () => {
    const text = `version 1.1\nworkflow w {\n${lines(25_000, (n) => `Int a${n} = a${n + 1} + a0`)}\nInt a25000 = 1\n}\n`;
    const { diagnostics } = await load({ "main.wdl": text });
    expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(["wdl-cycle"]));
    for (const { message } of diagnostics) expect(message.length).toBeLessThan(1_000);
  });

  it("whose structs are sixty levels of two, or 30,000 deep, are refused", async () => {
    for (const [levels, members] of [
      [60, (n: number) => `S${n} a\nS${n} b`],
      [30_000, (n: number) => `S${n} a`],
    ] as const) {
      const structs = lines(levels, (n) => `struct S${n} {\n${members(n + 1)}\n}`);
      for (const order of [
        structs,
        structs
          .split(/(?=^struct)/m)
          .reverse()
          .join("\n"),
      ]) {
        const text = `version 1.1\n${order}\nstruct S${levels} {\nInt a\n}\nworkflow w {\ninput {\nS0 s\n}\n}\n`;
        const { diagnostics, program } = await load({ "main.wdl": text });
        expect(program).toBeUndefined();
        expect(diagnostics[0]).toMatchObject({ code: "wdl-struct-too-large" });
      }
    }
  });

  it("in which thousands of calls share a task of thousands of outputs are read", async () => {
    const task = (outputs: string) => `task t {\ncommand {}\noutput {\n${outputs}\n}\n}`;
    const calls = lines(20_000, (n) => `call t as c${n}`);
    const outputs = lines(20_000, (n) => `Int a${n} = 1`);
    const { program } = await load({
      "main.wdl": `version 1.1\n${task(outputs)}\nworkflow w {\n${calls}\n}\n`,
    });
    expect(program?.interface.outputs).toEqual([]);
    // In old documents all outputs of all calls are outputs of the workflow.
    const { diagnostics } = await load({ "main.wdl": `${task(outputs)}\nworkflow w {\n${calls}\n}\n` });
    expect(diagnostics.map(({ code }) => code)).toEqual(["wdl-too-many-outputs"]);
  });

  it("with 20,000 names inside 150 scatters are refused", async () => {
    const open = lines(150, (n) => `scatter (i${n} in [1]) {`);
    const text = `version 1.1\nworkflow w {\n${open}\n${lines(20_000, (n) => `Int a${n} = 1`)}\n${"}".repeat(150)}\n}\n`;
    const { diagnostics } = await load({ "main.wdl": text });
    expect(diagnostics.map(({ code }) => code)).toEqual(["wdl-too-many-names"]);
  });

  it("that import one document 10,000 times are read", async () => {
    const imported = `version 1.1\n${lines(2_000, (n) => `struct S${n} {\nInt a\n}`)}\n`;
    const text = `version 1.1\n${lines(10_000, (n) => `import "b.wdl" as n${n}`)}\nworkflow w {\ninput {\nS7 s\n}\n}\n`;
    const { program } = await load({ "main.wdl": text, "b.wdl": imported });
    expect(program?.interface.parameters).toMatchObject([{ name: "w.s", type: "S7" }]);
  });

  it("whose calls set everything are shown without what they multiply", async () => {
    const { program } = await load(
      Object.fromEntries(
        Object.entries(doubling("Int? x")).map(([name, text]) => [
          name,
          text.replace("Int? x", "").replace("input {\n    \n  }\n", ""),
        ]),
      ),
    );
    expect(program?.interface.parameters).toEqual([]);
  });

  it("that ignore 200 nested inputs bind the others", async () => {
    const text = `version 1.1\ntask t {\ninput {\n${lines(200, (n) => `Int? a${n}`)}\n}\ncommand {}\n}\nworkflow w {\nmeta {\nallowNestedInputs: false\n}\ninput {\nInt n\n}\ncall t\n}\n`;
    const { program } = await load({ "main.wdl": text });
    const ignored = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`w.t.a${n}`, 1]));
    const found = await program?.checkInputs(
      { values: { ...ignored, "w.n": "no number" }, baseDir: "/" },
      freshAsk(),
    );
    expect(found?.filter(({ severity }) => severity === "warning")).toHaveLength(200);
    expect(found?.filter(({ severity }) => severity === "error")).toHaveLength(1);
  });
});
