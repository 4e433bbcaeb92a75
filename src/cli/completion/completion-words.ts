/** What a shell can complete: commands, their flags and the values of these, from the data that help and parser read. */
import type { LoadedCommand, OptionSpec } from "../command.ts";

export interface CompletedFlag {
  /** `-i`, `--input`. */
  readonly names: readonly string[];
  readonly description: string;
  /** A word follows. `choices` is empty where any word may. */
  readonly value: { readonly kind: "none" } | { readonly kind: "word"; readonly choices: readonly string[] };
}

export interface CompletedCommand {
  /** `run`, `cache prune`. */
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly CompletedFlag[];
}

/** What is needed of a row of the registry, which names this command, too. */
export interface CommandRow {
  readonly name: string;
  readonly summary: string;
  load(words: readonly string[]): Promise<{ readonly command: LoadedCommand }>;
}

/** Commands in the order of the help. Where a name means several commands (`run`), it has the flags of all. */
export function completionWords(rows: readonly CommandRow[]): Promise<readonly CompletedCommand[]> {
  return Promise.all(
    rows.map(async (row) => {
      const faces = await Promise.all([row.load([]), row.load(["workflow.wdl"])]);
      const flags = new Map<string, CompletedFlag>();
      for (const { command } of faces)
        for (const flag of flagsOf(command)) flags.set(flag.names.join(), flag);
      return { name: row.name, summary: row.summary, flags: [...flags.values()] };
    }),
  );
}

function flagsOf(command: LoadedCommand): readonly CompletedFlag[] {
  const help: OptionSpec = { flags: "-h, --help", description: "show this help" };
  return [...command.options, help]
    .filter((option) => option.legacy === undefined)
    .map((option) => ({
      names: option.flags.split(/,\s*/).map((flag) => flag.split(/[ =]/)[0] ?? flag),
      description: option.description,
      value: /[<[]/.test(option.flags) ? { kind: "word", choices: option.choices ?? [] } : { kind: "none" },
    }));
}
