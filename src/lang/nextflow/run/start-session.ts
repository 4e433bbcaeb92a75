/** Makes the session of a run: what scripts reach, parameters, configuration. */
import { dirname } from "node:path";
import { type Ask, defined } from "../../../kernel/index.ts";
import type { Host, ParameterValues } from "../../core/index.ts";
import { isPattern, splitGlob } from "../channels/glob.ts";
import { evaluateConfig } from "../config/evaluate.ts";
import { ProcessSettings } from "../config/process-settings.ts";
import { isBuiltIn } from "../plugins/registry.ts";
import { DateValue } from "../stdlib/date.ts";
import { fromPlain } from "../stdlib/json.ts";
import type { Outside } from "../stdlib/outside.ts";
import { GroovyMap } from "../values/map.ts";
import { cleaned, Path } from "../values/path.ts";
import { textOf } from "../values/text.ts";
import type { Value } from "../values/thing.ts";
import { fail } from "../values/throwable.ts";
import { versionMatches } from "../values/version-number.ts";
import type { Language } from "../versions.ts";
import { ConfigProblem } from "./config-problem.ts";
import { containerEngines } from "./containers.ts";
import { watchedOutside } from "./exec-reads.ts";
import { Manifest, WorkflowMetadata } from "./metadata.ts";
import { NamedPlaces } from "./named-places.ts";
import { Params } from "./params.ts";
import type { ProgramParts } from "./program-parts.ts";
import type { RemoteInputs } from "./remote-inputs.ts";
import { scriptFiles } from "./script-files.ts";
import { Secrets } from "./secrets.ts";
import { Session } from "./session.ts";

