/**
 * What a front end is. It understands one workflow language, drives its own control flow (scatter, when, channels) and
 * asks a host for one task call at a time. It does not know that a cache exists.
 */
import type { Ask, Diagnostic, SourceText } from "../../kernel/index.ts";
import type { Outputs, TaskFailure } from "../../task/index.ts";
import type { Holding } from "./holding.ts";
import type { Host } from "./host.ts";
import type { Outline } from "./main-document.ts";
import type { Reach } from "./reach.ts";
import type { SourceTree } from "./source-tree.ts";

/** What is known of a front end before it is loaded: an entry of the registry in `app/`. */
export interface FrontEndKind {
  /** Short name in records, keys and options: `wdl`. */
  readonly language: string;
  /** For people: `WDL`. */
  readonly name: string;
  /** Whether a file name looks like a document of this language. */
  accepts(name: string): boolean;
  /** Whether a file name shows that its folder is written in this language, document or not. Default: `accepts`. */
  suggests?(name: string): boolean;
  readonly can: FrontEndAbilities;
  create(options: FrontEndOptions): Promise<FrontEnd>;
}

export interface FrontEndAbilities {
  /** How `outputs.json` writes files: as their paths, or as objects with class, location, size and checksum. */
  readonly filesInJson: "path" | "object";
  /** Where tasks that name no image run unless the user decides: in the default image, or on the machine itself. */
  readonly tasksWithoutImage: "default-image" | "host";
  /** Documents have configuration files and profiles, which decide what they are when they are loaded. */
  readonly configuration?: true;
  /** Its workflows may be registered with the server. Bundles of other languages are recognised and refused. */
  readonly onServer?: true;
}

/** What the user chooses once for all documents; a front end that has no use for an option leaves it. */
export interface FrontEndOptions {
  readonly expressions?: ExpressionOptions;
  /** Variables that the user's own documents may read where their language has that. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the user keeps under names for tasks of the user's own documents; read when one is asked for. Default: none. */
  readonly secrets?: () => Readonly<Record<string, string>>;
  /** Reads standard input to its end, for the user's own documents. Default: they cannot. */
  readonly standardInput?: () => string;
  /** Installs what tasks of the user's own documents ask a package manager for. Default: nothing is installed. */
  readonly software?: (order: SoftwareOrder, ask: Ask) => Promise<Software>;
}

/** An environment of a package manager. */
export interface SoftwareOrder {
  readonly tool: "conda" | "mamba" | "micromamba";
  /** Packages, a file that lists them, or the folder of an environment. */
  readonly spec: string;
  readonly channels: readonly string[];
  readonly createOptions: string;
  /** Where environments are kept. Default: below Memoir's home. */
  readonly folder?: string;
}

export interface Software {
  readonly folder: string;
  /** Equal for equal packages. */
  readonly identity: string;
}

/** How expressions that are programs (JavaScript) are evaluated. */
export interface ExpressionOptions {
  /** `vm` (default) is fast, `quickjs` is for untrusted documents. */
  readonly engine?: "vm" | "quickjs";
  /** What one expression may take, in milliseconds. Default 20 000. */
  readonly timeMs?: number;
  /** What the engine may take, in mebibytes. Default 256. */
  readonly heapMiB?: number;
}

export interface FrontEnd {
  readonly language: string;
  /** Whether a file name looks like this language. */
  accepts(name: string): boolean;
  /** What a document is to others, as far as its text shows: to find the one that is to be run. */
  outline(source: SourceText): Promise<Outline>;
  load(source: SourceTree, main: string | undefined, options: LoadOptions, ask: Ask): Promise<Loaded>;
}

export interface LoadOptions {
  /** Accept what other engines accept although the specification does not. Default false. */
  readonly lenient: boolean;
  /** Which workflow or task to run, where the document leaves a choice. */
  readonly target?: string;
  /** Which files the documents may name. Default: all. */
  readonly reach?: Reach;
  /** How large the values of expressions may become. Default: as large as one command may want. */
  readonly limits?: ValueLimits;
  /** How large documents may be. The source tree counts bytes; what depends on the language is the front end's. */
  readonly documents?: DocumentLimits;
  /** For languages whose documents and configuration read parameters while they are loaded. */
  readonly parameters?: GivenParameters;
  /** Only where documents have them. */
  readonly configuration?: Configuration;
}

/** As the user gave them: what they are is known when the program is. */
export interface GivenParameters extends Pick<ParameterValues, "values" | "baseDir"> {
  /** `name=value`, which win over `values`. */
  readonly words: readonly string[];
}

