/** What `nextflow run` is given, and what it says. */
import type { TaskEvent } from "./task-tracker.ts";

export interface NextflowConfigurationOptions {
  readonly profiles: readonly string[];
  /** `-c`: added to the files of the project and the launch folder. */
  readonly configs: readonly string[];
  /** `-C`: in place of all other files. */
  readonly onlyConfigs: readonly string[];
  readonly paramsFile?: string;
  /** `--name value`, as words. */
  readonly params: readonly (readonly [string, string])[];
}

export interface NextflowProjectOptions {
  /** A script, a folder, a git address or `owner/name`. */
  readonly project: string;
  readonly mainScript?: string;
  readonly revision?: string;
  readonly hub?: string;
  readonly latest: boolean;
  readonly offline: boolean;
}

/** A report that is asked for: its file, or `true` for the usual name. */
export type ReportOption = string | true;

export interface NextflowRunOptions extends NextflowConfigurationOptions, NextflowProjectOptions {
  readonly entry?: string;
  /** `-lib`: folders of classes, in place of the project's `lib`. */
  readonly libraries?: readonly string[];
  readonly runName?: string;
  /** `last`, or the session to continue. */
  readonly resume?: string;
  readonly stub: boolean;
  readonly preview: boolean;
  readonly workDir?: string;
  readonly outputDir?: string;
  /** How workflow outputs are shown at the end. Default: `text`. */
  readonly outputFormat?: "text" | "json" | "none";
  /** `-process.cpus 2` and the like, by path. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly trace?: ReportOption;
  readonly report?: ReportOption;
  readonly timeline?: ReportOption;
  readonly dag?: ReportOption;
  /** Patterns of tags of channels that are shown; empty: all. Default: none is. */
  readonly dumped?: readonly string[];
  /** What the keys of tasks consist of goes to the log: one line a part, or as JSON. */
  readonly dumpHashes?: "lines" | "json";
  /** Words after the script. */
  readonly arguments: readonly string[];
  readonly commandLine: string;
  /** Default: `.nextflow.log` in the launch folder. */
  readonly logFile?: string;
  /** A cache that is shared between runs. Default: one of the session. */
  readonly cache?: string;
  /** The end of the run is posted to this URL. */
  readonly notify?: string;
  /** Neither reuse nor record anything. */
  readonly cacheOff: boolean;
}

export type NextflowEvent =
  | {
      readonly kind: "launched";
      readonly version: string;
      readonly script: string;
      readonly runName: string;
      readonly revision: string;
      readonly profile: string;
      readonly workDir: string;
    }
  /** What a script prints, word for word. */
  | { readonly kind: "print"; readonly text: string }
  | { readonly kind: "message"; readonly level: "info" | "warn" | "error"; readonly text: string }
  | { readonly kind: "process"; readonly name: string }
  | TaskEvent;

export interface NextflowRunResult {
  readonly state: "succeeded" | "failed" | "cancelled";
  /** Where the script has ended the run: its code. */
  readonly exitCode?: number;
  readonly run: string;
  readonly runName: string;
  readonly session: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly counts: {
    readonly succeeded: number;
    readonly cached: number;
    readonly failed: number;
  };
  /** Reports that were written. */
  readonly files: readonly string[];
}
