/**
 * What decides a call's result, as named components. Everything that enters a key is written here, each with its why;
 * what is not written here (host paths, run ids, attempt numbers, times, the order of concurrent work, retries, time
 * limits, priorities) never enters.
 */
import { byCodeUnit, sha256 } from "../hash/index.ts";
import { bytesOfText, defined, type TaskPath } from "../kernel/index.ts";
import { type CanonicalJson, type OutputRule, type TaskCall, taskRoot } from "../task/index.ts";

export const componentNames = [
  "task",
  "command",
  "shell",
  "inputs",
  "env",
  "container",
  "outputs",
  "exit",
  "resources",
  "engine",
] as const;
export type ComponentName = (typeof componentNames)[number];

/** The components of one key, by name. Plain JSON: they are kept in the manifest so that a miss can be explained. */
export type Components = Readonly<Record<ComponentName, CanonicalJson>>;

/** What surrounds the command. */
export type ContainerFact =
  /** Equal across registries, repositories and pushes; never an index digest, never the name alone. */
  | {
      readonly kind: "image";
      readonly platform: string;
      readonly configDigest: string;
      /** The command runs behind the image's entry point. The digest determines what that is. */
      readonly entrypoint?: "kept";
    }
  /** No container: the identity of the host's environment, as its executor reports it. */
  | {
      readonly kind: "environment";
      readonly identity: string;
      /** Content of the program that the call names, or `absent`. */
      readonly program?: string;
    };

/** What a call does not know about itself and the engine had to find out. */
export interface KeyFacts {
  /** Content identity of every staged input, by its path in the task. */
  readonly inputs: ReadonlyMap<TaskPath, string>;
  readonly container: ContainerFact;
  /** `strict`: cpu, memory and gpu enter the key, as AWS HealthOmics does. Default in Memoir: `ignored`. */
  readonly resources: "ignored" | "strict";
}

export function componentsOf(call: TaskCall, facts: KeyFacts): Components {
  return {
    // The name: two tasks with equal commands may be meant to be different, and results are found by task name.
    // The family, not the language: a WDL task and a CWL tool with equal components run the same thing.
    task: {
      name: call.name,
      family: call.family ?? "command",
      ...defined({ extra: call.extraKey }),
    },
    // The rendered text, not its template: renames, reformatting and unused inputs do not matter, and whatever the
    // expressions read (resources too, where a command prints them) is in it.
    command: call.command,
    // `bash -e` and `sh` do different things with the same text.
    shell: call.shell,
    // Content, and the place in the task: tools read names and siblings.
    inputs: inputsOf(call, facts),
    env: envOf(call),
    container: containerOf(call, facts),
    // An entry holds exactly the declared outputs; declaring another one needs a new computation.
    outputs: outputsOf(call.outputRules),
    // A result that ended with code 1 is only a result where 1 is accepted.
    exit:
      call.acceptedExit.kind === "any" ? "any" : [...new Set(call.acceptedExit.codes)].sort((a, b) => a - b),
    resources: resourcesOf(call, facts),
    engine: engineOf(call),
  };
}

/**
 * Bytes and place decide; whether the bytes were staged or written by an expression does not. A writable input differs,
 * because the task may change it.
 */
function inputsOf(call: TaskCall, facts: KeyFacts): CanonicalJson {
  const inputs: [string, CanonicalJson][] = [];
  for (const input of call.inputs) {
    const identity = facts.inputs.get(input.path);
    if (identity === undefined) throw new Error(`invariant broken: no identity for input ${input.path}`);
    inputs.push([belowRoot(input.path), input.writable ? { identity, writable: true } : identity]);
  }
  // The name that the command uses; the content is that of the input.
  for (const { path, to } of call.linkedInputs ?? []) {
    if (!facts.inputs.has(to))
      throw new Error(`invariant broken: ${path} links to ${to}, which is not an input`);
    inputs.push([belowRoot(path), { link: belowRoot(to) }]);
  }
  for (const file of call.literalFiles)
    inputs.push([
      belowRoot(file.path),
      file.isScript === true && file.content.length <= longestScript
        ? { script: file.content }
        : `sha256:${sha256(bytesOfText(file.content))}`,
    ]);
  return Object.fromEntries(inputs.sort(([a], [b]) => byCodeUnit(a, b)));
}

/** Longer scripts are known by their digest: keys are kept with every entry. */
const longestScript = 64 << 10;

function belowRoot(path: string): string {
  return path.startsWith(`${taskRoot}/`) ? path.slice(taskRoot.length + 1) : path;
}

function containerOf(call: TaskCall, { container }: KeyFacts): CanonicalJson {
  // With network a command may find what it would not find without.
  const network: { network?: true } = call.network ? { network: true } : {};
  if (container.kind === "environment") {
    const { identity, program } = container;
    return { environment: identity, ...defined({ program }), ...network };
  }
  const { platform, configDigest, entrypoint } = container;
  return {
    platform,
    configDigest,
    // A conda image runs another command before and around the task's own.
    ...defined({ entrypoint }),
    // The same directory by another name, which the command or the program itself may use.
    ...defined({ workDir: call.workDir }),
    ...network,
  };
}

function outputsOf(rules: readonly OutputRule[]): CanonicalJson {
  const named = rules.map((rule): [string, CanonicalJson] => [
    rule.name,
    { type: rule.type, from: { ...rule.from } as CanonicalJson },
  ]);
  return Object.fromEntries(named.sort(([a], [b]) => byCodeUnit(a, b)));
}

function resourcesOf(call: TaskCall, facts: KeyFacts): CanonicalJson {
  if (facts.resources === "ignored") return "ignored";
  const { cpu, memoryBytes, gpu } = call.resources;
  return { cpu, memoryBytes, gpu };
}

/**
 * A front end's version matters only where its language is evaluated after the command has ended: in output
 * expressions. Outputs named by path, glob or stream mean the same in every version. A separate family wraps the command
 * in run-time text, so its version always matters.
 */
function engineOf(call: TaskCall): CanonicalJson {
  const version = `${call.language} ${call.frontEndVersion}`;
  if (call.family !== undefined) return version;
  return call.outputRules.some((rule) => rule.from.kind === "expression") ? version : "any";
}

/** Of passed variables a digest, of secrets the names: a manifest is not a place for a token. */
function envOf(call: TaskCall): CanonicalJson {
  const secrets = Object.keys(call.secretEnv ?? {}).sort(byCodeUnit);
  const declared = without(call.env, secrets);
  const passed = Object.entries(without(call.passedEnv ?? {}, secrets)).filter(
    ([name]) => !(name in call.env),
  );
  if (passed.length === 0 && secrets.length === 0) return sorted(declared);
  const digests = passed.map(([name, value]) => [name, `sha256:${sha256(value)}`]);
  return {
    declared: sorted(declared),
    passed: sorted(Object.fromEntries(digests)),
    ...(secrets.length > 0 && { secrets }),
  };
}

function without(
  record: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

function sorted(record: Readonly<Record<string, string>>): CanonicalJson {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => byCodeUnit(a, b)));
}
