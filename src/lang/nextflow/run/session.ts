/** A run: everything that its scripts share. */
import type { Ask } from "../../../kernel/index.ts";
import type { FrontEndOptions, Host } from "../../core/index.ts";
import { Channel } from "../channels/channel.ts";
import { Network } from "../channels/network.ts";
import { operators } from "../channels/operators/registry.ts";
import type { ProcessSettings } from "../config/process-settings.ts";
import type { TimeLimit } from "../eval/time-limit.ts";
import type { Outside } from "../stdlib/outside.ts";
import { executorKind } from "../task/executor-names.ts";
import { truthOf } from "../values/compare.ts";
import { GroovyMap } from "../values/map.ts";
import { Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { ExitRequest, fail, ScriptFailure } from "../values/throwable.ts";
import type { Language, Rules } from "../versions.ts";
import { Conda } from "./conda.ts";
import { Containers } from "./containers.ts";
import type { ExecReads } from "./exec-reads.ts";
import { FailedTask } from "./failed-task.ts";
import { Log } from "./log.ts";
import { NextflowMetadata, type WorkflowMetadata } from "./metadata.ts";
import { Params } from "./params.ts";
import { PrintStream } from "./print-stream.ts";
import { PublishedResults } from "./published-results.ts";
import { RunStats } from "./run-stats.ts";
import type { Secrets } from "./secrets.ts";
import type { UserClass } from "./user-class.ts";

export interface SessionOptions {
  readonly language: Language;
  readonly host: Host;
  readonly ask: Ask;
  readonly limit: TimeLimit;
  readonly outside: Outside;
  readonly workflow: WorkflowMetadata;
  readonly settings: ProcessSettings;
  /** The whole configuration. */
  readonly config: GroovyMap;
  /** Absolute folder of the main script. */
  readonly projectDir: string;
  readonly workDir: string;
  readonly outputDir: string;
  /** Runs the `stub` of processes that have one. */
  readonly stub: boolean;
  /** `args` of scripts: what follows the script on the command line. Default: nothing. */
  readonly arguments?: readonly string[];
  /** Tasks without outputs may be reused, too. Default false. */
  readonly resumes?: boolean;
  /** Patterns of tags that the operator `dump` shows; empty: all. Default: none. */
  readonly dumped?: readonly string[];
  /** Names of parameters that the command line or a file of parameters has, and those that the configuration has. */
  readonly given: ReadonlySet<string>;
  readonly configured: ReadonlySet<string>;
  readonly secrets: Secrets;
  readonly standardInput?: () => string;
  readonly software?: FrontEndOptions["software"];
  /** The pipeline is other people's. */
  readonly bounded: boolean;
  /** Tasks that name an image run in a container, whatever the configuration switches on. */
  readonly alwaysContained: boolean;
  /** What tasks may ask of a scheduler. Default: everything. */
  readonly schedulerOptions?: readonly string[];
}

export class Session {
  readonly host: Host;
  readonly ask: Ask;
  readonly limit: TimeLimit;
  readonly outside: Outside;
  readonly network: Network;
  readonly params = new Params();
  readonly workflow: WorkflowMetadata;
  readonly nextflow: NextflowMetadata;
  readonly rules: Rules;
  readonly log: Log;
  readonly secrets: Secrets;
  readonly containers: Containers;
  readonly conda: Conda;
  readonly settings: ProcessSettings;
  readonly config: GroovyMap;
  readonly projectDir: string;
  readonly workDir: string;
  readonly outputDir: string;
  readonly published = new PublishedResults();
  readonly stub: boolean;
  readonly arguments: readonly string[];
  readonly resumes: boolean;
  readonly given: ReadonlySet<string>;
  readonly configured: ReadonlySet<string>;
  /** Channels that workflows send to a target of the preview of workflow outputs; undefined: not published. */
  readonly targets = new Map<Value, string | undefined>();
  readonly stats = new RunStats();
  /** Of the code of `exec:` that runs now. */
  reads: ExecReads | undefined;
  readonly #readInput: (() => string) | undefined;
  readonly schedulerOptions: readonly string[] | undefined;
  readonly #topics = new Map<string, Channel>();
  readonly #library = new Map<string, UserClass>();

  constructor(options: SessionOptions) {
    this.nextflow = new NextflowMetadata(options.language.version);
    this.rules = options.language.rules;
    this.host = options.host;
    this.ask = options.ask;
    this.limit = options.limit;
    this.outside = options.outside;
    this.workflow = options.workflow;
    this.settings = options.settings;
    this.config = options.config;
    this.projectDir = options.projectDir;
    this.workDir = options.workDir;
    this.outputDir = options.outputDir;
    this.stub = options.stub;
    this.arguments = options.arguments ?? [];
    this.secrets = options.secrets;
    this.resumes = options.resumes ?? false;
    this.#readInput = options.standardInput;
    this.given = options.given;
    this.schedulerOptions = options.schedulerOptions;
    this.configured = options.configured;
    this.containers = new Containers({
      config: options.config,
      outside: options.outside,
      bounded: options.bounded,
      always: options.alwaysContained,
      warn: (message) => this.warnOnce(message),
    });
    this.conda = new Conda(options.config, options.software, options.ask);
    this.workflow.put("nextflow", this.nextflow);
    this.log = new Log(options.outside);
    this.network = new Network(options.outside, operators, options.limit);
    this.network.onFailure = (error) => {
      this.host.stop(error instanceof FailedTask ? error.others : "terminate");
    };
    this.network.strict = this.#strict();
    this.network.dumped = options.dumped;
    this.network.topic = (name) => this.#readTopic(name);
    this.network.whenQuiet(() => this.#closeTopics());
  }

  /** Whether a file that cannot be published fails the run, unless the process says otherwise. */
  get failsOnPublish(): boolean {
    const { publishFailOnError, publishVariable } = this.rules;
    const chosen = publishVariable ? this.outside.env("NXF_PUBLISH_FAIL_ON_ERROR") : undefined;
    return chosen === undefined || chosen === "" ? publishFailOnError : /^true$/i.test(chosen);
  }

  /** `nextflow.enable.strict` in the configuration. */
  #strict(): boolean {
    const scope = this.config.at("nextflow");
    const enable = scope instanceof GroovyMap ? scope.at("enable") : undefined;
    return enable instanceof GroovyMap && truthOf(enable.at("strict") ?? false);
  }

  readonly #warned = new Set<string>();

  warnOnce(message: string): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.outside.log("warn", message);
  }

  /** `channel.topic(…)` of a script. */
  #readTopic(name: string): Channel {
    const { topics } = this.rules;
    const preview = this.nextflow.switches.at("preview");
    const on = preview instanceof GroovyMap && truthOf(preview.at("topic") ?? false);
    if (topics === "none")
      fail("MissingMethodException", "`channel.topic` does not exist before Nextflow 24.04");
    if (topics === "preview" && !on)
      fail(
        "IllegalStateException",
        "Channel.topic() requires the `nextflow.preview.topic` feature flag in this version of Nextflow",
      );
    return this.topic(name);
  }

  topic(name: string): Channel {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const channel = new Channel(this.network, "queue");
    this.#topics.set(name, channel);
    return channel;
  }

  /** Nothing is left that could send, so topics end; what follows from them may still run. */
  #topicsClosed = false;
  #closeTopics(): boolean {
    if (this.#topicsClosed) return false;
    this.#topicsClosed = true;
    for (const topic of this.#topics.values()) topic.close();
    return this.#topics.size > 0;
  }

  addLibraryClass(name: string, value: UserClass): void {
    this.#library.set(name, value);
  }

  libraryClass(name: string): UserClass | undefined {
    return this.#library.get(name);
  }

  /** An empty folder where people look for results; where the run may not write, files come with their own folders. */
  makeFolder(folder: string): void {
    try {
      this.outside.files.makeFolders(folder);
    } catch (error) {
      if (!(error instanceof ScriptFailure)) throw error;
      this.outside.log("debug", error.message);
    }
  }

  #input: string | undefined;

  /** `stdin` of scripts, which can be read only once; undefined: there is none. */
  standardInput(): string | undefined {
    this.#input ??= this.#readInput?.();
    return this.#input;
  }

  /** What runs tasks whose process names no executor. */
  get standardExecutor(): string {
    const scope = this.config.at("executor") ?? null;
    const named = scope instanceof GroovyMap ? (scope.at("name") ?? null) : scope;
    if (typeof named === "string" && named !== "") return named;
    return this.outside.env("NXF_EXECUTOR") || "local";
  }

  /** Kind of executor; undefined: the run's own. */
  executorOf(name: Value): string | undefined {
    return this.host.opensExecutors === true ? executorKind(textOf(name)) : undefined;
  }

  /** `System.getenv(…)` and the like. */
  system(method: string, given: readonly Value[]): Value | undefined {
    const [first] = given;
    switch (method) {
      case "getenv":
        return first === undefined
          ? GroovyMap.of(this.outside.environment)
          : (this.outside.env(textOf(first)) ?? null);
      case "currentTimeMillis":
        return BigInt(this.outside.nowMs());
      case "nanoTime":
        return BigInt(this.outside.nowMs()) * 1_000_000n;
      case "getProperty":
        return null;
      case ".properties":
      case "getProperties":
        return GroovyMap.of({
          "os.name": "Linux",
          "user.dir": this.outside.files.launchDir,
          "file.separator": "/",
        });
      case "lineSeparator":
        return "\n";
      case "exit":
        throw new ExitRequest(Number(first ?? 0), "");
      case ".out":
        return new PrintStream(this.outside.print);
      case ".err":
        return new PrintStream((text) => this.outside.log("warn", text.replace(/\n$/, "")));
      default:
        return undefined;
    }
  }

  /** `Files.exists(…)`, `Paths.get(…)` and the like. */
  fileClass(method: string, given: readonly Value[]): Value | undefined {
    const [first = null] = given;
    if (method === "get" || method === "of") return new Path(given.map(textOf).join("/"), this.outside.files);
    if (!(first instanceof Path)) return undefined;
    const found = first.files.stat(first.absolute);
    switch (method) {
      case "exists":
        return found !== undefined;
      case "isDirectory":
        return found?.kind === "directory";
      case "isRegularFile":
        return found?.kind === "file";
      case "size":
        return BigInt(found?.sizeBytes ?? 0);
      case "createDirectories":
        first.files.makeFolders(first.absolute);
        return first;
      default:
        return undefined;
    }
  }
}
