/**
 * Fails one file operation of a whole command and looks at what the user is left with: never "a bug of Memoir"
 * (exit code 70) or a crash, never a wrong answer, and the next, undisturbed run ends well.
 */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type Ended, Sandbox } from "../cli/memoir.ts";

export const faultCodes = ["ENOSPC", "EACCES", "EIO", "EMFILE", "EROFS"] as const;
export type FaultCode = (typeof faultCodes)[number];

export interface Scenario {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  /** The answer that the user reads, in a form to compare. */
  readonly answer: (box: Sandbox) => Promise<string>;
  readonly expected: string;
}

/** One operation of a command: the how-manieth at one place of the program. */
export interface Operation {
  readonly site: string;
  /** From 1. */
  readonly occurrence: number;
  readonly name: string;
}

export interface Fault {
  readonly operation: Operation;
  readonly code: FaultCode;
  /** A full disk stays full; a broken sector is met once. */
  readonly lasts: "once" | "from then on";
}

export interface Met {
  /** Whether the operation was made at all: what happens at the same time takes turns in another order each time. */
  readonly struck: boolean;
  /** What was wrong; undefined when everything was as it should be. */
  readonly trouble: string | undefined;
}

const shim = fileURLToPath(new URL("./fault-shim.cjs", import.meta.url));

/** The operations of the command that can fail with this code, in their order. */
export async function operationsOf(scenario: Scenario, code: FaultCode): Promise<readonly Operation[]> {
  const box = await boxOf(scenario);
  try {
    const { code: exit, err } = await withOrder(box, { code }).run(...scenario.words);
    if (exit !== 0) throw new Error(`${scenario.name} fails without any fault:\n${err}`);
    const met = new Map<string, number>();
    return [...logOf(box).matchAll(/^op (\w+) (\S+)$/gm)].map(([, site = "", name = ""]) => {
      const occurrence = (met.get(site) ?? 0) + 1;
      met.set(site, occurrence);
      return { site, occurrence, name };
    });
  } finally {
    remove(box);
  }
}

const ways = ["once", "from then on"] as const satisfies readonly Fault["lasts"][];

export function everyFault(operations: readonly Operation[], code: FaultCode): readonly Fault[] {
  return operations.flatMap((operation) => ways.map((lasts) => ({ operation, code, lasts })));
}

/**
 * Operations of one site are met by the same code: the first and the last of each fail once. What fails from then on
 * differs little from one operation to the next: every third site begins such a trouble.
 */
export function fewFaultsOfEachSite(operations: readonly Operation[], code: FaultCode): readonly Fault[] {
  const last = new Map(operations.map(({ site, occurrence }) => [site, occurrence]));
  const first = operations.filter(({ occurrence }) => occurrence === 1);
  const lasting = new Set(first.filter((_, i) => i % 3 === 0));
  return everyFault(operations, code).filter(({ operation, lasts }) =>
    lasts === "from then on"
      ? lasting.has(operation)
      : operation.occurrence === 1 || operation.occurrence === last.get(operation.site),
  );
}

export async function meet(scenario: Scenario, fault: Fault): Promise<Met> {
  const box = await boxOf(scenario);
  try {
    const { operation, code, lasts } = fault;
    const { site, occurrence } = operation;
    const ended = await withOrder(box, { site, occurrence, code, lasts }).run(...scenario.words);
    const struck = logOf(box).startsWith("strike");
    const what = `${scenario.name}, ${code} ${lasts} (${logOf(box).trim()}, ${site} ${occurrence})`;
    const trouble = await troubleAfter(scenario, box, ended);
    return { struck, trouble: trouble === undefined ? undefined : `${what}: ${trouble}` };
  } finally {
    remove(box);
  }
}

async function troubleAfter(
  scenario: Scenario,
  box: Sandbox,
  { code, signal, err }: Ended,
): Promise<string | undefined> {
  if (signal !== null || code === null || ![0, 1, 3, 4].includes(code))
    return `ended with ${code ?? signal}:\n${err}`;
  if (code !== 0 && err.trim() === "") return `ended with ${code} and said nothing`;
  if (code === 0) {
    const answer = await scenario.answer(box).catch(String);
    if (answer !== scenario.expected) return `ended with 0 and answered ${answer}\n${err}`;
  }
  const again = await box.run(...scenario.words);
  if (again.code !== 0) return `the next run ended with ${again.code}:\n${again.err}\nafter\n${err}`;
  const answer = await scenario.answer(box).catch(String);
  return answer === scenario.expected ? undefined : `the next run answered ${answer}`;
}