export function startSession(
  parts: ProgramParts,
  { inputs, remote }: { readonly inputs: ParameterValues; readonly remote: RemoteInputs },
  given: Host,
  ask: Ask,
): Session {
  const { options, main, language } = parts;
  const places = new NamedPlaces(options.places);
  const host = places.host(given);
  let folders = 0;
  let current: Session | undefined;
  // Parameters may be in a file elsewhere; the run was started here.
  const launchDir = inputs.fallbackDir ?? inputs.baseDir;
  const projectDir = dirname(parts.hostPathOf(main.uri) ?? `${launchDir}/main.nf`);
  const { scratch } = host.files;
  const standard = options.outputDir ?? `${launchDir}/results`;
  const environment = options.environment ?? {};
  const print = (text: string) =>
    host.emit({
      kind: "note",
      path: "",
      message: text.replace(/\n$/, ""),
      level: "print",
      ...(text.endsWith("\n") ? {} : { unfinished: true }),
    });
  const log: Outside["log"] = (level, message) => {
    if (level !== "debug") host.emit({ kind: "note", path: "", message, level });
  };
  const machine: Outside = {
    files: remote.over(
      places.files(
        scriptFiles({
          launchDir,
          writable: [launchDir, scratch, places.at(standard), ...places.folders],
          own: [scratch],
          ...(host.files.keeps !== undefined && {
            keeps: (path: string) => host.files.keeps?.(path) === true,
          }),
          ...(parts.reach !== undefined && {
            readable: [
              projectDir,
              launchDir,
              scratch,
              places.at(standard),
              ...places.folders,
              // A link among inputs leads anywhere: where these are restricted, so is what they lead to.
              ...(parts.reach.inputs === "within" ? parts.reach.folders : localPlacesIn(inputs.values)),
            ],
          }),
        }),
      ),
    ),
    env: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
    environment,
    nowMs: () => Date.now(),
    print: options.print ?? print,
    newFolder: () => {
      const folder = `${scratch}/nextflow/${++folders}`;
      machine.files.makeFolders(folder);
      return folder;
    },
    log: options.log ?? log,
  };
  const outside = watchedOutside(machine, () => current?.reads);
  for (const each of language.warnings) outside.log("warn", each);
  const params = new Params();
  params.converts = !language.rules.detectsTypes;
  params.protect(asMap(fromPlain(namedParameters(inputs.values))));
  const workDir = `${scratch}/work`;
  outside.files.makeFolders(workDir);
  const shownWorkDir = options.workDir ?? workDir;
  const configs = [...parts.configs, ...(options.configs ?? [])];
  const secrets = new Secrets(options.secrets);
  const config = evaluateConfig(configs, {
    secrets,
    profiles: options.profiles ?? [],
    rules: language.rules,
    params,
    projectDir,
    launchDir,
    workDir: shownWorkDir,
    outside,
    read: (path) => {
      // Other people's configuration includes what the run may read; what the user names is the user's.
      if (!configs.includes(path)) outside.files.stat(path);
      return parts.readConfig(path);
    },
    late: (name) => lateName(current, name),
  });
  for (const [path, value] of Object.entries(options.settings ?? {})) {
    const names = path.split(".");
    // Variables of the command line are there first, and configuration changes them.
    if (names[0] === "env" && isSet(config.settings, names)) continue;
    putSetting(config.settings, names, fromPlain(value));
  }
  params.converts = false;
  const [bad] = config.diagnostics.filter(({ severity }) => severity === "error");
  if (bad !== undefined) throw new ConfigProblem(bad);
  for (const each of config.diagnostics) outside.log("warn", each.message);
  const named = config.settings.at("plugins");
  for (const each of named instanceof GroovyMap ? named.keys() : [])
    if (!isBuiltIn(textOf(each)))
      outside.log("warn", `the plugin ${textOf(each)} is not built in, and has no effect`);
  for (const each of options.profiles ?? [])
    if (!config.profiles.includes(each))
      fail(
        "AbortOperationException",
        `Unknown configuration profile: '${each}' -- there are: ${config.profiles.join(", ")}`,
      );
  const enabled = (name: string) => {
    const scope = config.settings.at(name);
    return scope instanceof GroovyMap && scope.at("enabled") === true;
  };
  // Tools of other versions than the pipeline asks for would give other results.
  for (const name of ["conda", "spack", "wave"])
    if (enabled(name) && !(name === "conda" && options.software !== undefined))
      fail(
        "AbortOperationException",
        `${name} is switched on in the configuration, and Memoir makes no ${name} environments: use containers, or tools that are installed`,
      );
  const manifest = config.settings.at("manifest");
  if (manifest instanceof GroovyMap) checkVersion(manifest, language, outside);
  const configured = textOf(config.settings.at("outputDir") ?? standard);
  const outputDir =
    options.outputDir ?? (configured.startsWith("/") ? configured : cleaned(`${launchDir}/${configured}`));
  const session = new Session({
    language,
    host,
    ask,
    limit: parts.limit,
    outside,
    settings: new ProcessSettings(config.settings),
    config: config.settings,
    projectDir,
    workDir,
    outputDir,
    stub: options.stub ?? false,
    given: params.given,
    configured: params.written,
    ...defined({ arguments: options.arguments, resumes: options.resumes, dumped: options.dumped }),
    ...defined({ schedulerOptions: options.schedulerOptions }),
    secrets,
    bounded: parts.reach !== undefined,
    alwaysContained: options.containers === true,
    ...defined({ software: options.software, standardInput: options.standardInput }),
    workflow: new WorkflowMetadata({
      projectDir: new Path(projectDir, outside.files),
      launchDir: new Path(launchDir, outside.files),
      workDir: new Path(shownWorkDir, outside.files),
      outputDir: new Path(outputDir, outside.files),
      homeDir: environment["HOME"] ?? null,
      userName: environment["USER"] ?? null,
      scriptFile: new Path(parts.hostPathOf(main.uri) ?? main.uri, outside.files),
      scriptName: main.uri.slice(main.uri.lastIndexOf("/") + 1),
      profile: options.profiles?.join(",") || "standard",
      // Containers run as those of Docker do, whatever the configuration calls the engine.
      containerEngine: options.containers === true || containerEngines.some(enabled) ? "docker" : null,
      container: null,
      manifest: new Manifest(manifest instanceof GroovyMap ? manifest : new GroovyMap()),
      stubRun: options.stub ?? false,
      preview: options.preview ?? false,
      resume: false,
      runName: "memoir",
      sessionId: "00000000-0000-0000-0000-000000000000",
      commandLine: "nextflow run",
      ...options.facts,
      start: new DateValue(outside.nowMs()),
      complete: null,
      duration: null,
      failOnIgnore: false,
      configFiles: configs
        .filter((file) => parts.readConfig(file) !== undefined)
        .map((file) => new Path(file, outside.files)),
      success: true,
      exitStatus: 0,
      errorMessage: null,
      errorReport: null,
    }),
  });
  current = session;
  // What it calls the engine decides which program runs images here, where there is more than one.
  const engine = containerEngines.find(enabled);
  if (engine !== undefined) session.host.preferEngine?.(engine);
  const handlers = config.settings.at("workflow");
  if (handlers instanceof GroovyMap)
    for (const name of ["onComplete", "onError"]) session.workflow.set(name, handlers.at(name) ?? null);
  const parameters = config.settings.at("params");
  if (parameters instanceof GroovyMap) session.params.give(parameters);
  return session;
}

