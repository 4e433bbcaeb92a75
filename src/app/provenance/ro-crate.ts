/**
 * A run as a Workflow Run RO-Crate, profile Provenance Run Crate 0.5: the metadata as JSON-LD, and which files are part of
 * the crate. Pure: nothing is read or written here.
 * https://www.researchobject.org/workflow-run-crate/profiles/0.5/provenance_run_crate/
 */
import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import { defined } from "../../kernel/index.ts";
import type { CallFacts } from "./run-facts.ts";
import { type RunGraphFacts, sha256Of } from "./run-graph.ts";

type Entity = Readonly<Record<string, unknown>> & { readonly "@id": string };
interface Reference {
  readonly "@id": string;
}

export interface CrateFile {
  /** Absolute. */
  readonly source: string;
  /** Relative to the crate. */
  readonly target: string;
  /** What it has to be. */
  readonly sha256?: string;
}

export interface Crate {
  readonly metadata: { readonly "@context": readonly string[]; readonly "@graph": readonly Entity[] };
  readonly files: readonly CrateFile[];
}

export interface CrateOptions {
  /** Of Memoir. */
  readonly version: string;
  readonly license?: string;
  /** What is copied into the crate; other files are referred to where they are. */
  readonly files: "outputs" | "none";
  /** Whether the document of the workflow is a file that can be copied. */
  readonly hasSource: boolean;
  /** ISO 8601. */
  readonly exportedAt: string;
}

const contexts = ["https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/terms/workflow-run/context"];
const profiles = [
  ["https://w3id.org/ro/wfrun/process/0.5", "Process Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/workflow/0.5", "Workflow Run Crate", "0.5"],
  ["https://w3id.org/ro/wfrun/provenance/0.5", "Provenance Run Crate", "0.5"],
  ["https://w3id.org/workflowhub/workflow-ro-crate/1.0", "Workflow RO-Crate", "1.0"],
] as const;
const crateSpecification = "https://w3id.org/ro/crate/1.1";
const parameterProfile = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE";
const languages: Readonly<Record<string, readonly [name: string, url: string]>> = {
  wdl: ["Workflow Description Language", "https://openwdl.org"],
  cwl: ["Common Workflow Language", "https://w3id.org/cwl/"],
  nextflow: ["Nextflow", "https://www.nextflow.io"],
};
export const noLicense = "No licence was stated for this run: ask whoever made it.";

export function crateOf(graph: RunGraphFacts, options: CrateOptions): Crate {
  return new CrateBuilder(graph, options).build();
}

class CrateBuilder {
  readonly #graph: RunGraphFacts;
  readonly #options: CrateOptions;
  readonly #entities = new Map<string, Record<string, unknown> & { "@id": string }>();
  readonly #files: CrateFile[] = [];
  /** Data entities: parts of the root. */
  readonly #parts: Reference[] = [];
  /** Of a place or a result, the entity that describes it. */
  readonly #byLocation = new Map<string, string>();
  readonly #targets = new Set<string>();

  constructor(graph: RunGraphFacts, options: CrateOptions) {
    this.#graph = graph;
    this.#options = options;
  }