async function boxOf({ files }: Scenario): Promise<Sandbox> {
  const box = await Sandbox.create();
  await mkdir(box.home);
  for (const [name, text] of Object.entries(files)) await box.write(name, text);
  return box;
}

function withOrder(
  box: Sandbox,
  order: { readonly code: FaultCode } & Partial<Pick<Fault, "lasts"> & Operation>,
): Sandbox {
  const whole = { ...order, below: [box.folder], log: logPathOf(box) };
  return box.with({ NODE_OPTIONS: `--require=${shim}`, MEMOIR_FAULT: JSON.stringify(whole) });
}

/** Next to the sandbox, so that writing it is not an operation of the command. */
function logPathOf(box: Sandbox): string {
  return `${box.folder}.faults`;
}

function logOf(box: Sandbox): string {
  return existsSync(logPathOf(box)) ? readFileSync(logPathOf(box), "utf8") : "";
}

function remove(box: Sandbox): void {
  rmSync(logPathOf(box), { force: true });
  box.remove();
}

const host = ["--executor", "host", "--cache-host-tasks", "--cache", "./lab"];

const wdl: Scenario = {
  name: "a WDL run",
  files: {
    "wf.wdl": `version 1.1
task part {
  input { Int n  File words }
  command <<< for i in $(seq ~{n}); do cat ~{words}; done > part.txt >>>
  output { File text = "part.txt"  Array[String] lines = read_lines("part.txt") }
}
task whole {
  input { Array[File] parts }
  File list = write_lines(parts)
  command <<< mkdir d; cat $(cat ~{list}) | tee d/x > whole.txt >>>
  output { File text = "whole.txt" }
}
workflow wf {
  input { File words }
  scatter (n in [1, 2]) { call part { input: n = n, words = words } }
  call whole { input: parts = part.text }
  output { String text = read_string(whole.text)  File file = whole.text }
}
`,
    "words.txt": "hello\n",
    "in.json": '{"wf.words": "words.txt"}',
  },
  words: ["run", "wf.wdl", "-i", "in.json", "--out", "results", ...host],
  answer: async (box) => {
    const outputs = JSON.parse(await box.read("results/outputs.json"));
    return `${outputs["wf.text"]}|${await readFile(outputs["wf.file"], "utf8")}`;
  },
  expected: "hello\nhello\nhello|hello\nhello\nhello\n",
};

const cwl: Scenario = {
  name: "a CWL run",
  files: {
    "wf.cwl": `cwlVersion: v1.2
class: Workflow
requirements: { InlineJavascriptRequirement: {}, StepInputExpressionRequirement: {} }
inputs: { words: File, d: Directory }
steps:
  copy:
    run:
      class: CommandLineTool
      requirements:
        InitialWorkDirRequirement: { listing: [{ entryname: note.txt, entry: "from the document" }] }
        ShellCommandRequirement: {}
      inputs: { words: File, d: Directory }
      arguments: [{ shellQuote: false, valueFrom: "mkdir -p o && cat note.txt $(inputs.words.path) $(inputs.d.path)/b.txt > o/all.txt" }]
      outputs:
        o: { type: Directory, outputBinding: { glob: o } }
        n: { type: int, outputBinding: { glob: o/all.txt, loadContents: true, outputEval: "$(self[0].contents.length)" } }
    in: { words: words, d: d }
    out: [o, n]
outputs:
  o: { type: Directory, outputSource: copy/o }
  n: { type: int, outputSource: copy/n }
`,
    "words.txt": "hello\n",
    "job.yml":
      "words: { class: File, path: words.txt }\nd: { class: Directory, basename: d, listing: [{ class: File, basename: b.txt, contents: there }] }\n",
  },
  words: ["run", "wf.cwl", "job.yml", "--out", "results", ...host],
  answer: async (box) => {
    const { n } = JSON.parse(await box.read("results/outputs.json"));
    return `${n}|${await box.read("results/o/o/all.txt")}`;
  },
  expected: "28|from the documenthello\nthere",
};

const predictions: Scenario = {
  name: "a prediction run",
  files: { "in.csv": "smiles\nCCO\nC\nCCO\nCCC\n" },
  words: ["run", "--model", "molecular-weight", "-i", "in.csv", "-o", "out.csv", "--cache-only"],
  answer: async (box) => (await box.rows("out.csv")).join("|"),
  expected: "CCO,46.069|C,16.043|CCO,46.069|CCC,44.096999999999994",
};

export const scenarios: readonly Scenario[] = [wdl, cwl, predictions];