export interface Configuration {
  /** Version of the engine whose language is followed, where releases differ: `24.10`, `24.10.8`. */
  readonly engineVersion?: string;
  /**
   * Versions of which the documents' own requirement takes the first that fits; the first one without a requirement.
   * Default: those of the front end, the nearest to its own.
   */
  readonly offeredVersions?: OfferedVersions;
  /** Parser of scripts, where a version has a choice. Default: that of the version. */
  readonly syntaxVersion?: "v1" | "v2";
  /** Absolute folders by the names that documents know them by: `/mnt/workflow/pubdir`. Files get there as copies. */
  readonly places?: Readonly<Record<string, string>>;
  /** Tasks that name an image run in a container, whatever the configuration switches on. Default false. */
  readonly containers?: boolean;
  /**
   * What calls may ask of a scheduler in its own words, since these are its command line; others are refused:
   * `--exclusive` (this word), `--qos=*` (with any value), `-l *` (with the word that follows). Default: everything.
   */
  readonly schedulerOptions?: readonly string[];
  /** Names of profiles, in the order in which they are applied. */
  readonly profiles?: readonly string[];
  /** Absolute paths; later ones win. */
  readonly files?: readonly string[];
  /** Only these files count, and not those next to the documents. */
  readonly only?: boolean;
  /** Settings that win over those of all files, by their paths: `process.cpus`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Tasks run the short replacements of their scripts, where they have one. Default false. */
  readonly stub?: boolean;
  /** The workflow is built, and no call is started. Default false. */
  readonly preview?: boolean;
  /** Absolute folder for published results; wins over the configuration's. */
  readonly outputDir?: string;
  /** Absolute folder where people look for the folders of calls: documents may show it. Default: one of the run. */
  readonly workDir?: string;
  /** Items of channels are shown by the operator `dump`: patterns of its tags; empty: all. Default: none is shown. */
  readonly dumped?: readonly string[];
  /** How the outputs of a workflow are shown at its end. Default: not at all. */
  readonly outputFormat?: "text" | "json" | "none";
  /** Results are those of earlier runs of the same place: tasks without outputs may be reused, too. Default false. */
  readonly resumes?: boolean;
  /** Absolute folders of classes that scripts use, in place of those of the project. */
  readonly libraries?: readonly string[];
  /** Words that follow the workflow on the command line, for scripts that read them. */
  readonly arguments?: readonly string[];
  /** What scripts may know of their run: its name, its command line. */
  readonly facts?: Readonly<Record<string, string | boolean>>;
}

export interface OfferedVersions {
  /** In the order in which they are taken. */
  readonly all: readonly string[];
  /** For a requirement that none of them meets; the documents may forbid it. */
  readonly otherwise: string;
}

/** A process that answers others as well reads no documents without bounds. */
export interface DocumentLimits {
  /** Of one document. */
  readonly documentBytes: number;
  /** Of one document in YAML, which takes several times as long to read as JSON; in UTF-16 units. */
  readonly yamlCharacters: number;
  /** Of everything that is read, together. */
  readonly bytes: number;
}

/** A process that answers others as well computes with smaller values: one expression is one piece of work. */
export interface ValueLimits {
  /** Of one array. */
  readonly items: number;
  /** Of one value and everything in it. */
  readonly itemsInAll: number;
  /** Of one text. */
  readonly characters: number;
  /** Of one file that an expression reads. */
  readonly readBytes: number;
  /** Of all values that a run's workflows keep. */
  readonly runItems: number;
}

/** `program` is absent when a diagnostic is an error, and when there is nothing wrong but `unclear`. */
export interface Loaded {
  readonly diagnostics: readonly Diagnostic[];
  readonly program?: Program;
  /** What Memoir does otherwise than the engine that the document was written for: notes, for `memoir check`. */
  readonly differences?: () => readonly Diagnostic[];
  /** The document leaves open what to run: one of `diagnostics`, which says so. */
  readonly unclear?: Diagnostic;
}

/** A parameter as a person needs it for a template. */
export interface Parameter {
  /** Fully qualified: `wf.sample`, `wf.align.threads`. */
  readonly name: string;
  /** In the language's own syntax, for people: `Array[File]+?`. */
  readonly type: string;
  /** Default: anything, files included. */
  readonly holds?: Holding;
  /** What the names in the type stand for: `{ Sample: "{String name, File reads}" }`. */
  readonly names?: Readonly<Record<string, string>>;
  readonly required: boolean;
  /** Source text of the default expression. */
  readonly defaultText?: string;
  readonly description?: string;
}

export interface WorkflowInterface {
  readonly kind: "workflow" | "task" | "tool";
  readonly name: string;
  readonly description?: string;
  readonly parameters: readonly Parameter[];
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly description?: string;
  }[];
  /** Parameters that may be set, and that people need not know. */
  readonly hiddenParameters?: readonly string[];
  /** Parameters that name files or folders that have to exist when a run starts. */
  readonly existingInputs?: readonly string[];
  /** Of the engine whose rules are followed, where releases differ. */
  readonly engineVersion?: string;
  readonly tasks: readonly string[];
}

/**
 * Inputs as the user gave them, as parsed JSON in which integers beyond 2^53 are bigint. `name` and `Workflow.name`
 * keys are both accepted. Relative paths inside are relative to `baseDir`.
 */
export interface ParameterValues {
  readonly values: Readonly<Record<string, unknown>>;
  /** Absolute host folder. */
  readonly baseDir: string;
  /** Absolute host folder in which relative paths are looked up that are not below `baseDir`, with a warning. */
  readonly fallbackDir?: string;
  /** About the text: names that are given twice. */
  readonly warnings?: readonly Diagnostic[];
  /** The text and where it came from, for positions in diagnostics. */
  readonly source?: SourceText;
}

export interface Program {
  readonly interface: WorkflowInterface;
  /** Everything wrong with the inputs, before anything runs. */
  checkInputs(inputs: ParameterValues, ask: Ask): Promise<readonly Diagnostic[]>;
  run(inputs: ParameterValues, host: Host, ask: Ask): Promise<ProgramResult>;
}

export type ProgramResult =
  /** Keys as the language writes them in its outputs file (`wf.out`). */
  | {
      readonly kind: "succeeded";
      readonly outputs: Outputs;
      /** The program has brought its files to where a person looks for them: they are listed there, and not delivered. */
      readonly published?: boolean;
    }
  | { readonly kind: "failed"; readonly failures: readonly RunFailure[]; readonly outputs: Outputs }
  | { readonly kind: "cancelled"; readonly outputs: Outputs };

export type RunFailure =
  | { readonly kind: "task"; readonly path: string; readonly failure: TaskFailure }
  /** An expression of the document failed at run time (index out of range, read_json of no JSON …). */
  | {
      readonly kind: "evaluation";
      readonly diagnostic: Diagnostic;
      /** The document ended the run itself, with this code; the message may be empty. */
      readonly exit?: { readonly code: number; readonly message: string };
    };