  build(): Crate {
    const { run, calls } = this.#graph;
    this.#addDelivered();
    const ended = calls.filter(({ state }) => !["waiting", "running"].includes(state));
    const tasks = [...new Set(ended.map(({ task }) => task))];
    const workflow = this.#workflowId();
    const inputs = this.#parameters("input", this.#graph.inputs);
    const outputs = this.#parameters("output", this.#graph.outputs);
    const [language, url] = languages[run.language] ?? [run.language, undefined];
    const languageId = `#language-${run.language}`;
    this.#add({ "@id": languageId, "@type": "ComputerLanguage", name: language, ...defined({ url }) });
    for (const [position, task] of tasks.entries()) this.#addTask(task, position, ended);
    const connections = this.#connections(ended);
    this.#add({
      "@id": workflow,
      "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
      name: run.workflow,
      programmingLanguage: ref(languageId),
      input: inputs.map(({ parameter }) => parameter),
      output: outputs.map(({ parameter }) => parameter),
      hasPart: tasks.map((task) => ref(taskId(task))),
      step: tasks.map((task) => ref(stepId(task))),
      ...(connections.length === 0 ? {} : { connection: connections }),
    });
    this.#parts.push(ref(workflow));
    const action = `#run-${encodeURIComponent(run.id)}`;
    const isWell = run.state === "succeeded";
    const status = ref(`http://schema.org/${isWell ? "CompletedActionStatus" : "FailedActionStatus"}`);
    const outcome = {
      actionStatus: status,
      ...(isWell ? {} : { error: run.failures?.join("\n") ?? `the run is ${run.state}` }),
    };
    const times = { startTime: run.startedAt, ...defined({ endTime: run.endedAt }) };
    const called = ended.map((call) => this.#addCall(call));
    this.#add({
      "@id": action,
      "@type": "CreateAction",
      name: `Run ${run.id} of ${run.workflow}`,
      ...times,
      ...outcome,
      instrument: ref(workflow),
      object: unique(inputs.flatMap(({ values }) => values)),
      result: unique(outputs.flatMap(({ values }) => values)),
    });
    const engine = "#memoir";
    this.#add({
      "@id": engine,
      "@type": "SoftwareApplication",
      name: "Memoir",
      softwareVersion: this.#options.version,
    });
    const organize = `${action}-organize`;
    if (called.length > 0)
      this.#add({
        "@id": organize,
        "@type": "OrganizeAction",
        name: `Memoir ran ${run.workflow}`,
        ...times,
        ...outcome,
        instrument: ref(engine),
        object: called.map(({ control }) => ref(control)),
        result: ref(action),
      });
    const mentions = [
      ref(action),
      ...(called.length > 0 ? [ref(organize)] : []),
      ...called.map(({ call }) => ref(call)),
    ];
    return {
      metadata: { "@context": contexts, "@graph": this.#root(workflow, mentions) },
      files: this.#files,
    };
  }

  #root(workflow: string, mentions: readonly Reference[]): readonly Entity[] {
    const { run } = this.#graph;
    for (const [id, name, version] of profiles)
      this.#add({ "@id": id, "@type": "CreativeWork", name, version });
    return [
      {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        about: ref("./"),
        conformsTo: [ref(crateSpecification), ref("https://w3id.org/workflowhub/workflow-ro-crate/1.0")],
      },
      {
        "@id": "./",
        "@type": "Dataset",
        name: `Run ${run.id} of the workflow ${run.workflow}`,
        description: `What the run ${run.id} of the workflow ${run.workflow} did: its calls, their commands and images, and the files that they used and made. Exported by Memoir.`,
        datePublished: this.#options.exportedAt,
        license: this.#options.license ?? noLicense,
        conformsTo: profiles.map(([id]) => ref(id)),
        mainEntity: ref(workflow),
        hasPart: unique(this.#parts),
        mentions,
      },
      ...this.#entities.values(),
    ];
  }

  /** Final outputs are copied under the names at which people know them. */
  #addDelivered(): void {
    if (this.#options.files === "none") return;
    for (const { path, location, identity, bytes } of this.#graph.delivered) {
      if (!path.startsWith("/") || this.#byLocation.has(location)) continue;
      const isFolder = identity?.startsWith("tree:") === true;
      const target = this.#freeTarget(`outputs/${basename(path)}`);
      this.#files.push({ source: path, target, ...defined({ sha256: sha256Of(identity) }) });
      const id = this.#addData({
        id: isFolder ? `${encodePath(target)}/` : encodePath(target),
        name: basename(path),
        isFolder,
        ...defined({ identity, bytes }),
      });
      this.#byLocation.set(location, id);
      this.#byLocation.set(path, id);
    }
  }

  #freeTarget(wanted: string): string {
    let target = wanted;
    for (let n = 2; this.#targets.has(target); n++) target = wanted.replace("/", `/${n}-`);
    this.#targets.add(target);
    return target;
  }

  #workflowId(): string {
    const { source, workflow } = this.#graph.run;
    if (source !== undefined && this.#options.hasSource) {
      const target = this.#freeTarget(`workflow/${basename(source)}`);
      this.#files.push({ source, target });
      return encodePath(target);
    }
    return source === undefined ? `#workflow-${encodeURIComponent(workflow)}` : uriOf(source);
  }

  /** A file or folder, described once. */
  #dataAt(location: string, facts: { readonly identity?: string; readonly bytes?: number }): Reference {
    const known = this.#byLocation.get(location);
    if (known !== undefined) return ref(known);
    const isFolder = facts.identity?.startsWith("tree:") === true;
    const uri = uriOf(location);
    const id = this.#addData({
      id: isFolder && !uri.endsWith("/") ? `${uri}/` : uri,
      name: basename(location),
      isFolder,
      ...facts,
    });
    this.#byLocation.set(location, id);
    return ref(id);
  }

  #addData(data: {
    readonly id: string;
    readonly name: string;
    readonly isFolder: boolean;
    readonly identity?: string;
    readonly bytes?: number;
  }): string {
    const { id, name, isFolder, identity, bytes } = data;
    this.#add({
      "@id": id,
      "@type": isFolder ? "Dataset" : "File",
      name,
      ...defined({
        sha256: sha256Of(identity),
        contentSize: bytes === undefined ? undefined : String(bytes),
      }),
    });
    this.#parts.push(ref(id));
    return id;
  }

  /** Formal parameters of the workflow, with what they were given or what came out. */
  #parameters(
    way: "input" | "output",
    values: Readonly<Record<string, unknown>>,
  ): readonly { readonly parameter: Reference; readonly values: readonly Reference[] }[] {
    return Object.entries(values).map(([name, value]) => {
      const parameter = `#workflow-${way}-${encodeURIComponent(name)}`;
      const files = this.#filesIn(value);
      const examples = files.length > 0 ? files : [this.#propertyValue(parameter, name, value)];
      this.#add({
        "@id": parameter,
        "@type": "FormalParameter",
        name,
        additionalType: files.length > 0 ? "File" : typeName(value),
        conformsTo: ref(parameterProfile),
        workExample: examples,
      });
      for (const { "@id": id } of examples) this.#addReference(id, "exampleOfWork", ref(parameter));
      return { parameter: ref(parameter), values: examples };
    });
  }

  /** Files of the run among the texts in a value: what a call used or made, or was delivered. */
  #filesIn(value: unknown): readonly Reference[] {
    if (typeof value === "string") {
      const known = this.#byLocation.get(value) ?? this.#byLocation.get(value.replace(/^file:\/\//, ""));
      if (known !== undefined) return [ref(known)];
      const edge = this.#graph.edges.find(
        ({ location, from }) =>
          from === undefined &&
          location !== undefined &&
          (location === value || location.endsWith(`/${value.replace(/^\.\//, "")}`)),
      );
      if (edge?.location === undefined) return [];
      return [this.#dataAt(edge.location, defined({ identity: edge.identity }))];
    }
    if (typeof value !== "object" || value === null) return [];
    const { location, path } = value as { readonly location?: unknown; readonly path?: unknown };
    const own = [location, path].flatMap((each) =>
      this.#filesIn(typeof each === "string" ? each : undefined),
    );
    if (own.length > 0) return unique(own);
    return unique(Object.values(value).flatMap((each) => this.#filesIn(each)));
  }

  #propertyValue(parameter: string, name: string, value: unknown): Reference {
    const id = `${parameter}-value`;
    const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
    this.#add({ "@id": id, "@type": "PropertyValue", name, value: text });
    return ref(id);
  }

  #addTask(task: string, position: number, calls: readonly CallFacts[]): void {
    const own = calls.filter((call) => call.task === task);
    const inputs = [...new Set(own.flatMap(({ inputs }) => inputs.map((_, at) => at)))];
    const outputs = [
      ...new Set(own.flatMap(({ outputs }) => outputs.filter(isWhole).map(({ output }) => output))),
    ];
    const parameter = (id: string, name: string) => {
      this.#add({
        ...{ "@id": id, "@type": "FormalParameter", name, additionalType: "File" },
        conformsTo: ref(parameterProfile),
      });
      return ref(id);
    };
    this.#add({
      "@id": taskId(task),
      "@type": "SoftwareApplication",
      name: task,
      input: inputs.map((at) => parameter(inputId(task, at), `input ${at + 1}`)),
      output: outputs.map((output) => parameter(outputId(task, output), output)),
    });
    this.#add({
      "@id": stepId(task),
      "@type": "HowToStep",
      name: task,
      position: String(position),
      workExample: ref(taskId(task)),
    });
  }

  #addCall(call: CallFacts): { readonly call: string; readonly control: string } {
    const id = `#call-${encodeURIComponent(call.call)}`;
    const object = call.inputs.flatMap(({ location, identity, place }, at) => {
      const data = this.#dataAt(location ?? `memoir-input:${place}`, defined({ identity }));
      this.#addReference(data["@id"], "exampleOfWork", ref(inputId(call.task, at)));
      return [data];
    });
    const result = call.outputs.filter(isWhole).map(({ output, location, identity, bytes }) => {
      const data = this.#dataAt(location, defined({ identity, bytes }));
      this.#addReference(data["@id"], "exampleOfWork", ref(outputId(call.task, output)));
      return data;
    });
    const isWell = call.state === "computed" || call.state === "reused" || call.state === "stored";
    const outcome = {
      actionStatus: ref(`http://schema.org/${isWell ? "CompletedActionStatus" : "FailedActionStatus"}`),
      ...(isWell ? {} : { error: call.failure ?? `the call is ${call.state}` }),
    };
    const from = call.fromRun === undefined ? "" : `: its result was computed by run ${call.fromRun}`;
    const times = {
      startTime: new Date(call.startedAt ?? call.askedAt).toISOString(),
      ...defined({ endTime: call.endedAt === undefined ? undefined : new Date(call.endedAt).toISOString() }),
    };
    this.#add({
      "@id": id,
      "@type": "CreateAction",
      name: call.call,
      description: `The call was ${call.state}${from}.${call.command === undefined ? "" : `\n${call.command}`}`,
      ...times,
      ...outcome,
      instrument: ref(taskId(call.task)),
      object: unique(object),
      result: unique(result),
      ...this.#image(call),
      ...this.#usage(id, call),
    });
    const control = `${id}-control`;
    this.#add({
      "@id": control,
      "@type": "ControlAction",
      name: `Memoir called ${call.call}`,
      ...outcome,
      instrument: ref(stepId(call.task)),
      object: ref(id),
    });
    return { call: id, control };
  }

  #image({ image, imageDigest }: CallFacts): { readonly containerImage?: Reference } {
    if (image === undefined) return {};
    const id = `#image-${encodeURIComponent(image)}`;
    const [, registry, name = image, tag] =
      /^(?:([^/]*[.:][^/]*)\/)?(.*?)(?::([^:/@]+))?(?:@.*)?$/.exec(image) ?? [];
    const sha256 = /^sha256:([0-9a-f]{64})$/.exec(imageDigest ?? "")?.[1];
    this.#add({
      "@id": id,
      "@type": "ContainerImage",
      additionalType: ref("https://w3id.org/ro/terms/workflow-run#DockerImage"),
      registry: registry ?? "docker.io",
      name,
      ...defined({ tag, sha256 }),
    });
    return { containerImage: ref(id) };
  }

  #usage(id: string, { usage }: CallFacts): { readonly resourceUsage?: readonly Reference[] } {
    if (usage === undefined) return {};
    const facts = [
      ["wallSeconds", "wall time", usage.wallSeconds, "SEC"],
      ["cpuSeconds", "processor time", usage.cpuSeconds, "SEC"],
      ["maxRssBytes", "most memory used", usage.maxRssBytes, "AD"],
    ] as const;
    const used = facts.flatMap(([property, name, value, unit]) => {
      if (value === null) return [];
      const usageId = `${id}-${property}`;
      const unitCode = ref(`https://qudt.org/vocab/unit/${unit === "AD" ? "BYTE" : unit}`);
      this.#add({
        ...{ "@id": usageId, "@type": "PropertyValue", name, value: String(value), unitCode },
        propertyID: `https://w3id.org/ro/terms/memoir#${property}`,
      });
      return [ref(usageId)];
    });
    return used.length === 0 ? {} : { resourceUsage: used };
  }

  /** Which task's output feeds which task's input, each once. */
  #connections(calls: readonly CallFacts[]): readonly Reference[] {
    const byPath = new Map(calls.map((call) => [call.call, call]));
    const connections = new Map<string, Reference>();
    for (const { from, output, to, place } of this.#graph.edges) {
      const [source, target] = [byPath.get(from ?? ""), byPath.get(to)];
      if (source === undefined || target === undefined || output === undefined) continue;
      const at = target.inputs.findIndex((input) => input.place === place);
      const [sourceParameter, targetParameter] = [outputId(source.task, output), inputId(target.task, at)];
      if (at < 0 || !this.#entities.has(sourceParameter) || !this.#entities.has(targetParameter)) continue;
      const id = `#connection-${encodeURIComponent(`${source.task}.${output}-${target.task}.${at}`)}`;
      this.#add({
        ...{ "@id": id, "@type": "ParameterConnection" },
        ...{ sourceParameter: ref(sourceParameter), targetParameter: ref(targetParameter) },
      });
      connections.set(id, ref(id));
    }
    return [...connections.values()];
  }

  /** The first description of an entity stays. */
  #add(entity: Entity): void {
    if (!this.#entities.has(entity["@id"])) this.#entities.set(entity["@id"], { ...entity });
  }

  #addReference(id: string, name: string, to: Reference): void {
    const entity = this.#entities.get(id);
    if (entity === undefined) return;
    const known = (entity[name] as readonly Reference[] | undefined) ?? [];
    entity[name] = unique([...known, to]);
  }
}

function ref(id: string): Reference {
  return { "@id": id };
}

function unique(references: readonly Reference[]): readonly Reference[] {
  return [...new Map(references.map((each) => [each["@id"], each])).values()];
}

function isWhole({ isMember, isLeft }: CallFacts["outputs"][number]): boolean {
  return isMember !== true && isLeft !== true;
}

function taskId(task: string): string {
  return `#task-${encodeURIComponent(task)}`;
}

function stepId(task: string): string {
  return `#step-${encodeURIComponent(task)}`;
}

function inputId(task: string, at: number): string {
  return `${taskId(task)}-input-${at + 1}`;
}

function outputId(task: string, output: string): string {
  return `${taskId(task)}-output-${encodeURIComponent(output)}`;
}

function uriOf(location: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return encodeURI(location);
  return pathToFileURL(location).href;
}

function encodePath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

function typeName(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Float";
  if (typeof value === "boolean") return "Boolean";
  return typeof value === "object" && value !== null ? "PropertyValue" : "Text";
}
