/** `validateParameters`, `paramsSummaryMap`, `paramsSummaryLog`, `paramsHelp`. */
import type { Session } from "../../run/session.ts";
import { truthOf } from "../../values/compare.ts";
import { GroovyMap } from "../../values/map.ts";
import { cleaned } from "../../values/path.ts";
import { textOf } from "../../values/text.ts";
import { isList, type Value } from "../../values/thing.ts";
import { fail } from "../../values/throwable.ts";
import { faultLines } from "./fault-lines.ts";
import { plain } from "./plain.ts";
import { fileFaults, filesNamed } from "./samplesheet.ts";
import { readSchema, schemaPath, setting } from "./schema-file.ts";
import { groups } from "./schema-groups.ts";
import { unrecognised } from "./unrecognised.ts";
import { isObject, type Json, type JsonObject, validate } from "./validate.ts";

function optionsIn(given: readonly Value[]): Value {
  return given.find((each) => each instanceof GroovyMap) ?? null;
}

function namesIn(value: Value): readonly string[] {
  return isList(value) ? value.map(textOf) : [];
}

/** Of nf-validation, which is set by parameters. */
function olderIgnored({ params }: Session): readonly string[] {
  const listed = params.at("validationSchemaIgnoreParams");
  const own = Array.from(params.keys(), textOf).filter((name) => /^validation[A-Z]/.test(name));
  return [...own, ...(typeof listed === "string" ? listed.split(",").map((each) => each.trim()) : [])];
}

export function validateParameters(given: readonly Value[], session: Session): Value {
  const root = readSchema(session, schemaPath(session, optionsIn(given)));
  const known = new Map([...groups(root).values()].flatMap((each) => Object.entries(each)));
  const values = plain(session.params);
  if (!isObject(values)) return null;
  const params: Record<string, Json> = {};
  const leavesOut = leavesOutFalse(session);
  for (const [name, value] of Object.entries(values))
    if (!leavesOut || !isFalse(value)) params[name] = typedParameter(value, known.get(name), session, name);
  const ignored = [
    ...namesIn(setting(session, "defaultIgnoreParams")),
    ...namesIn(setting(session, "ignoreParams")),
    "help",
    "help_full",
    "helpFull",
    "show_hidden",
    "showHidden",
    ...olderIgnored(session),
  ];
  const faults = validate(params, root, {
    root,
    files: session.outside.files,
    lenient: truthOf(setting(session, "lenientMode")),
    filesOf: (pattern) => filesNamed(pattern, session),
    validateFile: (file, schema) => fileFaults(file, schema, session),
  }).filter(({ path }) => !ignored.includes(String(path[0])));
  // Groups of parameters that fail by an ignored one leave no words.
  const words = faultLines(faults, params, { of: "parameter", session });
  if (words.length > 0)
    fail(
      "SchemaValidationException",
      `The following invalid input values have been detected:\n\n${words.join("\n")}\n`,
    );
  const unexpected = Object.keys(params).filter((name) => !known.has(name) && !ignored.includes(name));
  if (unexpected.length > 0) {
    const message = `The following invalid input values have been detected:\n\n${unexpected.map((name) => `* --${name}: ${String(params[name])}`).join("\n")}\n`;
    unrecognised(session, "Params", message);
  }
  return null;
}

/** Up to 2.6 nf-schema, and nf-validation, did not look at parameters that are false, empty or null. */
function leavesOutFalse(session: Session): boolean {
  const named = session.config.at("plugins");
  return (named instanceof GroovyMap ? named.keys() : []).some((each) => {
    const [plugin, version = ""] = textOf(each).split("@");
    const [major = 0, minor = 0] = version.split(".").map(Number);
    return (
      plugin === "nf-validation" || (plugin === "nf-schema" && version !== "" && major * 100 + minor < 207)
    );
  });
}

function isFalse(value: Json): boolean {
  return value === null || value === false || value === "" || (Array.isArray(value) && value.length === 0);
}

/** `validate(input, schema)`: a value of any kind by a schema file; what is wrong as a list, or as a failure. */
export function validateValue(given: readonly Value[], session: Session): Value {
  const options = optionsIn(given.length > 2 ? given : []);
  const [input = null, schema = null] = given.length > 2 && given[0] === options ? given.slice(1) : given;
  const text = textOf(schema);
  const root = readSchema(session, text.startsWith("/") ? text : cleaned(`${session.projectDir}/${text}`));
  const value = plain(input);
  const faults = validate(value, root, {
    root,
    files: session.outside.files,
    lenient: truthOf(setting(session, "lenientMode")),
    filesOf: (pattern) => filesNamed(pattern, session),
    validateFile: (file, own) => fileFaults(file, own, session),
  });
  const words = faultLines(faults, value, { of: "object", session });
  const exits = options instanceof GroovyMap ? (options.at("exitOnError") ?? true) : true;
  if (words.length > 0 && truthOf(exits)) fail("SchemaValidationException", `${words.join("\n")}\n`);
  return [...words];
}

