/** Names that the code of a test file may use while it looks at what came out. */
import { readdirSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { globPattern } from "../../../src/lang/core/index.ts";
import { scriptFiles } from "../../../src/lang/nextflow/run/script-files.ts";
import { construct } from "../../../src/lang/nextflow/stdlib/constructors.ts";
import { unpackedContent } from "../../../src/lang/nextflow/stdlib/content.ts";
import { fromPlain, readJson } from "../../../src/lang/nextflow/stdlib/json.ts";
import type { Outside } from "../../../src/lang/nextflow/stdlib/outside.ts";
import { lines } from "../../../src/lang/nextflow/stdlib/text.ts";
import { readYaml } from "../../../src/lang/nextflow/stdlib/yaml.ts";
import { Closure, type Delegate } from "../../../src/lang/nextflow/values/closure.ts";
import { truthOf } from "../../../src/lang/nextflow/values/compare.ts";
import { GroovyMap } from "../../../src/lang/nextflow/values/map.ts";
import { Path } from "../../../src/lang/nextflow/values/path.ts";
import { textOf } from "../../../src/lang/nextflow/values/text.ts";
import { isList, type List, Unique, type Value } from "../../../src/lang/nextflow/values/thing.ts";
import { fail } from "../../../src/lang/nextflow/values/throwable.ts";
import { noVersions, type RecordedVersions } from "./recorded-values.ts";
import type { ComponentEnd } from "./run-component.ts";
import { canonical, md5, md5OfFile, snapshotOf } from "./snapshot.ts";
import type { TestData } from "./test-data.ts";
import type { TestNames } from "./test-file.ts";

/** The test opens data that only real tools make. */
export class NotComparable extends Error {
  override readonly name = "NotComparable";
}

/** What is not as the snapshot has it. */
export class Different extends Error {
  override readonly name = "Different";
}

export interface TestState {
  readonly name: string;
  readonly end: ComponentEnd | undefined;
  readonly outside: Outside;
  readonly folders: Readonly<Record<string, string>>;
  readonly params: GroovyMap;
  readonly data: TestData | undefined;
  readonly versions: RecordedVersions;
  /** undefined: the file has no such snapshot. */
  snapshot(name: string): unknown;
}

/** Read real data with libraries for it. */
const dataReaders = new Set(["bam", "cram", "sam", "vcf", "csv", "anndata", "tiff", "fastq", "fasta"]);
const dataProperties = new Set(["vcf", "csv", "fasta", "fastq", "anndata", "tiff", "bam"]);

export function testNames(state: () => TestState): TestNames {
  return {
    lookup: (name) => lookup(state(), name),
    method: (name, given) => call(state(), name, given),
    create: (type, given) => {
      if (type === "File" || type === "java.io.File") return fileOf(state(), given.map(textOf).join("/"));
      return (
        construct(type, given, state().outside) ??
        fail("MissingMethodException", `the class ${type} is not supported`)
      );
    },
  };
}

/** For what a test file says before anything is run; it writes nothing. */
export function namesBeforeRun(launchDir: string, folders: Readonly<Record<string, string>>): TestNames {
  const state: TestState = {
    name: "",
    end: undefined,
    outside: {
      files: scriptFiles({ launchDir, writable: [] }),
      env: () => undefined,
      environment: {},
      nowMs: () => 0,
      print: () => undefined,
      newFolder: () => launchDir,
      log: () => undefined,
    },
    folders: { ...folders, launchDir },
    params: new GroovyMap(),
    data: undefined,
    versions: noVersions,
    snapshot: () => undefined,
  };
  return testNames(() => state);
}

function lookup(state: TestState, name: string): Value | undefined {
  const folder = state.folders[name];
  if (folder !== undefined) return folder;
  if ((name === "process" || name === "workflow") && state.end !== undefined) return new Subject(state.end);
  return name === "params" ? state.params : undefined;
}

function call(state: TestState, name: string, given: readonly Value[]): Value | undefined {
  const [first = null, second = null] = given;
  if (dataReaders.has(name) && given.length > 0)
    throw new NotComparable(`${name}(…) opens data that only the tool itself makes`);
  switch (name) {
    case "assertAll":
      return assertAll(given.flatMap((each) => (isList(each) ? each : [each])));
    case "snapshot":
      return new Snapshot(state, given);
    case "path":
      return pathOf(state, textOf(first));
    case "file":
      return fileOf(state, textOf(first));
    case "md5":
      return md5(textOf(first));
    case "with": {
      if (!(second instanceof Closure)) return undefined;
      return second.bound(delegateOf(first), "delegate first").call([first]);
    }
    case "println":
    case "print":
      return null;
    case "sanitizeOutput":
      return sanitized(given);
    case "getAllFilesFromDir":
      return allFiles(state, given);
    case "getRelativePath":
      return isList(first) ? first.map((each) => relative(textOf(second), textOf(each))) : null;
    case "filterNextflowOutput":
      return isList(first) ? first.map(textOf).join("\n") : textOf(first);
    case "assertContainsInAnyOrder": {
      const texts = (value: Value) =>
        isList(value) ? value.map((each) => canonical(snapshotOf(each, webPath(state)))).sort() : [];
      if (texts(first).join() !== texts(second).join())
        throw new Different("the lists do not have the same members");
      return true;
    }
    case "removeFromYamlMap":
    case "removeNextflowVersion": {
      const yaml = readYaml(unpackedContent(pathOf(state, textOf(first))));
      if (yaml instanceof GroovyMap) {
        if (given.length === 1) removeNextflow(yaml);
        else if (given.length === 2) yaml.remove(second);
        else {
          const inner = yaml.at(second);
          if (inner instanceof GroovyMap) inner.remove(given[2] ?? null);
        }
      }
      return yaml;
    }
  }
  return undefined;
}

function removeNextflow(yaml: GroovyMap): void {
  const workflow = yaml.at("Workflow");
  if (workflow instanceof GroovyMap) workflow.remove("Nextflow");
}

function delegateOf(value: Value): Delegate {
  return {
    lookup: (name) => (value instanceof GroovyMap ? value.at(name) : undefined),
    assign: () => false,
    method: () => undefined,
  };
}

/** All are tried, and all that fail are reported. */
function assertAll(closures: readonly Value[]): Value {
  const wrong: Error[] = [];
  for (const each of closures)
    try {
      if (each instanceof Closure) each.call([]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      wrong.push(error);
    }
  const [first] = wrong;
  if (first === undefined) return null;
  // What cannot be compared does not hide what is wrong.
  throw wrong.find((each) => !(each instanceof NotComparable)) ?? first;
}

class Subject extends Unique {
  readonly type = "Process";
  readonly #end: ComponentEnd;

  constructor(end: ComponentEnd) {
    super();
    this.#end = end;
  }

  override get(name: string): Value | undefined {
    const { succeeded, out, printed, trouble, exitCode, tasks } = this.#end;
    switch (name) {
      case "success":
        return succeeded;
      case "failed":
        return !succeeded;
      case "exitStatus":
        return exitCode;
      case "out":
        return new Channels(out);
      case "stdout":
      case "stderr":
        return [...printed];
      case "errorReport":
      case "errorMessage":
        return trouble;
      case "trace":
        return new Trace(tasks);
    }
    return undefined;
  }
}

class Trace extends Unique {
  readonly type = "WorkflowTrace";
  readonly #tasks: ComponentEnd["tasks"];

  constructor(tasks: ComponentEnd["tasks"]) {
    super();
    this.#tasks = tasks;
  }

  override invoke(name: string): Value | undefined {
    const { succeeded, failed } = this.#tasks;
    if (name === "succeeded") return new Array<Value>(succeeded).fill("task");
    if (name === "failed") return new Array<Value>(failed).fill("task");
    if (name === "tasks") return new Array<Value>(succeeded + failed).fill("task");
    return undefined;
  }
}

/** Channels by name, and by number. */
class Channels extends GroovyMap {
  constructor(out: GroovyMap) {
    super(out.entries());
  }

  override at(key: Value): Value | undefined {
    return super.at(typeof key === "number" ? String(key) : key);
  }
}

class Snapshot extends Unique {
  readonly type = "Snapshot";
  readonly #state: TestState;
  readonly #given: readonly Value[];

  constructor(state: TestState, given: readonly Value[]) {
    super();
    this.#state = state;
    this.#given = given;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (name !== "match") return name === "md5" ? this : undefined;
    const wanted = given[0] === undefined ? this.#state.name : textOf(given[0]);
    const recorded = this.#state.snapshot(wanted);
    if (recorded === undefined) return true;
    const web = webPath(this.#state);
    // A single null is recorded as it is.
    const values = this.#given.length === 1 && this.#given[0] === null ? null : this.#given;
    const got = canonical(values === null ? null : values.map((each) => snapshotOf(each, web)));
    const expected = canonical(recorded);
    if (got === expected) return true;
    if (withoutData(got, this.#state) === withoutData(expected, this.#state))
      throw new NotComparable("the content of test data is in the snapshot");
    throw new Different(`snapshot "${wanted}":\n${difference(expected, got)}`);
  }
}

function webPath({ data }: TestState): (path: string) => string | undefined {
  return (path) => data?.webPath(path);
}

/** Files of test data by their names alone. */
function withoutData(snapshot: string, { data }: TestState): string {
  return snapshot
    .replace(/"([^"]*):md5,[0-9a-f]{32}"/g, (whole, name: string) =>
      data?.names(name) === true ? `"${name}"` : whole,
    )
    .replace(/"\/nf-core\/test-datasets\/[^"]*\/([^"/]*)"/g, '"$1"');
}

/** The lines in which two texts differ. */
function difference(expected: string, got: string): string {
  const [a, b] = [expected.split("\n"), got.split("\n")];
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  const part = (all: readonly string[], sign: string) =>
    all
      .slice(start, all.length - end)
      .slice(0, 12)
      .map((line) => `${sign} ${line}`);
  return [...part(a, "-"), ...part(b, "+")].join("\n");
}

function sanitized(given: readonly Value[]): Value {
  const options = given.length > 1 ? given[0] : undefined;
  const out = given.at(-1) ?? null;
  if (!(out instanceof GroovyMap)) return out;
  const unstable = options instanceof GroovyMap ? options.at("unstableKeys") : undefined;
  const names = isList(unstable) ? unstable.map(textOf) : [];
  return new GroovyMap(
    [...out.entries()]
      .filter(([key]) => !/^\d+$/.test(textOf(key)))
      .map(([key, value]): [Value, Value] => [key, names.includes(textOf(key)) ? namesOnly(value) : value]),
  );
}

function namesOnly(value: Value): Value {
  if (isList(value)) return value.map(namesOnly);
  if (typeof value === "string" && value.startsWith("/")) {
    const stat = statSync(value, { throwIfNoEntry: false });
    if (stat?.isDirectory())
      return readdirSync(value)
        .sort()
        .map((each) => namesOnly(join(value, each)));
    return basename(value);
  }
  return value;
}

function allFiles(state: TestState, given: readonly Value[]): List {
  const named = given.find((each) => each instanceof GroovyMap);
  const options = named instanceof GroovyMap ? named : new GroovyMap();
  const folder = textOf(given.find((each) => !(each instanceof GroovyMap)) ?? "");
  const patterns = (name: string) => {
    const value = options.at(name);
    return isList(value) ? value.map(textOf) : undefined;
  };
  const included = patterns("include") ?? ["*", "**/*"];
  const ignored = patterns("ignore") ?? [];
  const found: string[] = [];
  const visit = (place: string): void => {
    for (const name of readdirSync(place)) {
      const path = join(place, name);
      const inside = relative(folder, path);
      const matches = (pattern: string) =>
        globPattern(pattern).matches(inside) || globPattern(pattern).matches(name);
      const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
      const isWanted = included.some(matches) && !ignored.some(matches);
      if (isWanted && (!isFolder || truthOf(options.at("includeDir") ?? false))) found.push(path);
      if (isFolder) visit(path);
    }
  };
  if (statSync(folder, { throwIfNoEntry: false }) !== undefined) visit(folder);
  const sorted = found.sort();
  return truthOf(options.at("relative") ?? false)
    ? sorted.map((each) => relative(folder, each))
    : sorted.map((each) => pathOf(state, each));
}

/** Of Java's class File. */
function fileOf({ outside, versions }: TestState, location: string): Path {
  return new TestFile(location, outside.files, versions);
}

function pathOf({ outside, versions }: TestState, location: string): Path {
  return new TestPath(location, outside.files, versions);
}

/** With what nf-test adds to paths. */
class TestPath extends Path {
  readonly #versions: RecordedVersions;

  constructor(location: string, files: Path["files"], versions: RecordedVersions) {
    super(location, files);
    this.#versions = versions;
  }

  override with(location: string): Path {
    return new TestPath(location, this.files, this.#versions);
  }

  override get(name: string): Value | undefined {
    if (dataProperties.has(name))
      throw new NotComparable(`path(…).${name} opens data that only the tool itself makes`);
    switch (name) {
      case "md5":
        return this.files.stat(this.absolute) === undefined
          ? fail("NoSuchFileException", this.location)
          : md5OfFile(this.absolute);
      case "json":
        return readJson(unpackedContent(this));
      case "yaml":
        return this.fileName === "versions.yml"
          ? versionsYaml(unpackedContent(this), this.#versions)
          : readYaml(unpackedContent(this));
      case "linesGzip":
        return lines(unpackedContent(this));
      case "textGzip":
        return unpackedContent(this);
    }
    return undefined;
  }

  override invoke(name: string, given: readonly Value[]): Value | undefined {
    if (dataProperties.has(name))
      throw new NotComparable(`path(…).${name} opens data that only the tool itself makes`);
    switch (name) {
      case "getMd5":
      case "getJson":
      case "getYaml":
      case "getLinesGzip":
      case "getTextGzip":
        return this.get(`${name[3]?.toLowerCase()}${name.slice(4)}`);
      case "readLinesGzip":
        return this.get("linesGzip");
      case "readJSON":
        return this.get("json");
      case "list":
      case "listFiles":
        return this.files.list(this.absolute).map((each) => this.with(join(this.absolute, each)));
      case "length":
        return given.length === 0 ? (this.files.stat(this.absolute)?.sizeBytes ?? 0) : undefined;
    }
    return undefined;
  }
}

class TestFile extends TestPath {
  override invoke(name: string, given: readonly Value[]): Value | undefined {
    return name === "list" && given.length === 0
      ? [...this.files.list(this.absolute)]
      : super.invoke(name, given);
  }
}

/** Tools that are not here say nothing about themselves: their names count, and the recorded versions. */
function versionsYaml(text: string, versions: RecordedVersions): Value {
  const all = new GroovyMap();
  let process: GroovyMap | undefined;
  let name = "";
  for (const line of text.split("\n")) {
    const [, outer] = /^"?([A-Za-z][\w:.-]*)"?:\s*$/.exec(line) ?? [];
    const [, tool] = /^\s+"?([^\s:"][^:"]*)"?:/.exec(line) ?? [];
    if (outer !== undefined) {
      process = new GroovyMap();
      name = outer.split(":").at(-1) ?? outer;
      all.put(outer, process);
    } else if (tool !== undefined) process?.put(tool, fromPlain(versions.inYaml.get(`${name} ${tool}`)));
  }
  return all;
}