/** `manifest.nextflowVersion`: with `!` another version fails the run. */
function checkVersion(manifest: GroovyMap, { version }: Language, outside: Outside): void {
  const written = textOf(manifest.at("nextflowVersion") ?? "").trim();
  if (written === "") return;
  const required = written.replace(/^!\s*/, "");
  const answer = versionMatches(version, required);
  if (answer === "yes") return;
  const message =
    answer === undefined
      ? `Not a valid version check condition: ${required}`
      : `Nextflow version ${version} does not match workflow required version: ${required}`;
  if (answer === undefined || written.startsWith("!")) fail("AbortOperationException", message);
  outside.log("warn", `${message} -- Execution will continue, but things may break!`);
}

function isSet(settings: GroovyMap, [name = "", ...rest]: readonly string[]): boolean {
  const found = settings.at(name);
  return rest.length === 0 ? found !== undefined : found instanceof GroovyMap && isSet(found, rest);
}

/** Closures of the configuration are called when the session is there. */
function lateName(session: Session | undefined, name: string): Value | undefined {
  if (name === "workflow") return session?.workflow;
  if (name === "params") return session?.params;
  if (name === "nextflow") return session?.nextflow;
  return name === "log" ? session?.log : undefined;
}

function putSetting(settings: GroovyMap, [name = "", ...rest]: readonly string[], value: Value): void {
  if (rest.length === 0) {
    settings.put(name, value);
    return;
  }
  const found = settings.at(name);
  const inner = found instanceof GroovyMap ? found : new GroovyMap();
  if (inner !== found) settings.put(name, inner);
  putSetting(inner, rest, value);
}

/** Absolute paths among the inputs; of a pattern the folder that it begins with. */
export function localPlacesIn(value: unknown): readonly string[] {
  if (typeof value === "string") {
    const path = value.replace(/^file:\/\/(?=\/)/, "");
    const found = isPattern(path) ? splitGlob(path).folder : path;
    return found.startsWith("/") && found !== "/" ? [found] : [];
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(localPlacesIn) : [];
}

function asMap(value: Value): GroovyMap {
  return value instanceof GroovyMap ? value : new GroovyMap();
}

/** `a.b` is a member of `a`; `a-b` is `aB`. */
export function namedParameters(
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const [first = "", ...rest] = name.split(".");
    if (rest.length === 0)
      found[name.replace(/-+(\w)/g, (_, letter: string) => letter.toUpperCase())] = value;
    else {
      const before = found[first];
      const inner = typeof before === "object" && before !== null ? (before as Record<string, unknown>) : {};
      found[first] = { ...inner, ...namedParameters({ [rest.join(".")]: value }) };
    }
  }
  return found;
}
