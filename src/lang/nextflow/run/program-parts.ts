/** What a loaded pipeline and its user give to a run. */
import type { SourceText } from "../../../kernel/index.ts";
import type { FrontEndOptions, Reach, WorkflowInterface } from "../../core/index.ts";
import type { LoadedScript, LoadedScripts } from "../check/load.ts";
import type { TimeLimit } from "../eval/time-limit.ts";
import type { Outside } from "../stdlib/outside.ts";
import type { Language } from "../versions.ts";

/** What the user chooses in addition to the parameters, as options of the command `nextflow run`. */
export interface NextflowOptions {
  /** Version of Nextflow whose rules are followed, whatever else chooses one. */
  readonly engineVersion?: string;
  readonly profiles?: readonly string[];
  /** Runs the `stub` of processes that have one. */
  readonly stub?: boolean;
  /** The workflow is built, and no task is started. */
  readonly preview?: boolean;
  /** Settings that win over those of all files, by their paths: `process.cpus`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Tasks without outputs may be reused, too. */
  readonly resumes?: boolean;
  /** `args` of scripts. */
  readonly arguments?: readonly string[];
  /** Members of `workflow`: the name of the run, its command line. */
  readonly facts?: Readonly<Record<string, string | boolean>>;
  /** Further configuration files. Absolute. */
  readonly configs?: readonly string[];
  /** Variables that scripts and configuration may read. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What the user keeps for tasks that name it; read when a task does. Default: none. */
  readonly secrets?: () => Readonly<Record<string, string>>;
  /** `stdin` of scripts: all that standard input has. Default: none. */
  readonly standardInput?: () => string;
  /** Makes environments of conda. Default: none. */
  readonly software?: FrontEndOptions["software"];
  /** Named workflow to run instead of the entry. */
  readonly entry?: string;
  /** Where workflow outputs are brought. Default: that of the configuration, or `results` in the launch folder. */
  readonly outputDir?: string;
  /** What `workflow.workDir` is. Default: a folder of the run. */
  readonly workDir?: string;
  /** Folders by the names that scripts know. */
  readonly places?: Readonly<Record<string, string>>;
  /** Tasks that name an image run in a container, whatever the configuration switches on. */
  readonly containers?: boolean;
  /** What tasks may ask of a scheduler. Default: everything. */
  readonly schedulerOptions?: readonly string[];
  /** Patterns of tags that the operator `dump` shows; empty: all. Default: it shows nothing. */
  readonly dumped?: readonly string[];
  /** How workflow outputs are shown at the end. Default: not at all. */
  readonly outputFormat?: "text" | "json" | "none";
  /** What scripts print. Default: notes of the run. */
  readonly print?: (text: string) => void;
  readonly log?: Outside["log"];
  /** How long script code may take without a pause, in milliseconds. Default 60 000. */
  readonly limitMs?: number;
}

export interface ProgramParts {
  readonly language: Language;
  readonly limit: TimeLimit;
  readonly loaded: LoadedScripts;
  readonly main: LoadedScript;
  readonly interface: WorkflowInterface;
  readonly options: NextflowOptions;
  readonly hostPathOf: (uri: string) => string | undefined;
  /** Configuration files that are read before the user's. */
  readonly configs: readonly string[];
  /** The documents are other people's: scripts read only their own files, the run's, and the inputs. */
  readonly reach: Reach | undefined;
  readonly readConfig: (path: string) => SourceText | undefined;
}
