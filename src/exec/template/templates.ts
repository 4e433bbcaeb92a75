/**
 * Command lines of a scheduler as templates. A template is cut into words first, and what stands for a placeholder is put
 * into its word afterwards: nothing of a task can become another word, and no shell reads it.
 */
import { AppError } from "../../kernel/index.ts";

export interface SchedulerTemplates {
  /** The job's script is on standard input, unless {script} names its file. */
  readonly submit: readonly TemplatePart[];
  /** Lists the user's jobs. */
  readonly status: readonly TemplatePart[];
  readonly cancel: readonly TemplatePart[];
  /** Finds the id in what `submit` answers: the first group. */
  readonly jobId: RegExp;
  /** Finds `id` and `state` in a line of `status`. */
  readonly row: RegExp;
  /** What states mean; one that is not listed counts as active: ask again. */
  readonly states: ReadonlyMap<string, JobPhase>;
}

export type JobPhase = "active" | "ended" | "lost";

/** Words that belong together: left out together where a value is missing. */
export type TemplatePart =
  | { readonly kind: "word"; readonly word: string }
  | { readonly kind: "optional"; readonly words: readonly string[] };

export type Values = Readonly<Record<string, string | undefined>>;

const placeholders = {
  submit: [
    "script",
    "cpus",
    "memory_mb",
    "memory_mb_per_cpu",
    "gpus",
    "minutes",
    "walltime",
    "name",
    "out",
    "err",
  ],
  status: [],
  cancel: ["id"],
} as const;

/**
 * Words in quotes as in a shell. Words between `[` and `]`, and parts of a word in brackets, are left out where one of their
 * values is missing.
 */
export function parseTemplate(text: string, which: keyof typeof placeholders): readonly TemplatePart[] {
  const parts: TemplatePart[] = [];
  let group: string[] | undefined;
  for (const { word, isPlain } of wordsOf(text, which)) {
    if (isPlain && word === "[") {
      if (group !== undefined) throw wrong(which, text, "[ is inside another [");
      group = [];
    } else if (isPlain && word === "]") {
      if (group === undefined) throw wrong(which, text, "] has no [ before it");
      parts.push({ kind: "optional", words: group });
      group = undefined;
    } else if (group === undefined) parts.push({ kind: "word", word });
    else group.push(word);
  }
  if (group !== undefined) throw wrong(which, text, "[ is not closed by a ]");
  const [first] = parts;
  if (first?.kind !== "word") throw wrong(which, text, "it does not begin with a program");
  const known: readonly string[] = placeholders[which];
  for (const [, name = ""] of text.matchAll(/\{([^{}]*)\}/g))
    if (!known.includes(name))
      throw wrong(
        which,
        text,
        `{${name}} is not known; there are ${known.map((each) => `{${each}}`).join(", ") || "none"}`,
      );
  return parts;
}

function wordsOf(
  text: string,
  which: string,
): readonly { readonly word: string; readonly isPlain: boolean }[] {
  const words: { word: string; isPlain: boolean }[] = [];
  let current: { word: string; isPlain: boolean } | undefined;
  let quote = "";
  for (const sign of text) {
    if (quote !== "") {
      if (sign === quote) quote = "";
      else if (current !== undefined) current.word += sign;
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      current ??= { word: "", isPlain: false };
      current.isPlain = false;
    } else if (/\s/.test(sign)) {
      if (current !== undefined) words.push(current);
      current = undefined;
    } else {
      current ??= { word: "", isPlain: true };
      current.word += sign;
    }
  }
  if (quote !== "") throw wrong(which, text, `a ${quote} is not closed`);
  if (current !== undefined) words.push(current);
  return words;
}

/** The words of a command line; values are put into words and never cut. */
export function fill(parts: readonly TemplatePart[], values: Values): readonly string[] {
  return parts.flatMap((part) => {
    if (part.kind === "word") return [withValues(part.word, values) ?? ""];
    const words = part.words.map((word) => withValues(word, values));
    return words.some((word) => word === undefined) ? [] : words.map((word) => word ?? "");
  });
}

const optionalPart = /\[([^[\]]*\{[a-z_]+\}[^[\]]*)\]/g;

/** undefined = a value is missing; parts of a word in brackets are left out then, as `[,mem={memory_mb}mb]`. */
function withValues(word: string, values: Values): string | undefined {
  const whole = word.replaceAll(optionalPart, (_, part: string) => (isComplete(part, values) ? part : ""));
  if (!isComplete(whole, values)) return undefined;
  return whole.replaceAll(placeholder, (_, name: string) => values[name] ?? "");
}

const placeholder = /\{([a-z_]+)\}/g;

function isComplete(text: string, values: Values): boolean {
  return [...text.matchAll(placeholder)].every(([, name = ""]) => values[name] !== undefined);
}

/** @throws CLI_USAGE */
export function parsePattern(text: string, option: string, groups: readonly string[]): RegExp {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, "u");
  } catch (error) {
    throw new AppError("CLI_USAGE", `choosing the executor: --${option}: it is not a regular expression`, {
      cause: error,
    });
  }
  for (const group of groups)
    if (!text.includes(`(?<${group}>`))
      throw new AppError(
        "CLI_USAGE",
        `choosing the executor: --${option}: expected a group (?<${group}>...)`,
      );
  return pattern;
}

/** `active=Q,R ended=C lost=X`. @throws CLI_USAGE */
export function parseStates(text: string): ReadonlyMap<string, JobPhase> {
  const states = new Map<string, JobPhase>();
  for (const part of text.trim().split(/\s+/)) {
    const [, phase, names] = /^(active|ended|lost)=([^=]+)$/.exec(part) ?? [];
    if (names === undefined)
      throw new AppError(
        "CLI_USAGE",
        `choosing the executor: --job-states: expected such as "active=Q,R ended=C lost=X", got ${JSON.stringify(part)}`,
      );
    for (const name of names.split(",")) states.set(name, phase as JobPhase);
  }
  return states;
}

function wrong(which: string, text: string, why: string): AppError {
  return new AppError(
    "CLI_USAGE",
    `choosing the executor: --${which}-command ${JSON.stringify(text)}: ${why}`,
  );
}
