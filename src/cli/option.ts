/** Flags as data, and what the user gave. */

export interface OptionSpec {
  /** As commander reads them: `-i, --input <file>`; without `<…>` it is a switch. */
  readonly flags: string;
  /** One sentence without a full stop, with units. Choices and the default are added by `describeOption`. */
  readonly description: string;
  readonly kind?: "text" | "count" | "number";
  /** What applies without the flag; written once, behind the description. */
  readonly default?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** Long names (without dashes) that must not be given together with this one. */
  readonly conflicts?: readonly string[];
  /** Other spellings, replaced before parsing: `-rs`. */
  readonly aliases?: readonly string[];
  /** Accepted for scripts that are written for Ersilia, or for the program named; left out of the help's main table. */
  readonly legacy?: true | "cwltool";
  /** The flag is not supported: what to use instead. */
  readonly refused?: string;
}

/** What the user gave, by the long name of the flag (without dashes) and by the position of the argument. */
export interface Given {
  text(name: string): string | undefined;
  count(name: string): number | undefined;
  /** Of a flag that may be given several times. */
  texts(name: string): readonly string[];
  is(name: string): boolean;
  argument(index: number): string | undefined;
  /** Names of the command's own flags that were given after the first argument. */
  flagsAfterArgument(): readonly string[];
  /** Arguments from this position on. */
  argumentsFrom(index: number): readonly string[];
  /** Options of Nextflow's command line, where the words name a pipeline. */
  readonly pipeline?: PipelineWords;
}

export interface PipelineWords {
  /** Values by the long names of the options, in order. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** `--name value` */
  readonly params: readonly (readonly [string, string])[];
  /** `-process.cpus 2` and the like, by path. */
  readonly settings: readonly (readonly [string, string])[];
  /** Flags of the command that were given, with their dashes. */
  readonly ownFlags: readonly string[];
}

/** Words of two command lines: those for the command's own flags and arguments, and what the others say. */
export interface Separated {
  readonly own: readonly string[];
  readonly pipeline: PipelineWords;
}