/** What comes from a command line is text, whatever it means. */
function typedParameter(value: Json, schema: Json | undefined, session: Session, name: string): Json {
  if (typeof value !== "string" || !session.params.isGiven(name) || !isObject(schema)) return value;
  const { type } = schema;
  if ((type === "integer" || type === "number") && /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(value))
    return Number(value);
  if (type === "boolean" && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === "true";
  return value;
}

// --- summary

export function paramsSummaryMap(given: readonly Value[], session: Session): GroovyMap {
  const root = readSchema(session, schemaPath(session, optionsIn(given)));
  const hidden = namesIn(setting(session, "summary.hideParams"));
  const summary = new GroovyMap();
  for (const [title, properties] of groups(root)) summary.put(title, changed(properties, session, hidden));
  const { workflow } = session;
  const core = new GroovyMap();
  const fact = (name: string) => workflow.get(name) ?? null;
  if (fact("revision") !== null) core.put("revision", fact("revision"));
  core.put("runName", fact("runName"));
  if (fact("containerEngine") !== null) core.put("containerEngine", fact("containerEngine"));
  for (const name of ["launchDir", "workDir", "projectDir", "userName", "profile"]) {
    const value = fact(name);
    core.put(name, value === null ? null : textOf(value));
  }
  core.put("configFiles", "");
  summary.put("Core Nextflow options", core);
  return summary;
}

/** Parameters whose values differ from the defaults of the schema. */
function changed(properties: JsonObject, session: Session, hidden: readonly string[]): GroovyMap {
  const found = new GroovyMap();
  for (const [name, schema] of Object.entries(properties)) {
    const value = session.params.at(name);
    if (value === undefined || value === null || hidden.includes(name) || !isObject(schema)) continue;
    const text = textOf(value);
    const written = schema["default"];
    const initial = written === undefined || written === null ? undefined : String(written);
    if (initial !== undefined ? !sameDefault(text, initial, session) : text !== "" && text !== "false")
      found.put(name, text);
  }
  return found;
}

function sameDefault(text: string, initial: string, session: Session): boolean {
  if (text === initial) return true;
  const project = initial.replace(/\$\{?projectDir\}?/, "");
  return project !== initial && text.endsWith(project) && text.startsWith(session.projectDir);
}

export function paramsSummaryLog(given: readonly Value[], session: Session): string {
  const summary = paramsSummaryMap(given, session);
  const names = Array.from(summary.values()).flatMap((each) =>
    each instanceof GroovyMap ? each.keys() : [],
  );
  const width = Math.max(0, ...names.map((each) => textOf(each).length));
  const lines: string[] = [];
  for (const [title, group] of summary.entries()) {
    if (!(group instanceof GroovyMap) || group.size === 0) continue;
    lines.push(textOf(title));
    for (const [name, value] of group.entries())
      lines.push(`  ${textOf(name).padEnd(width)}: ${textOf(value)}`);
    lines.push("");
  }
  const before = setting(session, "summary.beforeText");
  const after = setting(session, "summary.afterText");
  return `${before === null ? "" : textOf(before)}${lines.join("\n")}\n!! Only displaying parameters that differ from the pipeline defaults !!\n${after === null ? "" : textOf(after)}`;
}

// --- help

/** Where the configuration has switched help on, and a parameter asks for it: the text; the run ends with it. */
export function helpAsked(session: Session): string | undefined {
  if (!truthOf(setting(session, "help.enabled"))) return undefined;
  const name = (key: string, initial: string) => textOf(setting(session, `help.${key}`) ?? initial);
  const asked = (parameter: string) => session.params.at(parameter) ?? null;
  const short = asked(name("shortParameter", "help"));
  const full = asked(name("fullParameter", "helpFull"));
  if (!truthOf(short) && !truthOf(full)) return undefined;
  if (typeof short !== "string") return paramsHelp([], session);
  const root = readSchema(session, schemaPath(session, null));
  for (const properties of groups(root).values()) {
    const schema = Object.hasOwn(properties, short) ? properties[short] : undefined;
    if (!isObject(schema)) continue;
    const width = Math.max(...Object.keys(schema).map((each) => each.length));
    const lines = Object.entries(schema).map(
      ([key, value]) =>
        `    ${key.padEnd(width)}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
    );
    return [`--${short}`, ...lines, ""].join("\n");
  }
  return fail(
    "SchemaValidationException",
    `Unable to create help message: the parameter '${short}' does not exist in the JSON schema`,
  );
}

export function paramsHelp(given: readonly Value[], session: Session): string {
  const options = optionsIn(given);
  const root = readSchema(session, schemaPath(session, options));
  const command = given.find((each) => typeof each === "string") ?? setting(session, "help.command");
  const lines: string[] = [];
  const before = setting(session, "help.beforeText");
  if (before !== null) lines.push(textOf(before));
  if (command !== null) lines.push("Typical pipeline command:", "", `  ${textOf(command)}`, "");
  const hiddenName = textOf(setting(session, "help.showHiddenParameter") ?? "showHidden");
  const showHidden = [hiddenName, "show_hidden", "showHidden"].some((each) =>
    truthOf(session.params.at(each) ?? false),
  );
  let hidden = 0;
  for (const [title, properties] of groups(root)) {
    const all = Object.entries(properties).filter(([, schema]) => isObject(schema));
    const shown = all.filter(([, schema]) => isObject(schema) && (showHidden || schema["hidden"] !== true));
    hidden += all.length - shown.length;
    if (shown.length === 0) continue;
    const width = Math.max(...shown.map(([name]) => name.length));
    lines.push(title);
    for (const [name, schema] of shown) {
      if (!isObject(schema)) continue;
      const initial = schema["default"] === undefined ? "" : ` [default: ${String(schema["default"])}]`;
      lines.push(
        `  --${name.padEnd(width)}  [${String(schema["type"] ?? "string")}]  ${String(schema["description"] ?? "")}${initial}`,
      );
    }
    lines.push("");
  }
  if (hidden > 0)
    lines.push(`!! Hiding ${hidden} param(s), use the \`--${hiddenName}\` parameter to show them !!`, "");
  const after = setting(session, "help.afterText");
  if (after !== null) lines.push(textOf(after));
  return lines.join("\n");
}
